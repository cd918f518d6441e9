"""Lists on the wire, a page at a time."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

from local.azure.arm.calls import ArmCall
from local.azure.arm.errors import invalid_parameter
from local.azure.arm.messages import ArmResponse, encode, raw_response

T = TypeVar("T")


def page(call: ArmCall, items: Sequence[T], encoded: Callable[[T], bytes]) -> ArmResponse:
    """One page of a list. The token in ``nextLink`` says where the next begins; to a client it is opaque."""
    size, token = call.world.platform.page_size, call.request.query.get("$skiptoken")
    try:
        start = int(base64.urlsafe_b64decode(token)) if token else 0
    except ValueError:
        raise invalid_parameter("$skiptoken", "The skip token is not valid.") from None
    body = b'{"value":[' + b",".join(encoded(item) for item in items[start : start + size]) + b"]"
    if start + size < len(items):
        following = base64.urlsafe_b64encode(str(start + size).encode()).decode()
        query = urlencode({**call.request.query, "$skiptoken": following})
        link = f"{call.base_url}{urlsplit(call.request.url).path}?{query}"
        body += b',"nextLink":' + encode(link)
    return raw_response(HTTPStatus.OK, body + b"}")
