"""Delivery of activities: at least once, so many at a time, lost and found again.

An item leaves the store only together with its result. What is lost is delivered again after the redelivery delay, as a
message of Azure's work-item queue becomes visible again.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from local.clock import PlatformClock
from local.durable.faults import ActivityFault, ActivityLoss, DurableFaults
from local.durable.history import Event, HistoryEventType, new_event
from local.durable.messages import ActivityItem
from local.durable.ports import Worker

#: How long a host that stops waits for its activities, in seconds of the event loop's time.
DRAIN_SECONDS = 5.0


class Completed(Protocol):
    """Takes an activity's item and the event of its end, and saves both in one step."""

    def __call__(self, item: ActivityItem, event: Event) -> None: ...


@dataclass(frozen=True)
class _Late:
    """A delivery that waits for its condition."""

    item: ActivityItem
    until: Callable[[], bool]


class ActivityDispatcher:
    """Runs activity items on the worker, no more than ``limit`` at once, with the ``faults`` asked for."""

    def __init__(
        self,
        worker: Worker,
        clock: PlatformClock,
        faults: DurableFaults,
        completed: Completed,
        report: Callable[[BaseException], None],
        limit: int,
        redelivery: timedelta,
    ) -> None:
        self._worker = worker
        self._clock = clock
        self._faults = faults
        self._completed = completed
        self._report = report
        self._limit = limit
        self._redelivery = redelivery
        self.failures: list[str] = []
        self._queue: deque[ActivityItem] = deque()
        self._attempts: Counter[int] = Counter()
        self._running: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self._late: list[_Late] = []
        self._is_open = True
        self._is_running = True

    def submit(self, item: ActivityItem) -> None:
        """Run the item as soon as there is room."""
        self._queue.append(item)
        self._fill()

    def kill(self) -> None:
        """Stop everything where it is."""
        self._is_open = self._is_running = False
        self._queue.clear()
        for task in self._running:
            task.cancel()
        for timer in self._timers:
            timer.cancel()

    async def drain(self) -> None:
        """Give what runs now a little time to end, and begin nothing further; what has not ended is delivered anew."""
        self._is_open = False
        if self._running:
            await asyncio.wait(self._running, timeout=DRAIN_SECONDS)
        self.kill()

    def recheck(self) -> None:
        """Deliver what was to come when a condition holds, if it holds now."""
        due = [late for late in self._late if late.until()]
        self._late = [late for late in self._late if late not in due]
        for late in due:
            self.submit(late.item)

    def _fill(self) -> None:
        while self._is_open and self._queue and len(self._running) < self._limit:
            item = self._queue.popleft()
            self._attempts[item.number] += 1
            task = asyncio.get_running_loop().create_task(self._deliver(item, self._attempts[item.number]))
            self._running.add(task)
            task.add_done_callback(self._free)

    def _free(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._report(error)
        self._fill()

    async def _deliver(self, item: ActivityItem, attempt: int) -> None:
        delivery = self._faults.announce("activity", item.name, item.instance_id, attempt)
        if not self._is_running:
            return
        fault = self._faults.find_activity_fault(delivery)
        if fault is not None:
            await self._deliver_badly(item, fault)
        else:
            await self._run_and_complete(item)

    async def _deliver_badly(self, item: ActivityItem, fault: ActivityFault) -> None:
        if fault.loss is ActivityLoss.BEFORE_EFFECT:
            self._submit_after(item, self._redelivery)
        elif fault.loss is ActivityLoss.AFTER_EFFECT:
            await self._run(item)
            self._submit_after(item, self._redelivery)
        elif fault.loss is ActivityLoss.TWICE:
            await asyncio.gather(self._run_and_complete(item), self._run_and_complete(item))
        else:
            self._submit_once_more(item, fault)
            await self._run_and_complete(item)

    def _submit_once_more(self, item: ActivityItem, fault: ActivityFault) -> None:
        if fault.until is None:
            self._submit_after(item, fault.after)
        else:
            self._late.append(_Late(item, fault.until))

    def _submit_after(self, item: ActivityItem, delay: timedelta) -> None:
        def submit() -> None:
            self._timers.discard(timer)
            self.submit(item)

        timer = self._clock.call_at(self._clock.now() + delay, submit)
        self._timers.add(timer)

    async def _run_and_complete(self, item: ActivityItem) -> None:
        event = await self._run(item)
        if self._is_running:
            self._completed(item, event)

    async def _run(self, item: ActivityItem) -> Event:
        """Run the activity; its failure is an event too (the extension's ``TaskActivityShim.cs``)."""
        (data,) = json.loads(item.data)
        try:
            result = await self._worker.run_activity(item.name, "null" if data is None else data)
        except Exception as error:
            # Two blanks: the extension leaves room for a message that the worker does not give.
            reason = f"Activity function '{item.name}' failed:  {type(error).__name__}: {error}"
            self.failures.append(f"{item.instance_id}: {reason}")
            details = json.dumps({"ClassName": "System.Exception", "Message": reason})
            now = self._clock.now()
            return new_event(
                HistoryEventType.TASK_FAILED, now, TaskScheduledId=item.task_id, Reason=reason, Details=details
            )
        if self._faults.on_answer is not None and data is not None:
            await self._faults.on_answer(data)
        return new_event(
            HistoryEventType.TASK_COMPLETED, self._clock.now(), TaskScheduledId=item.task_id, Result=result
        )
