"""What both stores promise of the runs of schedules, and of schedules themselves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rollout.model.choices import Canary
from rollout.model.group import Group
from rollout.model.request import StartRequest
from rollout.model.rows.timer_run import TimerRun
from rollout.model.schedule import Schedule, ScheduleOutcome, ScheduleRun
from rollout.ports.store import Store

DUE = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
#: With a fraction that rows do not keep.
AT = datetime(2026, 11, 23, 2, 30, 0, 123456, tzinfo=UTC)
ID = "web-20261123T023000Z-1a2b3c"
RUN = ScheduleRun("web", "nightly", DUE, AT, ScheduleOutcome.WAITING, "Due now", trying=True)
STARTED = replace(RUN, outcome=ScheduleOutcome.STARTED, reason="ü" * 20_000, deployment_id=ID, trying=False)
RACERS = 20


async def test_a_run_comes_back_as_it_went_to_the_millisecond(store: Store) -> None:
    assert await store.schedule_runs.get("web", "nightly") is None
    assert await store.schedule_runs.swap(None, RUN)
    kept = replace(RUN, at=AT.replace(microsecond=123_000))
    assert await store.schedule_runs.get("web", "nightly") == kept
    assert await store.schedule_runs.swap(RUN, STARTED)
    assert await store.schedule_runs.get("web", "nightly") == replace(STARTED, at=kept.at)


async def test_a_run_is_swapped_only_as_it_was_seen(store: Store) -> None:
    assert not await store.schedule_runs.swap(RUN, STARTED)
    assert await store.schedule_runs.swap(None, RUN)
    assert not await store.schedule_runs.swap(None, STARTED)
    for other in (replace(RUN, at=AT + timedelta(seconds=1)), replace(RUN, trying=False), replace(RUN, reason="")):
        assert not await store.schedule_runs.swap(other, STARTED)
    found = await store.schedule_runs.get("web", "nightly")
    assert found is not None
    assert await store.schedule_runs.swap(found, STARTED)


async def test_runs_are_listed_by_group_and_each_schedule_has_one(store: Store) -> None:
    rows = [replace(RUN, group_id=group, name=name) for group in ("web", "web-2") for name in ("b", "a", "a-1")]
    for row in rows:
        assert await store.schedule_runs.swap(None, row)
    assert [row.name for row in await store.schedule_runs.list("web")] == ["a", "a-1", "b"]
    assert {row.group_id for row in await store.schedule_runs.list("web-2")} == {"web-2"}
    assert await store.schedule_runs.list("api") == ()


async def test_of_20_runs_at_once_one_gets_the_row(store: Store) -> None:
    for expected in (None, RUN):
        rows = [replace(STARTED, reason=f"racer {number}") for number in range(RACERS)]
        if expected is None:
            rows = [replace(RUN, name="raced", reason=row.reason) for row in rows]
        else:
            assert await store.schedule_runs.swap(None, expected)
        swapped = await asyncio.gather(*(store.schedule_runs.swap(expected, row) for row in rows))
        assert swapped.count(True) == 1
        found = await store.schedule_runs.get("web", rows[0].name)
        assert found is not None
        assert found.reason == rows[swapped.index(True)].reason


async def test_a_groups_schedules_come_back_as_they_went(store: Store) -> None:
    asked = StartRequest(image="latest", canary=Canary(1), approvals=(1, 3), comment="weekly roll")
    weekly = Schedule("weekly", "0 3 * * SUN", "Europe/Berlin", False, timedelta(hours=2), asked, DUE)
    group = Group("web", "/set", schedules=(weekly, Schedule("x", "* * * * *")))
    await store.groups.put(group)
    assert await store.groups.get("web") == group
    assert await store.groups.list() == (group,)


async def test_when_a_timer_ran_last_is_kept(store: Store) -> None:
    assert await store.timer_runs.list() == ()
    for minute in range(2):
        for name in ("schedules", "purge"):
            await store.timer_runs.put(TimerRun(name, DUE + timedelta(minutes=minute)))
    last = DUE + timedelta(minutes=1)
    assert await store.timer_runs.list() == (TimerRun("purge", last), TimerRun("schedules", last))
