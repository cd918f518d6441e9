"""What stands between the command and Teal: it answers, hangs or breaks off as a test says, and else passes on."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """An answer that Teal does not give."""

    status: int
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


HANG = Reply(-1)
DROP = Reply(-2)

#: Answers a request itself, or ``None``: it is passed on.
Rule = Callable[[Request], Reply | None]


class Front:
    """A server on a port of its own."""

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream).netloc
        self.rule: Rule = lambda request: None
        self.seen: list[Request] = []
        self._released = threading.Event()

    def __enter__(self) -> Front:
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                front._serve(self)

            do_POST = do_PUT = do_DELETE = do_GET

            def log_message(self, *said: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def asked(self, method: str, end: str = "") -> list[Request]:
        """The requests that came, of this method and to paths that end so."""
        return [one for one in self.seen if one.method == method and one.path.partition("?")[0].endswith(end)]

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        request = Request(handler.command, handler.path, headers, body)
        self.seen.append(request)
        reply = self.rule(request)
        if reply is None:
            _send(handler, *self.forward(request))
        elif reply is HANG:
            self._released.wait(60)
            handler.close_connection = True
        elif reply is DROP:
            handler.close_connection = True
        else:
            content = b"" if reply.body is None else json.dumps(reply.body).encode()
            _send(handler, reply.status, dict(reply.headers), content)

    def forward(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        """What Teal says to the request."""
        upstream = http.client.HTTPConnection(self._upstream, timeout=60)
        kept = {name: value for name, value in request.headers.items() if name not in ("host", "connection")}
        upstream.request(request.method, request.path, request.body or None, kept)
        answer = upstream.getresponse()
        content = answer.read()
        headers = {k: v for k, v in answer.getheaders() if k.lower() not in ("content-length", "transfer-encoding")}
        upstream.close()
        return answer.status, headers, content


def _send(handler: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str], content: bytes) -> None:
    handler.send_response_only(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)
