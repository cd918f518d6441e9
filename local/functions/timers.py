"""Timer triggers: each function runs at the times of its schedule, one run at a time, on the host's clock.

As the real host does it, the storage keeps when a function last began to run, and the next time is counted from there:

* a run that outlasts its schedule is followed by another one at once, however many times have passed meanwhile;
* a host that starts after such a time, or whose predecessor died in the middle of a run, runs the function at once, and
  tells it that it is past due. A schedule that was changed meanwhile is not.

Source: ``TimerListener`` and ``ScheduleMonitor`` of https://github.com/Azure/azure-webjobs-sdk-extensions, and
``useMonitor`` in https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer. The real host monitors no
schedule of less than a minute; this one does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime

from local.clock import PlatformClock
from local.functions.index import TIMER, Function
from local.functions.schedules import TimerSchedule, parse_schedule
from local.functions.worker import FunctionWorker
from local.state import Storage
from rollout.model.codec import decode_time

logger = logging.getLogger(__name__)

#: Where the storage keeps, by function, the schedule and since when its next time is counted.
SPACE = "timers"


class Timers:
    """Runs the timer functions among ``functions`` from ``start`` to ``stop`` or ``kill``."""

    def __init__(
        self, functions: Iterable[Function], worker: FunctionWorker, clock: PlatformClock, storage: Storage
    ) -> None:
        self._functions = [one for one in functions if one.trigger == TIMER]
        self._schedules = {one.name: parse_schedule(one.schedule) for one in self._functions}
        self._worker = worker
        self._clock = clock
        self._storage = storage
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._running: set[str] = set()
        self._is_stopping = False

    def start(self) -> None:
        """Run what is past due, and begin to wait for the schedules' next times."""
        loop = asyncio.get_running_loop()
        for one in self._functions:
            schedule = self._schedules[one.name]
            self._tasks[one.name] = loop.create_task(self._keep(one, schedule, self._counted_from(one, schedule)))

    def kill(self) -> None:
        """End all waiting, and what runs."""
        for task in self._tasks.values():
            task.cancel()

    async def stop(self) -> None:
        """End all waiting, and let what runs come to its end."""
        self._is_stopping = True
        for name, task in self._tasks.items():
            if name not in self._running:
                task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _keep(self, function: Function, schedule: TimerSchedule, since: datetime) -> None:
        is_past_due = schedule.next_after(since) < self._clock.now()
        if is_past_due or function.runs_on_startup:
            since = await self._run(function, is_past_due=is_past_due)
        while not self._is_stopping:
            await self._clock.sleep_until(schedule.next_after(since))
            since = await self._run(function, is_past_due=False)

    def _counted_from(self, function: Function, schedule: TimerSchedule) -> datetime:
        """The time after which the function's next run comes, as an earlier host has left it."""
        now = self._clock.now()
        kept = self._storage.load(SPACE).get(function.name)
        if kept is not None:
            since = decode_time(kept["since"])
            if kept["schedule"] == function.schedule or schedule.next_after(since) >= now:
                return since
        self._save(function, now)
        return now

    async def _run(self, function: Function, *, is_past_due: bool) -> datetime:
        """Run the function; when it began."""
        began = self._clock.now()
        self._running.add(function.name)
        try:
            await self._worker.run_timer(function, began, is_past_due=is_past_due)
        except Exception:
            logger.exception("timer function %s failed", function.name)
        finally:
            self._running.discard(function.name)
        self._save(function, began)
        return began

    def _save(self, function: Function, since: datetime) -> None:
        # To the microsecond: a time that was rounded down would come twice.
        self._storage.save(SPACE, {function.name: {"schedule": function.schedule, "since": since.isoformat()}})
