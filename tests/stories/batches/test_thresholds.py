"""When a batch passes, when it does not, and what becomes of its sick VMs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.world import Fault, World
from local.durable.faults import ActivityFault, ActivityLoss, DurableFaults
from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

#: Image 1.3.0: every second VM never becomes healthy. Of two green VMs one is sick, of its replacements every second.
HALF_SICK = {"image": "1.3.0", "gracePeriod": 300, "batchSizePercentage": 50}


def facts(events: Any) -> list[str]:
    return [event.type for event in events]


@pytest.mark.parametrize(
    ("threshold", "status", "words"),
    [
        ({"batchMinHealthyPercentage": 49}, Status.FINISHED, "50 %: at least the 49 % asked"),
        ({"batchMinHealthyPercentage": 50}, Status.FINISHED, "50 %: at least the 50 % asked"),
        ({"batchMinHealthyPercentage": 51}, Status.FAILED, "50 %: below the 51 % asked"),
        ({"minHealth": 49}, Status.FAILED, "50 % unhealthy: minHealth 49 is reached"),
        ({"minHealth": 50}, Status.FAILED, "50 % unhealthy: minHealth 50 is reached"),
        ({"minHealth": 51}, Status.FINISHED, "50 % unhealthy: minHealth 51 is not reached"),
    ],
)
def test_the_threshold_decides_at_at_one_below_and_one_above_it(
    play: Play, either_world: SmallWorld, threshold: dict[str, int], status: Status, words: str
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**HALF_SICK | threshold)
        row = await stage.platform.ended(deployment)
        assert row.status is status
        assert any(words in event.message for event in await stage.platform.events(deployment))

    play(story, either_world(4))


def test_a_sick_green_vm_is_replaced_once_and_then_blue_stays_in_its_place(
    play: Play, either_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**HALF_SICK)
        row = await stage.platform.ended(deployment)
        assert [line[6:] for line in await stage.platform.story(deployment)] == [
            "DeploymentPlanned: 4 VMs to move from 1.0.0 to 1.3.0 in 2 batches",
            "ImageApplied: Image 1.3.0 applied",
            "BatchStarted: Batch 1 of 2: started",
            "BatchLaunched: Batch 1 of 2: 2 green VMs launched",
            "BatchHealthy: Batch 1 of 2: 1 of 2 green VMs healthy after 300 s, 50 %: at least the 50 % asked",
            "SickGreenDiscarded: Batch 1 of 2: 1 VM deleted, to be replaced once",
            "BatchLaunched: Batch 1 of 2: 1 green VM launched",
            "BatchHealthy: Batch 1 of 2: 2 of 2 green VMs healthy",
            "BatchDetached: Batch 1 of 2: 2 blue VMs detached",
            "BatchTerminated: Batch 1 of 2: 2 VMs deleted",
            "BatchStarted: Batch 2 of 2: started",
            "BatchLaunched: Batch 2 of 2: 2 green VMs launched",
            "BatchHealthy: Batch 2 of 2: 1 of 2 green VMs healthy after 300 s, 50 %: at least the 50 % asked",
            "SickGreenDiscarded: Batch 2 of 2: 1 VM deleted, to be replaced once",
            "BatchLaunched: Batch 2 of 2: 1 green VM launched",
            "BatchHealthy: Batch 2 of 2: 1 of 2 green VMs healthy after 300 s, 50 %: at least the 50 % asked",
            "BatchDetached: Batch 2 of 2: 1 blue VM detached; 1 blue VM kept in service, because green ones were not "
            "healthy",
            "BatchTerminated: Batch 2 of 2: 2 VMs deleted",
            "DeploymentFinished: 3 VMs now on 1.3.0; 1 blue VM kept in service, because green ones were not healthy",
        ]
        assert (row.green_vms, row.remaining_blue, stage.capacity()) == (3, 1, 4)

    play(story, either_world(4))


@pytest.mark.sweep
@pytest.mark.parametrize("activity", ["discard_sick", "launch_green", "judge_batch", "terminate_blue"])
@pytest.mark.parametrize(
    "loss",
    [
        ActivityFault(ActivityLoss.TWICE),
        ActivityFault(ActivityLoss.BEFORE_EFFECT),
        ActivityFault(ActivityLoss.AFTER_EFFECT),
        ActivityFault(ActivityLoss.LATE, after=timedelta(minutes=7)),
    ],
    ids=lambda fault: fault.loss,
)
def test_replacing_sick_vms_survives_what_is_lost_repeated_or_late(
    play: Play, either_world: SmallWorld, activity: str, loss: ActivityFault
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**HALF_SICK)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.green_vms, row.remaining_blue, stage.capacity()) == (Status.FINISHED, 3, 1, 4)

    play(
        story,
        either_world(4),
        faults=DurableFaults(activities=[ActivityFault(loss.loss, activity=activity, after=loss.after)]),
    )


def test_tolerated_sick_vms_stay_and_all_blue_go(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**HALF_SICK, tolerateUnhealthy=True)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.green_vms, row.blue_vms, row.remaining_blue) == (Status.FINISHED, 4, 0, 0)
        assert (stage.versions(), stage.serving()) == (["1.3.0"] * 4, 2)
        events = await stage.platform.events(deployment)
        assert "SickGreenDiscarded" not in facts(events)
        assert "as few as 2 of 4 may serve" in events[0].message

    play(story, either_world(4), exempt=["never_fewer_serving"])


def test_a_batch_must_stay_healthy_for_as_long_as_asked(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> timedelta:
        deployment = await stage.platform.start(
            image="1.1.0", batchSizePercentage=100, gracePeriod=600, stableFor=stage.stable_for
        )
        await stage.platform.ended(deployment)
        at = {event.type: event.at for event in await stage.platform.events(deployment)}
        waited: timedelta = at["BatchHealthy"] - at["BatchLaunched"]
        return waited

    def waited(seconds: int) -> timedelta:
        async def told(stage: Any) -> timedelta:
            stage.stable_for = seconds
            return await story(stage)

        result: timedelta = play(told, either_world(2))
        return result

    assert waited(120) - waited(0) == timedelta(seconds=120)


def test_a_group_that_is_too_unhealthy_gets_no_further_batch(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(
            image="1.1.0", batchSizePercentage=25, gracePeriod=300, maxUnhealthyPercentage=25
        )
        await stage.until(deployment, "BatchLaunched", 1)
        blue = [vm for vm in stage.platform.cloud.scale_set(stage.scale_set_id).active() if "1.0.0" in vm.image["id"]]
        for vm in blue[-2:]:
            stage.platform.cloud.interfere.sicken(stage.scale_set_id, vm.vm_id)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.current_batch) == (Status.FAILED, 2)
        assert row.error.code == "groupUnhealthy"
        assert row.error.message == "Batch 2 of 4: 2 of all 4 VMs are unhealthy: more than the 25 % allowed"

    play(story, either_world(4), exempt=["never_fewer_serving"])


def test_vms_that_azure_cannot_make_are_asked_for_again(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        stage.platform.cloud.faults.add(
            Fault.model_validate({"method": "PATCH", "calls": [2], "allocationFailures": 1})
        )
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=100, gracePeriod=300)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.remaining_blue, stage.versions()) == (Status.FINISHED, 0, ["1.1.0"] * 2)
        assert "SickGreenDiscarded" not in facts(await stage.platform.events(deployment))

    play(story, either_world(2))


def test_a_batch_is_judged_by_what_azure_made_when_its_time_is_over(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        stage.platform.cloud.faults.add(
            Fault.model_validate({"method": "PATCH", "calls": list(range(2, 60)), "allocationFailures": 2})
        )
        deployment = await stage.platform.start(
            image="1.1.0", batchSizePercentage=100, gracePeriod=300, allocationTimeout=240
        )
        row = await stage.platform.ended(deployment)
        assert (row.status, stage.versions(), stage.model()) == (Status.FAILED, ["1.0.0"] * 2, "1.0.0")
        assert row.error.code == "batchUnhealthy"

    play(story, either_world(2))
