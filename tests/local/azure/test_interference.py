"""What autoscale, repairs, evictions and people do to sets of both kinds."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.arm.messages import ArmResponse
from local.azure.cloud import Cloud

Ask = Callable[..., Awaitable[ArmResponse]]
MINUTES = timedelta(minutes=5)


@pytest.fixture(params=["web", "api"])
def either(request: pytest.FixtureRequest) -> str:
    """The resource id of the Uniform set, and of the Flexible one."""
    return str(request.getfixturevalue(request.param))


async def test_autoscale_adds_vms_and_keeps_within_its_bounds(cloud: Cloud, either: str) -> None:
    before = cloud.scale_set(either).capacity
    cloud.interfere.autoscale(either, 2)
    assert len(cloud.scale_set(either).active()) == before + 2
    cloud.interfere.autoscale(either, 0, maximum=before)
    assert (cloud.scale_set(either).capacity, len(cloud.scale_set(either).active())) == (before, before)
    cloud.interfere.autoscale(either, minimum=before + 1)
    assert cloud.scale_set(either).capacity == before + 1


async def test_a_repair_puts_a_new_vm_of_the_latest_model_in_place(ask: Ask, cloud: Cloud, either: str) -> None:
    await ask(cloud, "PATCH", either, {"properties": {"virtualMachineProfile": {"priority": "Regular"}}})
    before = {vm.vm_id for vm in cloud.scale_set(either).active()}
    etag, capacity = cloud.scale_set(either).etag, cloud.scale_set(either).capacity
    cloud.interfere.repair(either, min(before))
    after = cloud.scale_set(either)
    [new] = [vm for vm in after.active() if vm.vm_id not in before]
    assert (new.model, after.capacity, after.etag > etag) == (after.model, capacity, True)
    assert min(before) not in {vm.vm_id for vm in after.active()}


async def test_repairs_that_are_suspended_do_nothing(ask: Ask, cloud: Cloud, either: str) -> None:
    path, name = f"{either}/setOrchestrationServiceState", cloud.scale_set(either).active()[0].name
    for action, is_there in (("Suspend", True), ("Resume", False)):
        answer = await ask(cloud, "POST", path, {"serviceName": "AutomaticRepairs", "action": action})
        assert answer.status == 202
        cloud.interfere.repair(either, name)
        assert (name in {vm.name for vm in cloud.scale_set(either).active()}) is is_there
        await cloud.clock.sleep(timedelta(seconds=10))
    assert (await ask(cloud, "POST", path, {"serviceName": "AutomaticRepairs", "action": "Stop"})).status == 400


async def test_the_instance_view_shows_that_repairs_are_suspended(ask: Ask, cloud: Cloud, web: str) -> None:
    body = {"serviceName": "AutomaticRepairs", "action": "Suspend"}
    await ask(cloud, "POST", f"{web}/setOrchestrationServiceState", body)
    [service] = (await ask(cloud, "GET", f"{web}/instanceView")).json()["orchestrationServices"]
    assert service == {"serviceName": "AutomaticRepairs", "serviceState": "Suspended"}


async def test_there_never_was_a_rolling_upgrade(ask: Ask, cloud: Cloud, either: str) -> None:
    assert (await ask(cloud, "GET", f"{either}/rollingUpgrades/latest")).status == 404


@pytest.mark.parametrize(("name", "capacity"), [("web", 9), ("api", 5)])
async def test_a_spot_vm_that_is_evicted_goes_and_no_longer_counts(
    cloud: Cloud, name: str, capacity: int, request: pytest.FixtureRequest
) -> None:
    scale_set_id = request.getfixturevalue(name)
    count = len(cloud.scale_set(scale_set_id).active())
    cloud.interfere.evict(scale_set_id, cloud.scale_set(scale_set_id).active()[0].name, "Delete")
    await cloud.clock.sleep(MINUTES)
    assert len(cloud.scale_set(scale_set_id).instances) == count - 1
    assert cloud.scale_set(scale_set_id).capacity == capacity


@pytest.mark.parametrize(("name", "capacity"), [("web", 9), ("api", 6)])
async def test_a_vm_that_somebody_deletes_goes_on_counting_in_a_flexible_set(
    cloud: Cloud, name: str, capacity: int, request: pytest.FixtureRequest
) -> None:
    scale_set_id = request.getfixturevalue(name)
    count = len(cloud.scale_set(scale_set_id).active())
    cloud.interfere.delete_vm(scale_set_id, cloud.scale_set(scale_set_id).active()[0].name)
    assert len(cloud.scale_set(scale_set_id).active()) == count - 1
    assert cloud.scale_set(scale_set_id).capacity == capacity


async def test_a_spot_vm_may_stay_deallocated_and_counted(cloud: Cloud, either: str) -> None:
    count = len(cloud.scale_set(either).active())
    vm = cloud.scale_set(either).active()[0]
    cloud.interfere.evict(either, vm.name, "Deallocate")
    assert (vm.power, vm.serving, len(cloud.scale_set(either).active())) == ("deallocated", False, count)


async def test_a_set_may_be_deleted_in_the_middle(ask: Ask, cloud: Cloud, either: str) -> None:
    await ask(cloud, "PATCH", either, {"sku": {"capacity": 12}})
    cloud.interfere.delete_scale_set(either)
    refused = await ask(cloud, "PATCH", either, {"sku": {"capacity": 13}})
    assert (refused.status, "marked for deletion" in refused.json()["error"]["message"]) == (409, True)
    assert not any(vm.serving for vm in cloud.scale_set(either).instances.values())
    await cloud.clock.sleep(MINUTES)
    assert (await ask(cloud, "GET", either)).status == 404
    assert (await ask(cloud, "GET", f"{either}/virtualMachines")).json()["error"]["code"] == "ParentResourceNotFound"


async def test_an_eleventh_model_is_refused_while_ten_are_in_use(ask: Ask, cloud: Cloud, either: str) -> None:
    async def change_model(number: int) -> ArmResponse:
        tag: Any = {"virtualMachineProfile": {"userData": str(number)}}
        return await ask(cloud, "PATCH", either, {"properties": tag})

    for number in range(2, 11):
        assert (await change_model(number)).status == 200
        await cloud.clock.sleep(MINUTES)
        cloud.interfere.autoscale(either, 1)
        await cloud.clock.sleep(MINUTES)
    refused = await change_model(11)
    assert (refused.status, refused.json()["error"]["code"]) == (409, "OperationNotAllowed")
    assert "has reached its limit of 10 models" in refused.json()["error"]["message"]
    assert (await ask(cloud, "PATCH", either, {"tags": {"a": "b"}})).status == 200
    [newest] = [vm for vm in cloud.scale_set(either).active() if vm.model == cloud.scale_set(either).model]
    await cloud.clock.sleep(MINUTES)
    cloud.interfere.delete_vm(either, newest.name)
    await cloud.clock.sleep(MINUTES)
    assert (await change_model(11)).status == 200
