"""One HTTP request as the host sees it, and its answer, without sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from local.state import Json


@dataclass(frozen=True)
class HttpCall:
    """A request: ``target`` is path and query as they stand on the wire; header names are in lower case.

    A header that was sent several times has its values with commas between, and ``firsts`` its first.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    firsts: Mapping[str, str] = field(default_factory=dict)

    def first(self, header: str) -> str:
        """The first value of a header, or nothing."""
        return self.firsts.get(header, self.headers.get(header, ""))

    @property
    def path(self) -> str:
        """The path, still percent-encoded."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The decoded query parameters as the host hands them on: repeated ones joined by commas, none without a value.

        Their names know no case; the first spelling counts. Source: azure-functions-host,
        ``GrpcMessageConversionExtensions.cs``, ``ToRpcHttp``; ASP.NET Core's ``QueryCollection``.
        """
        values: dict[str, tuple[str, list[str]]] = {}
        for name, value in parse_qsl(urlsplit(self.target).query):
            values.setdefault(name.casefold(), (name, []))[1].append(value)
        return {name: ",".join(several) for name, several in values.values()}


@dataclass(frozen=True)
class HttpAnswer:
    """An answer as a client sees it. ``cookies`` are whole ``Set-Cookie`` values."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    cookies: tuple[str, ...] = ()

    def json(self) -> Json:
        """The body, decoded."""
        return json.loads(self.body)


def json_answer(status: int, value: Any, **headers: str) -> HttpAnswer:
    """An answer with a JSON body; header names are given with underscores."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return HttpAnswer(status, {"Content-Type": "application/json; charset=utf-8", **named}, json.dumps(value).encode())
