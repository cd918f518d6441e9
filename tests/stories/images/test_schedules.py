"""Groups that deploy by themselves at their times: across daylight-saving changes, sleeps and crashes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rollout.model.schedule import ScheduleRun
from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
Worlds = Callable[..., Any]

QUICK: dict[str, Any] = {"batchSizePercentage": 50, "gracePeriod": 300, "drainingTimeout": 0}
GOOD: dict[str, Any] = {"image": "1.1.0", **QUICK}

#: Platforms begin at midnight: this is ten minutes later.
SOON: dict[str, Any] = {"name": "soon", "cron": "10 0 * * *", "deployment": GOOD}


async def schedule(stage: Any, *schedules: dict[str, Any]) -> Any:
    """Give the group these schedules; what is told of them."""
    definition = {name: value for name, value in stage.platform.world.groups[0].items() if name != "id"}
    reply = await stage.platform.put("/api/groups/web", {**definition, "schedules": list(schedules)})
    assert reply.status == 200, reply
    return reply.body["scheduled"]


async def scheduled(stage: Any, name: str = "soon") -> Any:
    """What is told of a schedule."""
    reply = await stage.platform.get("/api/groups/web")
    return next(one for one in reply.body["scheduled"] if one["name"] == name)


async def last_run(stage: Any, name: str = "soon") -> Any:
    return (await scheduled(stage, name))["lastRun"]


async def started(stage: Any) -> list[Any]:
    """The rows of the group's deployments, oldest first."""
    return list(reversed(await stage.platform.store.deployments.newest("web", 100)))


def change_model(stage: Any, note: str) -> None:
    """Somebody changes the set's model, so that all its VMs are to roll."""
    profile = {"virtualMachineProfile": {"osProfile": {"computerNamePrefix": note}}}
    stage.platform.cloud.interfere.patch(stage.scale_set_id, {"properties": profile})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "nights"),
    [
        # There is no 02:30 on 29 March: the clock jumps from 02:00 to 03:00.
        ("03-27T12:00", ["03-28T01:30", "03-29T01:00", "03-30T00:30", "03-31T00:30"]),
        # There are two on 25 October.
        ("10-23T12:00", ["10-24T00:30", "10-25T00:30", "10-26T01:30", "10-27T01:30"]),
    ],
)
def test_nightly_schedule_deploys_once_each_night_across_a_change_of_the_clocks(
    play: Play, small_world: Worlds, start: str, nights: list[str]
) -> None:
    async def story(stage: Any) -> None:
        nightly = {"name": "nightly", "cron": "30 2 * * *", "timeZone": "Europe/Berlin", "deployment": QUICK}
        (told,) = await schedule(stage, nightly)
        for number, night in enumerate(nights):
            assert told["nextRun"] == f"2026-{night}:00.000Z"
            change_model(stage, f"night{number}")
            await stage.sleep(days=1)
            told = await scheduled(stage, "nightly")
            assert (told["lastRun"]["due"], told["lastRun"]["outcome"]) == (f"2026-{night}:00.000Z", "started")
        rows = await started(stage)
        assert [row.created_at.replace(second=0, microsecond=0) for row in rows] == [utc(night) for night in nights]
        assert {(row.status, row.started_by, row.number_of_batches) for row in rows} == {
            (Status.FINISHED, "schedule nightly", 2)
        }

    play(story, small_world(2), start=utc(start))


def test_nothing_is_started_where_nothing_is_to_roll(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        await schedule(stage, {**SOON, "cron": "10,40 * * * *"})
        await stage.sleep(minutes=11)
        first = await last_run(stage)
        assert (await stage.platform.ended(first["deploymentId"])).status is Status.FINISHED
        await stage.sleep(minutes=90)
        run = await last_run(stage)
        assert (run["outcome"], run["deploymentId"]) == ("nothingToDo", None)
        assert run["reason"] == "Every VM runs 1.1.0 and the set's present model already"
        assert [row.id for row in await started(stage)] == [first["deploymentId"]]
        assert stage.versions() == ["1.1.0"] * 2

    play(story, either_world(2))


def test_an_app_that_slept_through_the_time_starts_at_once_when_it_wakes(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        await schedule(stage, SOON)
        await stage.sleep(minutes=5)
        await stage.platform.sleep(timedelta(minutes=64))
        await stage.sleep(seconds=1)
        run = await last_run(stage)
        assert (run["due"][11:16], run["at"][11:16], run["outcome"]) == ("00:10", "01:09", "started")
        assert "T010900Z" in run["deploymentId"]
        assert (await stage.platform.ended(run["deploymentId"])).status is Status.FINISHED
        await stage.sleep(hours=2)
        assert len(await started(stage)) == 1

    play(story, small_world(2))


def test_an_app_that_slept_for_too_long_has_missed_the_time_and_starts_at_the_next(
    play: Play, small_world: Worlds
) -> None:
    async def story(stage: Any) -> None:
        await schedule(stage, SOON)
        await stage.sleep(minutes=5)
        await stage.platform.sleep(timedelta(days=1, minutes=66))
        await stage.sleep(seconds=1)
        run = await last_run(stage)
        assert (run["due"][:16], run["outcome"]) == ("2026-01-02T00:10", "missed")
        said = "Nothing ran at that time: found 1 h 1 min late, and 1 h are allowed. "
        assert run["reason"] == f"{said}Times before it passed without a run too"
        assert await started(stage) == []
        await stage.sleep(hours=23)
        run = await last_run(stage)
        assert (run["due"][:16], run["outcome"]) == ("2026-01-03T00:10", "started")

    play(story, small_world(2))


class Killing:
    """The table of runs, at which the process dies once: with the row that a try writes first, or its answer."""

    def __init__(self, platform: Any, *, with_answer: bool) -> None:
        self._platform = platform
        self._runs = platform.store.schedule_runs
        self._with_answer = with_answer
        self.killed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runs, name)

    async def swap(self, expected: ScheduleRun | None, run: ScheduleRun) -> bool:
        dies = not self.killed and run.trying is not self._with_answer
        swapped: bool = True if dies and self._with_answer else await self._runs.swap(expected, run)
        if dies:
            self.killed = True
            self._platform.host.kill()
            await asyncio.sleep(0)
        return swapped


@pytest.mark.parametrize("with_answer", [False, True])
def test_a_crash_in_the_middle_of_a_try_is_made_up_for_and_starts_nothing_twice(
    play: Play, small_world: Worlds, with_answer: bool
) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        await schedule(stage, SOON)
        runs = Killing(platform, with_answer=with_answer)
        platform.store = replace(platform.store, schedule_runs=runs)
        await stage.sleep(minutes=10, seconds=5)
        assert runs.killed
        await platform.restart_host()
        await stage.sleep(seconds=2)
        run = await last_run(stage)
        assert (run["outcome"], run["at"][11:16], run["deploymentId"]) == ("waiting", "00:10", None)
        assert len(await started(stage)) == int(with_answer)
        await stage.sleep(minutes=3)
        run = await last_run(stage)
        (row,) = await started(stage)
        assert (run["outcome"], run["deploymentId"]) == ("started", row.id)
        assert f"{row.created_at:%H:%M}" == ("00:10" if with_answer else "00:12")
        assert (await platform.ended(row.id)).status is Status.FINISHED
        await stage.sleep(hours=1)
        assert len(await started(stage)) == 1

    play(story, small_world(2))


def test_a_host_that_dies_in_the_deployment_that_it_has_started_starts_no_other(
    play: Play, small_world: Worlds
) -> None:
    async def story(stage: Any) -> None:
        await schedule(stage, {**SOON, "deployment": {**GOOD, "force": True}})
        await stage.sleep(minutes=10, seconds=20)
        for _ in range(5):
            await stage.platform.restart_host()
            await stage.sleep(minutes=1)
        (row,) = await started(stage)
        assert (await stage.platform.ended(row.id)).status is Status.FINISHED
        await stage.sleep(hours=1)
        assert (await last_run(stage))["deploymentId"] == row.id
        assert len(await started(stage)) == 1

    play(story, small_world(2))


def test_it_waits_for_another_deployment_and_then_rolls_what_that_has_left(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        await schedule(stage, SOON)
        await stage.sleep(minutes=8)
        other = await platform.start(image="1.3.0", **QUICK)
        await stage.sleep(minutes=3)
        run = await last_run(stage)
        assert run["outcome"] == "waiting"
        assert other in run["reason"]
        end = (await platform.ended(other)).ended_at
        await stage.sleep(minutes=2)
        run = await last_run(stage)
        assert run["outcome"] == "started"
        row = await platform.ended(run["deploymentId"])
        assert (row.status, row.created_at > end) == (Status.FINISHED, True)
        assert stage.versions() == ["1.1.0"] * 4

    play(story, either_world(4))


def test_it_does_not_wait_for_longer_than_it_may(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        await schedule(stage, {**SOON, "maxLateness": 600})
        other = await platform.start(image="1.3.0", **QUICK)
        await stage.until(other, "BatchLaunched")
        await stage.say(other, "pause")
        await stage.sleep(minutes=30)
        run = await last_run(stage)
        assert run["outcome"] == "missed"
        assert run["reason"].startswith("Could not start within 10 min. ")
        assert other in run["reason"]
        await stage.say(other, "stop")
        await platform.ended(other)
        await stage.sleep(minutes=10)
        assert [row.id for row in await started(stage)] == [other]

    play(story, small_world(4))


def test_two_schedules_that_are_due_at_once_deploy_one_after_the_other(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        other = {**SOON, "name": "other", "deployment": {**GOOD, "image": "1.0.0", "batchSizePercentage": 100}}
        await schedule(stage, SOON, other)
        await stage.sleep(hours=1)
        first, second = [
            await stage.platform.row((await last_run(stage, name))["deploymentId"]) for name in ("soon", "other")
        ]
        assert [row.id for row in await started(stage)] == [first.id, second.id]
        assert (first.status, second.status) == (Status.FINISHED, Status.FINISHED)
        assert second.created_at - first.ended_at < timedelta(minutes=2)
        assert stage.versions() == ["1.0.0"] * 2

    play(story, small_world(2))


def test_a_put_that_disables_a_schedule_keeps_it_from_starting_what_waits(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        await schedule(stage, SOON)
        await stage.sleep(minutes=8)
        other = await platform.start(image="1.3.0", **QUICK)
        await stage.sleep(minutes=3)
        assert (await last_run(stage))["outcome"] == "waiting"
        (told,) = await schedule(stage, {**SOON, "enabled": False})
        assert told["nextRun"] is None
        await platform.ended(other)
        await stage.sleep(minutes=5)
        run = await last_run(stage)
        assert run["outcome"] == "missed"
        assert run["reason"].startswith("The schedule was disabled before this time could start. ")
        # Enabled again within its lateness, it waits for its next time.
        (told,) = await schedule(stage, SOON)
        assert told["nextRun"][:16] == "2026-01-02T00:10"
        await stage.sleep(minutes=5)
        assert [row.id for row in await started(stage)] == [other]

    play(story, small_world(4))


def test_a_put_of_something_else_lets_a_time_wait_on(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        await schedule(stage, SOON)
        await stage.sleep(minutes=8)
        other = await platform.start(image="1.3.0", **QUICK)
        await stage.sleep(minutes=3)
        await schedule(stage, {**SOON, "deployment": {**GOOD, "comment": "as it is now"}}, {**SOON, "name": "new"})
        await platform.ended(other)
        await stage.sleep(minutes=2)
        row = await platform.ended((await last_run(stage))["deploymentId"])
        assert (row.status, row.parameters.comment) == (Status.FINISHED, "as it is now")
        assert await last_run(stage, "new") is None

    play(story, small_world(4))
