"""Scale sets on the wire: what a write shows at once, what follows, and what is refused."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.arm.messages import ArmResponse
from local.azure.cloud import Cloud
from local.azure.world import Fault, World
from local.clock import PlatformClock

Ask = Callable[..., Awaitable[ArmResponse]]


def image_patch(image: str, version: str) -> dict[str, Any]:
    """The PATCH that changes nothing but the image."""
    reference = {"imageReference": {"id": f"{image}/versions/{version}"}}
    return {"properties": {"virtualMachineProfile": {"storageProfile": reference}}}


async def settle(cloud: Cloud) -> None:
    """Wait until no operation can be under way any more."""
    await cloud.clock.sleep(timedelta(minutes=5))


async def test_a_raised_capacity_shows_at_once_and_its_vms_are_creating(
    ask: Ask, cloud: Cloud, clock: PlatformClock, web: str
) -> None:
    answer = await ask(cloud, "PATCH", web, {"sku": {"capacity": 12}})
    assert (answer.status, answer.json()["sku"]["capacity"]) == (200, 12)
    assert answer.json()["properties"]["provisioningState"] == "Updating"
    assert answer.headers["azure-asyncoperation"].startswith("https://management.azure.com/subscriptions/")
    listed = (await ask(cloud, "GET", f"{web}/virtualMachines")).json()["value"]
    states = [vm["properties"]["provisioningState"] for vm in listed]
    assert states == ["Succeeded"] * 10 + ["Creating"] * 2
    await clock.sleep(timedelta(seconds=30))
    assert (await ask(cloud, "GET", web)).json()["properties"]["provisioningState"] == "Succeeded"


async def test_a_profile_that_is_said_as_it_was_outdates_every_vm_and_leaves_the_etag(
    ask: Ask, cloud: Cloud, web: str
) -> None:
    before = (await ask(cloud, "GET", web)).json()
    profile = {"properties": {"virtualMachineProfile": before["properties"]["virtualMachineProfile"]}}
    assert (await ask(cloud, "PATCH", web, profile)).json()["etag"] == before["etag"]
    await settle(cloud)
    listed = (await ask(cloud, "GET", f"{web}/virtualMachines")).json()["value"]
    assert {vm["properties"]["latestModelApplied"] for vm in listed} == {False}
    assert (await ask(cloud, "PATCH", web, {"tags": {"a": "b"}})).json()["etag"] != before["etag"]


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_a_write_that_says_nothing_new_leaves_the_etag_and_one_without_a_profile_the_vms(
    ask: Ask, cloud: Cloud, web: str, method: str
) -> None:
    before = (await ask(cloud, "GET", web)).json()
    same = {name: before[name] for name in ("location", "sku", "tags")}
    for body, latest in ((same, True), (before, False)):
        answer = await ask(cloud, method, web, body, if_match=before["etag"])
        assert (answer.status, answer.json()["etag"]) == (200, before["etag"])
        await settle(cloud)
        listed = (await ask(cloud, "GET", f"{web}/virtualMachines")).json()["value"]
        assert {vm["properties"]["latestModelApplied"] for vm in listed} == {latest}


async def test_turning_zone_rebalancing_on_turns_repairs_on_unless_the_write_says_no(
    ask: Ask, cloud: Cloud, web: str
) -> None:
    rebalancing = {"resiliencyPolicy": {"automaticZoneRebalancingPolicy": {"enabled": True}}}
    off = {"resiliencyPolicy": {"automaticZoneRebalancingPolicy": {"enabled": False}}}
    repairs = {"automaticRepairsPolicy": {"enabled": False}}
    for properties, expected in (({**rebalancing, **repairs}, False), (off, False), (rebalancing, True)):
        answer = await ask(cloud, "PATCH", web, {"properties": properties})
        assert bool(answer.json()["properties"].get("automaticRepairsPolicy", {}).get("enabled")) is expected
        await settle(cloud)
    services = (await ask(cloud, "GET", f"{web}/instanceView")).json()["orchestrationServices"]
    assert [one["serviceName"] for one in services] == ["AutomaticRepairs", "AutomaticZoneRebalancing"]


async def test_a_rolling_upgrade_is_cancelled_where_there_is_one(ask: Ask, cloud: Cloud, web: str) -> None:
    refused = await ask(cloud, "POST", f"{web}/rollingUpgrades/cancel")
    error = {"code": "OperationNotAllowed", "message": "There is no ongoing Rolling Upgrade to cancel."}
    assert (refused.status, refused.json()) == (409, {"error": error})
    cloud.interfere.rolling_upgrade(web, "RollingForward")
    assert (await ask(cloud, "POST", f"{web}/rollingUpgrades/cancel")).status == 202
    latest = (await ask(cloud, "GET", f"{web}/rollingUpgrades/latest")).json()
    assert latest["properties"]["runningStatus"]["code"] == "Cancelled"


async def test_a_vm_that_is_being_deleted_has_no_view(ask: Ask, cloud: Cloud, web: str) -> None:
    await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["3"]})
    listed = (await ask(cloud, "GET", f"{web}/virtualMachines?$expand=instanceView")).json()["value"]
    without = [vm["name"] for vm in listed if "instanceView" not in vm["properties"]]
    assert without == ["web_3"]


async def test_sizes_without_a_filter_are_in_the_regions_that_there_are(ask: Ask, cloud: Cloud, web: str) -> None:
    path = f"{web.partition('/resourceGroups/')[0]}/providers/Microsoft.Compute/skus"
    sizes = (await ask(cloud, "GET", path)).json()["value"]
    assert sizes
    assert {tuple(size["locations"]) for size in sizes} == {("eastus2",)}


async def test_new_vms_balance_the_zones(ask: Ask, cloud: Cloud, web: str) -> None:
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 15}})
    zones = Counter(vm.zone for vm in cloud.scale_set(web).instances.values())
    assert zones == {"1": 5, "2": 5, "3": 5}


async def test_a_lowered_capacity_takes_the_highest_ids_across_the_zones(ask: Ask, cloud: Cloud, web: str) -> None:
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 7}})
    await settle(cloud)
    assert sorted(cloud.scale_set(web).instances) == [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("rule", "gone"), [("OldestVM", "web_0"), ("NewestVM", "web_10"), ("Default", "web_9")])
async def test_the_scale_in_rule_chooses_who_goes(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str, rule: str, gone: str
) -> None:
    rules = {"properties": {"scaleInPolicy": {"rules": [rule]}}}
    cloud = Cloud(patched_demo({"zones": [], "overrides": rules}, {"reuseInstanceIds": rule == "NewestVM"}), clock)
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    await settle(cloud)
    if rule == "Default":
        cloud.interfere.protect(web, "web_10", {"protectFromScaleIn": True})
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 10}})
    assert [change.name for change in cloud.changes if change.state == "deleting"] == [gone]


async def test_a_changed_image_leaves_the_running_vms_alone_in_manual_mode(
    ask: Ask, cloud: Cloud, web: str, image: str
) -> None:
    await ask(cloud, "PATCH", web, image_patch(image, "1.1.0"))
    await settle(cloud)
    listed = (await ask(cloud, "GET", f"{web}/virtualMachines")).json()["value"]
    assert {vm["properties"]["latestModelApplied"] for vm in listed} == {False}
    references = {vm["properties"]["storageProfile"]["imageReference"]["id"] for vm in listed}
    assert references == {f"{image}/versions/1.0.0"}


async def test_a_changed_size_is_another_model_and_leaves_the_vms_their_own(
    ask: Ask, cloud: Cloud, web: str, api: str
) -> None:
    await ask(cloud, "PATCH", web, {"sku": {"name": "Standard_D4s_v5"}, "tags": {"team": "shop"}})
    await settle(cloud)
    before = (await ask(cloud, "GET", f"{web}/virtualMachines")).json()["value"]
    assert {vm["properties"]["latestModelApplied"] for vm in before} == {False}
    assert {vm["sku"]["name"] for vm in before} == {"Standard_D2s_v5"}
    assert {vm["properties"]["hardwareProfile"]["vmSize"] for vm in before} == {"Standard_D2s_v5"}
    assert all(vm["tags"] == {} for vm in before)

    await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    await settle(cloud)
    await ask(cloud, "POST", f"{web}/manualupgrade", {"instanceIds": ["0"]})
    await settle(cloud)
    after = (await ask(cloud, "GET", f"{web}/virtualMachines")).json()["value"]
    changed = [vm for vm in after if vm["properties"]["latestModelApplied"]]
    assert [vm["instanceId"] for vm in changed] == ["0", "10"]
    assert {(vm["sku"]["name"], vm["sku"]["tier"]) for vm in changed} == {("Standard_D4s_v5", "Standard")}
    assert all(vm["tags"] == {"team": "shop"} for vm in changed)
    subscription = "/".join(web.split("/")[:3])
    usages = await ask(cloud, "GET", f"{subscription}/providers/Microsoft.Compute/locations/eastus2/usages")
    cores = {one["name"]["value"]: one["currentValue"] for one in usages.json()["value"]}
    assert cores["standardDSv5Family"] == 2 * 4 + 9 * 2 + cloud.scale_set(api).capacity * 2


async def test_the_vms_of_a_set_say_what_its_profile_says_of_them(ask: Ask, cloud: Cloud, web: str, api: str) -> None:
    profile = {
        "licenseType": "RHEL_BYOS",
        "securityProfile": {"securityType": "TrustedLaunch"},
        "priority": "Spot",
    }
    for scale_set in (web, api):
        await ask(cloud, "PATCH", scale_set, {"properties": {"virtualMachineProfile": profile}})
        await settle(cloud)
        capacity = cloud.scale_set(scale_set).capacity
        await ask(cloud, "PATCH", scale_set, {"sku": {"capacity": capacity + 1}})
        await settle(cloud)
    uniform = (await ask(cloud, "GET", f"{web}/virtualMachines")).json()["value"][-1]["properties"]
    machines = f"{api.partition('/virtualMachineScaleSets/')[0]}/virtualMachines"
    flexible = (await ask(cloud, "GET", machines)).json()["value"][-1]["properties"]
    told = ("licenseType", "securityProfile", "priority")
    assert {name: uniform.get(name) for name in told} == {**profile, "priority": None}
    assert {name: flexible.get(name) for name in told} == profile


@pytest.mark.parametrize("mode", ["Automatic", "Rolling"])
async def test_a_changed_image_takes_every_vm_down_in_the_other_modes(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str, image: str, mode: str
) -> None:
    cloud = Cloud(patched_demo({"upgradeMode": mode}), clock)
    await ask(cloud, "PATCH", web, image_patch(image, "1.1.0"))
    assert not any(vm.serving for vm in cloud.scale_set(web).instances.values())
    await settle(cloud)
    upgraded = cloud.scale_set(web).instances.values()
    assert {vm.image["id"] for vm in upgraded} == {f"{image}/versions/1.1.0"}
    assert all(vm.serving for vm in upgraded)


async def test_tags_and_upgrade_policy_are_no_new_model(ask: Ask, cloud: Cloud, web: str) -> None:
    await ask(cloud, "PATCH", web, {"tags": {"team": "web"}, "properties": {"overprovision": True}})
    assert all(vm.model == cloud.scale_set(web).model for vm in cloud.scale_set(web).instances.values())


async def test_overprovisioning_launches_a_fifth_more_and_leaves_holes_in_the_ids(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str
) -> None:
    cloud = Cloud(patched_demo({"overprovision": True}), clock)
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 20}})
    assert len(cloud.scale_set(web).instances) == 22
    await settle(cloud)
    numbers = sorted(cloud.scale_set(web).instances)
    assert len(numbers) == 20
    assert numbers != list(range(20))
    assert cloud.scale_set(web).capacity == 20


async def test_the_etag_moves_with_every_accepted_write_and_every_change_by_the_platform(
    ask: Ask, cloud: Cloud, web: str
) -> None:
    async def etag() -> str:
        answer = await ask(cloud, "GET", web)
        assert answer.headers["etag"] == answer.json()["etag"]
        return str(answer.headers["etag"])

    assert await etag() == '"1"'
    patched = await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}}, if_match='"1"')
    assert (patched.status, patched.headers["etag"]) == (200, '"2"')
    await settle(cloud)
    assert await etag() == '"2"'
    await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["0"]})
    assert await etag() == '"3"'
    cloud.interfere.evict(web, "web_1", "Delete")
    assert await etag() == '"4"'


async def test_a_stale_etag_is_refused_without_effect(ask: Ask, cloud: Cloud, web: str) -> None:
    await ask(cloud, "PATCH", web, {"tags": {"a": "b"}})
    await settle(cloud)
    for method in ("PATCH", "PUT"):
        refused = await ask(cloud, method, web, {"sku": {"capacity": 11}}, if_match='"1"')
        assert refused.status == 412
        assert refused.json()["error"] == {
            "code": "PreconditionFailed",
            "message": 'Etag provided in if-match header "1" does not match etag "2" of resource.',
        }
    assert cloud.scale_set(web).capacity == 10


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"sku": {"capacity": 12}}),
        ("PUT", "", {"sku": {"capacity": 12}}),
        ("DELETE", "", None),
        ("POST", "/delete", {"instanceIds": ["0"]}),
        ("POST", "/manualupgrade", {"instanceIds": ["0"]}),
        ("POST", "/deallocate", {"instanceIds": ["0"]}),
        ("DELETE", "/virtualMachines/0", None),
    ],
)
async def test_a_second_write_while_one_is_in_flight_is_refused(
    ask: Ask, cloud: Cloud, web: str, method: str, path: str, body: Any
) -> None:
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    refused = await ask(cloud, method, web + path, body)
    assert refused.status == 409
    assert refused.json()["error"]["message"].startswith("The request failed due to conflict with a concurrent request")
    assert cloud.scale_set(web).capacity == 11
    await settle(cloud)
    assert (await ask(cloud, "PATCH", web, {"sku": {"capacity": 12}})).status == 200


async def test_a_second_write_cancels_the_first_where_the_world_says_so(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str
) -> None:
    cloud = Cloud(patched_demo(platform={"concurrentWrites": "preempt"}), clock)
    older = await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    newer = await ask(cloud, "PATCH", web, {"sku": {"capacity": 12}})
    assert newer.status == 200
    ended = (await ask(cloud, "GET", older.headers["azure-asyncoperation"])).json()
    assert (ended["status"], ended["error"]["code"]) == ("Canceled", "OperationPreempted")
    await settle(cloud)
    assert sum(vm.serving for vm in cloud.scale_set(web).instances.values()) == 12


async def test_a_preempted_scale_out_leaves_no_vm_too_few_or_too_many(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str
) -> None:
    cloud = Cloud(patched_demo({"overprovision": True}, {"concurrentWrites": "preempt"}), clock)
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 20}})
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 25}})
    await settle(cloud)
    assert sum(vm.serving for vm in cloud.scale_set(web).instances.values()) == 25


async def test_a_failed_deletion_leaves_the_set_writable(ask: Ask, cloud: Cloud, web: str) -> None:
    cloud.faults.add(Fault(method="DELETE", operation_status="Failed"))
    await ask(cloud, "DELETE", web)
    await settle(cloud)
    assert (await ask(cloud, "GET", web)).json()["properties"]["provisioningState"] == "Failed"
    assert (await ask(cloud, "PATCH", web, {"tags": {}})).status == 200


async def test_a_full_put_replaces_the_model_and_keeps_what_azure_wrote(ask: Ask, cloud: Cloud, web: str) -> None:
    body = (await ask(cloud, "GET", web)).json()
    del body["properties"]["uniqueId"], body["properties"]["overprovision"]
    body["sku"]["capacity"] = 11
    answer = (await ask(cloud, "PUT", web, body)).json()
    assert answer["sku"]["capacity"] == 11
    assert "overprovision" not in answer["properties"]
    assert answer["properties"]["uniqueId"] == cloud.scale_set(web).properties["uniqueId"]


async def test_a_put_creates_a_set_and_a_delete_ends_it(ask: Ask, cloud: Cloud, web: str) -> None:
    body = (await ask(cloud, "GET", web)).json()
    other = f"{web}-2"
    given = {name: body[name] for name in ("location", "sku", "zones", "properties")}
    created = await ask(cloud, "PUT", other, given)
    assert (created.status, created.json()["properties"]["provisioningState"]) == (201, "Creating")
    await settle(cloud)
    assert (await ask(cloud, "GET", other)).json()["properties"]["provisioningState"] == "Succeeded"
    group = web.split("/providers/")[0]
    listed = await ask(cloud, "GET", f"{group}/providers/Microsoft.Compute/virtualMachineScaleSets")
    assert [item["name"] for item in listed.json()["value"]] == ["web", "api", "web-2"]
    assert (await ask(cloud, "DELETE", other)).status == 202
    refused = await ask(cloud, "PATCH", other, {"sku": {"capacity": 1}})
    assert (refused.status, "marked for deletion" in refused.json()["error"]["message"]) == (409, True)
    await settle(cloud)
    assert (await ask(cloud, "GET", other)).status == 404


async def test_a_put_needs_a_size_and_a_capacity(ask: Ask, cloud: Cloud, web: str) -> None:
    refused = await ask(cloud, "PUT", f"{web}-2", {"location": "eastus2", "sku": {"name": "Standard_D2s_v5"}})
    assert (refused.status, refused.json()["error"]["code"]) == (400, "InvalidParameter")
    assert (await ask(cloud, "GET", f"{web}-2")).status == 404


async def test_capacity_over_the_limits_is_refused(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str
) -> None:
    cloud = Cloud(patched_demo({"capacity": 100, "singlePlacementGroup": True}), clock)
    refused = await ask(cloud, "PATCH", web, {"sku": {"capacity": 101}})
    assert (refused.status, refused.json()["error"]["code"]) == (409, "OperationNotAllowed")
    cloud = Cloud(patched_demo({"capacity": 1000}), clock)
    assert (await ask(cloud, "PATCH", web, {"sku": {"capacity": 1001}})).status == 409
    assert cloud.scale_set(web).capacity == 1000


@pytest.mark.parametrize("quota", [{"cores": 34}, {"families": {"standardDSv5Family": 34}}])
async def test_capacity_over_the_quota_is_refused_at_the_write(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str, quota: Any
) -> None:
    cloud = Cloud(patched_demo(quota=quota), clock)
    assert (await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})).status == 200
    await settle(cloud)
    refused = await ask(cloud, "PATCH", web, {"sku": {"capacity": 12}})
    assert (refused.status, refused.json()["error"]["code"]) == (409, "OperationNotAllowed")
    assert "Current Limit: 34, Current Usage: 34, Additional Required: 2" in refused.json()["error"]["message"]
    assert cloud.scale_set(web).capacity == 11


@pytest.mark.parametrize("version", ["9.9.9", "1.1.0"])
async def test_an_image_that_is_not_in_the_region_is_refused(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str, image: str, version: str
) -> None:
    world = patched_demo()
    document = world.model_dump(mode="json", by_alias=True)
    document["galleries"][0]["images"][0]["versions"][1]["targetRegions"] = ["West US 2"]
    cloud = Cloud(type(world).model_validate(document), clock)
    refused = await ask(cloud, "PATCH", web, image_patch(image, version))
    assert (refused.status, refused.json()["error"]["code"]) == (404, "GalleryImageNotFound")
    assert cloud.scale_set(web).model == 1


async def test_an_image_without_a_version_gives_new_vms_the_latest(
    ask: Ask, cloud: Cloud, web: str, image: str
) -> None:
    reference = {"imageReference": {"id": image}}
    await ask(cloud, "PATCH", web, {"properties": {"virtualMachineProfile": {"storageProfile": reference}}})
    await settle(cloud)
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    assert cloud.scale_set(web).instances[10].image == {"id": image, "exactVersion": "1.4.0"}


async def test_the_kind_of_image_may_not_be_changed(ask: Ask, cloud: Cloud, web: str) -> None:
    urn = {"id": None, "publisher": "Canonical", "offer": "ubuntu", "sku": "server", "version": "latest"}
    patch = {"properties": {"virtualMachineProfile": {"storageProfile": {"imageReference": urn}}}}
    refused = await ask(cloud, "PATCH", web, patch)
    assert (refused.status, refused.json()["error"]["code"]) == (409, "OperationNotAllowed")
    assert refused.json()["error"]["message"] == "The Image type for a Virtual Machine Scale Set may not be changed."
    assert cloud.scale_set(web).model == 1


async def test_a_marketplace_image_gives_vms_its_exact_version(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str
) -> None:
    urn = {"id": None, "publisher": "Canonical", "offer": "ubuntu", "sku": "server", "version": "latest"}
    overrides = {"properties": {"virtualMachineProfile": {"storageProfile": {"imageReference": urn}}}}
    cloud = Cloud(patched_demo({"overrides": overrides}, {"marketplaceVersion": "24.4.1"}), clock)
    pinned = {"properties": {"virtualMachineProfile": {"storageProfile": {"imageReference": {"version": "24.4.2"}}}}}
    assert (await ask(cloud, "PATCH", web, {**pinned, "sku": {"capacity": 11}})).status == 200
    versions = [vm.image["exactVersion"] for vm in cloud.scale_set(web).instances.values()]
    assert versions == ["24.4.1"] * 10 + ["24.4.2"]


async def test_an_unknown_member_and_a_body_that_is_no_object_are_refused(ask: Ask, cloud: Cloud, web: str) -> None:
    assert (await ask(cloud, "PATCH", web, {"capacity": 12})).status == 400
    assert (await ask(cloud, "PATCH", web, ["sku"])).status == 400
    assert (await ask(cloud, "PATCH", web)).status == 400


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"location": None}, 400, "InvalidParameter"),
        ({"sku": "Standard_D2s_v5"}, 400, "InvalidRequestContent"),
        ({"properties": {"orchestrationMode": "Flexible"}}, 400, "NotSimulated"),
    ],
)
async def test_a_set_that_cannot_be_created_is_not(
    ask: Ask, cloud: Cloud, web: str, change: Any, status: int, code: str
) -> None:
    body = {"location": "eastus2", "sku": {"name": "Standard_D2s_v5", "capacity": 1}, "properties": {}, **change}
    body = {name: value for name, value in body.items() if value is not None}
    refused = await ask(cloud, "PUT", f"{web}-2", body)
    assert (refused.status, refused.json()["error"]["code"]) == (status, code)
    assert (await ask(cloud, "GET", f"{web}-2")).status == 404


async def test_a_put_with_if_match_creates_nothing(ask: Ask, cloud: Cloud, web: str) -> None:
    body = {"location": "eastus2", "sku": {"name": "Standard_D2s_v5", "capacity": 1}}
    assert (await ask(cloud, "PUT", f"{web}-2", body, if_match='"1"')).status == 404


async def test_the_sets_of_a_subscription_are_listed(ask: Ask, cloud: Cloud, web: str, api: str) -> None:
    subscription = "/".join(web.split("/")[:3])
    listed = await ask(cloud, "GET", f"{subscription}/providers/Microsoft.Compute/virtualMachineScaleSets")
    assert [item["id"] for item in listed.json()["value"]] == [web, api]


async def test_a_set_whose_image_is_gone_still_launches_what_its_model_says(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str, image: str
) -> None:
    cloud = Cloud(patched_demo({"image": f"{image}/versions/0.9.0"}), clock)
    assert (await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})).status == 200
    assert {vm.image["id"] for vm in cloud.scale_set(web).instances.values()} == {f"{image}/versions/0.9.0"}


async def test_the_instance_view_counts_the_vms_by_state(ask: Ask, cloud: Cloud, web: str) -> None:
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 12}})
    view = (await ask(cloud, "GET", f"{web}/instanceView")).json()
    assert view["virtualMachine"]["statusesSummary"] == [
        {"code": "ProvisioningState/succeeded", "count": 10},
        {"code": "ProvisioningState/creating", "count": 2},
    ]
    assert view["statuses"][0]["code"] == "ProvisioningState/updating"
