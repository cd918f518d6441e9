"""What the simulated Azure answers, held to closed JSON schemas made from the models of the installed SDK.

A property that no model declares is an error, and so is an enumeration's value that the SDK does not list.
"""

import enum
import typing
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from azure.mgmt.compute import models
from azure.mgmt.network import models as network_models
from jsonschema import Draft202012Validator

from local.azure.arm.arm_shape import fields
from local.azure.arm.messages import ArmResponse
from local.azure.cloud import Cloud
from local.azure.world import Fault, World, demo_world, parse_world
from local.clock import PlatformClock

pytestmark = pytest.mark.slow

Ask = Callable[..., Awaitable[ArmResponse]]

LEAVES: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    datetime: {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"},
}


#: Enumerations that the SDK has not kept up with: it lists no VM size newer than 2018.
OPEN = frozenset({models.VirtualMachineSizeTypes})


class Schemas:
    """Closed schemas of SDK models, each under its name in ``definitions``."""

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}

    def of(self, kind: Any) -> dict[str, Any]:
        arguments = [part for part in typing.get_args(kind) if part is not type(None)]
        origin = typing.get_origin(kind)
        if origin is list:
            return {"type": "array", "items": self.of(arguments[0])}
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        if arguments:
            listed = next((part for part in arguments if isinstance(part, type) and issubclass(part, enum.Enum)), None)
            if listed is None or listed in OPEN:
                return self.of(arguments[0])
            return {"enum": [str(item.value) for item in listed]}
        if isinstance(kind, type) and kind.__module__.startswith("azure.mgmt."):
            return self.reference(kind)
        return LEAVES.get(kind, {})

    def reference(self, model: type) -> dict[str, Any]:
        name = f"{model.__module__}.{model.__name__}"
        if name not in self.definitions:
            self.definitions[name] = {}
            properties = {name: self.of(kind) for name, kind in fields(model).items()}
            closed = {"type": "object", "properties": properties, "additionalProperties": False}
            self.definitions[name] = closed
        return {"$ref": f"#/$defs/{name}"}


def problems(model: type, body: Any) -> list[str]:
    schemas = Schemas()
    validator = Draft202012Validator({**schemas.of(model), "$defs": schemas.definitions})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]


@pytest.mark.parametrize("health", ["binary", "rich", "probe", "none"])
@pytest.mark.parametrize("os_type", ["Linux", "Windows"])
async def test_scale_sets_are_as_the_sdk_declares_them(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str, health: str, os_type: str
) -> None:
    cloud = Cloud(patched_demo({"health": health, "osType": os_type}), clock)
    assert problems(models.VirtualMachineScaleSet, (await ask(cloud, "GET", web)).json()) == []
    patched = await ask(cloud, "PATCH", web, {"sku": {"capacity": 12}})
    assert problems(models.VirtualMachineScaleSet, patched.json()) == []
    view = await ask(cloud, "GET", f"{web}/instanceView")
    assert problems(models.VirtualMachineScaleSetInstanceView, view.json()) == []


@pytest.mark.parametrize("health", ["binary", "rich", "probe", "none"])
async def test_vms_are_as_the_sdk_declares_them_in_every_state(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str, image: str, health: str
) -> None:
    cloud = Cloud(patched_demo({"health": health, "capacity": 6}), clock)
    cloud.faults.add(Fault(method="PATCH", calls=(2,), allocation_failures=1))
    reference = {"storageProfile": {"imageReference": {"id": f"{image}/versions/1.3.0"}}}
    await ask(cloud, "PATCH", web, {"properties": {"virtualMachineProfile": reference}})
    await clock.sleep(timedelta(seconds=10))
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 10}})
    cloud.interfere.stop(web, "web_0")
    cloud.interfere.stop(web, "web_1", deallocate=True)
    cloud.interfere.delete_vm(web, "web_2")
    cloud.interfere.protect(web, "web_3", {"protectFromScaleIn": True})
    for _ in range(5):
        listed = (await ask(cloud, "GET", f"{web}/virtualMachines?$expand=instanceView")).json()["value"]
        assert listed
        for vm in listed:
            assert problems(models.VirtualMachineScaleSetVM, vm) == []
            alone = await ask(cloud, "GET", f"{vm['id']}/instanceView")
            assert problems(models.VirtualMachineScaleSetVMInstanceView, alone.json()) == []
        await clock.sleep(timedelta(seconds=25))


async def test_galleries_are_as_the_sdk_declares_them(ask: Ask, cloud: Cloud, image: str) -> None:
    version = await ask(cloud, "GET", f"{image}/versions/1.1.0?$expand=ReplicationStatus")
    assert problems(models.GalleryImageVersion, version.json()) == []
    assert problems(models.GalleryImage, (await ask(cloud, "GET", image)).json()) == []
    assert problems(models.Gallery, (await ask(cloud, "GET", image.rpartition("/images/")[0])).json()) == []


async def test_versions_are_as_the_sdk_declares_them_in_every_state(
    ask: Ask, cloud: Cloud, clock: PlatformClock, image: str
) -> None:
    url = cloud.interfere.publish(image, "2.0.0", tags={"a": "b"}, replicated_after={"westus2": timedelta(hours=1)})
    source = {"id": "/subscriptions/0/resourceGroups/build/providers/Microsoft.Compute/images/web"}
    profile = {"replicationMode": "Shallow", "endOfLifeDate": "2027-01-01T00:00:00Z"}
    said = {"publishingProfile": profile, "storageProfile": {"source": source}}
    created = await ask(cloud, "PUT", f"{image}/versions/2.1.0", {"location": "East US 2", "properties": said})
    patched = await ask(cloud, "PATCH", url, {"tags": {}})
    await ask(cloud, "DELETE", f"{image}/versions/1.1.0")
    for version in (created.json(), patched.json()):
        assert problems(models.GalleryImageVersion, version) == []
    for _ in range(3):
        for name in ("1.1.0", "1.2.0", "2.0.0", "2.1.0"):
            read = await ask(cloud, "GET", f"{image}/versions/{name}?$expand=ReplicationStatus")
            assert read.status == 404 or problems(models.GalleryImageVersion, read.json()) == []
        await clock.sleep(timedelta(seconds=300))


async def test_images_are_as_the_sdk_declares_them(ask: Ask, clock: PlatformClock, image: str) -> None:
    document = demo_world().model_dump(mode="json", by_alias=True)
    plan = {"publisher": "p", "product": "o", "name": "s"}
    gallery = document["galleries"][0] | {"shared": True, "communityName": "public"}
    gallery["images"][0] |= {"securityType": "TrustedLaunch", "purchasePlan": plan}
    gallery["images"][0]["versions"][1] |= {"endOfLifeAfter": 60}
    urn = {"publisher": "p", "offer": "o", "sku": "s"}
    versions = [{"name": "1.0.0"}, {"name": "1.1.0", "deprecatedAfter": 60}]
    document |= {
        "galleries": [gallery],
        "marketplace": [urn | {"plan": plan, "securityType": "TrustedLaunch", "versions": versions}],
        "managedImages": [{"name": "golden", "resourceGroup": "demo"}],
    }
    cloud = Cloud(parse_world(document), clock)
    subscription = "/".join(image.split("/")[:3])
    region = f"{subscription}/providers/Microsoft.Compute/locations/eastus2"
    unique = f"sharedGalleries/{subscription.rpartition('/')[2]}-APPS/images/web"
    marketplace = "publishers/p/artifacttypes/vmimage/offers/o/skus/s/versions"
    for path, kind in (
        (image, models.GalleryImage),
        (f"{image}/versions/1.1.0", models.GalleryImageVersion),
        (f"{region}/{unique}", models.SharedGalleryImage),
        (f"{region}/{unique}/versions/1.1.0", models.SharedGalleryImageVersion),
        (f"{region}/communityGalleries/public/images/web", models.CommunityGalleryImage),
        (f"{region}/communityGalleries/public/images/web/versions/1.1.0", models.CommunityGalleryImageVersion),
        (f"{region}/{marketplace}/1.1.0", models.VirtualMachineImage),
        (f"{subscription}/resourceGroups/demo/providers/Microsoft.Compute/images/golden", models.Image),
    ):
        answer = await ask(cloud, "GET", path)
        assert (answer.status, problems(kind, answer.json())) == (200, []), path
    listed = (await ask(cloud, "GET", f"{region}/{marketplace}")).json()
    assert [problems(models.VirtualMachineImageResource, item) for item in listed] == [[], []]


async def test_usages_are_as_the_sdk_declares_them(ask: Ask, cloud: Cloud, web: str) -> None:
    subscription = "/".join(web.split("/")[:3])
    usages = (await ask(cloud, "GET", f"{subscription}/providers/Microsoft.Compute/locations/eastus2/usages")).json()
    assert [problems(models.Usage, usage) for usage in usages["value"]] == [[]] * 4


async def test_flexible_vms_are_as_the_sdk_declares_them_in_every_state(
    ask: Ask, clock: PlatformClock, networked: Callable[..., World], api: str
) -> None:
    cloud = Cloud(networked(api={"capacity": 3, "attachedVms": ["old"], "listsLatestModel": True}), clock)
    assert problems(models.VirtualMachineScaleSet, (await ask(cloud, "GET", api)).json()) == []
    cloud.faults.add(Fault(method="PATCH", allocation_failures=1))
    await ask(cloud, "PATCH", api, {"sku": {"capacity": 5}})
    names = [vm.name for vm in cloud.scale_set(api).active()]
    cloud.interfere.stop(api, names[0], deallocate=True)
    cloud.interfere.delete_vm(api, names[1])
    group = api.partition("/virtualMachineScaleSets/")[0]
    query = f"$filter='virtualMachineScaleSet/id' eq '{api}'"
    for _ in range(3):
        for more in ("&$expand=instanceView", "&statusOnly=true"):
            listed = (await ask(cloud, "GET", f"{group}/virtualMachines?{query}{more}")).json()["value"]
            assert [problems(models.VirtualMachine, vm) for vm in listed] == [[]] * len(listed)
        for vm in (await ask(cloud, "GET", f"{api}/virtualMachines")).json()["value"]:
            assert problems(models.VirtualMachineScaleSetVM, vm) == []
            assert problems(models.VirtualMachineScaleSetVM, (await ask(cloud, "GET", vm["id"])).json()) == []
            view = (await ask(cloud, "GET", f"{group}/virtualMachines/{vm['name']}/instanceView")).json()
            assert problems(models.VirtualMachineInstanceView, view) == []
        await clock.sleep(timedelta(seconds=25))


async def test_network_resources_are_as_the_sdk_declares_them(
    ask: Ask, clock: PlatformClock, networked: Callable[..., World], web: str, network: str
) -> None:
    cloud = Cloud(networked(balancer={"healthAnswers": "atOnce"}), clock)
    nics = (await ask(cloud, "GET", f"{network}/networkInterfaces")).json()["value"]
    nics += (await ask(cloud, "GET", f"{web}/networkInterfaces")).json()["value"]
    assert [problems(network_models.NetworkInterface, nic) for nic in nics] == [[]] * 16
    balancer = f"{network}/loadBalancers/lb"
    assert problems(network_models.LoadBalancer, (await ask(cloud, "GET", balancer)).json()) == []
    pool = (await ask(cloud, "GET", f"{balancer}/backendAddressPools/web")).json()
    pool["properties"]["loadBalancerBackendAddresses"][0]["properties"]["adminState"] = "Down"
    written = await ask(cloud, "PUT", pool["id"], pool)
    assert problems(network_models.BackendAddressPool, written.json()) == []
    health = (await ask(cloud, "POST", f"{balancer}/loadBalancingRules/web/health")).json()
    assert problems(network_models.LoadBalancerHealthPerRule, health) == []
    gateway = f"{network}/applicationGateways/api-gw"
    body = (await ask(cloud, "GET", gateway)).json()
    assert problems(network_models.ApplicationGateway, body) == []


async def test_a_gateway_s_health_is_as_the_sdk_declares_it_in_the_documented_words(
    ask: Ask, clock: PlatformClock, networked: Callable[..., World], network: str
) -> None:
    cloud = Cloud(networked(gateway={"healthWords": "documented"}), clock)
    accepted = await ask(cloud, "POST", f"{network}/applicationGateways/api-gw/backendhealth")
    await clock.sleep(timedelta(seconds=10))
    health = (await ask(cloud, "GET", accepted.headers["location"])).json()
    assert problems(network_models.ApplicationGatewayBackendHealth, health) == []


async def test_boot_diagnostics_are_as_the_sdk_declares_them(ask: Ask, cloud: Cloud, web: str) -> None:
    answer = await ask(cloud, "POST", f"{web}/virtualMachines/0/retrieveBootDiagnosticsData")
    assert problems(models.RetrieveBootDiagnosticsDataResult, answer.json()) == []


def test_an_undeclared_property_is_a_problem() -> None:
    assert problems(models.VirtualMachineScaleSet, {"location": "eastus2", "colour": "blue"}) != []
    assert problems(models.VirtualMachineScaleSet, {"properties": {"upgradePolicy": {"mode": "Never"}}}) != []
