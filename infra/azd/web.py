"""HTTP as plain values: what the hooks reach Azure and the app with. Standard library only."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

TIMEOUT = timedelta(seconds=60)


@dataclass(frozen=True)
class Request:
    """One request, to an absolute URL."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """One answer; names of headers are in lower case. Status 0: there was none, and ``body`` says why."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> Any:
        """The body as JSON; an empty object where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return {}


Send = Callable[[Request], Awaitable[Answer]]

#: A token for a scope, such as ``https://management.azure.com/.default``.
Tokens = Callable[[str], Awaitable[str]]


class Clock(Protocol):
    """What time it is, and waiting."""

    def now(self) -> datetime:
        """Aware, in UTC."""

    async def sleep(self, duration: timedelta) -> None:
        """Wait."""


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """Aware, in UTC."""
        return datetime.now(UTC)

    async def sleep(self, duration: timedelta) -> None:
        """Wait."""
        await asyncio.sleep(duration.total_seconds())


class Stopped(Exception):
    """A hook cannot go on; the text says why, and what to do."""


async def send(request: Request) -> Answer:
    """Send a request over the network."""
    return await asyncio.to_thread(_send, request)


def _send(request: Request) -> Answer:
    wanted = urllib.request.Request(
        request.url, data=request.body or None, headers=dict(request.headers), method=request.method
    )
    try:
        with urllib.request.urlopen(wanted, timeout=TIMEOUT.total_seconds()) as answer:
            return Answer(answer.status, _lowered(answer.headers), answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, _lowered(error.headers), error.read())
    except (urllib.error.URLError, OSError) as error:
        return Answer(0, {}, str(error).encode())


def _lowered(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
