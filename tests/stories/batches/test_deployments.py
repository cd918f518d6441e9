"""The stories of whole deployments, read as their traces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.azure.world import Fault, World
from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

#: The image versions of the demo world: 1.1.0 is good, 1.2.0 never healthy, 1.3.0 every second VM never, 1.4.0 slow.
TEN_BLUE = ["1.0.0"] * 10


def test_nothing_is_called_healthy_that_nothing_judges(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        group = {name: value for name, value in stage.platform.world.groups[0].items() if name != "id"}
        await stage.platform.put("/api/groups/web", {**group, "healthCheckTypes": []})
        plan = await stage.platform.post("/api/groups/web/deployments?dryRun=true", {"image": "1.1.0"})
        assert {"healthNotAsked", "noHealthCheck"} <= {one["code"] for one in plan.body["findings"]}
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300, bakeTime=60)
        await stage.until(deployment, "BatchDetached", 1)
        first = (await stage.platform.get(f"/api/deployments/{deployment}/batches")).body["value"][0]
        assert (first["phase"], first["healthyAt"]) == ("detached", None)
        row = await stage.platform.ended(deployment)
        told = [event.message for event in await stage.platform.events(deployment) if event.type == "BatchNotJudged"]
        assert told == [f"Batch {n} of 2: 1 green VM runs; no health check, waited 300 s" for n in (1, 2)]
        shown = [await stage.platform.get(f"/api/deployments/{deployment}{part}") for part in ("", "/vms", "/events")]
        parameters = shown[0].body["parameters"]
        assert (parameters["batchMinHealthyPercentage"], parameters["minHealth"]) == (None, None)
        assert [vm["status"] for vm in shown[1].body["value"] if vm["color"] == "green"] == ["running"] * 2
        said = " ".join([row.reason, *(event.message for event in await stage.platform.events(deployment))])
        assert "healthy" not in said
        # Nor is it taken for a failure: the next deployment keeps them.
        again = await stage.platform.start(image="1.1.0", gracePeriod=300)
        assert (await stage.platform.ended(again)).reason == "No VM to replace: All 2 VMs run 1.1.0 already"

    play(story, either_world())


def test_good_image_replaces_ten_vms_in_five_batches(play: Play) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=20, gracePeriod=300)
        row = await stage.platform.ended(deployment)
        trace = await stage.platform.story(deployment)
        assert trace == [
            "00:00 DeploymentPlanned: 10 VMs to move from 1.0.0 to 1.1.0 in 5 batches",
            "00:15 ProcessesHeld: Held: the scale-in policy",
            "00:30 ImageApplied: Image 1.1.0 applied",
            "00:30 BatchStarted: Batch 1 of 5: started",
            "01:15 BatchLaunched: Batch 1 of 5: 2 green VMs launched",
            "02:15 BatchHealthy: Batch 1 of 5: 2 of 2 green VMs healthy",
            "02:15 BatchDetached: Batch 1 of 5: 2 blue VMs detached",
            "04:45 BatchTerminated: Batch 1 of 5: 2 VMs deleted",
            "04:45 BatchStarted: Batch 2 of 5: started",
            "05:30 BatchLaunched: Batch 2 of 5: 2 green VMs launched",
            "06:30 BatchHealthy: Batch 2 of 5: 2 of 2 green VMs healthy",
            "06:30 BatchDetached: Batch 2 of 5: 2 blue VMs detached",
            "09:00 BatchTerminated: Batch 2 of 5: 2 VMs deleted",
            "09:00 BatchStarted: Batch 3 of 5: started",
            "09:45 BatchLaunched: Batch 3 of 5: 2 green VMs launched",
            "10:45 BatchHealthy: Batch 3 of 5: 2 of 2 green VMs healthy",
            "10:45 BatchDetached: Batch 3 of 5: 2 blue VMs detached",
            "13:15 BatchTerminated: Batch 3 of 5: 2 VMs deleted",
            "13:15 BatchStarted: Batch 4 of 5: started",
            "14:00 BatchLaunched: Batch 4 of 5: 2 green VMs launched",
            "15:00 BatchHealthy: Batch 4 of 5: 2 of 2 green VMs healthy",
            "15:00 BatchDetached: Batch 4 of 5: 2 blue VMs detached",
            "17:30 BatchTerminated: Batch 4 of 5: 2 VMs deleted",
            "17:30 BatchStarted: Batch 5 of 5: started",
            "18:15 BatchLaunched: Batch 5 of 5: 2 green VMs launched",
            "19:15 BatchHealthy: Batch 5 of 5: 2 of 2 green VMs healthy",
            "19:15 BatchDetached: Batch 5 of 5: 2 blue VMs detached",
            "21:45 BatchTerminated: Batch 5 of 5: 2 VMs deleted",
            "22:00 ProcessesRestored: Restored: the scale-in policy",
            "22:00 DeploymentFinished: 10 VMs now on 1.1.0",
        ]
        assert (row.status, row.progress, row.blue_vms, row.green_vms) == (Status.FINISHED, 100, 0, 10)
        assert (stage.versions(), stage.model(), stage.capacity()) == (["1.1.0"] * 10, "1.1.0", 10)

    play(story)


def test_image_that_never_becomes_healthy_fails_in_its_first_batch(play: Play) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.2.0", batchSizePercentage=20, gracePeriod=300)
        row = await stage.platform.ended(deployment)
        judged = (
            "0 of 2 green VMs healthy after 300 s, 0 %: below the 50 % asked "
            "(web_10: applicationHealth unhealthy; web_11: applicationHealth unhealthy)"
        )
        assert await stage.platform.story(deployment) == [
            "00:00 DeploymentPlanned: 10 VMs to move from 1.0.0 to 1.2.0 in 5 batches",
            "00:15 ProcessesHeld: Held: the scale-in policy",
            "00:30 ImageApplied: Image 1.2.0 applied",
            "00:30 BatchStarted: Batch 1 of 5: started",
            "01:00 BatchLaunched: Batch 1 of 5: 2 green VMs launched",
            f"06:00 BatchFailed: Batch 1 of 5: {judged}",
            "06:30 GreenDiscarded: Batch 1 of 5: 2 VMs deleted",
            "06:45 ImageRestored: Image 1.0.0 restored",
            "07:00 ProcessesRestored: Restored: the scale-in policy",
            f"07:00 DeploymentFailed: Batch 1 of 5: {judged}",
        ]
        assert (row.status, row.error.code, row.settled) == (Status.FAILED, "batchUnhealthy", True)
        assert (stage.versions(), stage.model(), stage.serving()) == (TEN_BLUE, "1.0.0", 10)

        following = await stage.platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300)
        assert (await stage.platform.ended(following)).status is Status.FINISHED
        assert (stage.versions(), stage.capacity()) == (["1.1.0"] * 10, 10)

    play(story)


def test_half_of_a_batch_healthy_fails_at_51_percent(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(
            image="1.3.0", batchSizePercentage=50, gracePeriod=120, batchMinHealthyPercentage=51
        )
        row = await stage.platform.ended(deployment)
        assert (row.status, row.error.code) == (Status.FAILED, "batchUnhealthy")
        assert "1 of 2 green VMs healthy after 120 s, 50 %: below the 51 % asked" in row.reason
        assert (stage.versions(), stage.model(), stage.serving()) == (["1.0.0"] * 4, "1.0.0", 4)

    play(story, small_world(4))


@pytest.mark.parametrize(("grace_period", "status"), [(600, Status.FINISHED), (300, Status.FAILED)])
def test_slow_image_passes_only_if_its_grace_period_lets_it(
    play: Play, small_world: SmallWorld, grace_period: int, status: Status
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.4.0", batchSizePercentage=100, gracePeriod=grace_period)
        row = await stage.platform.ended(deployment)
        image = "1.4.0" if status is Status.FINISHED else "1.0.0"
        assert row.status is status
        assert (stage.versions(), stage.model(), stage.serving()) == ([image] * 2, image, 2)

    play(story, small_world(2))


def test_failure_in_a_later_batch_keeps_what_was_replaced_and_the_next_deployment_finds_it(
    play: Play, small_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        deployment = await platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=120)
        await stage.until(deployment, "BatchDetached", batch=1)
        platform.cloud.faults.add(
            Fault.model_validate({"method": "PATCH", "calls": list(range(1, 30)), "allocationFailures": 2})
        )
        row = await platform.ended(deployment)
        trace = await platform.story(deployment)
        launched, judged, *ended = [line.split(": ", 1)[1] for line in trace[-5:]]
        assert launched.startswith("Batch 2 of 2: 2 green VMs launched; Azure failed to make ")
        assert judged.startswith("Batch 2 of 2: 0 of 2 green VMs healthy, and the others can not become so, 0 %")
        assert "(web_0: vmState provisioning state Failed (AllocationFailed: Allocation failed." in judged
        assert ended == ["Batch 2 of 2: 2 VMs deleted", "Image 1.0.0 restored", row.reason]
        assert (row.status, row.settled, row.blue_vms, row.green_vms) == (Status.FAILED, True, 2, 2)
        assert (sorted(stage.versions()), stage.model()) == (["1.0.0"] * 2 + ["1.1.0"] * 2, "1.0.0")

        platform.cloud.faults.clear()
        following = await platform.ended(await platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300))
        assert (following.status, following.blue_vms, following.green_vms) == (Status.FINISHED, 0, 4)
        assert (stage.versions(), stage.model(), stage.capacity()) == (["1.1.0"] * 4, "1.1.0", 4)

    play(story, small_world(4))


def test_deployment_back_to_the_old_image_after_a_failed_one_replaces_only_what_is_new(
    play: Play, small_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        deployment = await platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=120)
        await stage.until(deployment, "BatchDetached", batch=1)
        platform.cloud.faults.add(
            Fault.model_validate({"method": "PATCH", "calls": list(range(1, 30)), "allocationFailures": 2})
        )
        assert (await platform.ended(deployment)).status is Status.FAILED
        platform.cloud.faults.clear()
        back = await platform.start(image="1.0.0", batchSizePercentage=100, gracePeriod=300)
        assert (await platform.ended(back)).status is Status.FINISHED
        assert (await platform.story(back))[0] == ("00:00 DeploymentPlanned: 2 VMs to move to 1.0.0 in 1 batch")
        assert (stage.versions(), stage.capacity()) == (["1.0.0"] * 4, 4)

    play(story, small_world(4))


def test_nothing_to_do_finishes_at_once_and_writes_nothing(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.0.0")
        row = await stage.platform.ended(deployment)
        assert await stage.platform.story(deployment) == [
            "00:00 DeploymentPlanned: All 2 VMs run 1.0.0 already",
            "00:00 DeploymentFinished: No VM to replace: All 2 VMs run 1.0.0 already",
        ]
        assert (row.status, row.progress, row.settled) == (Status.FINISHED, 100, True)
        assert stage.platform.cloud.audit == []

    play(story, small_world(2))


def test_set_whose_model_alone_names_another_image_gets_the_image_and_keeps_its_vms(
    play: Play, small_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        image = {"id": f"{stage.platform.world.groups[0]['imageId']}/versions/1.1.0"}
        profile = {"virtualMachineProfile": {"storageProfile": {"imageReference": image}}}
        stage.platform.cloud.interfere.patch(stage.scale_set_id, {"properties": profile})
        assert stage.model() == "1.1.0"
        deployment = await stage.platform.start(image="1.0.0")
        await stage.platform.ended(deployment)
        assert await stage.platform.story(deployment) == [
            "00:00 DeploymentPlanned: All 2 VMs run 1.0.0 already",
            "00:15 ImageApplied: Image 1.0.0 applied",
            "00:15 DeploymentFinished: No VM to replace: Image 1.0.0 applied",
        ]
        assert (stage.versions(), stage.model()) == (["1.0.0"] * 2, "1.0.0")

    play(story, small_world(2))


def test_group_without_health_checks_waits_each_grace_period_and_judges_that_the_vms_run(
    play: Play, small_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        group = {key: value for key, value in stage.platform.world.groups[0].items() if key != "id"}
        changed = await stage.platform.put("/api/groups/web", {**group, "healthCheckTypes": []})
        assert changed.status < 300
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=100, gracePeriod=240)
        assert (await stage.platform.ended(deployment)).status is Status.FINISHED
        assert await stage.platform.story(deployment) == [
            "00:00 DeploymentPlanned: 2 VMs to move from 1.0.0 to 1.1.0 in 1 batch",
            "00:15 ImageApplied: Image 1.1.0 applied",
            "00:15 BatchStarted: Batch 1 of 1: started",
            "00:45 BatchLaunched: Batch 1 of 1: 2 green VMs launched",
            "04:45 BatchNotJudged: Batch 1 of 1: 2 green VMs run; no health check, waited 240 s",
            "04:45 BatchDetached: Batch 1 of 1: 2 blue VMs detached",
            "07:15 BatchTerminated: Batch 1 of 1: 2 VMs deleted",
            "07:15 DeploymentFinished: 2 VMs now on 1.1.0",
        ]

    play(story, small_world(2))


def test_draining_timeout_of_zero_deletes_at_once(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(
            image="1.1.0", batchSizePercentage=100, gracePeriod=300, drainingTimeout=0
        )
        await stage.platform.ended(deployment)
        assert (await stage.platform.story(deployment))[-3:] == [
            "01:45 BatchDetached: Batch 1 of 1: 2 blue VMs detached",
            "02:15 BatchTerminated: Batch 1 of 1: 2 VMs deleted",
            "02:15 DeploymentFinished: 2 VMs now on 1.1.0",
        ]

    play(story, small_world(2))


@pytest.mark.parametrize(("vms", "percentage", "batches"), [(4, 100, 1), (4, 1, 4), (1, 20, 1), (5, 34, 3)])
def test_batches_are_as_many_as_asked_and_at_most_one_a_vm(
    play: Play, small_world: SmallWorld, vms: int, percentage: int, batches: int
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=percentage, gracePeriod=300)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.number_of_batches) == (Status.FINISHED, batches)
        assert (stage.versions(), stage.capacity()) == (["1.1.0"] * vms, vms)

    play(story, small_world(vms))


def test_vms_that_did_not_serve_before_are_replaced_first(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        stage.platform.cloud.interfere.sicken(stage.scale_set_id, "web_3")
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=25, gracePeriod=300)
        assert (await stage.platform.ended(deployment)).status is Status.FINISHED
        first = await stage.platform.store.vms.list(deployment, 1)
        assert [record.name for record in first if record.color == "blue"] == ["web_3"]
        assert stage.serving() == 4

    play(story, small_world(4), exempt=["never_fewer_serving"])


@pytest.mark.parametrize("image", ["1.1.0", "1.2.0"])
def test_capacity_that_follows_deletions_late_leads_to_the_same_end(
    play: Play, either_world: SmallWorld, image: str
) -> None:
    """Azure's capacity may follow only once the VMs are gone (kubernetes/autoscaler#3510)."""

    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image=image, batchSizePercentage=50, gracePeriod=300, drainingTimeout=0)
        row = await stage.platform.ended(deployment)
        good = image == "1.1.0"
        assert (row.status, stage.capacity()) == (Status.FINISHED if good else Status.FAILED, 4)
        assert stage.versions() == ["1.1.0" if good else "1.0.0"] * 4

    play(story, either_world(4, capacityFalls="late"))
