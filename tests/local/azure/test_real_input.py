"""Worlds made from what Azure answered for real scale sets."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from local.azure.cloud import Cloud
from local.azure.lifecycle import health_source
from local.azure.messages import Response
from local.azure.real_input import world_of_scale_set
from local.azure.world import World, WorldError
from local.clock import Clock

Ask = Callable[..., Awaitable[Response]]

GROUP = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/production"
SET = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/Front_End"
IMAGE = f"{GROUP}/providers/Microsoft.Compute/galleries/golden/images/front"
URN = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}


def arm_body(reference: Any, name: str = "Front_End") -> dict[str, Any]:
    """What ARM's GET answers, with an undocumented property."""
    interface = {
        "name": "nic",
        "properties": {
            "primary": True,
            "enableIPForwarding": False,
            "ipConfigurations": [{"name": "ip", "properties": {"privateIPAddressVersion": "IPv4"}}],
        },
    }
    extension = {
        "name": "health",
        "properties": {
            "publisher": "Microsoft.ManagedServices",
            "type": "ApplicationHealthLinux",
            "typeHandlerVersion": "2.0",
            "settings": {"protocol": "tcp", "port": 22},
        },
    }
    return {
        "name": name,
        "id": SET.replace("Front_End", name),
        "type": "Microsoft.Compute/virtualMachineScaleSets",
        "location": "westeurope",
        "tags": {"owner": "shop"},
        "sku": {"name": "Standard_D4s_v5", "tier": "Standard", "capacity": 4},
        "zones": ["1", "3"],
        "properties": {
            "orchestrationMode": "Uniform",
            "provisioningState": "Succeeded",
            "singlePlacementGroup": False,
            "overprovision": True,
            "notDocumented": {"at": ["all"]},
            "upgradePolicy": {"mode": "Manual", "automaticOSUpgradePolicy": {"enableAutomaticOSUpgrade": False}},
            "virtualMachineProfile": {
                "storageProfile": {
                    "osDisk": {"osType": "Linux", "createOption": "FromImage", "diskSizeGB": 30},
                    "imageReference": reference,
                },
                "networkProfile": {"networkInterfaceConfigurations": [interface]},
                "extensionProfile": {"extensions": [extension]},
            },
        },
    }


def printed_by_cli(reference: Any) -> dict[str, Any]:
    """The same set as `az vmss show` prints it: flattened, with nulls and names of its own."""
    return {
        "name": "Front_End",
        "id": SET,
        "type": "Microsoft.Compute/virtualMachineScaleSets",
        "location": "westeurope",
        "resourceGroup": "production",
        "tags": {"owner": "shop"},
        "plan": None,
        "sku": {"name": "Standard_D4s_v5", "tier": "Standard", "capacity": 4},
        "zones": ["1", "3"],
        "orchestrationMode": "Uniform",
        "provisioningState": "Succeeded",
        "singlePlacementGroup": False,
        "overprovision": True,
        "upgradePolicy": {"mode": "Manual", "automaticOsUpgradePolicy": {"enableAutomaticOsUpgrade": False}},
        "virtualMachineProfile": {
            "storageProfile": {
                "osDisk": {"osType": "Linux", "createOption": "FromImage", "diskSizeGb": 30},
                "imageReference": {"resourceGroup": "production", **reference},
            },
            "networkProfile": {
                "networkInterfaceConfigurations": [
                    {
                        "name": "nic",
                        "primary": True,
                        "enableIpForwarding": False,
                        "ipConfigurations": [{"name": "ip", "privateIpAddressVersion": "IPv4", "subnet": None}],
                    }
                ]
            },
            "extensionProfile": {
                "extensions": [
                    {
                        "name": "health",
                        "publisher": "Microsoft.ManagedServices",
                        "type": None,
                        "typePropertiesType": "ApplicationHealthLinux",
                        "typeHandlerVersion": "2.0",
                        "settings": {"protocol": "tcp", "port": 22},
                    }
                ]
            },
        },
    }


@pytest.fixture
def world_of(tmp_path: Path) -> Callable[[Any], World]:
    """The world of a file that holds this JSON."""

    def build(document: Any) -> World:
        path = tmp_path / "set.json"
        path.write_text(json.dumps(document))
        return world_of_scale_set(path)

    return build


async def test_a_set_is_served_back_as_it_was_given_and_has_its_vms(
    ask: Ask, clock: Clock, world_of: Callable[[Any], World]
) -> None:
    body = arm_body({"id": f"{IMAGE}/versions/2.3.4"})
    cloud = Cloud(world_of(body), clock)
    served = (await ask(cloud, "GET", SET)).json()
    assert served == {**body, "etag": '"1"'}
    vms = (await ask(cloud, "GET", f"{SET}/virtualMachines?$expand=instanceView")).json()["value"]
    assert [(vm["name"], vm["zones"]) for vm in vms] == [
        ("Front_End_0", ["1"]),
        ("Front_End_1", ["3"]),
        ("Front_End_2", ["1"]),
        ("Front_End_3", ["3"]),
    ]
    assert {vm["properties"]["instanceView"]["vmHealth"]["status"]["code"] for vm in vms} == {"HealthState/healthy"}


async def test_the_gallery_of_its_image_has_the_running_version_a_bad_one_and_a_good_one(
    ask: Ask, clock: Clock, world_of: Callable[[Any], World]
) -> None:
    cloud = Cloud(world_of(arm_body({"id": f"{IMAGE}/versions/2.3.4"})), clock)
    versions = (await ask(cloud, "GET", f"{IMAGE}/versions")).json()["value"]
    assert [version["name"] for version in versions] == ["2.3.4", "2.3.5", "2.4.0"]
    patch = {"imageReference": {"id": f"{IMAGE}/versions/2.4.0"}}
    body = {"properties": {"virtualMachineProfile": {"storageProfile": patch}}, "sku": {"capacity": 5}}
    assert (await ask(cloud, "PATCH", SET, body)).status == 200
    [gallery] = cloud.world.galleries
    assert {version.name: version.behavior.never_healthy for version in gallery.images[0].versions} == {
        "2.3.4": False,
        "2.3.5": True,
        "2.4.0": False,
    }


async def test_an_image_without_a_version_runs_one_older_than_the_newest(
    ask: Ask, clock: Clock, world_of: Callable[[Any], World]
) -> None:
    cloud = Cloud(world_of(arm_body({"id": IMAGE})), clock)
    assert {vm.image["exactVersion"] for vm in cloud.scale_set(SET).instances.values()} == {"1.0.0"}
    await ask(cloud, "PATCH", SET, {"sku": {"capacity": 5}})
    assert cloud.scale_set(SET).instances[4].image["exactVersion"] == "1.1.0"


async def test_other_images_get_a_gallery_to_deploy_from(
    ask: Ask, clock: Clock, world_of: Callable[[Any], World]
) -> None:
    world = world_of(arm_body({"id": f"{GROUP}/providers/Microsoft.Compute/images/managed"}))
    cloud = Cloud(world, clock)
    assert world.groups[0]["imageId"] == f"{GROUP}/providers/Microsoft.Compute/galleries/apps/images/Front_End"
    image = (await ask(cloud, "GET", world.groups[0]["imageId"])).json()
    assert image["properties"]["osType"] == "Linux"
    version = await ask(cloud, "GET", f"{world.groups[0]['imageId']}/versions/1.1.0?$expand=ReplicationStatus")
    assert version.json()["properties"]["replicationStatus"]["summary"][0]["region"] == "westeurope"


@pytest.mark.parametrize(
    ("version", "names"), [("1.2.3", ["1.2.3", "1.2.4", "1.2.5"]), ("latest", ["1.0.0", "1.0.1", "1.0.2"])]
)
async def test_a_marketplace_image_has_the_running_version_a_bad_one_and_a_good_one(
    ask: Ask, clock: Clock, world_of: Callable[[Any], World], version: str, names: list[str]
) -> None:
    body = arm_body({**URN, "version": version})
    body["plan"] = {"publisher": "p", "product": "o", "name": "s"}
    world = world_of(body)
    cloud = Cloud(world, clock)
    assert "imageId" not in world.groups[0]
    sku = f"publishers/{URN['publisher']}/artifacttypes/vmimage/offers/{URN['offer']}/skus/{URN['sku']}"
    versions = f"{SET.partition('/resourceGroups/')[0]}/providers/Microsoft.Compute/locations/westeurope/{sku}/versions"
    assert [version["name"] for version in (await ask(cloud, "GET", versions)).json()] == names
    [first, *_] = world.marketplace
    assert (first.os_type, first.plan and first.plan.product) == ("Linux", "o")


def test_an_image_is_made_to_fit_its_set(world_of: Callable[[Any], World]) -> None:
    body = arm_body({"id": f"{IMAGE}/versions/2.3.4"})
    body["sku"]["name"] = "Standard_D4ps_v5"
    body["properties"]["virtualMachineProfile"]["securityProfile"] = {"securityType": "TrustedLaunch"}
    image = world_of(body).galleries[0].images[0]
    assert (image.os_state, image.architecture, image.security_type) == (
        "Specialized",
        "Arm64",
        "TrustedLaunchSupported",
    )


def test_the_cli_s_output_is_the_same_set(world_of: Callable[[Any], World]) -> None:
    reference = {"id": f"{IMAGE}/versions/2.3.4"}
    expected = arm_body(reference)
    del expected["properties"]["notDocumented"]
    assert world_of(printed_by_cli(reference)).resources == (expected,)


def test_each_set_of_a_list_gets_a_group_with_the_health_checks_it_can_have(world_of: Callable[[Any], World]) -> None:
    plain = arm_body(URN, "front-end")
    del plain["properties"]["virtualMachineProfile"]["extensionProfile"]
    expected = [
        {"id": "front-end", "scaleSetId": SET, "healthCheckTypes": ["vmState", "applicationHealth"]},
        {"id": "front-end-2", "scaleSetId": plain["id"], "healthCheckTypes": ["vmState"]},
    ]
    for document in ({"value": [arm_body(URN), plain]}, [arm_body(URN), plain]):
        groups = world_of(document).groups
        assert [
            {name: group[name] for name in ("id", "scaleSetId", "healthCheckTypes")} for group in groups
        ] == expected


def test_the_last_answer_of_a_recording_counts(world_of: Callable[[Any], World]) -> None:
    first, last = arm_body(URN), arm_body(URN)
    last["sku"]["capacity"] = 9
    recording = [{"request": {}, "response": {"status": 200, "body": body}} for body in (first, {"status": "x"}, last)]
    assert [body["sku"]["capacity"] for body in world_of(recording).resources] == [9]


async def test_a_flexible_set_is_served_with_vms_of_their_own(
    ask: Ask, clock: Clock, world_of: Callable[[Any], World]
) -> None:
    body = arm_body(URN)
    body["properties"]["orchestrationMode"] = "Flexible"
    cloud = Cloud(world_of(body), clock)
    assert (await ask(cloud, "GET", SET)).json()["properties"]["orchestrationMode"] == "Flexible"
    vms = (await ask(cloud, "GET", f"{SET}/virtualMachines")).json()["value"]
    assert len(vms) == 4
    assert all(vm["instanceId"].startswith("Front_End_") and "properties" not in vm for vm in vms)
    group = SET.partition("/virtualMachineScaleSets/")[0]
    for vm in vms:
        assert (await ask(cloud, "GET", f"{group}/virtualMachines/{vm['name']}")).json()["name"] == vm["name"]


async def test_the_pools_that_a_set_names_exist(ask: Ask, clock: Clock, world_of: Callable[[Any], World]) -> None:
    body = arm_body(URN)
    group = SET.partition("/providers/")[0]
    pool = f"{group}/providers/Microsoft.Network/loadBalancers/Front-LB/backendAddressPools/Servers"
    properties = {"loadBalancerBackendAddressPools": [{"id": pool}]}
    interface = {"name": "nic", "properties": {"ipConfigurations": [{"name": "ip", "properties": properties}]}}
    body["properties"]["virtualMachineProfile"]["networkProfile"] = {"networkInterfaceConfigurations": [interface]}
    cloud = Cloud(world_of(body), clock)
    members = (await ask(cloud, "GET", pool)).json()["properties"]["backendIPConfigurations"]
    assert len(members) == 4


@pytest.mark.parametrize(
    "given",
    [
        "",
        "[",
        "{}",
        "[]",
        "null",
        '{"id": "x", "name": "x", "location": "x"}',
        json.dumps({**arm_body(URN), "properties": 1}),
    ],
)
def test_a_file_without_a_scale_set_is_refused_in_one_line(tmp_path: Path, given: Any) -> None:
    path = tmp_path / "set.json"
    path.write_text(given)
    with pytest.raises(WorldError) as raised:
        world_of_scale_set(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="No such file"):
        world_of_scale_set(tmp_path / "missing.json")


def test_the_health_of_a_restored_set_is_that_of_its_extension(world_of: Callable[[Any], World]) -> None:
    [body] = world_of(printed_by_cli(URN)).resources
    source = health_source(body["properties"]["virtualMachineProfile"])
    assert source is not None
    assert (source.kind, source.is_tcp) == ("rich", True)
