"""An HTTP request and its answer as plain values, so that handlers run without the Functions SDK."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from rollout.ports import Ports
from rollout.roles import ANY_KEY, Caller

#: pyproject.toml's.
VERSION = "0.1.0"

_EVERY = {
    "X-Teal-Version": VERSION,
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


#: What the routes that link to others begin with, after the prefix.
_FIRST = re.compile(r"/(groups|deployments|notifications|vm|me|health|openapi\.json|docs)(?=/|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """``headers`` have lower-case names; ``route`` holds the values of the route's ``{placeholders}``.

    ``params`` is the query as the host has read it; ``caller`` is who asks (``api.admission``).
    ``token`` and ``at`` name what a request with an ``Idempotency-Key`` makes; ``tried``: it was begun before, and
    nobody knows how far it came (``api.idempotency``).
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    route: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    token: str = ""
    at: datetime | None = None
    tried: bool = False
    params: Mapping[str, str] = field(default_factory=dict)
    caller: Caller = ANY_KEY

    @property
    def given(self) -> tuple[tuple[str, str], ...]:
        """The query's parameters one after the other, as they stand in the address.

        The host's own list of them has none without a value, and joins those that come twice.

        >>> Request("GET", "https://teal.example/api/groups?a=1&&a=&b").given
        (('a', '1'), ('a', ''), ('b', ''))
        """
        query = self.url.partition("#")[0].partition("?")[2]
        return tuple(parse_qsl(query, keep_blank_values=True))

    @property
    def query(self) -> Mapping[str, str]:
        """The query's parameters by name; ``api.query`` has looked that each is there once, and says something."""
        return dict(self.given)

    def link(self, path: str) -> str:
        """The absolute URL of ``path`` below the prefix of this API (``/api`` unless host.json says otherwise).

        >>> Request("POST", "https://teal.example/api/groups/web/deployments").link("deployments/x")
        'https://teal.example/api/deployments/x'
        """
        return f"{self.prefix}/{path}"

    def path(self, path: str) -> str:
        """The same without scheme and host.

        >>> Request("GET", "https://teal.example/api/groups").path("deployments/x")
        '/api/deployments/x'
        """
        link = self.link(path)
        return link[link.find("/", link.find("://") + 3) :]

    @property
    def place(self) -> str:
        """The path below the prefix, in the one spelling of all that the host takes for the same.

        >>> Request("POST", "https://teal.example/API/Groups/we%62/deployments/?dryRun=true").place
        'groups/web/deployments'
        """
        address = self.url.partition("?")[0]
        return unquote(address[len(self.prefix) :]).strip("/").lower()

    @property
    def prefix(self) -> str:
        """The absolute URL that every route of this API is below.

        >>> Request("GET", "https://teal.example/api/openapi.json").prefix
        'https://teal.example/api'
        """
        address = self.url.partition("?")[0]
        # The host takes a path in any case. What comes before it is the caller's word, and is never taken apart.
        found = _FIRST.search(address, address.find("://") + 3)
        return address[: found.start()] if found else address


@dataclass(frozen=True)
class Answer:
    """``body`` is plain JSON; ``None`` is an answer without one. With a ``media_type`` it is text or bytes.

    ``compact``: for programs that ask again and again, without the blanks that people like.
    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = ""
    compact: bool = False

    @property
    def all_headers(self) -> dict[str, str]:
        """With those that every answer has: what it shows lives, so nothing on the way may keep it.

        The others tell a browser to take it for what it says that it is, and to show it in no page of others.
        """
        content = {} if self.body is None else {"Content-Type": self.media_type or "application/json; charset=utf-8"}
        return {**content, **_EVERY, **self.headers}

    @property
    def content(self) -> bytes:
        """The body's bytes."""
        if self.media_type:
            return self.body if isinstance(self.body, bytes) else str(self.body).encode()
        if self.body is None:
            return b""
        blanks: dict[str, Any] = {"separators": (",", ":")} if self.compact else {"indent": 2}
        return json.dumps(self.body, **blanks).encode()


#: A route's function. It raises ``api.errors.Refusal`` for every answer that is not a success.
Handler = Callable[[Ports, Request], Awaitable[Answer]]
