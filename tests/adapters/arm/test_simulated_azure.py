"""The adapters, the real SDK and the simulated Azure together, in virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from adapters.arm.client import ComputeClients
from adapters.arm.images import ArmImages
from adapters.arm.scale_sets import ArmScaleSets
from local.azure.arm.transport import InProcessTransport
from local.azure.cloud import Cloud
from local.azure.world import Fault, PlatformSpec, Quota, World, demo_world
from local.clock import VIRTUAL_START, PlatformClock, run_virtual
from rollout.model.azure.scale_set import ImageReference, ScaleSet
from rollout.ports.errors import Busy, Refused, Stale
from settings import Settings

DEMO = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo/providers/Microsoft.Compute"
SET_ID = f"{DEMO}/virtualMachineScaleSets/web"
IMAGE_ID = f"{DEMO}/galleries/apps/images/web"
GOOD = ImageReference(id=f"{IMAGE_ID}/versions/1.1.0")


class Stage:
    """The demo world and the adapters that look at it."""

    def __init__(self, world: World, credential: Any) -> None:
        self.clock = PlatformClock(VIRTUAL_START)
        self.cloud = Cloud(world, self.clock)
        self.clients = ComputeClients(Settings(), credential, lambda: InProcessTransport(self.cloud))
        self.scale_sets = ArmScaleSets(self.clients)
        self.images = ArmImages(self.clients)

    async def present(self) -> ScaleSet:
        """The set as it is now."""
        found = await self.scale_sets.read(SET_ID)
        assert found is not None
        return found

    async def settled(self) -> ScaleSet:
        """The set once no write is in flight."""
        while not (found := await self.present()).settled:
            await self.clock.sleep(timedelta(seconds=15))
        return found


@pytest.fixture
def play(credential: Any) -> Callable[..., None]:
    """Runs a scene in virtual time, in the demo world with these changes."""

    def run(scene: Callable[[Stage], Awaitable[None]], **changes: Any) -> None:
        async def main() -> None:
            stage = Stage(demo_world().model_copy(update=changes), credential)
            await scene(stage)
            assert stage.cloud.unknown == []
            await stage.clients.close()

        run_virtual(main())

    return run


def test_the_demo_set_and_its_vms_are_read(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        found = await stage.present()
        assert (found.capacity, found.mode, found.os_type, found.upgrade_mode) == (10, "Uniform", "Linux", "Manual")
        assert found.settled
        assert found.etag
        assert found.reports_health
        assert found.image is not None
        assert found.image.id == f"{IMAGE_ID}/versions/1.0.0"

        listed = await stage.scale_sets.list_vms(SET_ID)
        assert listed.requests == 1
        assert len(listed.by_id()) == 10
        assert {(vm.running, vm.health, vm.image) for vm in listed.vms} == {(True, "healthy", found.image)}
        assert {vm.zone for vm in listed.vms} == {"1", "2", "3"}

    play(scene)


def test_green_vms_carry_the_image_that_was_set(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        blue = (await stage.scale_sets.list_vms(SET_ID)).by_id()
        await stage.scale_sets.set_image(await stage.present(), GOOD)
        assert not (await stage.present()).settled
        await stage.scale_sets.raise_capacity(await stage.settled(), 12)
        assert (await stage.present()).capacity == 12
        await stage.settled()
        listed = (await stage.scale_sets.list_vms(SET_ID)).by_id()
        green = [vm for vm_id, vm in listed.items() if vm_id not in blue]
        assert [vm.image.matches(GOOD) for vm in green] == [True, True]
        assert all(vm.running for vm in green)
        assert [entry.body for entry in stage.cloud.audit] == [
            {"properties": {"virtualMachineProfile": {"storageProfile": {"imageReference": {"id": GOOD.id}}}}},
            {"sku": {"name": "Standard_D2s_v5", "tier": "Standard", "capacity": 12}},
        ]

    play(scene)


def test_a_change_made_since_the_set_was_read_makes_a_write_stale(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        before = await stage.present()
        stage.cloud.interfere.scale(SET_ID, 11)
        with pytest.raises(Stale):
            await stage.scale_sets.raise_capacity(before, 12)
        assert (await stage.present()).capacity == 11

    play(scene)


def test_a_second_write_while_one_is_in_flight_is_busy(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        await stage.scale_sets.raise_capacity(await stage.present(), 12)
        with pytest.raises(Busy):
            await stage.scale_sets.raise_capacity(await stage.present(), 13)

    play(scene)


def test_deleted_vms_leave_and_take_their_capacity_with_them(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        doomed = (await stage.scale_sets.list_vms(SET_ID)).vms[:2]
        ids = [vm.instance_id for vm in doomed]
        await stage.scale_sets.delete_vms(await stage.present(), ids)
        leaving = [vm.instance_id for vm in (await stage.scale_sets.list_vms(SET_ID)).vms if vm.leaving]
        assert leaving == ids
        assert (await stage.settled()).capacity == 8
        assert len((await stage.scale_sets.list_vms(SET_ID)).vms) == 8
        with pytest.raises(Stale):
            await stage.scale_sets.delete_vms(await stage.present(), ids)

    play(scene)


def test_a_lost_answer_is_busy_although_the_write_took_effect(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        stage.cloud.faults.add(Fault(method="PATCH", path="virtualMachineScaleSets/web", lose_response=True))
        with pytest.raises(Busy, match="noAnswer"):
            await stage.scale_sets.raise_capacity(await stage.present(), 12)
        assert (await stage.present()).capacity == 12

    play(scene)


def test_a_capacity_over_the_quota_is_refused(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        with pytest.raises(Refused):
            await stage.scale_sets.raise_capacity(await stage.present(), 13)
        await stage.scale_sets.raise_capacity(await stage.present(), 12)

    play(scene, quota=Quota(cores=36))


def test_a_large_set_is_read_page_by_page(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        listed = await stage.scale_sets.list_vms(SET_ID)
        assert listed.requests == 4
        assert {vm.name for vm in listed.vms} == {f"web_{number}" for number in range(10)}

    play(scene, platform=PlatformSpec(page_size=3))


def test_reading_too_often_is_busy_with_the_time_to_wait(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        async def read_without_end() -> None:
            while True:
                await stage.scale_sets.list_vms(SET_ID)

        with pytest.raises(Busy) as caught:
            await read_without_end()
        assert caught.value.retry_after is not None
        await stage.clock.sleep(caught.value.retry_after)
        assert len((await stage.scale_sets.list_vms(SET_ID)).vms) == 10

    play(scene)


def test_the_demo_images_are_read_and_listed(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        version = await stage.images.read(GOOD)
        assert version is not None
        assert (version.name, version.os_type, version.provisioning_state) == ("1.1.0", "Linux", "Succeeded")
        assert version.regions is not None
        assert version.regions["eastus2"] == "Completed"
        listed = await stage.images.list_versions(ImageReference(id=IMAGE_ID))
        assert listed is not None
        assert [each.name for each in listed] == ["1.4.0", "1.3.0", "1.2.0", "1.1.0", "1.0.0"]

    play(scene)


def test_what_is_not_there_reads_as_none(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        assert await stage.scale_sets.read(f"{SET_ID}-absent") is None
        assert await stage.scale_sets.read(SET_ID.replace("/demo/", "/absent/")) is None
        assert await stage.images.read(ImageReference(id=f"{IMAGE_ID}/versions/9.9.9")) is None
        assert await stage.images.list_versions(ImageReference(id=f"{IMAGE_ID}-absent")) is None
        with pytest.raises(Stale):
            await stage.scale_sets.list_vms(f"{SET_ID}-absent")

    play(scene)
