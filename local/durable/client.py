"""The one seam into the SDK's client: in virtual time, where there are no sockets, its HTTP calls are made in-process.

The client (``models/DurableOrchestrationClient.py``) keeps references to three functions of its module when an object
is made, which is at every invocation of a function with a client binding. While an address is registered here, the
three are replaced by ones that look the address up first, and fall back to the SDK's own.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import azure.durable_functions.models.DurableOrchestrationClient  # noqa: F401  (so that it is in sys.modules)
from azure.durable_functions.models.utils import http_utils

from local.durable.answers import HttpAnswer, HttpCall

#: Answers a call whose path, relative to the registered address, is the second argument.
Endpoint = Callable[[HttpCall, str], HttpAnswer]

# The package's attribute of this name is the class; the module is in sys.modules only.
_MODULE = sys.modules["azure.durable_functions.models.DurableOrchestrationClient"]
_METHODS = {"post_async_request": "POST", "get_async_request": "GET", "delete_async_request": "DELETE"}

_endpoints: dict[str, Endpoint] = {}
_originals: dict[str, Any] = {}


def connect_client(rpc_base_url: str, endpoint: Endpoint) -> Callable[[], None]:
    """Answer SDK clients' calls to ``rpc_base_url`` by ``endpoint``, until the returned function is called."""
    if not _originals:
        for name, method in _METHODS.items():
            _originals[name] = getattr(_MODULE, name)
            setattr(_MODULE, name, _replacement(method, _originals[name]))
    _endpoints[rpc_base_url] = endpoint

    def disconnect() -> None:
        # Another host may have taken the address over since.
        if _endpoints.get(rpc_base_url) == endpoint:
            del _endpoints[rpc_base_url]
        if not _endpoints:
            for name, original in _originals.items():
                setattr(_MODULE, name, original)
            _originals.clear()

    return disconnect


def _replacement(method: str, original: Callable[..., Awaitable[list[Any]]]) -> Callable[..., Awaitable[list[Any]]]:
    async def request(url: str, *arguments: Any, **named: Any) -> list[Any]:
        for base, endpoint in _endpoints.items():
            if url.startswith(base):
                # A real call lets others run in between.
                await asyncio.sleep(0)
                data = arguments[0] if method == "POST" and arguments else named.get("data")
                return _call(endpoint, method, base, url, data)
        return await original(url, *arguments, **named)

    return request


def _call(endpoint: Endpoint, method: str, base: str, url: str, data: Any) -> list[Any]:
    """Status and decoded body, as the SDK's ``http_utils`` returns them."""
    body = b"" if data is None else json.dumps(data).encode()
    call = HttpCall(method, url, {"content-type": "application/json"} if body else {}, body)
    answer = endpoint(call, url.removeprefix(base).partition("?")[0])
    value = answer.json() if answer.body else None
    return [answer.status, "" if value is None and method == "GET" else value]


async def close_client_session() -> None:
    """Close the session that SDK clients of this process share over real sockets.

    The SDK keeps it, and the lock around it, for the life of the process, but both belong to the loop they were first
    used on: whoever ends a loop closes them (``models/utils/http_utils.py``).
    """
    await http_utils._close_session()
    http_utils._session_lock = asyncio.Lock()
