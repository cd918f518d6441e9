"""Real, scaled and virtual time."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from local.clock import VIRTUAL_START, Deadlock, PlatformClock, VirtualLoop, run_virtual


def test_a_day_of_virtual_time_takes_no_time() -> None:
    async def main() -> timedelta:
        clock = PlatformClock(VIRTUAL_START)
        await clock.sleep(timedelta(days=1))
        return clock.now() - VIRTUAL_START

    begun = time.monotonic()
    assert run_virtual(main()) == timedelta(days=1)
    assert time.monotonic() - begun < 1


def test_virtual_sleepers_wake_in_the_order_of_their_times() -> None:
    async def main() -> list[int]:
        clock, woken = PlatformClock(VIRTUAL_START), list[int]()

        async def sleeper(minutes: int) -> None:
            await clock.sleep(timedelta(minutes=minutes))
            woken.append(minutes)

        await asyncio.gather(*(sleeper(minutes) for minutes in (30, 10, 20)))
        return woken

    assert run_virtual(main()) == [10, 20, 30]


@pytest.mark.parametrize("scale", [1.0, 3.0, 60.0, 86_400.0])
def test_no_wait_ends_early_whatever_the_scale(scale: float) -> None:
    async def main() -> None:
        clock = PlatformClock(VIRTUAL_START, scale)
        for milliseconds in (0.001, 0.1, 1, 333.333, 7_000):
            due = clock.now() + timedelta(milliseconds=milliseconds)
            await clock.sleep_until(due)
            assert clock.now() >= due
            called = asyncio.Event()
            due = clock.now() + timedelta(milliseconds=milliseconds)
            clock.call_at(due, called.set)
            await called.wait()
            assert clock.now() >= due

    run_virtual(main())


def test_a_wait_that_is_over_returns_at_once() -> None:
    async def main() -> timedelta:
        clock = PlatformClock(VIRTUAL_START)
        await clock.sleep(timedelta(seconds=-5))
        await clock.sleep_until(VIRTUAL_START)
        return clock.now() - VIRTUAL_START

    assert run_virtual(main()) == timedelta(0)


def test_a_call_can_be_cancelled() -> None:
    async def main() -> list[str]:
        clock, called = PlatformClock(VIRTUAL_START), list[str]()
        clock.call_at(VIRTUAL_START + timedelta(seconds=1), lambda: called.append("cancelled")).cancel()
        clock.call_at(VIRTUAL_START + timedelta(seconds=1), lambda: called.append("kept"))
        await clock.sleep(timedelta(seconds=2))
        return called

    assert run_virtual(main()) == ["kept"]


def test_standing_still_is_a_deadlock() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Deadlock):
        run_virtual(main())


def test_threads_run_inline_in_virtual_time() -> None:
    def fail() -> None:
        raise KeyError("inside")

    async def main() -> str:
        assert isinstance(asyncio.get_running_loop(), VirtualLoop)
        with pytest.raises(KeyError):
            await asyncio.to_thread(fail)
        return await asyncio.to_thread(lambda: "done")

    assert run_virtual(main()) == "done"


async def test_scaled_time_runs_faster_than_real_time() -> None:
    clock = PlatformClock(VIRTUAL_START, scale=600)
    begun = time.monotonic()
    await clock.sleep(timedelta(seconds=30))
    assert clock.now() - VIRTUAL_START >= timedelta(seconds=30)
    assert time.monotonic() - begun < 5


async def test_a_clock_starts_with_the_time_of_day() -> None:
    clock = PlatformClock()
    assert abs(clock.now().timestamp() - time.time()) < 1


def test_virtual_time_goes_on_for_years() -> None:
    async def main() -> timedelta:
        clock, called = PlatformClock(VIRTUAL_START), asyncio.Event()
        for _ in range(12):
            await clock.sleep(timedelta(days=365))
            clock.call_at(clock.now() + timedelta(milliseconds=1), called.set)
            await called.wait()
            called.clear()
        return clock.now() - VIRTUAL_START

    assert run_virtual(main()) >= timedelta(days=12 * 365)
