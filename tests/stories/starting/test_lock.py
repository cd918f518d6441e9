"""Who may write to a scale set: one deployment at a time, and nobody on behalf of one that was ended from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from local.azure.world import World
from local.durable.faults import ActivityFault, ActivityLoss, Delivery, DurableFaults
from local.durable.host import InstanceEnded
from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

GOOD = {"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300}
BAD = {"image": "1.2.0", "batchSizePercentage": 50, "gracePeriod": 120}

#: The phases of a deployment, by the event that begins each.
PHASES = ["DeploymentPlanned", "ImageApplied", "BatchStarted", "BatchLaunched", "BatchHealthy", "BatchDetached"]


async def start_over(stage: Any, parameters: dict[str, Any]) -> Any:
    """Start a deployment and wait for its end; its row."""
    return await stage.platform.ended(await stage.platform.start(**parameters))


def writes(stage: Any) -> int:
    """How many writes Azure was sent."""
    return len(stage.platform.cloud.audit)


def vms_changed(stage: Any, since: int) -> bool:
    """Whether a write after so many made or deleted VMs; what else is there is the watchdog's."""
    return any(entry.created or entry.deleted for entry in stage.platform.cloud.audit[since:])


def test_second_start_is_told_of_the_deployment_that_runs(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        holder = await stage.platform.start(**GOOD)
        for _ in range(2):
            refused = await stage.platform.post("/api/groups/web/deployments", GOOD)
            assert (refused.status, refused.body["error"]["code"]) == (409, "deploymentInProgress")
            assert holder in refused.body["error"]["message"]
            await stage.until(holder, "BatchDetached")
        assert (await stage.platform.ended(holder)).status is Status.FINISHED
        assert len(await stage.watched.deployments()) == 1

    play(story, small_world(2))


def test_of_two_starts_at_once_one_is_refused(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        post = stage.platform.post
        replies = await asyncio.gather(*(post("/api/groups/web/deployments", GOOD) for _ in range(5)))
        assert sorted(reply.status for reply in replies) == [202, 409, 409, 409, 409]
        (started,) = [reply.body["id"] for reply in replies if reply.status == 202]
        assert (await stage.platform.ended(started)).status is Status.FINISHED
        assert await stage.watched.deployments() == [started]

    play(story, small_world(2))


def test_start_between_the_freeing_of_the_group_and_the_last_event_is_told_to_wait(
    play: Play, small_world: SmallWorld
) -> None:
    """The last event is late: whether the set is in order, which a new deployment inherits, is not known before it."""
    last_event = 13
    lost = ActivityFault(ActivityLoss.BEFORE_EFFECT, activity="record_event", delivery=last_event)

    async def story(stage: Any) -> None:
        platform = stage.platform
        first = await platform.start(**GOOD)
        await _until_running(stage, f"{first}:release_group-e1")
        await stage.sleep(seconds=1)
        assert (await platform.row(first)).status is Status.IN_PROGRESS
        refused = await platform.post("/api/groups/web/deployments", BAD)
        assert (refused.status, refused.body["error"]["target"]) == (409, first)
        assert (await platform.ended(first)).status is Status.FINISHED
        assert (await start_over(stage, BAD)).status is Status.FAILED
        assert stage.model() == "1.1.0"

    play(story, small_world(2), faults=DurableFaults(activities=[lost]))


@pytest.mark.sweep
@pytest.mark.parametrize("moments_later", [0, 7, 40])
@pytest.mark.parametrize("phase", PHASES)
def test_terminated_deployment_changes_nothing_more_and_the_next_one_puts_the_set_right(
    play: Play, small_world: SmallWorld, phase: str, moments_later: int
) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        dead = await platform.start(**GOOD)
        await stage.until(dead, phase)
        await stage.sleep(seconds=moments_later)
        platform.host.durable.terminate(dead, "by hand")
        await stage.sleep(seconds=1)
        written = writes(stage)
        await stage.sleep(hours=5)
        assert not vms_changed(stage, written)

        row = await start_over(stage, GOOD)
        dead_row = await platform.row(dead)
        assert (dead_row.status, dead_row.error.code) == (Status.FAILED, "orchestratorLost")
        assert row.status is Status.FINISHED
        assert (row.target_size, row.image.previous.label) == (2, "1.0.0")
        assert (stage.versions(), stage.model(), stage.capacity()) == (["1.1.0"] * 2, "1.1.0", 2)

    play(story, small_world(2))


@pytest.mark.parametrize("first", ["1.1.0", "1.2.0"])
@pytest.mark.parametrize("phase", PHASES[:4])
def test_failing_deployment_after_a_terminated_one_puts_the_last_good_image_back(
    play: Play, small_world: SmallWorld, phase: str, first: str
) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        dead = await platform.start(image=first, batchSizePercentage=100, gracePeriod=300)
        await stage.until(dead, phase)
        platform.host.durable.terminate(dead, "by hand")
        await stage.sleep(hours=1)
        row = await start_over(stage, BAD)
        assert row.status is Status.FAILED
        assert stage.model() == "1.0.0"
        assert stage.serving() >= 2
        # What the terminated deployment launched is still there, and is not taken for what the set is to have.
        last = await start_over(stage, GOOD)
        assert (last.status, last.target_size) == (Status.FINISHED, 2)
        assert (stage.versions(), stage.capacity()) == (["1.1.0"] * 2, 2)

    play(story, small_world(2))


@pytest.mark.parametrize("phase", PHASES)
def test_going_back_to_the_old_image_after_a_terminated_deployment_leaves_nothing_of_it(
    play: Play, small_world: SmallWorld, phase: str
) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        image = "1.2.0" if phase in PHASES[:4] else "1.1.0"
        dead = await platform.start(image=image, batchSizePercentage=50, gracePeriod=300)
        await stage.until(dead, phase)
        platform.host.durable.terminate(dead, "by hand")
        await stage.sleep(hours=1)
        row = await start_over(stage, {**GOOD, "image": "1.0.0"})
        assert row.status is Status.FINISHED
        assert (stage.versions(), stage.model(), stage.capacity()) == (["1.0.0"] * 4, "1.0.0", 4)

    play(story, small_world(4))


def test_surplus_of_a_terminated_deployment_goes_without_a_serving_vm_being_missed(
    play: Play, small_world: SmallWorld
) -> None:
    """Four serve and two never will: the first to go for two green ones must not be three that serve."""

    async def story(stage: Any) -> None:
        platform = stage.platform
        dead = await platform.start(**BAD)
        await stage.until(dead, "BatchLaunched")
        platform.host.durable.terminate(dead, "by hand")
        await stage.sleep(hours=1)
        row = await start_over(stage, GOOD)
        assert (row.status, row.target_size) == (Status.FINISHED, 4)
        assert (stage.versions(), stage.capacity()) == (["1.1.0"] * 4, 4)

    play(story, small_world(4))


@pytest.mark.sweep
@pytest.mark.parametrize("number", range(1, 130, 6))
def test_deployment_terminated_at_any_delivery_changes_nothing_more(
    play: Play, small_world: SmallWorld, number: int
) -> None:
    faults = DurableFaults()

    async def story(stage: Any) -> None:
        platform = stage.platform
        started: list[str] = []

        def terminate(delivery: Delivery) -> None:
            if delivery.number == number:
                platform.host.durable.terminate(started[0], "by hand")

        faults.on_delivery = terminate
        started.append(await platform.start(**GOOD))
        await platform.host.durable.wait(started[0])
        await stage.sleep(seconds=1)
        written = writes(stage)
        await stage.quiet()
        await stage.sleep(hours=2)
        assert not vms_changed(stage, written)
        row = await start_over(stage, GOOD)
        assert row.status is Status.FINISHED
        assert (stage.versions(), stage.model(), stage.capacity()) == (["1.1.0"] * 2, "1.1.0", 2)

    play(story, small_world(2), faults=faults)


PARTS = ["", ":launch_green-e1", ":judge_batch-e1", ":detach_blue-e1", ":terminate_blue-e1"]


@pytest.mark.sweep
@pytest.mark.parametrize("seconds", [0, 1, 20, 60])
@pytest.mark.parametrize("part", [":apply_image-e1", *(f":batch-1{part}" for part in PARTS)])
def test_part_of_a_deployment_terminated_fails_it_and_the_next_one_puts_the_set_right(
    play: Play, small_world: SmallWorld, part: str, seconds: int
) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        deployment = await platform.start(**GOOD)
        await _until_running(stage, deployment + part)
        await stage.sleep(seconds=seconds)
        try:
            platform.host.durable.terminate(deployment + part, "by hand")
        except InstanceEnded:
            assert (await platform.ended(deployment)).status is Status.FINISHED
            return
        row = await platform.ended(deployment)
        assert (row.status, stage.model()) == (Status.FAILED, "1.0.0")
        batches = await platform.store.batches.list(deployment)
        first = "failed" if "batch" in part else "planned"
        assert [str(batch.phase) for batch in batches] == [first, "planned"]
        await stage.sleep(hours=2)
        row = await start_over(stage, GOOD)
        assert (row.status, row.target_size) == (Status.FINISHED, 2)
        assert (stage.versions(), stage.model(), stage.capacity()) == (["1.1.0"] * 2, "1.1.0", 2)

    play(story, small_world(2))


async def _until_running(stage: Any, instance_id: str) -> None:
    for _ in range(24 * 3600):
        if stage.platform.host.durable.instance(instance_id) is not None:
            return
        await stage.sleep(seconds=1)
    raise TimeoutError(instance_id)


@pytest.mark.parametrize("phase", PHASES)
def test_suspended_deployment_changes_nothing_and_goes_on_when_resumed(
    play: Play, small_world: SmallWorld, phase: str
) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        deployment = await platform.start(**GOOD)
        await stage.until(deployment, phase)
        platform.host.durable.suspend(deployment, "by hand")
        await stage.sleep(seconds=1)
        written = writes(stage)
        # Longer than anything that is bounded by an hour.
        await stage.sleep(minutes=80)
        assert writes(stage) == written
        refused = await platform.post("/api/groups/web/deployments", GOOD)
        assert refused.status == 409
        platform.host.durable.resume(deployment, "by hand")
        assert (await platform.ended(deployment)).status is Status.FINISHED
        assert (stage.versions(), stage.capacity()) == (["1.1.0"] * 2, 2)

    play(story, small_world(2))
