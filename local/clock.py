"""Time on the local platform: real, scaled, or virtual.

Everything local that knows what time it is, or waits, does so through one ``PlatformClock``: the Durable host, the
simulated Azure, the functions host. A clock is the event loop's own time multiplied:

* real: scale 1;
* scaled: ``--speed 60`` makes a minute pass in a second, with real sockets and threads;
* virtual: the loop is a ``VirtualLoop``, whose time jumps to the next timer as soon as nothing is ready. Hours take
  milliseconds, and take them the same way every time. There are no sockets and no threads in virtual time.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

#: When virtual time begins: a date that is easily told from a real one, and the same in every run.
VIRTUAL_START = datetime(2026, 1, 1, tzinfo=UTC)


class PlatformClock:
    """The platform's time, read from the running event loop.

    ``start`` is the platform's time when the clock is made; a platform that goes on after a stop passes the time at
    which it stopped. Waits never end early: what is due at a time sees ``now()`` at or after it.
    """

    def __init__(self, start: datetime | None = None, scale: float = 1.0) -> None:
        self.scale = scale
        self._loop = asyncio.get_running_loop()
        self._origin = self._loop.time()
        self._start = start or datetime.now(UTC)
        #: What it showed before and after each time that it was set.
        self.steps: list[tuple[datetime, datetime]] = []

    def now(self) -> datetime:
        """The platform's time, aware, in UTC."""
        return self._start + timedelta(seconds=(self._loop.time() - self._origin) * self.scale)

    def step(self, by: timedelta) -> None:
        """Set the clock ahead, or back: what waits goes on waiting as long as it did."""
        now = self.now()
        self.steps.append((now, now + by))
        self._start += by

    async def sleep(self, duration: timedelta) -> None:
        """Wait ``duration`` of the platform's time."""
        await self.sleep_until(self.now() + duration)

    async def sleep_until(self, when: datetime) -> None:
        """Wait until ``now()`` is at or after ``when``; return at once if it is."""
        while (left := (when - self.now()).total_seconds()) > 0:
            await asyncio.sleep(left / self.scale)

    def call_at(self, when: datetime, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """Run ``callback`` once ``now()`` is at or after ``when``."""
        left = max(0.0, (when - self.now()).total_seconds())
        # A microsecond more than asked: a datetime is rounded to one, and a timer must never be early.
        return self._loop.call_later(left / self.scale + 1e-6, callback)


class Deadlock(RuntimeError):
    """Virtual time stands still: nothing is ready to run and no timer is set, so nothing can ever happen again."""


class _NoSockets(selectors.SelectSelector):
    """A selector that waits for nothing: in virtual time the only thing to wait for is the next timer."""

    def select(self, timeout: float | None = None) -> list[Any]:
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is a number that jumps to the next timer when nothing is ready."""

    def __init__(self) -> None:
        self._virtual_now = 0.0
        super().__init__(_NoSockets())

    def time(self) -> float:
        return self._virtual_now

    def _run_once(self) -> None:
        loop: Any = self  # the ready queue and the timer heap of asyncio.BaseEventLoop
        while loop._scheduled and loop._scheduled[0]._cancelled:
            handle = heapq.heappop(loop._scheduled)
            handle._scheduled = False
            loop._timer_cancelled_count -= 1
        if not loop._ready and not loop._stopping:
            if not loop._scheduled:
                raise Deadlock("nothing is ready and no timer is set")
            self._virtual_now = max(self._virtual_now, loop._scheduled[0]._when)
            # A timer is due where it is less than this ahead; after 194 days a nanosecond is lost in so large a number.
            loop._clock_resolution = max(loop._clock_resolution, math.ulp(self._virtual_now))
        super()._run_once()  # type: ignore[misc]

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """Run ``func`` at once, on this thread: there are no threads in virtual time."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` to its end in virtual time; raise ``Deadlock`` if it can never end."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
