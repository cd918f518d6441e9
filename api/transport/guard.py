"""Rules for every request that changes something, before anybody looks at what it asks.

A page of another site can make a browser send requests, with whatever the browser is signed in with. It cannot choose
what ``Origin`` and ``Sec-Fetch-Site`` say, and the browser asks the app before it sends JSON, a PUT or a DELETE.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from api.transport.errors import Code, Refusal
from api.transport.http import Answer, Handler, Request
from rollout.ports.ports import Ports

#: Far above any body that this API knows.
BODY_LENGTH_MAX = 1024 * 1024

_PORTS = {"http": 80, "https": 443}


async def guarded(ports: Ports, request: Request, *, handler: Handler) -> Answer:
    """The handler's answer to a request that is fit to be looked at."""
    if not is_same_origin(request):
        message = "A browser sent this from a page of another origin. Only Teal's own pages may change anything"
        raise Refusal(Code.CROSS_ORIGIN, message, "Origin")
    if request.body:
        check_body(request)
    return await handler(ports, request)


def is_same_origin(request: Request) -> bool:
    """Whether no browser sent the request, or one for a page of this app, or for the person who typed its address.

    ``Sec-Fetch-Site`` alone decides where it is sent: it holds behind any proxy.
    https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site.strip().lower() in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or (_authority(origin) or "none") == _authority(request.url)


def check_body(request: Request) -> None:
    """Raise ``unsupportedMediaType`` or ``bodyTooLarge``."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(
            Code.UNSUPPORTED_MEDIA_TYPE, "Send the body as JSON, with the header Content-Type: application/json"
        )
    if len(request.body) > BODY_LENGTH_MAX:
        message = f"The body must have at most {BODY_LENGTH_MAX} bytes, not {len(request.body)}"
        raise Refusal(Code.BODY_TOO_LARGE, message)


def _authority(url: str) -> tuple[str, int | None] | None:
    """Host and port. The scheme is left out: TLS may end before the app, which then sees ``http``."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname:
        return None
    return parts.hostname, None if port == _PORTS.get(parts.scheme) else port
