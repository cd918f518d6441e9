"""The VMs of Flexible scale sets: what is sent, what is made of the answers, and which API VMs are read from."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.arm.client import ComputeClients
from adapters.arm.flexible import FlexibleVms
from adapters.arm.reading import read_scale_set
from adapters.arm.scale_sets import ArmScaleSets
from local.azure.arm.transport import InProcessTransport
from local.azure.cloud import Cloud
from local.azure.world import World, demo_world, parse_world
from local.clock import VIRTUAL_START, PlatformClock, run_virtual
from rollout.model.azure.scale_set import ImageReference, OrchestrationMode, PriorityMix, Vm, VmList
from rollout.ports.errors import Busy, Refused, Stale
from settings import Settings

GROUP = "/subscriptions/5ab3/resourceGroups/demo"
SET_ID = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/api"
VMS_URL = f"https://management.azure.com{GROUP}/providers/Microsoft.Compute/virtualMachines"
IMAGE_ID = f"{GROUP}/providers/Microsoft.Compute/galleries/apps/images/api/versions/1.0.0"
IMAGE = ImageReference(id=IMAGE_ID)
DEMO_API = str(demo_world().groups[0]["scaleSetId"]).removesuffix("web") + "api"


def vm_body(name: str = "api_1a2b3c4d", *, power: str = "running", **properties: Any) -> dict[str, Any]:
    """A VM as the VM API lists it, with these properties besides the usual ones."""
    usual = {
        "vmId": f"guid-{name}",
        "provisioningState": "Succeeded",
        "storageProfile": {"imageReference": {"id": IMAGE_ID, "exactVersion": "1.0.0"}},
        "virtualMachineScaleSet": {"id": SET_ID},
        "timeCreated": "2026-11-23T08:15:00+00:00",
        "osProfile": {"computerName": "vm000001"},
        "instanceView": {"statuses": [{"code": f"PowerState/{power}"}]},
    }
    return {"name": name, "id": f"{VMS_URL}/{name}", "location": "eastus2", "properties": {**usual, **properties}}


def set_body(mode: str = "Flexible") -> dict[str, Any]:
    """A set as ARM shows it."""
    properties = {"orchestrationMode": mode, "provisioningState": "Succeeded"}
    sku = {"name": "Standard_D2s_v5", "capacity": 2}
    return {"name": "api", "id": SET_ID, "location": "eastus2", "etag": '"1"', "sku": sku, "properties": properties}


def view(state: str | None) -> dict[str, Any]:
    """An instance view; the health extension has reported this state."""
    return {"vmHealth": {"status": {"code": f"HealthState/{state}"}}} if state else {}


def vm(name: str, **fields: Any) -> Vm:
    """A VM that runs."""
    return Vm(f"guid-{name}", name, name, IMAGE, "Succeeded", **{"power_state": "running", **fields})


async def test_list_vms_sends_what_the_sdk_itself_would(
    clients: ComputeClients, flexible_vms: FlexibleVms, script: Any
) -> None:
    script.answer(200, {"value": []})
    script.answer(200, {"value": []})
    await flexible_vms.list_vms(SET_ID)
    typed = clients.of(SET_ID).virtual_machines
    filter_ = f"'virtualMachineScaleSet/id' eq '{SET_ID}'"
    assert [vm async for vm in typed.list("demo", filter=filter_, expand="instanceView")] == []
    ours, sdks = script.requests
    assert ours.url.partition("?")[0] == sdks.url.partition("?")[0] == VMS_URL
    assert sorted(ours.url.partition("?")[2].split("&")) == sorted(sdks.url.partition("?")[2].split("&"))


async def test_a_view_is_asked_for_as_the_sdk_itself_would(
    clients: ComputeClients, flexible_vms: FlexibleVms, script: Any
) -> None:
    script.answer(200, view("healthy"))
    script.answer(200, view("healthy"))
    await flexible_vms.with_health(SET_ID, VmList((vm("api_1"),)), ["guid-api_1"])
    await clients.of(SET_ID).virtual_machines.instance_view("demo", "api_1")
    ours, sdks = script.requests
    assert ours.url == sdks.url == f"{VMS_URL}/api_1/instanceView?api-version=2026-04-01"


async def test_a_vm_is_named_by_its_name_alone(flexible_vms: FlexibleVms, script: Any) -> None:
    script.answer(200, {"value": [{**vm_body(), "zones": ["2"]}]})
    (found,) = (await flexible_vms.list_vms(SET_ID)).vms
    assert (found.vm_id, found.name, found.instance_id) == ("guid-api_1a2b3c4d", "api_1a2b3c4d", "api_1a2b3c4d")
    assert (found.image, found.power_state, found.health, found.zone) == (IMAGE, "running", None, "2")
    assert found.created_at == datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
    assert found.running
    assert (found.computer_name, found.foreign) == ("vm000001", "")


async def test_what_is_detached_from_a_vm_that_goes_is_counted(flexible_vms: FlexibleVms, script: Any) -> None:
    storage = {"osDisk": {"deleteOption": "Detach"}, "dataDisks": [{"lun": 0}, {"lun": 1, "deleteOption": "Delete"}]}
    interfaces = [{"id": "a", "properties": {"deleteOption": option}} for option in ("Detach", "detach", "Delete")]
    network = {"networkInterfaces": [*interfaces, {"id": "b"}]}
    script.answer(200, {"value": [vm_body(storageProfile=storage, networkProfile=network), vm_body("api_00000001")]})
    left = [(vm.left_disks, vm.left_interfaces) for vm in (await flexible_vms.list_vms(SET_ID)).vms]
    assert left == [(1, 2), (0, 0)]


def test_the_sizes_of_an_instance_mix_are_read_with_its_set() -> None:
    body = set_body()
    assert read_scale_set(body).mixed_sizes == ()
    body["properties"]["skuProfile"] = {"vmSizes": [{"name": "Standard_D8s_v5"}, {"name": "Standard_E16s_v5"}]}
    assert read_scale_set(body).mixed_sizes == ("Standard_D8s_v5", "Standard_E16s_v5")


def test_a_priority_mix_is_read_with_its_set() -> None:
    body = set_body()
    assert read_scale_set(body).priority_mix == PriorityMix(0, 0)
    body["properties"]["priorityMixPolicy"] = {"baseRegularPriorityCount": 2, "regularPriorityPercentageAboveBase": 50}
    assert read_scale_set(body).priority_mix == PriorityMix(2, 50)


async def test_every_page_is_read_and_the_subscription_s_bucket_is_told(flexible_vms: FlexibleVms, script: Any) -> None:
    script.answer(200, {"value": [vm_body("api_00000000")], "nextLink": f"{VMS_URL}?$skiptoken=more"})
    header = "Microsoft.Compute/VMList;889"
    script.answer(200, {"value": [vm_body("api_00000001")]}, x_ms_ratelimit_remaining_resource=header)
    listed = await flexible_vms.list_vms(SET_ID)
    assert [each.name for each in listed.vms] == ["api_00000000", "api_00000001"]
    assert (listed.requests, listed.remaining, listed.refill, listed.views) == (2, 889, 300, 0)


async def test_a_list_throttled_at_a_later_page_waits_no_longer_than_its_bucket_needs(
    flexible_vms: FlexibleVms, script: Any
) -> None:
    for _ in range(9):
        script.answer(200, {"value": [], "nextLink": f"{VMS_URL}?$skiptoken=more"})
    script.answer(429, {"error": {"code": "TooManyRequests", "message": "Wait"}}, retry_after="37")
    with pytest.raises(Busy) as caught:
        await flexible_vms.list_vms(SET_ID)
    assert caught.value.retry_after == timedelta(minutes=1)


async def test_a_vm_that_has_no_identity_yet_is_not_listed(flexible_vms: FlexibleVms, script: Any) -> None:
    script.answer(200, {"value": [vm_body("api_00000000"), vm_body("api_00000001", vmId=None)]})
    assert [each.name for each in (await flexible_vms.list_vms(SET_ID)).vms] == ["api_00000000"]


async def test_health_is_read_of_the_vms_asked_for_that_run(flexible_vms: FlexibleVms, script: Any) -> None:
    asked, booting = vm("api_asked"), vm("api_booting", power_state="starting")
    known, other = vm("api_known", health="unhealthy"), vm("api_other")
    script.answer(200, view("Healthy"))
    listed = VmList((asked, booting, known, other), requests=2, remaining=7, refill=300)
    told = await flexible_vms.with_health(SET_ID, listed, [each.vm_id for each in (asked, booting, known)])
    assert script.lines == [f"GET {VMS_URL}/api_asked/instanceView?api-version=2026-04-01"]
    assert [each.health for each in told.vms] == ["healthy", None, "unhealthy", None]
    assert (told.requests, told.remaining, told.refill, told.views) == (2, 7, 300, 1)


async def test_a_vm_that_nothing_reports_of_or_that_has_gone_has_no_health(
    flexible_vms: FlexibleVms, script: Any
) -> None:
    silent, gone = vm("api_silent"), vm("api_gone")
    script.answer(200, view(None))
    script.answer(404, {"error": {"code": "ResourceNotFound", "message": "The Resource was not found."}})
    told = await flexible_vms.with_health(SET_ID, VmList((silent, gone)), [silent.vm_id, gone.vm_id])
    assert [each.health for each in told.vms] == [None, None]


async def test_one_view_that_is_refused_makes_the_whole_look_busy(flexible_vms: FlexibleVms, script: Any) -> None:
    vms = tuple(vm(f"api_{number}") for number in range(3))
    script.answer(200, view("healthy"))
    script.answer(429, {"error": {"code": "TooManyRequests", "message": "Wait"}}, retry_after="7")
    script.answer(200, view("healthy"))
    with pytest.raises(Busy) as caught:
        await flexible_vms.with_health(SET_ID, VmList(vms), [each.vm_id for each in vms])
    assert caught.value.retry_after == timedelta(seconds=7)
    assert script.answers == [], "the others of the chunk have been answered"


async def test_a_view_that_is_not_answered_is_asked_for_once_more(flexible_vms: FlexibleVms, script: Any) -> None:
    one = vm("api_1")
    script.answer(503, {"error": {"code": "ServerTimeout", "message": "Slow."}})
    script.answer(200, view("healthy"))
    told = await flexible_vms.with_health(SET_ID, VmList((one,)), [one.vm_id])
    assert [each.health for each in told.vms] == ["healthy"]
    for _ in range(2):
        script.answer(503, {"error": {"code": "ServerTimeout", "message": "Slow."}})
    with pytest.raises(Busy, match="ServerTimeout"):
        await flexible_vms.with_health(SET_ID, VmList((one,)), [one.vm_id])
    assert len(script.requests) == 4


async def test_a_vm_is_read_by_its_name(flexible_vms: FlexibleVms, script: Any) -> None:
    script.answer(200, vm_body())
    found = await flexible_vms.read_vm(SET_ID, "api_1a2b3c4d")
    assert found is not None
    assert found.vm_id == "guid-api_1a2b3c4d"
    (request,) = script.requests
    assert request.url.startswith(f"{VMS_URL}/api_1a2b3c4d?")
    assert "$expand=instanceView" in request.url


@pytest.mark.parametrize("name", ["api", "api_", "api_1/../2", "api_1_2", "web_1a2b3c4d", "api_\u0663", ".."])
async def test_a_name_that_no_vm_of_the_set_can_have_is_not_asked_for(
    flexible_vms: FlexibleVms, script: Any, name: str
) -> None:
    assert await flexible_vms.read_vm(SET_ID, name) is None
    assert script.requests == []


async def test_a_vm_of_another_set_or_of_none_is_not_the_set_s(flexible_vms: FlexibleVms, script: Any) -> None:
    script.answer(200, vm_body(virtualMachineScaleSet={"id": f"{SET_ID}_1"}))
    script.answer(200, vm_body(virtualMachineScaleSet=None))
    script.answer(404, {"error": {"code": "ResourceNotFound", "message": "The Resource was not found."}})
    for _ in range(3):
        assert await flexible_vms.read_vm(SET_ID, "api_1a2b3c4d") is None


async def test_the_set_s_vms_are_read_from_the_api_of_its_mode(scale_sets: ArmScaleSets, script: Any) -> None:
    script.answer(200, set_body("Flexible"))
    script.answer(200, {"value": [vm_body()]})
    script.answer(200, set_body("Uniform"))
    script.answer(200, {"value": [{**vm_body("api_0"), "instanceId": "0"}]})
    for mode in (OrchestrationMode.FLEXIBLE, OrchestrationMode.UNIFORM):
        found = await scale_sets.read(SET_ID)
        assert found is not None
        assert found.mode is mode
        await scale_sets.list_vms(SET_ID)
    assert script.requests[1].url.startswith(f"{VMS_URL}?")
    assert script.requests[3].url.startswith(f"https://management.azure.com{SET_ID}/virtualMachines?")


async def test_a_set_that_was_never_read_is_read_once_for_all_who_ask(scale_sets: ArmScaleSets, script: Any) -> None:
    script.answer(200, set_body())
    for _ in range(5):
        script.answer(200, vm_body())
    found = await asyncio.gather(*(scale_sets.read_vm(SET_ID.upper(), "api_1a2b3c4d") for _ in range(5)))
    assert [each is not None for each in found] == [True] * 5
    assert len(script.requests) == 6


async def test_a_flexible_set_that_has_no_vms_is_told_from_one_that_is_gone(
    scale_sets: ArmScaleSets, script: Any
) -> None:
    script.answer(200, set_body())
    assert await scale_sets.read(SET_ID) is not None
    script.answer(200, {"value": []})
    script.answer(200, set_body())
    assert (await scale_sets.list_vms(SET_ID)).vms == ()
    script.answer(200, {"value": []})
    script.answer(404, {"error": {"code": "ResourceNotFound", "message": "The Resource was not found."}})
    with pytest.raises(Stale):
        await scale_sets.list_vms(SET_ID)


async def test_listing_the_vms_of_a_set_that_is_gone_is_stale(scale_sets: ArmScaleSets, script: Any) -> None:
    script.answer(404, {"error": {"code": "ResourceNotFound", "message": "The Resource was not found."}})
    text = f"The parent resource '{SET_ID}' could not be found."
    script.answer(404, {"error": {"code": "ParentResourceNotFound", "message": text}})
    with pytest.raises(Stale):
        await scale_sets.list_vms(SET_ID)


class BusiestTransport(InProcessTransport):
    """Takes a tenth of a second for each request, and notes how many were under way at once, at most."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.now = self.most = 0

    async def send(self, request: Any, **options: Any) -> Any:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.1)
        try:
            return await super().send(request, **options)
        finally:
            self.now -= 1


def world_of(vms: int) -> World:
    """The demo's world with so many VMs in the Flexible set."""
    document = demo_world().model_dump(mode="json", by_alias=True)
    document["scaleSets"][1]["capacity"] = vms
    return parse_world(document)


@pytest.mark.parametrize(("vms", "seconds"), [(6, 0.1), (200, 1.0), (240, 2.8)])
def test_views_are_read_20_at_once_and_no_faster_than_resource_manager_lets(
    credential: Any, vms: int, seconds: float
) -> None:
    async def main() -> None:
        clock = PlatformClock(VIRTUAL_START)
        transport = BusiestTransport(Cloud(world_of(vms), clock))
        scale_sets = ArmScaleSets(ComputeClients(Settings(), credential, lambda: transport))
        listed = await scale_sets.list_vms(DEMO_API)
        begun = clock.now()
        told = await scale_sets.with_health(DEMO_API, listed, listed.by_id())
        assert [each.health for each in told.vms] == ["healthy"] * vms
        assert (told.views, transport.most) == (vms, min(vms, 20))
        assert (clock.now() - begun).total_seconds() == pytest.approx(seconds, abs=0.01)

    run_virtual(main())


def test_vms_are_launched_and_deleted_by_name(credential: Any) -> None:
    async def main() -> None:
        clock = PlatformClock(VIRTUAL_START)
        cloud = Cloud(demo_world(), clock)
        scale_sets = ArmScaleSets(ComputeClients(Settings(), credential, lambda: InProcessTransport(cloud)))
        before = await scale_sets.read(DEMO_API)
        assert before is not None
        assert (before.mode, before.capacity, before.upgrade_mode) == ("Flexible", 6, "Manual")
        blue = (await scale_sets.list_vms(DEMO_API)).by_id()
        await scale_sets.raise_capacity(before, 8)
        await clock.sleep(timedelta(minutes=5))
        green = [each for each in (await scale_sets.list_vms(DEMO_API)).vms if each.vm_id not in blue]
        assert [each.running for each in green] == [True, True]
        present = await scale_sets.read(DEMO_API)
        assert present is not None
        await scale_sets.delete_vms(present, [each.instance_id for each in green])
        left = (await scale_sets.list_vms(DEMO_API)).by_id()
        assert {each.leaving for vm_id, each in left.items() if vm_id not in blue} == {True}
        assert cloud.audit[-1].body == {"instanceIds": [each.name for each in green]}
        await clock.sleep(timedelta(minutes=5))
        assert (await scale_sets.list_vms(DEMO_API)).by_id().keys() == blue.keys()
        with pytest.raises((Stale, Refused)):
            await scale_sets.raise_capacity(before, 9)
        assert cloud.unknown == []

    run_virtual(main())
