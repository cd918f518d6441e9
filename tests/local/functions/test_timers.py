"""NCRONTAB schedules, and the functions that run by them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import pytest

from local.clock import VIRTUAL_START, PlatformClock, run_virtual
from local.durable.options import HostOptions
from local.functions.host import FunctionsHost
from local.functions.schedules import ScheduleError, parse_schedule
from local.state import MemoryState

Build = Callable[[Callable[[Any], None]], df.DFApp]


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("0 */5 * * * *", "2026-01-01T00:00:00", "2026-01-01T00:05:00"),
        ("0 */5 * * * *", "2026-01-01T00:59:59.5", "2026-01-01T01:00:00"),
        ("*/15 * * * * *", "2026-01-01T00:00:44", "2026-01-01T00:00:45"),
        ("0 30 9 * * 1-5", "2026-01-02T10:00:00", "2026-01-05T09:30:00"),
        ("0 0 3 1 Jan,Jul *", "2026-01-02T00:00:00", "2026-07-01T03:00:00"),
        ("0 0 0 13 * Fri", "2026-01-01T00:00:00", "2026-02-13T00:00:00"),
        ("0 0 0 29 2 *", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        ("10 5/20 * * * *", "2026-01-01T00:26:00", "2026-01-01T00:45:10"),
        ("*/10 * * * *", "2026-01-01T00:01:00", "2026-01-01T00:10:00"),
    ],
)
def test_the_next_time_of_a_schedule(text: str, after: str, expected: str) -> None:
    found = parse_schedule(text).next_after(datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "* * * *", "60 * * * * *", "0 0 0 0 * *", "a * * * * *", "0 */0 * * * *"])
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError):
        parse_schedule(text)


def test_a_schedule_that_never_comes_is_refused() -> None:
    with pytest.raises(ScheduleError):
        parse_schedule("0 0 0 31 2 *").next_after(VIRTUAL_START)


def run_for(sample: Any, length: timedelta, options: HostOptions) -> None:
    async def main() -> None:
        clock = PlatformClock(VIRTUAL_START)
        host = FunctionsHost(sample.app, clock, options=options)
        await host.start()
        await clock.sleep(length)
        await host.stop()

    run_virtual(main())


def test_a_timer_function_runs_at_its_times_even_after_a_failure(sample: Any) -> None:
    run_for(sample, timedelta(minutes=21), HostOptions())
    assert sample.seen == ["tick False"] * 4


def test_without_timers_none_runs(sample: Any) -> None:
    run_for(sample, timedelta(hours=1), HostOptions(timers=False))
    assert sample.seen == []


def test_a_timer_function_that_is_disabled_does_not_run(sample: Any) -> None:
    run_for(sample, timedelta(hours=1), HostOptions(disabled=frozenset({"tick"})))
    assert sample.seen == []


def test_a_timer_function_may_run_on_startup_too(eager: Any) -> None:
    run_for(eager, timedelta(hours=1), HostOptions())
    assert eager.seen == ["tick"]


def test_a_timer_function_knows_the_days_of_the_week(eager: Any) -> None:
    run_for(eager, timedelta(days=14), HostOptions())
    assert eager.seen == ["tick"] * 3


class Minutely:
    """An app with a function that runs every minute; ``lasting`` gives how long each run takes, in seconds."""

    def __init__(self, build: Build, schedule: str = "0 * * * * *", lasting: tuple[float, ...] = ()) -> None:
        self.lasting = list(lasting)
        self.seen: list[str] = []
        self.ended = 0
        self.storage = MemoryState()
        self.clock = PlatformClock(VIRTUAL_START)
        self._build = build
        self.host = self.new_host(schedule)

    def new_host(self, schedule: str = "0 * * * * *") -> FunctionsHost:
        def add(blueprint: Any) -> None:
            @blueprint.timer_trigger(arg_name="timer", schedule=schedule)  # type: ignore[untyped-decorator]
            async def tick(timer: func.TimerRequest) -> None:
                self.seen.append(f"{self.clock.now():%H:%M:%S}{' past due' if timer.past_due else ''}")
                await self.clock.sleep(timedelta(seconds=self.lasting.pop(0) if self.lasting else 0))
                self.ended += 1

        self.host = FunctionsHost(self._build(add), self.clock, storage=self.storage)
        return self.host

    async def sleep(self, **duration: float) -> None:
        await self.clock.sleep(timedelta(**duration))


def test_a_run_that_outlasts_its_schedule_is_followed_by_one_and_overlaps_with_none(build: Build) -> None:
    async def main() -> list[str]:
        app = Minutely(build, lasting=(200,))
        await app.host.start()
        await app.sleep(minutes=6, seconds=1)
        await app.host.stop()
        return app.seen

    assert run_virtual(main()) == ["00:01:00", "00:04:20", "00:05:00", "00:06:00"]


@pytest.mark.parametrize(
    ("slept", "expected"), [(30, ["00:02:00"]), (60, ["00:02:01 past due"]), (86400, ["00:01:01 past due"])]
)
def test_a_host_that_slept_through_a_time_runs_at_once_and_once(build: Build, slept: int, expected: list[str]) -> None:
    async def main() -> list[str]:
        app = Minutely(build)
        await app.host.start()
        await app.sleep(minutes=1, seconds=1)
        await app.host.stop()
        await app.sleep(seconds=slept)
        await app.new_host().start()
        await app.sleep(seconds=29.5)
        await app.host.stop()
        return app.seen

    assert run_virtual(main()) == ["00:01:00", *expected]


def test_a_host_that_never_ran_a_function_has_missed_its_first_time_too(build: Build) -> None:
    async def main() -> list[str]:
        app = Minutely(build, "0 0 12 * * *")
        await app.host.start()
        await app.host.stop()
        await app.sleep(hours=13)
        await app.new_host("0 0 12 * * *").start()
        await app.sleep(hours=1)
        await app.host.stop()
        return app.seen

    assert run_virtual(main()) == ["13:00:00 past due"]


def test_a_schedule_that_was_changed_is_not_past_due(build: Build) -> None:
    async def main() -> list[str]:
        app = Minutely(build)
        await app.host.start()
        await app.host.stop()
        await app.sleep(hours=13)
        await app.new_host("0 30 * * * *").start()
        await app.sleep(hours=1)
        await app.host.stop()
        return app.seen

    assert run_virtual(main()) == ["13:30:00"]


def test_a_run_that_a_kill_cuts_off_is_run_again_and_one_that_a_stop_meets_comes_to_its_end(build: Build) -> None:
    async def main() -> tuple[list[str], int]:
        app = Minutely(build, lasting=(30, 30))
        await app.host.start()
        await app.sleep(minutes=1, seconds=10)
        app.host.kill()
        await app.new_host().start()
        await app.sleep(seconds=10)
        await app.host.stop()
        await app.new_host().start()
        await app.sleep(seconds=5)
        await app.host.stop()
        return app.seen, app.ended

    assert run_virtual(main()) == (["00:01:00", "00:01:10 past due"], 1)
