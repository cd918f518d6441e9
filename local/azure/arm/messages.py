"""A request to Azure Resource Manager and its answer, without sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

Json = dict[str, Any]


class ConnectionLost(ConnectionError):
    """The connection ended before an answer came: the caller cannot know whether the request took effect."""


@dataclass(frozen=True)
class ArmRequest:
    """One HTTP request; ``url`` may be absolute or only path and query."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @cached_property
    def path(self) -> str:
        """The decoded path, as it was written: resource names keep their letter case."""
        return unquote(urlsplit(self.url).path)

    @cached_property
    def origin(self) -> str:
        """Scheme, host and port that were asked; empty where ``url`` is only path and query."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's values by name, which is in lower case: ARM does not tell ``$Expand`` from ``$expand``."""
        pairs = parse_qsl(urlsplit(self.url).query, keep_blank_values=True)
        return {name.lower(): value for name, value in pairs}

    def header(self, name: str) -> str | None:
        """A header's value, whatever the letter case of its name."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), None)


@dataclass
class ArmResponse:
    """One HTTP answer. Header names are in lower case."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """The body read as JSON; ``None`` where there is no body."""
        return json.loads(self.body) if self.body else None


def encode(body: Any) -> bytes:
    """JSON as Azure sends it: compact, not reordered."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def readable(body: bytes) -> Any:
    """A request's body: JSON where it is JSON, else its text."""
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode(errors="replace")


def json_response(status: int, body: Any, headers: Mapping[str, str] | None = None) -> ArmResponse:
    """An answer with a JSON body."""
    return raw_response(status, encode(body), headers)


def raw_response(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> ArmResponse:
    """An answer whose JSON body is already encoded."""
    return ArmResponse(status, {"content-type": "application/json; charset=utf-8", **(headers or {})}, body)
