"""The VMs of Flexible scale sets: resources of their own, on the wire and over time."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.compute.aio import ComputeManagementClient

from local.azure.arm.messages import ArmResponse
from local.azure.cloud import Cloud
from local.azure.world import Fault, World
from local.clock import PlatformClock

Ask = Callable[..., Awaitable[ArmResponse]]
MINUTES = timedelta(minutes=5)


@pytest.fixture
def vms(ask: Ask, api: str) -> Callable[[Cloud], Awaitable[list[Any]]]:
    """The VMs of the set ``api``, with their instance views, as the subscription's list answers."""

    async def read(cloud: Cloud) -> list[Any]:
        subscription = "/".join(api.split("/")[:3])
        query = f"$filter='virtualMachineScaleSet/id' eq '{api}'&$expand=instanceView"
        answer = await ask(cloud, "GET", f"{subscription}/providers/Microsoft.Compute/virtualMachines?{query}")
        assert answer.status == 200
        return list(answer.json()["value"])

    return read


async def test_the_list_names_image_set_and_interfaces_but_no_health(vms: Any, cloud: Cloud, api: str) -> None:
    listed = await vms(cloud)
    assert len({vm["properties"]["vmId"] for vm in listed}) == 6
    for vm in listed:
        assert re.fullmatch("api_[0-9a-f]{8}", vm["name"])
        properties = vm["properties"]
        assert properties["virtualMachineScaleSet"]["id"] == api
        assert properties["storageProfile"]["imageReference"]["id"].endswith("/images/api/versions/1.0.0")
        assert properties["networkProfile"]["networkInterfaces"][0]["properties"]["deleteOption"] == "Delete"
        codes = [status["code"] for status in properties["instanceView"]["statuses"]]
        assert codes == ["ProvisioningState/succeeded", "PowerState/running"]
        assert "vmHealth" not in properties["instanceView"]
    assert sorted({vm["zones"][0] for vm in listed}) == ["1", "2", "3"]


async def test_one_vm_s_instance_view_has_its_health(ask: Ask, vms: Any, cloud: Cloud, api: str) -> None:
    [vm, *_] = await vms(cloud)
    view = (await ask(cloud, "GET", f"{vm['id']}/instanceView")).json()
    assert view["vmHealth"]["status"]["code"] == "HealthState/healthy"
    cloud.interfere.sicken(api, vm["name"])
    expanded = (await ask(cloud, "GET", f"{vm['id']}?$expand=instanceView")).json()
    assert expanded["properties"]["instanceView"]["vmHealth"]["status"]["code"] == "HealthState/unhealthy"


async def test_the_sdk_s_own_client_reads_and_deletes_vms(client: ComputeManagementClient, api: str) -> None:
    listed = [vm async for vm in client.virtual_machines.list("demo", filter=f"'virtualMachineScaleSet/id' eq '{api}'")]
    assert len(listed) == 6
    name = str(listed[0].name)
    view = await client.virtual_machines.instance_view("demo", name)
    assert view["vmHealth"]["status"]["code"] == "HealthState/healthy"
    await (await client.virtual_machines.begin_delete("demo", name)).result()
    with pytest.raises(ResourceNotFoundError):
        await client.virtual_machines.get("demo", name)


async def test_a_list_is_answered_page_by_page_for_a_group_too(
    ask: Ask, clock: PlatformClock, networked: Callable[..., World], api: str
) -> None:
    cloud = Cloud(networked(platform={"pageSize": 4}), clock)
    link = f"{api.partition('/virtualMachineScaleSets/')[0]}/virtualMachines"
    names, pages = set(), 0
    while link:
        page = (await ask(cloud, "GET", link)).json()
        names |= {vm["name"] for vm in page["value"]}
        link, pages = page.get("nextLink", ""), pages + 1
    assert (len(names), pages) == (6, 2)


async def test_status_only_gives_states_without_models(ask: Ask, cloud: Cloud, api: str) -> None:
    subscription = "/".join(api.split("/")[:3])
    query = f"statusOnly=true&$filter='virtualMachineScaleSet/id' eq '{api}'"
    answer = await ask(cloud, "GET", f"{subscription}/providers/Microsoft.Compute/virtualMachines?{query}")
    for vm in answer.json()["value"]:
        assert vm["properties"].keys() == {"vmId", "provisioningState", "instanceView"}
        assert vm["properties"]["instanceView"]["statuses"][1]["code"] == "PowerState/running"


@pytest.mark.parametrize(
    ("query", "status", "count"),
    [
        ("$filter='virtualMachineScaleSet/id' eq 'notexists'&$expand=instanceView", 200, 0),
        ("$expand=instanceView", 400, None),
        ("$filter=name eq 'x'", 400, None),
    ],
)
async def test_what_the_list_filters_by(ask: Ask, cloud: Cloud, api: str, query: str, status: int, count: Any) -> None:
    subscription = "/".join(api.split("/")[:3])
    answer = await ask(cloud, "GET", f"{subscription}/providers/Microsoft.Compute/virtualMachines?{query}")
    assert answer.status == status
    assert count is None or len(answer.json()["value"]) == count


async def test_the_set_lists_ids_only_and_the_latest_model_where_the_world_says(
    ask: Ask, clock: PlatformClock, networked: Callable[..., World], api: str
) -> None:
    plain, telling = Cloud(networked(), clock), Cloud(networked(api={"listsLatestModel": True}), clock)
    for item in (await ask(plain, "GET", f"{api}/virtualMachines")).json()["value"]:
        assert item.keys() == {"name", "id", "type", "location", "instanceId"}
        assert item["instanceId"] == item["name"]
    for item in (await ask(telling, "GET", f"{api}/virtualMachines")).json()["value"]:
        assert item["properties"] == {"latestModelApplied": True}


async def test_one_vm_of_the_set_tells_whether_it_has_the_latest_model(
    ask: Ask, vms: Any, cloud: Cloud, api: str
) -> None:
    [vm, *_] = await vms(cloud)
    path = f"{api}/virtualMachines/{vm['name'].upper()}"
    assert (await ask(cloud, "GET", path)).json()["properties"]["latestModelApplied"] is True
    await ask(cloud, "PATCH", api, {"properties": {"virtualMachineProfile": {"priority": "Regular"}}})
    assert (await ask(cloud, "GET", path)).json()["properties"]["latestModelApplied"] is False


async def test_what_only_uniform_sets_have_is_refused(ask: Ask, cloud: Cloud, api: str) -> None:
    refused = await ask(cloud, "GET", f"{api}/instanceView")
    assert (refused.status, refused.json()["error"]["code"]) == (400, "OperationNotAllowed")
    assert (await ask(cloud, "GET", f"{api}/networkInterfaces")).status == 404
    assert (await ask(cloud, "GET", f"{api}/virtualMachines/0")).status == 400
    assert (await ask(cloud, "POST", f"{api}/delete", {"instanceIds": ["0"]})).status == 400


async def test_a_capacity_creates_new_minus_nominal_whatever_exists(ask: Ask, vms: Any, cloud: Cloud, api: str) -> None:
    [vm, *_] = await vms(cloud)
    assert (await ask(cloud, "DELETE", vm["id"])).status == 202
    await cloud.clock.sleep(MINUTES)
    assert (cloud.scale_set(api).capacity, len(await vms(cloud))) == (6, 5)
    await ask(cloud, "PATCH", api, {"sku": {"capacity": 8}})
    assert (cloud.scale_set(api).capacity, len(await vms(cloud))) == (8, 7)
    await cloud.clock.sleep(MINUTES)
    await ask(cloud, "PATCH", api, {"sku": {"capacity": 7}})
    await cloud.clock.sleep(MINUTES)
    assert (cloud.scale_set(api).capacity, len(await vms(cloud))) == (7, 6)


async def test_deleting_by_name_lowers_the_capacity(ask: Ask, vms: Any, cloud: Cloud, api: str) -> None:
    names = [vm["name"] for vm in (await vms(cloud))[:2]]
    assert (await ask(cloud, "POST", f"{api}/delete", {"instanceIds": names})).status == 202
    assert cloud.scale_set(api).capacity == 4
    going = [vm["name"] for vm in await vms(cloud) if vm["properties"]["provisioningState"] == "Deleting"]
    assert sorted(going) == sorted(names)
    await cloud.clock.sleep(MINUTES)
    assert not {vm["name"] for vm in await vms(cloud)} & set(names)
    entry = cloud.audit[-1]
    assert (len(entry.deleted), entry.capacity_before, entry.capacity_after) == (2, 6, 4)


async def test_a_deletion_is_an_operation_and_a_second_one_meets_it(ask: Ask, vms: Any, cloud: Cloud) -> None:
    [vm, *_] = await vms(cloud)
    first = await ask(cloud, "DELETE", vm["id"])
    assert (await ask(cloud, "DELETE", vm["id"])).status == 409
    assert (await ask(cloud, "GET", first.headers["azure-asyncoperation"])).json()["status"] == "InProgress"
    await cloud.clock.sleep(MINUTES)
    assert (await ask(cloud, "GET", first.headers["azure-asyncoperation"])).json()["status"] == "Succeeded"
    assert (await ask(cloud, "GET", vm["id"])).status == 404


async def test_a_vm_that_is_being_deleted_has_no_view_in_the_list(ask: Ask, vms: Any, cloud: Cloud, api: str) -> None:
    [vm, *_] = await vms(cloud)
    await ask(cloud, "POST", f"{api}/delete", {"instanceIds": [vm["name"]]})
    without = [one["name"] for one in await vms(cloud) if "instanceView" not in one["properties"]]
    assert without == [vm["name"]]


async def test_one_vm_is_deallocated_and_stays_in_its_set(ask: Ask, vms: Any, cloud: Cloud, api: str) -> None:
    [vm, other, *_] = await vms(cloud)
    answer = await ask(cloud, "POST", f"{vm['id']}/deallocate")
    assert (answer.status, answer.body) == (202, b"")
    assert (await ask(cloud, "GET", answer.headers["azure-asyncoperation"])).json()["status"] == "InProgress"
    assert (await ask(cloud, "POST", f"{vm['id']}/deallocate")).status == 409
    assert (await ask(cloud, "POST", f"{other['id']}x/deallocate")).status == 404
    await cloud.clock.sleep(MINUTES)
    assert (await ask(cloud, "GET", answer.headers["azure-asyncoperation"])).json()["status"] == "Succeeded"
    view = (await ask(cloud, "GET", f"{vm['id']}/instanceView")).json()
    codes = [status["code"] for status in view["statuses"]]
    assert codes == ["ProvisioningState/succeeded", "PowerState/deallocated"]
    assert {"vmAgent", "vmHealth"}.isdisjoint(view)
    assert [one.name for one in cloud.scale_set(api).active() if not one.serving] == [vm["name"]]
    assert (cloud.scale_set(api).capacity, len(await vms(cloud))) == (6, 6)


async def test_the_sdk_s_own_client_deallocates_a_vm(client: ComputeManagementClient, cloud: Cloud, api: str) -> None:
    name = cloud.scale_set(api).active()[0].name
    await (await client.virtual_machines.begin_deallocate("demo", name)).result()
    view = await client.virtual_machines.instance_view("demo", name)
    assert view["statuses"][-1]["code"] == "PowerState/deallocated"


async def test_vms_of_a_flexible_set_are_written_to_side_by_side_in_either_world(
    ask: Ask, vms: Any, clock: PlatformClock, networked: Callable[..., World]
) -> None:
    cloud = Cloud(networked(platform={"vmWrites": "oneAtATime"}), clock)
    [vm, other, *_] = await vms(cloud)
    assert (await ask(cloud, "DELETE", vm["id"])).status == 202
    assert (await ask(cloud, "POST", f"{other['id']}/deallocate")).status == 202


async def test_a_write_names_the_vm_s_version(ask: Ask, vms: Any, cloud: Cloud) -> None:
    [vm, *_] = await vms(cloud)
    assert (await ask(cloud, "DELETE", vm["id"], if_match='"99"')).status == 412
    assert (await ask(cloud, "DELETE", vm["id"], if_match=vm["etag"])).status == 202


async def test_new_vms_get_fresh_names_and_the_latest_image(ask: Ask, vms: Any, cloud: Cloud, api: str) -> None:
    before = {vm["name"] for vm in await vms(cloud)}
    image = {"id": f"{api.partition('/virtualMachineScaleSets/')[0]}/galleries/apps/images/api/versions/1.1.0"}
    profile = {"virtualMachineProfile": {"storageProfile": {"imageReference": image}}}
    await ask(cloud, "PATCH", api, {"properties": profile})
    await cloud.clock.sleep(MINUTES)
    await ask(cloud, "PATCH", api, {"sku": {"capacity": 7}})
    [new] = [vm for vm in await vms(cloud) if vm["name"] not in before]
    assert new["properties"]["storageProfile"]["imageReference"] == image
    assert new["properties"]["provisioningState"] == "Creating"


async def test_an_allocation_may_fail_in_part(ask: Ask, vms: Any, cloud: Cloud, api: str) -> None:
    cloud.faults.add(Fault(method="PATCH", allocation_failures=1))
    answer = await ask(cloud, "PATCH", api, {"sku": {"capacity": 8}})
    await cloud.clock.sleep(MINUTES)
    ended = (await ask(cloud, "GET", answer.headers["azure-asyncoperation"])).json()
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "AllocationFailed")
    states = [vm["properties"]["provisioningState"] for vm in await vms(cloud)]
    assert sorted(states) == ["Failed"] + ["Succeeded"] * 7


async def test_an_attached_vm_is_in_the_list_and_reports_no_health(
    ask: Ask, vms: Any, clock: PlatformClock, networked: Callable[..., World], api: str
) -> None:
    cloud = Cloud(networked(api={"attachedVms": ["old-server"]}), clock)
    listed = await vms(cloud)
    assert len(listed) == 7
    [attached] = [vm for vm in listed if vm["name"] == "old-server"]
    assert "vmHealth" not in (await ask(cloud, "GET", f"{attached['id']}/instanceView")).json()
    shown = (await ask(cloud, "GET", f"{api}/virtualMachines/old-server")).json()
    assert (shown["instanceId"], shown["properties"]["latestModelApplied"]) == ("old-server", False)
    assert cloud.scale_set(api).capacity == 6


async def test_a_vm_can_be_protected_since_2023_09_01_only(ask: Ask, vms: Any, cloud: Cloud, api: str) -> None:
    [vm, *_] = await vms(cloud)
    path, body = (
        f"{api}/virtualMachines/{vm['name']}",
        {"properties": {"protectionPolicy": {"protectFromScaleIn": True}}},
    )
    assert (await ask(cloud, "PUT", f"{path}?api-version=2023-07-01", body)).status == 400
    assert (await ask(cloud, "PUT", f"{path}?api-version=2023-09-01", body)).status == 200
    assert (await ask(cloud, "GET", path)).json()["properties"]["protectionPolicy"] == {"protectFromScaleIn": True}
    own: Any = {"properties": {"networkProfileConfiguration": {"networkInterfaceConfigurations": []}}}
    await cloud.clock.sleep(MINUTES)
    assert (await ask(cloud, "PUT", path, own)).status == 400


@pytest.mark.parametrize(("option", "status"), [("Delete", 404), ("Detach", 200)])
async def test_an_interface_goes_with_its_vm_if_its_delete_option_says_so(
    ask: Ask, vms: Any, cloud: Cloud, api: str, option: str, status: int
) -> None:
    profile = (await ask(cloud, "GET", api)).json()["properties"]["virtualMachineProfile"]
    profile["networkProfile"]["networkInterfaceConfigurations"][0]["properties"]["deleteOption"] = option
    change = {"properties": {"virtualMachineProfile": profile}, "sku": {"capacity": 7}}
    before = {vm["name"] for vm in await vms(cloud)}
    assert (await ask(cloud, "PATCH", api, change)).status == 200
    [vm] = [vm for vm in await vms(cloud) if vm["name"] not in before]
    [nic] = vm["properties"]["networkProfile"]["networkInterfaces"]
    assert nic["properties"]["deleteOption"] == option
    await cloud.clock.sleep(MINUTES)
    await ask(cloud, "DELETE", vm["id"])
    await cloud.clock.sleep(MINUTES)
    left = await ask(cloud, "GET", nic["id"])
    assert left.status == status
    assert status == 404 or "virtualMachine" not in left.json()["properties"]


async def test_the_vm_buckets_are_azure_s(ask: Ask, vms: Any, cloud: Cloud) -> None:
    [vm, *_] = await vms(cloud)
    statuses = [(await ask(cloud, "GET", f"{vm['id']}/instanceView")).status for _ in range(37)]
    assert statuses == [200] * 36 + [429]
    subscription = "/".join(vm["id"].split("/")[:3])
    listing = f"{subscription}/providers/Microsoft.Compute/virtualMachines"
    statuses = [(await ask(cloud, "GET", listing)).status for _ in range(900)]
    assert statuses == [200] * 899 + [429]


async def test_a_restored_flexible_set_goes_on_as_the_original_does(
    ask: Ask, clock: PlatformClock, networked: Callable[..., World], api: str
) -> None:
    cloud = Cloud(networked(), clock)
    await ask(cloud, "PATCH", api, {"sku": {"capacity": 8}})
    restored = Cloud.restore(cloud.snapshot(), PlatformClock(clock.now()))
    await clock.sleep(MINUTES)
    for one in (cloud, restored):
        name = one.scale_set(api).active()[0].name
        assert (await ask(one, "POST", f"{api}/delete", {"instanceIds": [name]})).status == 202
    await clock.sleep(MINUTES)
    assert restored.snapshot() == cloud.snapshot()


async def test_the_sdk_raises_on_what_azure_refuses(client: ComputeManagementClient) -> None:
    with pytest.raises(HttpResponseError):
        await client.virtual_machine_scale_sets.get_instance_view("demo", "api")
