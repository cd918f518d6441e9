"""HTTP as the command uses it: certificates, proxies, and no word of httpx in what is printed.

httpx is imported here alone, and late: it takes longer than the rest of a command.
"""

from __future__ import annotations

import json
import os
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from teal_cli import VERSION
from teal_cli.ending import Ended
from teal_cli.exits import Exit

if TYPE_CHECKING:
    import httpx

#: How long a connection may take to be made, in seconds.
CONNECT_SECONDS = 10.0

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


class NoAnswer(Exception):
    """Nothing came back. The text is ours: httpx's own may hold a URL with a key, or a header."""


class Connection:
    """Connections that are kept open between requests."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._client: httpx.Client | None = None
        #: Told each request's method, path, status and time: no header, and no query, which may hold a secret.
        self.told: Callable[[str], None] = lambda line: None
        self._lock = threading.Lock()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        timeout: float,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One request; ``NoAnswer`` where nothing came back."""
        import httpx

        began = time.monotonic()
        limits = httpx.Timeout(timeout, connect=min(CONNECT_SECONDS, timeout))
        sent = {"User-Agent": f"teal/{VERSION}", **headers}
        try:
            response = self._open().request(
                method, url, headers=sent, params=params, content=content, data=form, timeout=limits
            )
        except httpx.TimeoutException as error:
            raise NoAnswer(_slow(error)) from None
        except httpx.TransportError as error:
            raise NoAnswer(_reason(error)) from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, UnicodeError):
            raise NoAnswer("the request cannot be sent: see TEAL_URL") from None
        took = time.monotonic() - began
        self.told(f"{method} {response.url.path}: {response.status_code} in {took:.2f} s")
        return response

    def json(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]] | None:
        """Status and JSON object of a request to somebody else than Teal; ``None``: no answer."""
        try:
            response = self.send(method, url, headers=headers, timeout=30.0, form=form)
        except NoAnswer:
            return None
        return response.status_code, json_object(response.content)

    def _open(self) -> httpx.Client:
        import httpx

        with self._lock:
            if self._client is None:
                context = tls_context(self._environment)
                try:
                    self._client = httpx.Client(verify=context, follow_redirects=False)
                except Exception:
                    raise Ended(Exit.USAGE, bad_proxy(self._environment, context)) from None
            return self._client


def tls_context(environment: Mapping[str, str]) -> ssl.SSLContext:
    """Whom to trust: ``SSL_CERT_FILE``, else ``REQUESTS_CA_BUNDLE``, which ``az`` reads, else the system's store."""
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        path = environment.get(name, "").strip()
        if path:
            try:
                return ssl.create_default_context(cafile=path)
            except (OSError, ssl.SSLError):
                raise Ended(Exit.USAGE, f"{name} names no file of certificates: {path}") from None
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def bad_proxy(environment: Mapping[str, str], context: ssl.SSLContext) -> str:
    """Which variable keeps a client from being made. Its value is not shown: it may hold a password."""
    import httpx

    for name in (*_PROXIES, *(name.lower() for name in _PROXIES)):
        value = environment.get(name, "")
        if not value:
            continue
        try:
            httpx.Client(proxy=value, verify=context, trust_env=False).close()
        except Exception:
            return f"{name} names no proxy that can be used: http://host:port is meant"
    for name in ("NO_PROXY", "no_proxy"):
        if environment.get(name):
            return f"{name} cannot be understood: names of hosts with commas between are meant"
    return "no connections can be made here: see the variables of proxies and certificates"


def json_object(content: bytes) -> dict[str, Any]:
    """The JSON object that it is, else an empty one."""
    try:
        body = json.loads(content) if content else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _slow(error: Exception) -> str:
    return "no connection in time" if type(error).__name__ == "ConnectTimeout" else "no answer in time"


def _reason(error: Exception) -> str:
    """What went wrong, in a word of our own that is chosen by the kind of the error."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "its certificate is not trusted: SSL_CERT_FILE may name one that is to be"
        if isinstance(cause, ssl.SSLError):
            return "no TLS connection can be made"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        cause = cause.__cause__ or cause.__context__
    kind = type(error).__name__
    if kind == "ProxyError":
        return "the proxy does not let it through"
    if kind == "ConnectError":
        named = "name" in str(error).lower() or "address" in str(error).lower()
        return "its name is not known" if named else "no connection"
    return "the connection was lost"
