"""A deployment whose orchestration is gone: nothing is held, nothing is deleted, and its group is free again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.arm.messages import ArmRequest
from local.azure.world import World, parse_world
from local.durable.faults import ActivityFault, ActivityLoss, Delivery, DurableFaults
from rollout.model.rows.lock import Lock
from rollout.model.status import Phase, Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

GOOD: dict[str, Any] = {"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300}
SLOW: dict[str, Any] = {**GOOD, "gracePeriod": 3600}
BAD: dict[str, Any] = {"image": "1.2.0", "batchSizePercentage": 100, "gracePeriod": 120}

#: Every phase of a deployment of two batches, by the event that begins it and its batch.
PHASES = [
    ("DeploymentPlanned", None),
    ("ImageApplied", None),
    *((event, 1) for event in ("BatchStarted", "BatchLaunched", "BatchHealthy", "BatchDetached", "BatchTerminated")),
    *((event, 2) for event in ("BatchLaunched", "BatchDetached")),
]

#: Longer than the watchdog needs for everything: ten minutes, and two times of five.
RESTORED = 40


def changes(stage: Any, since: int) -> list[Any]:
    """The writes to Azure since then that made or deleted VMs."""
    return [entry for entry in stage.platform.cloud.audit[since:] if entry.created or entry.deleted]


async def terminate(stage: Any, instance_id: str) -> int:
    """End an orchestration from outside; how many writes Azure had been sent when that had come through."""
    stage.platform.host.durable.terminate(instance_id, "by hand")
    await stage.sleep(seconds=1)
    return len(stage.platform.cloud.audit)


async def assert_put_in_order(stage: Any, dead: str, written: int) -> None:
    """Nobody has touched a VM since, the image is back, the group is free, and the history has an end."""
    platform = stage.platform
    assert changes(stage, written) == []
    assert stage.model() == "1.0.0"
    lock = await platform.store.locks.get(stage.scale_set_id)
    assert lock.owner == ""
    assert await platform.store.holds.list() == ()
    row = await platform.row(dead)
    assert (row.status, row.error.code) == (Status.FAILED, "orchestratorLost")
    assert row.ended_at is not None
    assert (await platform.story(dead))[-1].split()[1] == "DeploymentFailed:"
    assert platform.host.durable.describe() == "every instance has ended"


@pytest.mark.sweep
@pytest.mark.parametrize("moments_later", [0, 7, 40])
@pytest.mark.parametrize(("event", "batch"), PHASES, ids=[f"{event}-{batch}" for event, batch in PHASES])
def test_deployment_terminated_at_any_phase_is_put_in_order_and_the_next_one_works(
    play: Play, either_world: SmallWorld, event: str, batch: int | None, moments_later: int
) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        dead = await platform.start(**GOOD)
        await stage.until(dead, event, batch)
        await stage.sleep(seconds=moments_later)
        written = await terminate(stage, dead)
        await stage.sleep(minutes=RESTORED)
        await assert_put_in_order(stage, dead, written)

        row = await platform.ended(await platform.start(**GOOD))
        assert (row.status, row.target_size, row.image.previous.label) == (Status.FINISHED, 2, "1.0.0")
        assert (stage.versions(), stage.model()) == (["1.1.0"] * 2, "1.1.0")

    play(story, either_world(2))


@pytest.mark.sweep
@pytest.mark.parametrize("number", range(1, 151, 6))
def test_deployment_terminated_at_any_delivery_is_put_in_order(
    play: Play, small_world: SmallWorld, number: int
) -> None:
    """Also before it is planned, and after it has freed the group but not yet written its end."""
    faults = DurableFaults()

    async def story(stage: Any) -> None:
        platform = stage.platform
        started: list[str] = []

        def end(delivery: Delivery) -> None:
            instance = platform.host.durable.instance(started[0])
            if delivery.number == number and not instance.status.is_ended:
                platform.host.durable.terminate(started[0], "by hand")

        faults.on_delivery = end
        started.append(await platform.start(**GOOD))
        instance = await platform.host.durable.wait(started[0])
        await stage.sleep(seconds=1)
        written = len(platform.cloud.audit)
        await stage.sleep(minutes=RESTORED)
        if instance.status == "Completed":
            assert (await platform.row(started[0])).status is Status.FINISHED
        else:
            await assert_put_in_order(stage, started[0], written)
        row = await platform.ended(await platform.start(**GOOD))
        assert row.status is Status.FINISHED
        assert (stage.versions(), stage.model(), stage.capacity()) == (["1.1.0"] * 2, "1.1.0", 2)

    play(story, small_world(2), faults=faults)


def test_events_tell_what_was_put_in_order_and_the_end_what_remains(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        dead = await platform.start(**SLOW)
        await stage.until(dead, "BatchLaunched")
        await terminate(stage, dead)
        await stage.sleep(minutes=RESTORED)
        told = [line.split(" ", 1)[1] for line in await platform.story(dead)]
        at = [line.split(":")[0] for line in told].index("BatchLaunched")
        assert [line for line in told[at + 1 :] if not line.startswith("ProcessesRestored")] == [
            "BatchFailed: Batch 1 of 2: its orchestration is gone",
            "ImageRestored: Image 1.0.0 restored",
            "DeploymentFailed: The orchestration was ended from outside while the deployment was inProgress: "
            "Batch 1 of 2: 1 green VM launched; stopped with 2 blue VMs and 1 green VM (1 green not judged healthy)",
        ]
        batches = await platform.store.batches.list(dead)
        assert [batch.phase for batch in batches] == [Phase.FAILED, Phase.PLANNED]

    play(story, small_world(2, healthy_after=3600))


def test_sick_vms_that_a_terminated_deployment_launched_stay_until_the_next_one(
    play: Play, small_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        dead = await stage.platform.start(**BAD)
        await stage.until(dead, "BatchLaunched")
        written = await terminate(stage, dead)
        await stage.sleep(minutes=RESTORED)
        await assert_put_in_order(stage, dead, written)
        assert sorted(stage.versions()) == ["1.0.0"] * 2 + ["1.2.0"] * 2
        row = await stage.platform.ended(await stage.platform.start(**GOOD))
        assert (row.status, stage.versions(), stage.capacity()) == (Status.FINISHED, ["1.1.0"] * 2, 2)

    play(story, small_world(2))


@pytest.mark.parametrize("event", ["DeploymentPlanned", "BatchLaunched", "BatchDetached"])
def test_suspended_deployment_is_left_alone(play: Play, small_world: SmallWorld, event: str) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        deployment = await platform.start(**GOOD)
        await stage.until(deployment, event)
        platform.host.durable.suspend(deployment, "by hand")
        await stage.sleep(seconds=1)
        written = len(platform.cloud.audit)
        await stage.sleep(minutes=RESTORED)
        assert len(platform.cloud.audit) == written
        assert not [one for one in platform.host.durable.instances() if one.name == "restore_group"]
        platform.host.durable.resume(deployment, "by hand")
        assert (await platform.ended(deployment)).status is Status.FINISHED

    play(story, small_world(2))


def test_suspended_and_then_terminated_deployment_is_put_in_order(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        dead = await stage.platform.start(**GOOD)
        await stage.until(dead, "BatchLaunched")
        stage.platform.host.durable.suspend(dead, "by hand")
        await stage.sleep(minutes=RESTORED)
        written = await terminate(stage, dead)
        await stage.sleep(minutes=RESTORED)
        await assert_put_in_order(stage, dead, written)

    play(story, small_world(2))


def test_deployment_that_has_only_just_lost_its_orchestration_is_left_alone_at_first(
    play: Play, small_world: SmallWorld
) -> None:
    """Its lock is younger than ten minutes: an instance that is absent or ended may be one that is about to begin."""

    async def story(stage: Any) -> None:
        platform = stage.platform
        dead = await platform.start(**GOOD)
        await stage.until(dead, "ImageApplied")
        written = await terminate(stage, dead)
        begun = (await platform.row(dead)).created_at
        await stage.sleep(seconds=590 - (platform.clock.now() - begun).total_seconds())
        assert len(platform.cloud.audit) == written
        assert (await platform.store.locks.get(stage.scale_set_id)).owner == dead
        await stage.sleep(minutes=RESTORED)
        await assert_put_in_order(stage, dead, written)

    play(story, small_world(2))


def test_restore_that_is_terminated_is_begun_anew(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        dead = await platform.start(**GOOD)
        await stage.until(dead, "BatchLaunched")
        written = await terminate(stage, dead)
        (first,) = await restores(stage, 1)
        await stage.sleep(seconds=3)
        await terminate(stage, first.id)
        await stage.sleep(minutes=2 * RESTORED)
        assert [one.status for one in await restores(stage, 2)] == ["Terminated", "Completed"]
        await assert_put_in_order(stage, dead, written)

    play(story, small_world(2))


async def restores(stage: Any, number: int) -> list[Any]:
    """Wait until so many restores were begun; their statuses, oldest first."""
    for _ in range(3600):
        found = [one for one in stage.platform.host.durable.instances() if one.name == "restore_group"]
        if len(found) >= number:
            return found
        await stage.sleep(seconds=1)
    raise TimeoutError("no restore was begun")


async def start_as_soon_as_may_be(stage: Any) -> str:
    """Start again and again until Azure has no change of the set under way; the deployment's id."""
    for _ in range(600):
        reply = await stage.platform.post("/api/groups/web/deployments", GOOD)
        if reply.status == 202:
            return str(reply.body["id"])
        assert reply.body["error"]["details"][0]["code"] == "scaleSetBusy"
        await stage.sleep(seconds=1)
    raise TimeoutError("the set was being changed for too long")


def test_start_during_the_restore_takes_over(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        dead = await platform.start(**GOOD)
        await stage.until(dead, "BatchLaunched")
        await terminate(stage, dead)
        await stage.until(dead, "ImageRestored")
        row = await platform.ended(await start_as_soon_as_may_be(stage))
        assert (row.status, row.target_size) == (Status.FINISHED, 2)
        assert (await platform.row(dead)).error.code == "orchestratorLost"
        assert (stage.versions(), stage.model(), stage.capacity()) == (["1.1.0"] * 2, "1.1.0", 2)

    play(story, small_world(2))


def test_late_activity_of_a_terminated_deployment_finds_its_right_gone(play: Play, small_world: SmallWorld) -> None:
    """The deletion of blue VMs is delivered again an hour after the group was put in order."""
    late = ActivityFault(ActivityLoss.LATE, activity="terminate_blue", after=timedelta(hours=1))

    async def story(stage: Any) -> None:
        dead = await stage.platform.start(**GOOD)
        await stage.until(dead, "BatchDetached")
        await stage.sleep(seconds=5)
        written = await terminate(stage, dead)
        await stage.sleep(hours=2)
        await assert_put_in_order(stage, dead, written)

    play(story, small_world(2), faults=DurableFaults(activities=[late]))


def test_lock_of_a_start_that_died_before_its_row_is_freed(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        lock = Lock(stage.scale_set_id.lower(), "web-20260101T000000Z-aaaaaa", 1, platform.clock.now())
        assert await platform.store.locks.swap(None, lock)
        await stage.sleep(minutes=9)
        assert (await platform.store.locks.get(stage.scale_set_id)).owner
        await stage.sleep(minutes=6)
        assert not (await platform.store.locks.get(stage.scale_set_id)).owner

    play(story, small_world(2))


def test_waits_of_a_terminated_deployment_are_ended(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        dead = await stage.platform.start(**SLOW)
        await stage.until(dead, "BatchLaunched")
        await terminate(stage, dead)
        await stage.sleep(minutes=20)
        children = [one for one in stage.platform.host.durable.instances() if one.id.startswith(f"{dead}:batch")]
        assert children
        assert all(one.status.is_ended for one in children)
        assert "Terminated" in {one.status for one in children}

    play(story, small_world(2, healthy_after=3600))


def held_world(small_world: SmallWorld) -> World:
    """A set with everything that a deployment holds."""
    document = small_world(4).model_dump(mode="json", by_alias=True)
    repairs = {"automaticRepairsPolicy": {"enabled": True, "gracePeriod": "PT30M"}}
    document["scaleSets"][0]["overrides"] = {"properties": repairs}
    bounds = [{"name": "always", "minimum": 2, "maximum": 4}]
    document["autoscaleSettings"] = [{"name": "web", "resourceGroup": "demo", "scaleSet": "web", "profiles": bounds}]
    return parse_world(document)


@pytest.mark.parametrize(
    "event", ["DeploymentPlanned", "ProcessesHeld", "ImageApplied", "BatchLaunched", "BatchDetached"]
)
@pytest.mark.parametrize("moments_later", [0, 7])
def test_everything_that_was_held_comes_back(
    play: Play, small_world: SmallWorld, event: str, moments_later: int
) -> None:
    async def story(stage: Any) -> None:
        dead = await stage.platform.start(**GOOD)
        await stage.until(dead, event)
        await stage.sleep(seconds=moments_later)
        written = await terminate(stage, dead)
        await stage.sleep(minutes=RESTORED)
        await assert_put_in_order(stage, dead, written)
        # The checkers of the story compare every setting with what it was at the start.

    play(story, held_world(small_world))


async def delete_set(stage: Any) -> None:
    """Somebody deletes the set as soon as Azure lets them."""
    for _ in range(600):
        answer = await stage.platform.cloud.handle(ArmRequest("DELETE", f"{stage.scale_set_id}?api-version=2024-07-01"))
        if answer.status < 300:
            return
        await stage.sleep(seconds=1)
    raise TimeoutError("the set could not be deleted")


#: The promises that say something of a set that is there.
WITHOUT_SET = ("good_image", "rows_as_the_set", "never_fewer_serving", "only_meant_vms_deleted", "journal_restored")


def test_group_of_a_set_that_is_gone_is_free_and_nothing_is_remembered_of_it(
    play: Play, small_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        dead = await platform.start(**GOOD)
        await stage.until(dead, "BatchLaunched")
        await terminate(stage, dead)
        await delete_set(stage)
        await stage.sleep(minutes=RESTORED)
        row = await platform.row(dead)
        assert (row.status, row.error.code) == (Status.FAILED, "orchestratorLost")
        assert await platform.store.holds.list() == ()

    play(story, held_world(small_world), exempt=WITHOUT_SET)


#: Waits of every kind, with the command that leads to each, if one does.
STANDSTILLS = [
    ("DeploymentPaused", "pause"),
    ("ApprovalAwaited", None),
    ("BakeStarted", "approve"),
    ("RollBackPlanned", "rollBack"),
]


@pytest.mark.parametrize(("event", "command"), STANDSTILLS, ids=[case[0] for case in STANDSTILLS])
def test_deployment_that_waits_for_somebody_is_put_in_order_too(
    play: Play, either_world: SmallWorld, event: str, command: str | None
) -> None:
    async def story(stage: Any) -> None:
        dead = await stage.platform.start(**{**GOOD, "approvals": [1], "bakeTime": 600})
        await stage.until(dead, "BatchLaunched" if command == "pause" else "ApprovalAwaited")
        if command:
            await stage.say(dead, command)
        await stage.until(dead, event)
        await stage.sleep(seconds=5)
        written = await terminate(stage, dead)
        await stage.sleep(minutes=RESTORED)
        await assert_put_in_order(stage, dead, written)
        row = await stage.platform.ended(await stage.platform.start(**GOOD))
        assert (row.status, stage.versions()) == (Status.FINISHED, ["1.1.0"] * 4)

    play(story, either_world(4))


def test_queued_deployment_whose_orchestration_is_gone_gets_its_end_and_takes_no_lock(
    play: Play, small_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        first = await platform.start(**SLOW)
        queued = await platform.start(**{**GOOD, "onConflict": "queue"})
        await terminate(stage, queued)
        await stage.sleep(minutes=30)
        row = await platform.row(queued)
        assert (row.status, row.error.code) == (Status.FAILED, "orchestratorLost")
        assert (await platform.ended(first)).status is Status.FINISHED
        await stage.sleep(minutes=RESTORED)
        assert (await platform.store.locks.get(stage.scale_set_id)).owner == ""

    play(story, small_world(2, healthy_after=2400))
