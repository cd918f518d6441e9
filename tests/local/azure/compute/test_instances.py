"""VMs on the wire: lists, filters, updates, actions."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.arm.messages import ArmResponse
from local.azure.cloud import Cloud
from local.azure.world import World
from local.clock import PlatformClock

Ask = Callable[..., Awaitable[ArmResponse]]

PROTECTION = {"properties": {"protectionPolicy": {"protectFromScaleIn": True}}}


async def settle(cloud: Cloud) -> None:
    """Wait until no operation can be under way any more."""
    await cloud.clock.sleep(timedelta(minutes=5))


async def listed(ask: Ask, cloud: Cloud, url: str) -> list[Any]:
    """Every item of a list, page by page."""
    items = []
    while url:
        page = (await ask(cloud, "GET", url)).json()
        items += page["value"]
        url = page.get("nextLink")
    return items


async def test_deleting_vms_lowers_the_capacity_and_takes_them_away_after_a_while(
    ask: Ask, cloud: Cloud, clock: PlatformClock, web: str
) -> None:
    answer = await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["2", "5", "5"]})
    assert (answer.status, answer.body) == (202, b"")
    assert "monitor=true" in answer.headers["location"]
    assert cloud.scale_set(web).capacity == 8
    states = {
        vm["instanceId"]: vm["properties"]["provisioningState"]
        for vm in await listed(ask, cloud, f"{web}/virtualMachines")
    }
    assert (states["2"], states["5"], states["6"]) == ("Deleting", "Deleting", "Succeeded")
    await clock.sleep(timedelta(seconds=30))
    assert sorted(cloud.scale_set(web).instances) == [0, 1, 3, 4, 6, 7, 8, 9]


async def test_the_capacity_may_fall_only_once_the_vms_are_gone_unless_somebody_writes_it_meanwhile(
    ask: Ask, patched_demo: Any, clock: PlatformClock, web: str
) -> None:
    cloud = Cloud(patched_demo(platform={"capacityFalls": "late", "concurrentWrites": "preempt"}), clock)
    await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["2", "5"]})
    assert cloud.scale_set(web).capacity == 10
    await clock.sleep(timedelta(seconds=30))
    assert (cloud.scale_set(web).capacity, len(cloud.scale_set(web).active())) == (8, 8)

    await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["1"]})
    sku = cloud.scale_set(web).body["sku"]
    assert (await ask(cloud, "PATCH", web, {"sku": {**sku, "capacity": 9}})).status == 200
    await clock.sleep(timedelta(minutes=5))
    assert (cloud.scale_set(web).capacity, len(cloud.scale_set(web).active())) == (9, 9)


@pytest.mark.parametrize("ids", [["0", "42"], ["web_0"], [], None])
async def test_a_delete_with_an_id_that_is_no_vm_deletes_nothing(ask: Ask, cloud: Cloud, web: str, ids: Any) -> None:
    refused = await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ids} if ids is not None else {})
    assert refused.status == 400
    assert len(cloud.scale_set(web).active()) == 10


async def test_a_write_to_a_vm_that_is_gone_says_that_it_is_not_active(ask: Ask, cloud: Cloud, web: str) -> None:
    for method, path in (("DELETE", "/virtualMachines/42"), ("PUT", "/virtualMachines/42")):
        refused = await ask(cloud, method, web + path, {})
        assert refused.status == 400
        assert "not an active Virtual Machine Scale Set VM instanceId" in refused.json()["error"]["message"]
    assert (await ask(cloud, "GET", f"{web}/virtualMachines/42")).status == 404
    assert (await ask(cloud, "GET", f"{web}/virtualMachines/web_0")).json()["error"]["code"] == "InvalidParameter"


async def test_one_vm_can_be_deleted_alone(ask: Ask, cloud: Cloud, web: str) -> None:
    assert (await ask(cloud, "DELETE", f"{web}/virtualMachines/3")).status == 202
    await settle(cloud)
    assert (cloud.scale_set(web).capacity, 3 in cloud.scale_set(web).instances) == (9, False)


@pytest.mark.parametrize(("reuse", "number"), [(True, 2), (False, 10)])
async def test_a_new_vm_gets_a_free_instance_id_but_never_an_old_vm_id(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str, reuse: bool, number: int
) -> None:
    cloud = Cloud(patched_demo(platform={"reuseInstanceIds": reuse}), clock)
    before = {vm.vm_id for vm in cloud.scale_set(web).instances.values()}
    await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["2"]})
    await settle(cloud)
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 10}})
    new = [vm for vm in cloud.scale_set(web).instances.values() if vm.vm_id not in before]
    assert [(vm.number, vm.name) for vm in new] == [(number, f"web_{number}")]


async def test_pages_link_to_the_next_one_until_all_vms_are_listed(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str
) -> None:
    cloud = Cloud(patched_demo(platform={"pageSize": 4}), clock)
    first = (await ask(cloud, "GET", f"{web}/virtualMachines?$expand=instanceView")).json()
    assert len(first["value"]) == 4
    assert first["nextLink"].startswith("https://management.azure.com/")
    vms = await listed(ask, cloud, f"{web}/virtualMachines?$expand=instanceView")
    assert [vm["instanceId"] for vm in vms] == [str(number) for number in range(10)]
    assert all("instanceView" in vm["properties"] for vm in vms)


async def test_the_instance_view_is_there_only_when_asked_for(ask: Ask, cloud: Cloud, web: str) -> None:
    assert all("instanceView" not in vm["properties"] for vm in await listed(ask, cloud, f"{web}/virtualMachines"))
    [vm, *_] = await listed(ask, cloud, f"{web}/virtualMachines?$select=instanceView/statuses")
    assert vm["properties"]["instanceView"].keys() == {"statuses"}
    one = await ask(cloud, "GET", f"{web}/virtualMachines/0?$expand=instanceView")
    assert one.json()["properties"]["instanceView"]["vmHealth"]["status"]["code"] == "HealthState/healthy"


async def test_lists_are_filtered_as_the_service_documents(ask: Ask, cloud: Cloud, web: str) -> None:
    await ask(cloud, "PATCH", web, {"sku": {"name": "Standard_D4s_v5", "capacity": 11}})
    model = "$filter=properties/latestModelApplied eq"
    assert [vm["instanceId"] for vm in await listed(ask, cloud, f"{web}/virtualMachines?{model} true")] == ["10"]
    assert len(await listed(ask, cloud, f"{web}/virtualMachines?{model} false")) == 10
    power = "$filter=startswith(instanceView/statuses/code,'PowerState') eq true"
    assert len(await listed(ask, cloud, f"{web}/virtualMachines?{power}")) == 10
    assert (await ask(cloud, "GET", f"{web}/virtualMachines?$filter=name eq 'web_0'")).status == 400


@pytest.mark.parametrize("query", ["$expand=userData", "$select=name", "$skiptoken=!"])
async def test_what_a_list_cannot_do_is_refused(ask: Ask, cloud: Cloud, web: str, query: str) -> None:
    refused = await ask(cloud, "GET", f"{web}/virtualMachines?{query}")
    assert (refused.status, refused.json()["error"]["code"]) == (400, "InvalidParameter")


async def test_actions_without_instance_ids_or_with_a_star_take_every_vm(ask: Ask, cloud: Cloud, web: str) -> None:
    await ask(cloud, "POST", f"{web}/deallocate")
    assert {vm.power for vm in cloud.scale_set(web).instances.values()} == {"deallocated"}
    await settle(cloud)
    await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["*"]})
    assert (cloud.scale_set(web).capacity, cloud.scale_set(web).active()) == (0, [])


async def test_a_vm_of_its_own_network_keeps_it_and_names_itself_custom(ask: Ask, cloud: Cloud, web: str) -> None:
    vm = (await ask(cloud, "GET", f"{web}/virtualMachines/0")).json()
    network = vm["properties"]["networkProfileConfiguration"]
    address = network["networkInterfaceConfigurations"][0]["properties"]["ipConfigurations"][0]["properties"]
    address["loadBalancerBackendAddressPools"] = []
    changed = {"location": "eastus2", "properties": {"networkProfileConfiguration": network}}
    answer = await ask(cloud, "PUT", f"{web}/virtualMachines/0", changed, if_match='"1"')
    assert (answer.status, answer.json()["properties"]["provisioningState"]) == (200, "Updating")
    await settle(cloud)
    vm = (await ask(cloud, "GET", f"{web}/virtualMachines/0")).json()
    assert vm["etag"] == '"2"'
    assert vm["properties"]["modelDefinitionApplied"] == "VirtualMachine"
    assert vm["properties"]["networkProfileConfiguration"] == network


async def test_updates_of_one_vm_conflict_but_leave_the_set_and_the_others_free(
    ask: Ask, cloud: Cloud, web: str
) -> None:
    assert (await ask(cloud, "PUT", f"{web}/virtualMachines/0", PROTECTION)).status == 200
    assert (await ask(cloud, "PUT", f"{web}/virtualMachines/0", PROTECTION)).status == 409
    assert (await ask(cloud, "PUT", f"{web}/virtualMachines/1", PROTECTION)).status == 200
    assert (await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})).status == 200
    assert (await ask(cloud, "PUT", f"{web}/virtualMachines/10", PROTECTION)).status == 409
    stale = await ask(cloud, "PUT", f"{web}/virtualMachines/2", PROTECTION, if_match='"9"')
    assert stale.status == 412


async def test_vms_may_be_written_to_one_at_a_time_only_and_the_others_are_told_no_time(
    ask: Ask, patched_demo: Any, clock: PlatformClock, web: str
) -> None:
    cloud = Cloud(patched_demo(platform={"vmWrites": "oneAtATime", "updateTime": 40}), clock)
    assert (await ask(cloud, "PUT", f"{web}/virtualMachines/0", PROTECTION)).status == 200
    for vm in ("0", "1"):
        refused = await ask(cloud, "PUT", f"{web}/virtualMachines/{vm}", PROTECTION)
        assert (refused.status, refused.json()["error"]["code"]) == (409, "Conflict")
        assert "retry-after" not in refused.headers
    await clock.sleep(timedelta(seconds=40))
    assert (await ask(cloud, "PUT", f"{web}/virtualMachines/1", PROTECTION)).status == 200


@pytest.mark.parametrize(("vm_writes", "set_state"), [("parallel", "Succeeded"), ("oneAtATime", "Updating")])
async def test_a_write_of_a_vm_shows_at_once_in_the_vm_and_at_its_end_in_the_set_s_etag(
    ask: Ask, patched_demo: Any, clock: PlatformClock, web: str, vm_writes: str, set_state: str
) -> None:
    cloud = Cloud(patched_demo(platform={"vmWrites": vm_writes, "updateTime": 40}), clock)

    async def shown() -> tuple[str, str, str, str]:
        scale_set, vm = [(await ask(cloud, "GET", path)).json() for path in (web, f"{web}/virtualMachines/0")]
        states = (scale_set["properties"]["provisioningState"], vm["properties"]["provisioningState"])
        return scale_set["etag"], states[0], vm["etag"], states[1]

    assert await shown() == ('"1"', "Succeeded", '"1"', "Succeeded")
    await ask(cloud, "PUT", f"{web}/virtualMachines/0", PROTECTION)
    assert await shown() == ('"1"', set_state, '"2"', "Updating")
    await clock.sleep(timedelta(seconds=39))
    assert (await shown())[0] == '"1"'
    await clock.sleep(timedelta(seconds=1))
    assert await shown() == ('"2"', "Succeeded", '"2"', "Succeeded")


async def test_the_end_of_a_vm_s_write_leaves_the_set_as_its_own_operation_has_it(
    ask: Ask, patched_demo: Any, clock: PlatformClock, web: str
) -> None:
    cloud = Cloud(patched_demo(platform={"vmWrites": "oneAtATime", "deleteTime": 60}), clock)
    await ask(cloud, "PUT", f"{web}/virtualMachines/0", PROTECTION)
    await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["5"]})
    await clock.sleep(timedelta(seconds=30))
    assert cloud.scale_set(web).provisioning_state == "Updating"
    await clock.sleep(timedelta(seconds=30))
    assert cloud.scale_set(web).provisioning_state == "Succeeded"


async def test_what_an_update_of_a_vm_cannot_change_is_refused_loudly(ask: Ask, cloud: Cloud, web: str) -> None:
    resized = {"properties": {"hardwareProfile": {"vmSize": "Standard_D4s_v5"}}}
    refused = await ask(cloud, "PUT", f"{web}/virtualMachines/0", resized)
    assert (refused.status, refused.json()["error"]["code"]) == (400, "NotSimulated")
    assert cloud.unknown == [f"PUT {web}/virtualMachines/0"]


async def test_manual_upgrade_brings_the_named_vms_to_the_latest_model(
    ask: Ask, cloud: Cloud, web: str, image: str
) -> None:
    reference = {"imageReference": {"id": f"{image}/versions/1.1.0"}}
    await ask(cloud, "PATCH", web, {"properties": {"virtualMachineProfile": {"storageProfile": reference}}})
    await settle(cloud)
    before = cloud.scale_set(web).instances[1].vm_id
    assert (await ask(cloud, "POST", f"{web}/manualupgrade", {"instanceIds": ["1"]})).status == 202
    assert not cloud.scale_set(web).instances[1].serving
    await settle(cloud)
    upgraded = cloud.scale_set(web).instances[1]
    assert (upgraded.vm_id, upgraded.image["id"], upgraded.serving) == (before, f"{image}/versions/1.1.0", True)


@pytest.mark.parametrize(("action", "power"), [("poweroff", "stopped"), ("deallocate", "deallocated")])
async def test_stopped_vms_say_so_and_serve_again_after_a_start(
    ask: Ask, cloud: Cloud, web: str, action: str, power: str
) -> None:
    await ask(cloud, "POST", f"{web}/{action}", {"instanceIds": ["1"]})
    view = (await ask(cloud, "GET", f"{web}/virtualMachines/1/instanceView")).json()
    assert view["statuses"][1]["code"] == f"PowerState/{power}"
    assert not cloud.scale_set(web).instances[1].serving
    await settle(cloud)
    await ask(cloud, "POST", f"{web}/start", {"instanceIds": ["1"]})
    await settle(cloud)
    assert cloud.scale_set(web).instances[1].serving


async def test_a_failed_launch_leaves_failed_vms_and_a_raised_capacity(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str
) -> None:
    cloud = Cloud(patched_demo(behaviors={"1.0.0": {"provisioningFails": True}}), clock)
    answer = await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    await settle(cloud)
    ended = (await ask(cloud, "GET", answer.headers["azure-asyncoperation"])).json()
    assert (ended["status"], ended["error"]["code"]) == ("Failed", "OSProvisioningTimedOut")
    body = (await ask(cloud, "GET", web)).json()
    assert (body["sku"]["capacity"], body["properties"]["provisioningState"]) == (11, "Failed")
    vm = (await ask(cloud, "GET", f"{web}/virtualMachines/10?$expand=instanceView")).json()["properties"]
    assert vm["provisioningState"] == "Failed"
    assert vm["instanceView"]["statuses"][0]["code"] == "ProvisioningState/failed/OSProvisioningTimedOut"
