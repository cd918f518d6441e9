"""NCRONTAB schedules, and the functions that run by them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.clock import VIRTUAL_START, Clock, run_virtual
from local.durable.options import HostOptions
from local.functions.host import FunctionsHost
from local.functions.schedules import ScheduleError, parse_schedule


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
        clock = Clock(VIRTUAL_START)
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


def test_a_timer_function_may_run_on_startup_too(eager: Any) -> None:
    run_for(eager, timedelta(hours=1), HostOptions())
    assert eager.seen == ["tick"]


def test_a_timer_function_knows_the_days_of_the_week(eager: Any) -> None:
    run_for(eager, timedelta(days=14), HostOptions())
    assert eager.seen == ["tick"] * 3
