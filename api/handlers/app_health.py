"""``GET /health``: that the app runs; with ``deep`` also whether all that it needs does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from api.transport.errors import Code, Refusal
from api.transport.http import Answer, Request
from api.transport.query import query_flag
from rollout.model.codec import Json, encode
from rollout.model.rows.timer_run import EVERY, TimerRun, late
from rollout.ports.errors import AzureError
from rollout.ports.ports import Ports

#: How long each neighbour is waited for, and how long what it said is good for: anybody may ask.
ANSWERS_WITHIN = timedelta(seconds=10)
GOOD_FOR = timedelta(seconds=10)

T = TypeVar("T")

_log = logging.getLogger("teal")


@dataclass
class Examination:
    """What this process knows of its health. ``since``: when it was first asked; a timer may have run never before."""

    since: datetime | None = None
    at: datetime | None = None
    found: list[Json] | Refusal | None = None

    async def result(self, ports: Ports) -> list[Json] | Refusal:
        """What was found at most ten seconds ago."""
        now = ports.clock.now()
        self.since = self.since or now
        if self.found is None or self.at is None or now - self.at >= GOOD_FOR:
            self.at, self.found = now, await self._examine(ports, now)
        return self.found

    async def _examine(self, ports: Ports, now: datetime) -> list[Json] | Refusal:
        """Every check in its turn, up to the first that fails."""
        try:
            runs = await _answered("storage", ports.store.timer_runs.list)
            await _answered("armToken", ports.identity.check)
            checks = [self._timer(name, runs, now) for name in EVERY]
        except Refusal as refusal:
            return refusal
        services: list[Json] = [{"name": name, "lastRun": None, "left": []} for name in ("storage", "armToken")]
        return services + checks

    def _timer(self, name: str, runs: tuple[TimerRun, ...], now: datetime) -> Json:
        run = next((run for run in runs if run.name == name), None)
        last = run.at if run is not None else None
        if late(EVERY[name], last or self.since or now, now):
            said = f"it last ran at {encode(last)}" if last else "it has not run since the app has been asked"
            raise _unhealthy(name, f"The timer is late: {said}, and runs every {round(EVERY[name].total_seconds())} s")
        return {"name": name, "lastRun": encode(last), "left": list(run.left) if run is not None else []}


async def get_health(ports: Ports, request: Request, *, examination: Examination) -> Answer:
    """That the app answers; with ``deep``, that storage, its identity and its timers do as well."""
    if not query_flag(request, "deep"):
        return Answer(200, {"status": "healthy"})
    found = await examination.result(ports)
    if isinstance(found, Refusal):
        raise found
    return Answer(200, {"status": "healthy", "checks": found})


async def _answered(name: str, ask: Callable[[], Awaitable[T]]) -> T:
    try:
        async with asyncio.timeout(ANSWERS_WITHIN.total_seconds()):
            return await ask()
    except AzureError as error:
        # Who asks may be anybody: what names accounts and identities is for the log.
        _log.warning("%s does not answer a look at the app's health: %s", name, error)
        raise _unhealthy(name, f"the answer is {error.code}; the log says more") from error
    except TimeoutError:
        raise _unhealthy(name, f"no answer within {round(ANSWERS_WITHIN.total_seconds())} seconds") from None


def _unhealthy(name: str, why: str) -> Refusal:
    return Refusal(Code.UNHEALTHY, f"{name}: {why}", name)
