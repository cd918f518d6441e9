"""What the year in the soak is held to, and that each of it can be broken."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.azure.world.images import Behavior
from local.clock import VIRTUAL_START, run_virtual
from local.durable.options import HostOptions
from local.soak.year.growth import Growth, growing, table_lines
from local.soak.year.life import week
from local.soak.year.scene import YearScene
from local.soak.year.tables import CountedTables
from local.soak.year.wall import Gap, schedule_problems, wall_times
from local.soak.year.world import ASKED, RENAMED, SCHEDULES, year_world
from local.virtual import VirtualPlatform
from local.virtual.checkers import violations
from rollout.model.schedule import ScheduleOutcome, ScheduleRun
from services.calendar import next_time

BEGIN = datetime(2026, 3, 20, tzinfo=UTC)
DAY = timedelta(days=1)
WITHOUT_TIMERS = HostOptions(disabled=frozenset({"groupStates", "schedules"}))
DUE = [BEGIN + number * DAY for number in range(1, 5)]


@pytest.mark.parametrize(("cron", "zone"), [one for schedules in SCHEDULES.values() for one in schedules])
def test_the_clock_on_the_wall_agrees_with_the_calendar(cron: str, zone: str) -> None:
    end, found, time = BEGIN + 20 * DAY, list[datetime](), BEGIN - timedelta(seconds=1)
    while (following := next_time(cron, zone, time)) is not None and following <= end:
        found.append(time := following)
    assert list(wall_times(cron, zone, BEGIN, end)) == found


def test_a_year_that_begins_at_a_schedules_time_begins_with_its_run() -> None:
    """The year of c11cff7 told of a run at its own first minute as of one that was none of its schedule's times."""
    assert next(wall_times("0 0 1 * *", "UTC", VIRTUAL_START, VIRTUAL_START)) == VIRTUAL_START
    assert next(wall_times("0 0 1 * *", "UTC", VIRTUAL_START + timedelta(seconds=1), VIRTUAL_START + DAY), None) is None


def run(due: datetime, **fields: Any) -> ScheduleRun:
    made = ScheduleRun("web", "at-0", due, due, ScheduleOutcome.STARTED, "so", f"web-{due:%d}")
    return replace(made, **fields)


RUNS = [run(due) for due in DUE]


@pytest.mark.parametrize(
    ("runs", "gaps", "words"),
    [
        (RUNS, [], ""),
        (RUNS[1:], [], "did not run at"),
        (RUNS[1:], [Gap(DUE[0] - DAY, DUE[0])], ""),
        ([*RUNS, run(DUE[0], deployment_id="other")], [], "started 2 deployments"),
        ([*RUNS, run(DUE[0] + DAY / 2)], [], "none of its times"),
        ([*RUNS[1:], run(DUE[0], outcome=ScheduleOutcome.MISSED, deployment_id=None)], [], "missed"),
    ],
)
def test_what_a_schedule_did_not_do_is_told(runs: list[ScheduleRun], gaps: list[Gap], words: str) -> None:
    found = schedule_problems("web", DUE, runs, gaps)
    assert len(found) == bool(words)
    assert all(words in problem for problem in found)


async def the_renamed_group_goes_on() -> tuple[int, list[str]]:
    """A deployment is stopped with a VM more than there are to be, and the next one is of a group with another name.

    How many VMs the stop left, and what is told of the next deployment's end.
    """
    async with VirtualPlatform(year_world(), options=WITHOUT_TIMERS) as platform:
        scene = YearScene(platform, CountedTables())
        scene.publish(RENAMED, Behavior(never_healthy=True), 5)
        stopped = await platform.start(RENAMED, **ASKED)
        await scene.sleep(timedelta(minutes=2))
        await platform.post(f"/api/deployments/{stopped}/stop", {})
        await platform.ended(stopped)
        left = len(platform.cloud.scale_set(scene.set_id(RENAMED)).active())
        platform.forget_log()
        await scene.rename(RENAMED, "another")
        scene.publish(RENAMED, Behavior(), 5)
        await platform.ended(await platform.start("another", **ASKED))
        return left, await violations(scene.watched[RENAMED])


@pytest.mark.slow
def test_what_a_stop_left_is_not_to_stay_though_its_group_has_another_name_now() -> None:
    """The year of c11cff7 told of the two VMs that were right, for a third stood when the group got its name."""
    assert run_virtual(the_renamed_group_goes_on()) == (3, [])


def test_what_grows_after_the_retention_is_told_but_for_deployments_own() -> None:
    months = (1, 3, 6, 12)
    samples = [
        Growth(month, {"rows of Requests": 100 * month, "rows of Vms": 100 * month, "rows of Locks": 6, "late": 300})
        for month in months
    ]
    assert [line.split(":")[0] for line in growing(samples)] == ["rows of Requests grows"]
    assert growing(samples[:2]) == []
    assert table_lines(samples)[0] == "| after months | 1 | 3 | 6 | 12 |"


def test_weeks_are_the_same_each_time_and_have_everything() -> None:
    groups = list(SCHEDULES)
    assert week(7, groups) == week(7, groups)
    kinds = {one.kind for number in range(10) for one in week(number, groups)}
    assert kinds == {"publish", "deploy", "say", "look", "outage", "step"}
    assert sum(map(len, SCHEDULES.values())) == 15
    assert len({zone for schedules in SCHEDULES.values() for _, zone in schedules}) == 4
    assert len(year_world().scale_sets) == 6
