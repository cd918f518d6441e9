"""What others do to the set while Teal deploys to it: each has a decided outcome, and Teal makes nothing worse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.arm.messages import ArmRequest
from local.azure.world import World
from rollout.model.rows.deployment import Deployment
from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

#: What Teal cannot help: somebody else took VMs out of service.
OTHERS_STOPPED_VMS = ("never_fewer_serving",)


async def deploy_until(stage: Any, event: str, batch: int | None = None, *, later: int = 0, **changes: Any) -> str:
    """Start a deployment of two batches and wait for an event of it, and a little longer."""
    asked = {"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300, **changes}
    deployment: str = await stage.platform.start(**asked)
    await stage.until(deployment, event, batch)
    await stage.sleep(seconds=later)
    return deployment


async def ended(stage: Any, deployment: str) -> Deployment:
    """Wait for the deployment's end; its row."""
    row: Deployment = await stage.platform.ended(deployment)
    return row


def name_of(stage: Any, version: str) -> str:
    """A VM of the set with this image version."""
    vms = stage.platform.cloud.scale_set(stage.scale_set_id).active()
    return next(str(vm.name) for vm in vms if str(vm.image["id"]).endswith(version))


@pytest.mark.parametrize("later", [0, 5, 20])
def test_scale_out_while_green_vms_are_launched_ends_at_the_target_size(
    play: Play, either_world: SmallWorld, later: int
) -> None:
    """The VM that somebody added carries the new image, so it becomes a green VM of the next batch."""

    async def story(stage: Any) -> None:
        deployment = await deploy_until(stage, "BatchStarted", later=later)
        stage.platform.cloud.interfere.scale(stage.scale_set_id, stage.capacity() + 1)
        assert (await ended(stage, deployment)).status is Status.FINISHED
        assert (stage.versions(), stage.capacity()) == (["1.1.0"] * 4, 4)

    play(story, either_world(4))


@pytest.mark.parametrize("event", ["BatchHealthy", "BatchDetached"])
def test_scale_out_between_batches_ends_at_the_target_size(play: Play, either_world: SmallWorld, event: str) -> None:
    async def story(stage: Any) -> None:
        deployment = await deploy_until(stage, event, batch=1, later=3)
        stage.platform.cloud.interfere.scale(stage.scale_set_id, stage.capacity() + 1)
        assert (await ended(stage, deployment)).status is Status.FINISHED
        assert (stage.versions(), stage.capacity()) == (["1.1.0"] * 4, 4)

    play(story, either_world(4))


def test_scale_out_after_the_last_launch_is_kept_and_remarked(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await deploy_until(stage, "BatchDetached", batch=2)
        stage.platform.cloud.interfere.scale(stage.scale_set_id, stage.capacity() + 1)
        row = await ended(stage, deployment)
        assert (row.status, stage.capacity()) == (Status.FINISHED, 5)
        assert row.reason == "5 VMs now on 1.1.0; 1 of them made by others; the set has 5 VMs, the target size was 4"
        assert stage.versions() == ["1.1.0"] * 5
        rows = await stage.platform.store.vms.list(deployment)
        (adopted,) = [one for one in rows if one.reason.startswith("Made by others")]
        assert (adopted.color, adopted.batch, row.green_vms) == ("green", 2, 5)
        assert adopted.status in ("healthy", "running")
        assert adopted.readings

    play(story, either_world(4))


@pytest.mark.parametrize("event", ["BatchStarted", "BatchLaunched", "BatchTerminated"])
def test_scale_in_never_makes_teal_take_more_away(play: Play, either_world: SmallWorld, event: str) -> None:
    async def story(stage: Any) -> None:
        deployment = await deploy_until(stage, event, batch=1, later=3)
        stage.platform.cloud.interfere.scale(stage.scale_set_id, stage.capacity() - 1)
        row = await ended(stage, deployment)
        assert row.status.ended
        assert stage.serving() >= 3
        assert stage.model() == ("1.1.0" if row.status is Status.FINISHED else "1.0.0")

    play(story, either_world(4), exempt=(*OTHERS_STOPPED_VMS, "rows_as_the_set"))


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("event", ["BatchStarted", "BatchLaunched", "BatchDetached"])
def test_blue_vm_deleted_by_others_is_replaced_all_the_same(
    play: Play, either_world: SmallWorld, event: str, batch: int
) -> None:
    async def story(stage: Any) -> None:
        deployment = await deploy_until(stage, event, batch, later=3)
        stage.platform.cloud.interfere.delete_vm(stage.scale_set_id, name_of(stage, "1.0.0"))
        row = await ended(stage, deployment)
        assert row.status is Status.FINISHED
        # The nominal capacity of a Flexible set does not fall when somebody deletes a VM of it.
        assert stage.versions() == ["1.1.0"] * 4

    play(story, either_world(4), exempt=OTHERS_STOPPED_VMS)


@pytest.mark.parametrize("policy", ["Deallocate", "Delete"])
@pytest.mark.parametrize("batch", [1, 2])
def test_green_vm_evicted_while_it_is_judged_is_replaced_once(
    play: Play, either_world: SmallWorld, batch: int, policy: str
) -> None:
    async def story(stage: Any) -> None:
        deployment = await deploy_until(stage, "BatchLaunched", batch, later=5)
        vms = stage.platform.cloud.scale_set(stage.scale_set_id).active()
        newest = max(vms, key=lambda vm: (vm.created_at, vm.number))
        stage.platform.cloud.interfere.evict(stage.scale_set_id, newest.vm_id, policy)
        row = await ended(stage, deployment)
        assert (row.status, row.remaining_blue) == (Status.FINISHED, 0)
        assert (stage.versions(), stage.serving()) == (["1.1.0"] * 4, 4)

    play(story, either_world(4))


@pytest.mark.parametrize("deallocate", [False, True])
@pytest.mark.parametrize("event", ["BatchStarted", "BatchHealthy", "BatchDetached"])
def test_vm_stopped_by_others_does_not_keep_the_deployment_from_finishing(
    play: Play, either_world: SmallWorld, event: str, deallocate: bool
) -> None:
    async def story(stage: Any) -> None:
        deployment = await deploy_until(stage, event, batch=1)
        stage.platform.cloud.interfere.stop(stage.scale_set_id, name_of(stage, "1.0.0"), deallocate=deallocate)
        assert (await ended(stage, deployment)).status is Status.FINISHED
        assert (stage.versions(), stage.capacity(), stage.serving()) == (["1.1.0"] * 4, 4, 4)

    play(story, either_world(4), exempt=OTHERS_STOPPED_VMS)


def image_of(stage: Any, version: str) -> dict[str, Any]:
    """The part of a set's body that names this version in the model."""
    image = {"id": f"{stage.platform.world.groups[0]['imageId']}/versions/{version}"}
    return {"properties": {"virtualMachineProfile": {"storageProfile": {"imageReference": image}}}}


@pytest.mark.parametrize("event", ["BatchHealthy", "BatchDetached"])
def test_image_changed_by_others_between_batches_fails_the_deployment_before_anything_is_launched(
    play: Play, either_world: SmallWorld, event: str
) -> None:
    async def story(stage: Any) -> None:
        deployment = await deploy_until(stage, event, batch=1)
        stage.platform.cloud.interfere.patch(stage.scale_set_id, image_of(stage, "1.3.0"))
        row = await ended(stage, deployment)
        assert (row.status, row.error.code if row.error else "") == (Status.FAILED, "imageChanged")
        assert (sorted(stage.versions()), stage.model()) == (["1.0.0"] * 2 + ["1.1.0"] * 2, "1.0.0")

    play(story, either_world(4))


def test_image_changed_by_others_after_the_last_launch_is_left_and_remarked(
    play: Play, either_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        deployment = await deploy_until(stage, "BatchHealthy", batch=2)
        stage.platform.cloud.interfere.patch(stage.scale_set_id, image_of(stage, "1.3.0"))
        row = await ended(stage, deployment)
        assert row.status is Status.FINISHED
        assert row.reason == "4 VMs now on 1.1.0; somebody changed the set's model to 1.3.0"
        assert stage.model() == "1.3.0"

    play(story, either_world(4), exempt=("good_image",))


@pytest.mark.parametrize("minutes", [2, 20])
@pytest.mark.parametrize("event", ["DeploymentPlanned", "BatchStarted", "BatchHealthy", "BatchDetached"])
def test_operation_of_others_on_the_set_is_waited_for(
    play: Play, either_world: SmallWorld, event: str, minutes: int
) -> None:
    async def story(stage: Any) -> None:
        deployment = await deploy_until(stage, event)
        stage.platform.cloud.interfere.hold(stage.scale_set_id, timedelta(minutes=minutes))
        assert (await ended(stage, deployment)).status is Status.FINISHED
        assert (stage.versions(), stage.capacity()) == (["1.1.0"] * 2, 2)

    play(story, either_world(2), exempt=("writes_never_overlap",))


async def vanish(stage: Any) -> None:
    """Somebody deletes the set as soon as Azure lets them."""
    while True:
        answer = await stage.platform.cloud.handle(ArmRequest("DELETE", f"{stage.scale_set_id}?api-version=2024-07-01"))
        if answer.status < 300:
            return
        await stage.sleep(seconds=1)


@pytest.mark.parametrize(
    ("event", "image"),
    [
        ("DeploymentPlanned", "1.1.0"),
        ("BatchStarted", "1.1.0"),
        ("BatchLaunched", "1.1.0"),
        ("BatchLaunched", "1.2.0"),
        ("BatchDetached", "1.1.0"),
    ],
)
def test_set_that_vanishes_fails_the_deployment_and_frees_the_group(
    play: Play, either_world: SmallWorld, event: str, image: str
) -> None:
    async def story(stage: Any) -> None:
        deployment = await deploy_until(stage, event, image=image)
        await vanish(stage)
        row = await ended(stage, deployment)
        assert row.status is Status.FAILED
        assert "The scale set does not exist any more" in row.reason

    exempt = ("good_image", "rows_as_the_set", "never_fewer_serving", "only_meant_vms_deleted")
    play(story, either_world(2), exempt=exempt)
