"""What each method of the scale sets port sends, and what it makes of the answers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.arm.client import ComputeClients
from adapters.arm.pages import MOST_PAGES
from adapters.arm.scale_sets import ArmScaleSets
from adapters.arm.uniform import UniformVms
from rollout.model.azure.scale_set import ImageReference, OrchestrationMode, PurchasePlan, ScaleSet
from rollout.ports.errors import Busy, Refused, Stale

GROUP = "/subscriptions/5ab3/resourceGroups/demo/providers"
SET_ID = f"{GROUP}/Microsoft.Compute/virtualMachineScaleSets/web"
SET_URL = f"https://management.azure.com{SET_ID}"
IMAGE_ID = f"{GROUP}/Microsoft.Compute/galleries/apps/images/web/versions/1.0.0"
MARKETPLACE = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
SET = ScaleSet(SET_ID, "web", "eastus2", '"7"', 10, "Succeeded", ImageReference(id=IMAGE_ID))

EMPTY = {"error": {"code": "ResourceNotFound", "message": "The Resource was not found."}}


def set_body(**properties: Any) -> dict[str, Any]:
    """A set as ARM shows it, with these properties instead of the usual ones."""
    usual = {
        "singlePlacementGroup": False,
        "orchestrationMode": "Uniform",
        "upgradePolicy": {"mode": "Manual", "automaticOSUpgradePolicy": {"enableAutomaticOSUpgrade": False}},
        "virtualMachineProfile": {
            "storageProfile": {"osDisk": {"osType": "Linux"}, "imageReference": {"id": IMAGE_ID}},
        },
        "provisioningState": "Succeeded",
        "overprovision": False,
    }
    return {
        "name": "web",
        "id": SET_ID,
        "type": "Microsoft.Compute/virtualMachineScaleSets",
        "location": "eastus2",
        "sku": {"name": "Standard_D2s_v5", "tier": "Standard", "capacity": 10},
        "etag": '"7"',
        "properties": {**usual, **properties},
    }


def vm_body(instance_id: str = "0", **properties: Any) -> dict[str, Any]:
    """A VM as ARM lists it, with these properties besides the usual ones."""
    usual = {
        "latestModelApplied": True,
        "provisioningState": "Succeeded",
        "vmId": f"guid-{instance_id}",
        "storageProfile": {"imageReference": {"id": IMAGE_ID}},
    }
    return {
        "name": f"web_{instance_id}",
        "id": f"{SET_ID}/virtualMachines/{instance_id}",
        "instanceId": instance_id,
        "location": "eastus2",
        "sku": {"name": "Standard_D2s_v5", "tier": "Standard"},
        "properties": {**usual, **properties},
    }


def profile(**parts: Any) -> dict[str, Any]:
    """``virtualMachineProfile`` with these parts."""
    return {"virtualMachineProfile": {"storageProfile": {"imageReference": {"id": IMAGE_ID}}, **parts}}


def extension(publisher: str, kind: str) -> dict[str, Any]:
    """A model with one extension."""
    properties = {"publisher": publisher, "type": kind, "typeHandlerVersion": "1.0"}
    return profile(extensionProfile={"extensions": [{"name": "any", "properties": properties}]})


async def present(scale_sets: ArmScaleSets) -> ScaleSet:
    """The set, which is there."""
    found = await scale_sets.read(SET_ID)
    assert found is not None
    return found


async def test_read_sends_one_get(scale_sets: ArmScaleSets, script: Any) -> None:
    script.answer(200, set_body())
    await scale_sets.read(SET_ID)
    assert script.lines == [f"GET {SET_URL}?api-version=2026-04-01"]


async def test_read_tells_what_azure_shows(scale_sets: ArmScaleSets, script: Any) -> None:
    script.answer(200, {**set_body(), "zones": ["1", "2"], "tags": {"team": "web"}})
    assert await scale_sets.read(SET_ID) == replace(
        SET,
        os_type="Linux",
        sku_name="Standard_D2s_v5",
        sku_tier="Standard",
        zones=("1", "2"),
        tags={"team": "web"},
        mode=OrchestrationMode.UNIFORM,
        has_os_profile=False,
    )


async def test_what_an_image_has_to_fit_is_read(scale_sets: ArmScaleSets, script: Any) -> None:
    model = profile(osProfile={"computerNamePrefix": "web"}, securityProfile={"securityType": "TrustedLaunch"})
    plan = {"publisher": "acme", "product": "web", "name": "gold"}
    script.answer(200, {**set_body(**model), "plan": plan})
    found = await present(scale_sets)
    assert (found.has_os_profile, found.security_type, found.plan) == (
        True,
        "TrustedLaunch",
        PurchasePlan("acme", "web", "gold"),
    )


async def test_ids_are_understood_in_any_case(scale_sets: ArmScaleSets, script: Any) -> None:
    script.answer(200, set_body())
    await scale_sets.read(SET_ID.lower())
    assert script.lines == [f"GET {SET_URL}?api-version=2026-04-01"]


async def test_a_set_that_is_not_there_reads_as_none(scale_sets: ArmScaleSets, script: Any) -> None:
    script.answer(404, EMPTY)
    assert await scale_sets.read(SET_ID) is None


@pytest.mark.parametrize("given", ["", "web", f"{GROUP}/Microsoft.Compute/virtualMachines/web", f"{SET_ID}/extra/x"])
async def test_an_id_of_something_else_is_refused(scale_sets: ArmScaleSets, script: Any, given: str) -> None:
    with pytest.raises(Refused, match="invalidScaleSetId"):
        await scale_sets.read(given)
    assert script.requests == []


async def test_the_etag_is_taken_from_the_header_where_the_body_has_none(scale_sets: ArmScaleSets, script: Any) -> None:
    body = set_body()
    del body["etag"]
    script.answer(200, body, etag='"8"')
    script.answer(200, body)
    assert (await present(scale_sets)).etag == '"8"'
    assert (await present(scale_sets)).etag == ""


async def test_a_flexible_set_without_an_upgrade_policy_is_read(scale_sets: ArmScaleSets, script: Any) -> None:
    body = set_body(orchestrationMode="Flexible", **profile(storageProfile={"imageReference": MARKETPLACE}))
    del body["properties"]["upgradePolicy"]
    script.answer(200, body)
    found = await present(scale_sets)
    assert (found.mode, found.upgrade_mode) == (OrchestrationMode.FLEXIBLE, "Manual")
    assert found.image == ImageReference(**MARKETPLACE)


async def test_a_set_without_a_vm_profile_has_no_image(scale_sets: ArmScaleSets, script: Any) -> None:
    script.answer(200, {**set_body(virtualMachineProfile=None), "sku": None})
    found = await present(scale_sets)
    assert (found.image, found.os_type, found.capacity, found.reports_health) == (None, None, 0, False)


@pytest.mark.parametrize(
    ("properties", "field"),
    [
        ({"overprovision": True}, "overprovision"),
        ({"singlePlacementGroup": True}, "single_placement_group"),
        ({"upgradePolicy": {"automaticOSUpgradePolicy": {"enableAutomaticOSUpgrade": True}}}, "automatic_os_upgrade"),
        (extension("Microsoft.ManagedServices", "ApplicationHealthLinux"), "reports_health"),
        (extension("microsoft.managedservices", "applicationHealthWindows"), "reports_health"),
        (profile(networkProfile={"healthProbe": {"id": "/probes/http"}}), "reports_health"),
        (extension("Microsoft.Azure.ServiceFabric", "ServiceFabricLinuxNode"), "service_fabric"),
    ],
)
async def test_what_stands_in_the_way_of_a_deployment_is_seen(
    scale_sets: ArmScaleSets, script: Any, properties: dict[str, Any], field: str
) -> None:
    script.answer(200, set_body(**properties))
    script.answer(200, set_body())
    assert getattr(await present(scale_sets), field) is True
    assert getattr(await present(scale_sets), field) is False


@pytest.mark.parametrize(
    ("publisher", "kind"),
    [("Microsoft.OSTCExtensions", "ApplicationHealthLinux"), ("Microsoft.ManagedServices", "SomethingElse")],
)
async def test_another_extension_reports_no_health(
    scale_sets: ArmScaleSets, script: Any, publisher: str, kind: str
) -> None:
    script.answer(200, set_body(**extension(publisher, kind)))
    assert (await present(scale_sets)).reports_health is False


async def test_pools_of_every_kind_are_listed_once(scale_sets: ArmScaleSets, script: Any) -> None:
    pools = [{"id": "/pools/a"}, {"id": "/pools/b"}]
    addresses = [
        {"properties": {"loadBalancerBackendAddressPools": pools, "applicationGatewayBackendAddressPools": None}},
        {"properties": {"applicationGatewayBackendAddressPools": [{"id": "/pools/c"}, {"id": "/pools/a"}]}},
    ]
    cards = [{"name": "nic", "properties": {"ipConfigurations": addresses}}, {"name": "bare", "properties": {}}]
    script.answer(200, set_body(**profile(networkProfile={"networkInterfaceConfigurations": cards})))
    assert (await present(scale_sets)).backend_pools == ("/pools/a", "/pools/b", "/pools/c")


async def test_list_vms_sends_what_the_sdk_itself_would(
    clients: ComputeClients, uniform_vms: UniformVms, script: Any
) -> None:
    script.answer(200, {"value": []})
    script.answer(200, {"value": []})
    await uniform_vms.list_vms(SET_ID)
    typed = clients.of(SET_ID).virtual_machine_scale_set_vms
    assert [vm async for vm in typed.list("demo", "web", expand="instanceView")] == []
    ours, sdks = script.requests
    assert ours.url == sdks.url == f"{SET_URL}/virtualMachines?api-version=2026-04-01&$expand=instanceView"
    own = {"x-ms-client-request-id"}
    assert {**ours.headers, **dict.fromkeys(own)} == {**sdks.headers, **dict.fromkeys(own)}


async def test_every_page_of_vms_is_read_and_counted(uniform_vms: UniformVms, script: Any) -> None:
    next_link = f"{SET_URL}/virtualMachines?$skiptoken=opaque%3D&api-version=2026-04-01"
    script.answer(200, {"value": [vm_body("0")], "nextLink": next_link})
    script.answer(200, {"value": [vm_body("1")]})
    listed = await uniform_vms.list_vms(SET_ID)
    assert [vm.instance_id for vm in listed.vms] == ["0", "1"]
    assert listed.requests == 2
    assert script.lines[1] == f"GET {next_link}"


@pytest.mark.parametrize(
    ("header", "remaining"),
    [
        ("Microsoft.Compute/HighCostGetVMScaleSet3Min;177", 177),
        ("Microsoft.Compute/HighCostGetVMScaleSet3Min;177,Microsoft.Compute/VMScaleSetVMViews3Min;4990", 177),
        ("Microsoft.Compute/VMScaleSetVMViews3Min;4990, Microsoft.Compute/HighCostGetVMScaleSet3Min;0", 0),
        ("Microsoft.Compute/HighCostGetVMScaleSet3Min", None),
        ("", None),
    ],
)
async def test_the_policy_with_the_fewest_requests_left_is_told(
    uniform_vms: UniformVms, script: Any, header: str, remaining: int | None
) -> None:
    script.answer(200, {"value": []}, x_ms_ratelimit_remaining_resource=header)
    assert (await uniform_vms.list_vms(SET_ID)).remaining == remaining


async def test_what_the_last_page_says_is_left_counts(uniform_vms: UniformVms, script: Any) -> None:
    next_link = f"{SET_URL}/virtualMachines?$skiptoken=opaque"
    for left, link in ((9, next_link), (8, None)):
        header = f"Microsoft.Compute/HighCostGetVMScaleSet3Min;{left}"
        script.answer(200, {"value": [], "nextLink": link}, x_ms_ratelimit_remaining_resource=header)
    assert (await uniform_vms.list_vms(SET_ID)).remaining == 8


async def test_nothing_is_told_of_what_is_left_where_azure_tells_nothing(uniform_vms: UniformVms, script: Any) -> None:
    script.answer(200, {"value": []})
    assert (await uniform_vms.list_vms(SET_ID)).remaining is None


THROTTLED = {"code": "OperationNotAllowed", "message": "The server rejected the request."}


async def test_a_list_throttled_at_a_later_page_waits_until_all_its_pages_are_refilled(
    uniform_vms: UniformVms, script: Any
) -> None:
    for _ in range(9):
        script.answer(200, {"value": [], "nextLink": f"{SET_URL}/virtualMachines?$skiptoken=more"})
    script.answer(429, THROTTLED, retry_after="37")
    with pytest.raises(Busy) as caught:
        await uniform_vms.list_vms(SET_ID)
    assert (caught.value.code, caught.value.retry_after) == ("OperationNotAllowed", timedelta(minutes=2))


@pytest.mark.parametrize(("status", "header"), [(429, {"retry_after": "37"}), (503, {})])
async def test_a_list_that_is_refused_at_once_waits_as_azure_says(
    uniform_vms: UniformVms, script: Any, status: int, header: dict[str, str]
) -> None:
    script.answer(status, THROTTLED, **header)
    with pytest.raises(Busy) as caught:
        await uniform_vms.list_vms(SET_ID)
    assert caught.value.retry_after == (timedelta(seconds=37) if header else None)


async def test_a_list_without_an_end_is_refused(uniform_vms: UniformVms, script: Any) -> None:
    for _ in range(MOST_PAGES):
        script.answer(200, {"value": [], "nextLink": f"{SET_URL}/virtualMachines?$skiptoken=again"})
    with pytest.raises(Refused, match="tooManyPages"):
        await uniform_vms.list_vms(SET_ID)
    assert len(script.requests) == MOST_PAGES


async def test_a_vm_is_told_with_its_state_and_health(uniform_vms: UniformVms, script: Any) -> None:
    view = {
        "vmHealth": {"status": {"code": "HealthState/Healthy", "level": "Info"}},
        "statuses": [{"code": "ProvisioningState/succeeded"}, {"code": "PowerState/running"}],
    }
    created = "2026-11-23T09:00:00.1234567+01:00"
    body = vm_body("3", instanceView=view, timeCreated=created, protectionPolicy={"protectFromScaleSetActions": True})
    script.answer(200, {"value": [{**body, "zones": ["2"]}]})
    (vm,) = (await uniform_vms.list_vms(SET_ID)).vms
    assert (vm.vm_id, vm.name, vm.instance_id, vm.image) == ("guid-3", "web_3", "3", ImageReference(id=IMAGE_ID))
    assert (vm.power_state, vm.health, vm.zone, vm.protected) == ("running", "healthy", "2", True)
    assert vm.created_at == datetime(2026, 11, 23, 8, 0, 0, 123456, UTC)
    assert vm.running


@pytest.mark.parametrize("state", ["healthy", "unhealthy", "unknown", "initializing"])
async def test_every_health_state_is_told_in_lower_case(uniform_vms: UniformVms, script: Any, state: str) -> None:
    health = {"status": {"code": f"HealthState/{state.capitalize()}"}}
    script.answer(200, {"value": [vm_body(instanceView={"vmHealth": health})]})
    (vm,) = (await uniform_vms.list_vms(SET_ID)).vms
    assert vm.health == state


async def test_a_vm_without_an_instance_view_has_no_known_state(uniform_vms: UniformVms, script: Any) -> None:
    script.answer(200, {"value": [vm_body()]})
    (vm,) = (await uniform_vms.list_vms(SET_ID)).vms
    assert (vm.power_state, vm.health, vm.zone, vm.protected, vm.created_at) == (None, None, None, False, None)


async def test_a_vm_that_has_no_identity_yet_is_not_listed(uniform_vms: UniformVms, script: Any) -> None:
    script.answer(200, {"value": [vm_body("0"), vm_body("1", vmId=None)]})
    assert [vm.instance_id for vm in (await uniform_vms.list_vms(SET_ID)).vms] == ["0"]


@pytest.mark.parametrize(
    ("given", "image"),
    [
        ({**MARKETPLACE, "exactVersion": "1.2.3"}, ImageReference(**{**MARKETPLACE, "version": "1.2.3"})),
        (MARKETPLACE, ImageReference(**MARKETPLACE)),
        (
            {"id": "/g/galleries/a/images/web", "exactVersion": "1.2.3"},
            ImageReference("/g/galleries/a/images/web/versions/1.2.3"),
        ),
        ({"id": IMAGE_ID, "exactVersion": "1.0.0"}, ImageReference(id=IMAGE_ID)),
        (
            {"communityGalleryImageId": "/CommunityGalleries/c/Images/i", "exactVersion": "1.0.0"},
            ImageReference(community_gallery_image_id="/CommunityGalleries/c/Images/i/versions/1.0.0"),
        ),
        (
            {"sharedGalleryImageId": "/SharedGalleries/s/Images/i/Versions/2.0.0"},
            ImageReference(shared_gallery_image_id="/SharedGalleries/s/Images/i/Versions/2.0.0"),
        ),
    ],
)
async def test_a_vms_image_is_the_exact_one_where_azure_tells_it(
    uniform_vms: UniformVms, script: Any, given: dict[str, Any], image: ImageReference
) -> None:
    script.answer(200, {"value": [vm_body(storageProfile={"imageReference": given})]})
    (vm,) = (await uniform_vms.list_vms(SET_ID)).vms
    assert vm.image == image


async def test_listing_the_vms_of_a_set_that_is_gone_is_stale(uniform_vms: UniformVms, script: Any) -> None:
    script.answer(
        404,
        {"error": {"code": "ParentResourceNotFound", "message": f"The parent resource '{SET_ID}' could not be found."}},
    )
    with pytest.raises(Stale):
        await uniform_vms.list_vms(SET_ID)


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        (ImageReference(id=IMAGE_ID), {"id": IMAGE_ID}),
        (ImageReference(**MARKETPLACE), MARKETPLACE),
        (ImageReference(shared_gallery_image_id="/s/1"), {"sharedGalleryImageId": "/s/1"}),
        (ImageReference(community_gallery_image_id="/c/1"), {"communityGalleryImageId": "/c/1"}),
    ],
)
async def test_set_image_changes_nothing_but_the_image_of_the_set_as_read(
    scale_sets: ArmScaleSets, script: Any, image: ImageReference, reference: dict[str, str]
) -> None:
    script.answer(200, set_body(provisioningState="Updating"), azure_asyncoperation="https://never.asked/")
    await scale_sets.set_image(SET, image)
    (request,) = script.requests
    assert script.lines == [f"PATCH {SET_URL}?api-version=2026-04-01"]
    assert request.headers["If-Match"] == '"7"'
    assert json.loads(request.content) == {
        "properties": {"virtualMachineProfile": {"storageProfile": {"imageReference": reference}}}
    }


async def test_raise_capacity_changes_nothing_but_the_capacity_of_the_set_as_read(
    scale_sets: ArmScaleSets, script: Any
) -> None:
    script.answer(200, set_body(provisioningState="Updating"), azure_asyncoperation="https://never.asked/")
    await scale_sets.raise_capacity(SET, 12)
    (request,) = script.requests
    assert script.lines == [f"PATCH {SET_URL}?api-version=2026-04-01"]
    assert request.headers["If-Match"] == '"7"'
    assert request.content == '{"sku": {"capacity": 12}}'


async def test_delete_vms_is_one_call_that_waits_for_nothing(scale_sets: ArmScaleSets, script: Any) -> None:
    script.answer(202, azure_asyncoperation="https://never.asked/", location="https://never.asked/")
    await scale_sets.delete_vms(SET, ["0", "4"])
    (request,) = script.requests
    assert script.lines == [f"POST {SET_URL}/delete?api-version=2026-04-01"]
    assert request.content == '{"instanceIds": ["0", "4"]}'


@pytest.mark.parametrize("instance_ids", [[], ["*"], ["0", "*"]])
async def test_a_delete_that_would_mean_every_vm_is_not_sent(
    scale_sets: ArmScaleSets, script: Any, instance_ids: list[str]
) -> None:
    with pytest.raises(ValueError, match="one by one"):
        await scale_sets.delete_vms(SET, instance_ids)
    assert script.requests == []


async def test_a_set_read_without_an_etag_is_not_changed(scale_sets: ArmScaleSets, script: Any) -> None:
    unguarded = replace(SET, etag="")
    with pytest.raises(Refused, match="etagMissing"):
        await scale_sets.set_image(unguarded, ImageReference(id=IMAGE_ID))
    with pytest.raises(Refused, match="etagMissing"):
        await scale_sets.raise_capacity(unguarded, 12)
    assert script.requests == []


async def test_a_set_changed_since_it_was_read_is_stale(scale_sets: ArmScaleSets, script: Any) -> None:
    script.answer(412, {"error": {"code": "PreconditionFailed", "message": "Etag provided does not match"}})
    with pytest.raises(Stale) as caught:
        await scale_sets.raise_capacity(SET, 12)
    assert (caught.value.code, caught.value.message) == ("PreconditionFailed", "Etag provided does not match")


@pytest.mark.parametrize("name", ["web_3", "WEB_3"])
async def test_a_vm_is_read_by_the_id_in_its_name_with_its_instance_view(
    uniform_vms: UniformVms, script: Any, name: str
) -> None:
    script.answer(200, vm_body("3", timeCreated="2026-11-23T08:15:00+00:00", instanceView={"statuses": []}))
    vm = await uniform_vms.read_vm(SET_ID, name)
    assert vm is not None
    assert (vm.vm_id, vm.name, vm.created_at) == ("guid-3", "web_3", datetime(2026, 11, 23, 8, 15, tzinfo=UTC))
    assert script.lines == [f"GET {SET_URL}/virtualMachines/3?api-version=2026-04-01&$expand=instanceView"]


@pytest.mark.parametrize("name", ["web", "web_", "web_x", "web_3a", "web_3/../4", "api_3", "web_1_3", "web_\u0663", ""])
async def test_a_name_that_no_vm_of_the_set_can_have_is_not_asked_for(
    uniform_vms: UniformVms, script: Any, name: str
) -> None:
    assert await uniform_vms.read_vm(SET_ID, name) is None
    assert script.requests == []


async def test_a_vm_that_is_not_there_or_not_made_yet_is_none(uniform_vms: UniformVms, script: Any) -> None:
    script.answer(404, EMPTY)
    script.answer(200, vm_body("3", vmId=None))
    assert await uniform_vms.read_vm(SET_ID, "web_3") is None
    assert await uniform_vms.read_vm(SET_ID, "web_3") is None


async def test_a_throttled_read_of_a_vm_is_busy(uniform_vms: UniformVms, script: Any) -> None:
    script.answer(429, {"error": {"code": "TooManyRequests", "message": "Wait"}}, retry_after="7")
    with pytest.raises(Busy) as caught:
        await uniform_vms.read_vm(SET_ID, "web_3")
    assert caught.value.retry_after == timedelta(seconds=7)
