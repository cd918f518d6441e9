"""Timer triggers: each function runs at the times of its schedule, one run at a time, on the host's clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import timedelta

from local.clock import Clock
from local.functions.index import TIMER, Function
from local.functions.schedules import Schedule, parse_schedule
from local.functions.worker import FunctionWorker

logger = logging.getLogger(__name__)

#: A run that begins later than this after its time is told that it is past due.
_PAST_DUE = timedelta(seconds=1)


class Timers:
    """Runs the timer functions among ``functions`` from ``start`` to ``stop`` or ``kill``."""

    def __init__(self, functions: Iterable[Function], worker: FunctionWorker, clock: Clock) -> None:
        timed = [one for one in functions if one.trigger == TIMER]
        self._schedules = [(one, parse_schedule(one.schedule)) for one in timed]
        self._worker = worker
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to wait for the schedules' next times."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._keep(one, schedule)) for one, schedule in self._schedules]

    def kill(self) -> None:
        """End all waiting, and what runs."""
        for task in self._tasks:
            task.cancel()

    async def stop(self) -> None:
        """As ``kill``, and wait until all has ended."""
        self.kill()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, function: Function, schedule: Schedule) -> None:
        if function.runs_on_startup:
            await self._run(function, is_past_due=False)
        while True:
            due = schedule.next_after(self._clock.now())
            await self._clock.sleep_until(due)
            await self._run(function, is_past_due=self._clock.now() - due > _PAST_DUE)

    async def _run(self, function: Function, *, is_past_due: bool) -> None:
        try:
            await self._worker.run_timer(function, self._clock.now(), is_past_due=is_past_due)
        except Exception:
            logger.exception("timer function %s failed", function.name)
