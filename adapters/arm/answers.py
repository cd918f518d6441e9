"""Answers as bare JSON, in place of the SDK's models.

The models of azure-mgmt-compute cost thirty times the CPU of their JSON, and hold neither headers nor fields that are
newer than they.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from azure.core.exceptions import DecodeError
from azure.core.pipeline import PipelineResponse
from azure.core.rest import AsyncHttpResponse

from adapters.arm.reading import Json


async def bare(operation: Callable[..., Awaitable[Any]], *args: str, **options: Any) -> AsyncHttpResponse:
    """The whole answer of one of the SDK's own operations; its errors are the operation's.

    As a stream, so that neither the operation makes a model of the body nor the pipeline parses it.
    """
    response: AsyncHttpResponse = await operation(*args, stream=True, cls=_http_response, **options)
    await response.read()
    return response


def json_of(response: AsyncHttpResponse) -> Json:
    """The body of an answer that was read. Raises ``DecodeError`` where it is no JSON."""
    try:
        body: Json = response.json()
    except ValueError as error:
        raise DecodeError("the answer is not JSON", response=response, error=error) from error
    return body


def _http_response(response: PipelineResponse[Any, Any], *_: Any) -> Any:
    return response.http_response
