"""VMs that a launch does not bring, or brings otherwise, or that are lost before they are judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.azure.world import Fault, World, parse_world
from rollout.model.status import Status

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

ASKED = {"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300, "drainingTimeout": 60}


def green_of(stage: Any) -> list[Any]:
    vms = stage.platform.cloud.scale_set(stage.scale_set_id).active()
    return [vm for vm in vms if str(vm.image["id"]).endswith("1.1.0")]


async def told(stage: Any, deployment: str, kind: str) -> list[Any]:
    return [event for event in await stage.platform.events(deployment) if event.type == kind]


async def successor(stage: Any, deployment: str) -> str:
    """Wait for the VM that takes the place of a lost one."""
    for _ in range(120):
        records = await stage.platform.store.vms.list(deployment, 1)
        if came := [record.vm_id for record in records if record.launched_at]:
            return str(came[0])
        await stage.sleep(seconds=5)
    raise TimeoutError(await stage.platform.story(deployment))


@pytest.mark.parametrize("policy", ["Delete", "Deallocate"])
def test_evicted_green_vm_has_its_place_asked_for_again_once(play: Play, either_world: SmallWorld, policy: str) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**ASKED)
        await stage.until(deployment, "BatchLaunched", 1)
        lost = green_of(stage)[0]
        stage.platform.cloud.interfere.evict(stage.scale_set_id, lost.vm_id, policy)
        row = await stage.platform.ended(deployment)
        assert (row.status, stage.versions(), row.green_vms) == (Status.FINISHED, ["1.1.0"] * 2, 2)
        (relaunched,) = await told(stage, deployment, "VmRelaunched")
        assert relaunched.data == {"vmIds": [lost.vm_id], "names": [lost.name]}
        word = "gone" if policy == "Delete" else "deallocated"
        assert relaunched.message == f"Batch 1 of 2: {lost.name} is {word}: its place is asked for again"
        (launched, judged) = [(await told(stage, deployment, kind))[0].at for kind in ("BatchLaunched", "BatchHealthy")]
        assert (judged - launched).total_seconds() < 240

    play(story, either_world(2), exempt=["never_fewer_serving"])


def test_place_that_is_lost_twice_is_judged_as_it_is(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**ASKED)
        await stage.until(deployment, "BatchLaunched", 1)
        stage.platform.cloud.interfere.evict(stage.scale_set_id, green_of(stage)[0].vm_id, "Delete")
        second = await successor(stage, deployment)
        stage.platform.cloud.interfere.evict(stage.scale_set_id, second, "Delete")
        row = await stage.platform.ended(deployment)
        assert (row.status, row.error.code) == (Status.FAILED, "batchUnhealthy")
        assert "0 of 1 green VM healthy, and the others can not become so" in row.reason
        assert len(await told(stage, deployment, "VmRelaunched")) == 1
        assert (stage.versions(), stage.capacity()) == (["1.0.0"] * 2, 2)

    play(story, small_world(2))


def failing(world: World, boot_time: int = 200) -> World:
    document = world.model_dump(mode="json", by_alias=True)
    for version in document["galleries"][0]["images"][0]["versions"]:
        if version["name"] == "1.1.0":
            version["behavior"] |= {"provisioningFails": True, "bootTime": boot_time}
    return parse_world(document)


def test_azures_reason_is_told_and_nothing_waits_for_vms_that_failed(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**ASKED)
        row = await stage.platform.ended(deployment)
        why = "OSProvisioningTimedOut: OS Provisioning for VM did not finish in the allotted time."
        assert (row.status, row.error.code) == (Status.FAILED, "batchUnhealthy")
        assert f"provisioning state Failed ({why}" in row.error.message
        (launched,) = await told(stage, deployment, "BatchLaunched")
        assert launched.data == {"launched": 1, "failed": 1}
        assert f"1 green VM launched; Azure failed to make 1 VM ({why}" in launched.message
        (ended,) = await told(stage, deployment, "DeploymentFailed")
        assert (ended.at - row.started_at).total_seconds() < 300
        records = await stage.platform.store.vms.list(deployment, 1)
        (green,) = [record for record in records if record.color == "green"]
        assert why in green.readings[0].detail

    play(story, failing(either_world(2)))


def test_vms_that_azure_failed_to_make_leave_their_evidence(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        stage.platform.cloud.faults.add(
            Fault.model_validate({"method": "PATCH", "calls": [2], "allocationFailures": 1})
        )
        deployment = await stage.platform.start(**ASKED)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.green_vms) == (Status.FINISHED, 2)
        launched = (await told(stage, deployment, "BatchLaunched"))[0]
        assert launched.data == {"launched": 1, "failed": 1}
        assert "Azure failed to make 1 VM (AllocationFailed: Allocation failed." in launched.message
        records = await stage.platform.store.vms.list(deployment)
        (unmade,) = [record for record in records if record.unmade]
        evidence = await stage.platform.store.evidence.get(deployment, unmade.vm_id)
        assert "AllocationFailed" in str(evidence.instance_view)

    play(story, either_world(2))


@pytest.mark.parametrize(("times", "status"), [(2, Status.FINISHED), (4, Status.FAILED)])
def test_allocation_that_is_refused_at_once_is_asked_for_again(
    play: Play, small_world: SmallWorld, times: int, status: Status
) -> None:
    """Within 300 s Azure may be asked after 0, 30, 90 and 210 s."""

    async def story(stage: Any) -> None:
        body = {"error": {"code": "ZonalAllocationFailed", "message": "There is no room in zone 1. Please try again."}}
        rule = {"raisesCapacity": True, "calls": list(range(1, 1 + times)), "status": 409, "body": body}
        stage.platform.cloud.faults.add(Fault.model_validate(rule))
        deployment = await stage.platform.start(**ASKED)
        row = await stage.platform.ended(deployment)
        assert row.status is status
        if status is Status.FAILED:
            assert row.error.code == "batchUnhealthy"
            assert "1 never created: ZonalAllocationFailed: There is no room in zone 1." in row.error.message
            (launched,) = await told(stage, deployment, "BatchLaunched")
            assert "0 green VMs launched; Azure made 1 fewer (ZonalAllocationFailed" in launched.message

    play(story, small_world(2))


def test_vms_of_a_standby_pool_are_told_and_go_with_the_failed_batch(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        old = f"{stage.platform.world.groups[0]['imageId']}/versions/1.0.0"
        stage.platform.cloud.interfere.standby_pool(stage.scale_set_id, 1, old)
        deployment = await stage.platform.start(**ASKED)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.error.code) == (Status.FAILED, "batchUnhealthy")
        assert "vmState runs 1.0.0 instead of 1.1.0" in row.error.message
        (launched,) = await told(stage, deployment, "BatchLaunched")
        assert "1 green VM launched; 1 of them on another image (1.0.0)" in launched.message
        assert (stage.versions(), stage.capacity()) == (["1.0.0"] * 2, 2)
        names = {record.vm_id for record in await stage.platform.store.vms.list(deployment, 0)}
        records = await stage.platform.store.vms.list(deployment)
        assert {vm.vm_id for vm in stage.platform.cloud.scale_set(stage.scale_set_id).active()} <= names | {
            one.vm_id for one in records if one.color == "blue"
        }

    play(story, either_world(2))
