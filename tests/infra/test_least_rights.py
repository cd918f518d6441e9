"""Stories with exactly the rights of ``infra/actions.json``: each is needed, and one that is missing is named.

The simulated Azure refuses every request whose actions the identity has not, and every request that is in no row.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from local.azure.arm.messages import ArmRequest
from local.azure.arm.rights import Rights, read_rows
from local.azure.world import World, demo_world, parse_world
from local.clock import run_virtual
from local.durable.timestamps import fast_timestamps
from local.virtual import VirtualPlatform

pytestmark = pytest.mark.slow

ALL = frozenset(row.action for row in read_rows())
HOUR = timedelta(hours=1)
GOOD = {"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300, "drainingTimeout": 0}
GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo/providers"
NETWORK = f"{GROUP}/Microsoft.Network"
LOAD_BALANCER = {"name": "lb", "resourceGroup": "demo", "pools": ["web"]}
INLINE_BALANCER = {**LOAD_BALANCER, "adminState": "balancer"}
GATEWAY = {"name": "gw", "resourceGroup": "demo", "pools": ["web"]}

#: What the VMs of a set may have besides: each is a right of its own.
DECORATED = {
    "identity": {
        "type": "UserAssigned",
        "userAssignedIdentities": {f"{GROUP}/Microsoft.ManagedIdentity/userAssignedIdentities/vms": {}},
    },
    "properties": {
        "scaleInPolicy": {"rules": ["OldestVM"]},
        "tags": [
            {"id": f"{NETWORK}/networkSecurityGroups/nsg"},
            {"id": f"{NETWORK}/applicationSecurityGroups/asg"},
            {"id": f"{NETWORK}/publicIPPrefixes/prefix"},
            {"id": f"{NETWORK}/loadBalancers/lb/inboundNatPools/ssh"},
            {"id": f"{NETWORK}/loadBalancers/lb/inboundNatRules/ssh"},
            {"id": f"{NETWORK}/loadBalancers/lb/probes/health"},
            {"id": f"{NETWORK}/virtualNetworks/net/subnets/vms"},
        ],
    },
}


def world(mode: str = "Uniform", **fields: Any) -> World:
    """Two VMs of the demo's set ``web``; ``fields`` are those of the set, or lists of the world."""
    document = demo_world().model_dump(mode="json", by_alias=True)
    document["scaleSets"] = [one for one in document["scaleSets"] if one["name"] == "web"]
    document["groups"] = [one for one in document["groups"] if one["id"] == "web"]
    lists = {name: fields.pop(name) for name in list(fields) if name in document}
    document |= lists
    document["groups"][0]["healthCheckTypes"] += fields.pop("checks", [])
    document["scaleSets"][0] |= {
        "capacity": 2,
        "orchestrationMode": mode,
        "overrides": {"properties": {"scaleInPolicy": {"rules": ["OldestVM"]}}},
        **fields,
    }
    for version in document["galleries"][0]["images"][0]["versions"]:
        if version["name"] == "1.1.0":
            version["behavior"] |= {"bootTimeSpread": 0, "healthyAfter": 60}
    return parse_world(document)


def behind(mode: str, **fields: Any) -> World:
    """The same behind a load balancer and a gateway, checked by both."""
    return world(
        mode,
        backendPools=["lb/web", "gw/web"],
        checks=["loadBalancer", "applicationGateway"],
        loadBalancers=[LOAD_BALANCER],
        applicationGateways=[GATEWAY],
        **fields,
    )


async def deploy(platform: VirtualPlatform, **asked: Any) -> str:
    """Deploy, and tell all that can be read of it."""
    body = {**GOOD, **asked}
    plan = await platform.post("/api/groups/web/deployments?dryRun=true", body)
    started = await platform.post("/api/groups/web/deployments", body)
    told = [plan.body, started.body]
    if started.status == 202:
        deployment = started.body["id"]
        await platform.ended(deployment)
        paths = ["", "/events?limit=200", "/vms", "/batches"]
        told += [(await platform.get(f"/api/deployments/{deployment}{path}")).body for path in paths]
        for vm in told[4]["value"]:
            if vm.get("evidence"):
                told.append((await platform.get(f"/api/deployments/{deployment}/vms/{vm['vmId']}/evidence")).body)
    return json.dumps(told)


async def good(platform: VirtualPlatform) -> str:
    return await deploy(platform)


async def adjusted(platform: VirtualPlatform) -> str:
    return await deploy(platform, adjust=True)


async def sick(platform: VirtualPlatform) -> str:
    """Every green VM is sick: its evidence is kept."""
    return await deploy(platform, image="1.2.0", gracePeriod=120)


async def managed_image(platform: VirtualPlatform) -> str:
    return await deploy(platform, image=f"{GROUP}/Microsoft.Compute/images/golden")


async def marketplace(platform: VirtualPlatform) -> str:
    latest = await deploy(platform, image="Canonical:ubuntu:server:latest")
    return latest + await deploy(platform, image="Canonical:ubuntu:server:24.4.1", force=True)


def shared(path: str) -> Callable[[VirtualPlatform], Awaitable[str]]:
    async def play(platform: VirtualPlatform) -> str:
        latest = await deploy(platform, image=f"{path}/Versions/latest")
        return latest + await deploy(platform, image=f"{path}/Versions/1.1.0", force=True)

    return play


async def published(platform: VirtualPlatform) -> str:
    """A version that matches the group's rule is deployed by itself."""
    definition = {name: value for name, value in platform.world.groups[0].items() if name != "id"}
    rule = {"imageId": definition["imageId"], "versions": "1.5.x", "deployment": {"gracePeriod": 300}}
    await platform.put("/api/groups/web", {**definition, "imageRule": rule})
    behavior = platform.world.galleries[0].images[0].versions[1].behavior
    platform.cloud.interfere.publish(str(definition["imageId"]), "1.5.0", behavior=behavior)
    await platform.clock.sleep(HOUR)
    told = [(await platform.get(path)).body for path in ("/api/notifications", "/api/groups/web", "/api/deployments")]
    return json.dumps(told)


async def lost(platform: VirtualPlatform) -> str:
    """The orchestration is ended from outside; the watchdog brings back what was held."""
    started = await platform.post("/api/groups/web/deployments", GOOD)
    if started.status == 202:
        await platform.clock.sleep(timedelta(seconds=45))
        platform.host.durable.terminate(started.body["id"], "by hand")
        await platform.clock.sleep(HOUR)
    told = [started.body, (await platform.get("/api/groups/web")).body, (await platform.get("/api/deployments")).body]
    return json.dumps(told)


VERSION = {"name": "24.4.1", "behavior": {"bootTime": 30, "healthyAfter": 60}}
UBUNTU = {"publisher": "Canonical", "offer": "ubuntu", "sku": "server", "versions": [VERSION]}
MANAGED = [{"name": name, "resourceGroup": "demo", "behavior": {"healthyAfter": 60}} for name in ("old", "golden")]
RESTLESS = {
    "automaticRepairsPolicy": {"enabled": True, "gracePeriod": "PT10M"},
    "resiliencyPolicy": {"automaticZoneRebalancingPolicy": {"enabled": True}},
    "scaleInPolicy": {"rules": ["Default"]},
}
SUBSCRIPTION_GALLERY = "00000000-0000-0000-0000-000000000000-APPS"


def galleries() -> list[dict[str, Any]]:
    """The demo's gallery, shared in both ways; its good version is the latest."""
    gallery: dict[str, Any] = demo_world().model_dump(mode="json", by_alias=True)["galleries"][0]
    for version in gallery["images"][0]["versions"]:
        version["excludeFromLatest"] = version["name"] > "1.1.0"
    return [gallery | {"shared": True, "communityName": "public-apps"}]


def restless() -> World:
    """Everything may interfere: autoscale, repairs, zones."""
    profile = {"name": "always", "minimum": 2, "maximum": 2}
    setting = {"name": "web-as", "resourceGroup": "demo", "scaleSet": "web", "profiles": [profile]}
    return world(overrides={"properties": RESTLESS}, autoscaleSettings=[setting])


def on(image: str, **fields: Any) -> World:
    """The set on an image of another kind."""
    return world(image=image, **fields)


Story = Callable[[VirtualPlatform], Awaitable[str]]

#: By name: the world, and what is done in it.
STORIES: dict[str, tuple[Callable[[], World], Story]] = {
    "uniform": (world, good),
    "flexible": (lambda: world("Flexible"), good),
    "uniform behind balancers": (lambda: behind("Uniform"), good),
    "flexible behind balancers": (lambda: behind("Flexible"), good),
    "a balancer that takes states in its own body": (
        lambda: world(backendPools=["lb/web"], checks=["loadBalancer"], loadBalancers=[INLINE_BALANCER]),
        good,
    ),
    "everything that a set may have": (lambda: behind("Uniform", overrides=DECORATED), good),
    "held": (restless, good),
    "adjusted": (lambda: world(upgradeMode="Automatic"), adjusted),
    "evidence, uniform": (world, sick),
    "evidence, flexible": (lambda: world("Flexible"), sick),
    "rule": (world, published),
    "watchdog": (restless, lost),
    "managed image": (lambda: on(f"{GROUP}/Microsoft.Compute/images/old", managedImages=MANAGED), managed_image),
    "marketplace": (lambda: on("Canonical:ubuntu:server:24.4.1", marketplace=[UBUNTU]), marketplace),
    "shared gallery": (
        lambda: on(f"/SharedGalleries/{SUBSCRIPTION_GALLERY}/Images/web/Versions/1.0.0", galleries=galleries()),
        shared(f"/SharedGalleries/{SUBSCRIPTION_GALLERY}/Images/web"),
    ),
    "community gallery": (
        lambda: on("/CommunityGalleries/public-apps/Images/web/Versions/1.0.0", galleries=galleries()),
        shared("/CommunityGalleries/public-apps/Images/web"),
    ),
}


def play(name: str, actions: frozenset[str]) -> tuple[str, frozenset[str], list[str]]:
    """What a story tells, the actions that it needed, and how its deployments ended."""
    make, story = STORIES[name]

    async def main() -> tuple[str, frozenset[str], list[str]]:
        async with VirtualPlatform(make()) as platform:
            platform.cloud.rights = rights = Rights(actions)
            told = await story(platform)
            rows = await platform.store.deployments.newest("web", 100)
            return told, frozenset(rights.used), [str(row.status) for row in rows]

    with fast_timestamps():
        return run_virtual(main())


@cache
def with_all(name: str) -> tuple[str, frozenset[str], list[str]]:
    """The story with every right, played once."""
    return play(name, ALL)


ENDS = {"evidence, uniform": "failed", "evidence, flexible": "failed", "watchdog": "failed"}


@pytest.mark.parametrize("name", STORIES)
def test_each_story_needs_no_right_but_those_of_the_table(name: str) -> None:
    told, used, ends = with_all(name)
    assert set(ends) == {ENDS.get(name, "finished")}, told[-3000:]
    assert "AuthorizationFailed" not in told
    assert used <= ALL


def test_every_right_of_the_table_is_needed_by_a_story() -> None:
    needed = {action for name in STORIES for action in with_all(name)[1]}
    assert sorted(ALL - needed) == []


#: Without it a load balancer's VMs leave their pool by their own configurations: nothing is missing.
DISPENSABLE = "Microsoft.Network/loadBalancers/backendAddressPools/write"
INLINE = {"Microsoft.Network/loadBalancers/write", "Microsoft.Network/publicIPAddresses/join/action"}


@pytest.mark.parametrize("action", sorted(ALL - {DISPENSABLE} - INLINE))
def test_a_right_that_is_missing_is_named(action: str) -> None:
    name = next(name for name in STORIES if action in with_all(name)[1])
    told, _, _ = play(name, ALL - {action})
    assert action in told


def test_without_the_right_to_write_pools_vms_leave_them_by_themselves() -> None:
    _, used, ends = play("uniform behind balancers", ALL - {DISPENSABLE})
    assert ends == ["finished"]
    assert DISPENSABLE not in used
    assert "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/write" in used


@pytest.mark.parametrize("action", sorted(INLINE))
def test_without_the_right_to_write_balancers_vms_leave_by_themselves(action: str) -> None:
    _, used, ends = play("a balancer that takes states in its own body", ALL - {action})
    assert ends == ["finished"]
    assert "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/write" in used


def test_a_request_that_is_in_no_row_is_refused() -> None:
    async def story(platform: VirtualPlatform) -> None:
        platform.cloud.rights = Rights(ALL)
        for method, path in (("DELETE", "web"), ("POST", "web/deallocate"), ("PUT", "other")):
            request = ArmRequest(method, f"{GROUP}/Microsoft.Compute/virtualMachineScaleSets/{path}?api-version=1")
            answer = await platform.cloud.handle(request)
            assert (answer.status, answer.json()["error"]["code"]) == (403, "AuthorizationFailed")

    async def main() -> None:
        async with VirtualPlatform(world()) as platform:
            await story(platform)

    run_virtual(main())
