"""Every look tells of every VM that a deployment knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.azure.world import World
from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]


def test_blue_vms_that_stop_or_go_are_shown_and_told_before_their_batch(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        cloud = stage.platform.cloud
        deployment = await stage.platform.start(image="1.1.0", batchSize=1, gracePeriod=300)
        await stage.until(deployment, "BatchLaunched", 1)
        rows = await stage.platform.store.vms.list(deployment)
        stopped, gone = (row.vm_id for row in rows if row.color == "blue" and row.batch in (3, 4))
        cloud.interfere.stop(stage.scale_set_id, stopped, deallocate=True)
        cloud.interfere.delete_vm(stage.scale_set_id, gone)
        # Two looks, and what it takes Azure to do it.
        await stage.sleep(seconds=75)
        shown = (await stage.platform.get(f"/api/deployments/{deployment}/vms")).body["value"]
        status = {vm["vmId"]: (vm["status"], vm["reason"]) for vm in shown}
        assert status[stopped] == ("unhealthy", "vmState: power state deallocated")
        assert status[gone] == ("deleted", "Gone: this deployment did not delete it")
        told = [event for event in await stage.platform.events(deployment) if event.type.startswith("Vms")]
        assert sorted(event.type for event in told) == ["VmsFailed", "VmsGone"]
        assert all(event.batch is None for event in told)
        # Neither is any step of the deployment.
        assert "gone" not in (await stage.platform.row(deployment)).reason
        row = await stage.platform.ended(deployment)
        assert row.status is Status.FINISHED
        numbers = [event.sequence for event in await stage.platform.events(deployment)]
        assert numbers == list(range(1, row.sequence + 1))

    play(story, either_world(4), exempt=("never_fewer_serving", "capacity_never_lowered", "as_many_vms_as_before"))


def test_vms_that_others_make_are_shown_and_go_into_no_count(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        async def of_others() -> dict[str, tuple[str, str]]:
            found = (await stage.platform.get(f"/api/deployments/{deployment}/vms?batch=0")).body["value"]
            return {vm["vmId"]: (vm["status"], vm["reason"]) for vm in found if vm["color"] is None}

        cloud = stage.platform.cloud
        deployment = await stage.platform.start(image="1.1.0", batchSize=1, gracePeriod=300)
        await stage.until(deployment, "BatchLaunched", 1)
        before = {vm.vm_id for vm in cloud.scale_set(stage.scale_set_id).active()}
        cloud.interfere.scale(stage.scale_set_id, 7)
        await stage.sleep(seconds=60)
        gone, taken = sorted({vm.vm_id for vm in cloud.scale_set(stage.scale_set_id).active()} - before)
        made = ("running", "Made by others, from 1.1.0")
        assert await of_others() == {gone: made, taken: made}
        row = await stage.platform.row(deployment)
        assert (row.green_vms, row.target_size) == (1, 4)

        cloud.interfere.delete_vm(stage.scale_set_id, gone)
        await stage.sleep(seconds=75)
        assert (await of_others())[gone] == ("deleted", "Gone: this deployment did not delete it")
        await stage.platform.ended(deployment)
        # The next batch took the other one for its own.
        assert set(await of_others()) == {gone}
        shown = (await stage.platform.get(f"/api/deployments/{deployment}/vms")).body["value"]
        assert [(vm["color"], vm["batch"]) for vm in shown if vm["vmId"] == taken] == [("green", 2)]
        assert not [event for event in await stage.platform.events(deployment) if event.type.startswith("Vms")]

    disturbed = ("capacity_never_lowered", "as_many_vms_as_before", "only_meant_vms_created")
    play(story, either_world(4, healthy_after=180), exempt=disturbed)
