"""The simulated Azure without sockets: a transport for the real aio clients of the Azure SDK.

The SDK's own pipeline (retries, long-running operations, paging) runs unchanged; its sleeps are the event loop's, so
that they cost nothing on a loop in virtual time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from types import TracebackType
from typing import Any, cast

from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.core.rest._http_response_impl_async import AsyncHttpResponseImpl
from azure.core.utils import case_insensitive_dict

from local.azure.arm.messages import ArmRequest, ArmResponse, ConnectionLost
from local.azure.cloud import Cloud


class InProcessTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """Hands every request of an SDK client to ``cloud``; a lost connection arrives as the SDK's own error."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def open(self) -> None:
        """There is nothing to open."""

    async def close(self) -> None:
        """There is nothing to close."""

    async def __aenter__(self) -> InProcessTransport:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        return None

    async def sleep(self, duration: float) -> None:
        """Wait as the SDK's policies wait: on the event loop, in the clock's time."""
        await asyncio.sleep(duration / self._cloud.clock.scale)

    async def send(self, request: HttpRequest, **kwargs: Any) -> AsyncHttpResponse:
        """Answer one request of the SDK."""
        try:
            response = await self._cloud.handle(_to_request(request))
        except ConnectionLost as error:
            raise ServiceResponseError(str(error), error=error) from error
        return _InProcessResponse(request, response)


def _to_request(request: HttpRequest) -> ArmRequest:
    content = request.content if hasattr(request, "content") else None
    body = content.encode() if isinstance(content, str) else content
    return ArmRequest(request.method, request.url, dict(request.headers), cast(bytes, body or b""))


class _Closable:
    """What the SDK closes when it has done with an answer."""

    async def close(self) -> None:
        """There is no connection to close."""


class _InProcessResponse(AsyncHttpResponseImpl):
    """An answer as the SDK reads it: its body is there from the start."""

    def __init__(self, request: HttpRequest, response: ArmResponse) -> None:
        headers: MutableMapping[str, str] = case_insensitive_dict(response.headers)
        super().__init__(
            request=request,
            internal_response=_Closable(),
            status_code=response.status,
            headers=headers,
            reason="",
            content_type=headers.get("content-type", ""),
            stream_download_generator=_no_stream,
        )
        self._content = response.body


def _no_stream(*args: Any, **kwargs: Any) -> AsyncIterator[bytes]:
    raise NotImplementedError("answers in process are not streamed")
