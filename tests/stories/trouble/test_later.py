"""Each write to Azure once answered with *later*: busy is not no, and a deployment ends as if nothing had been."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from local.azure.arm.faults import LATER
from local.azure.world import Fault, World, demo_world, parse_world
from local.virtual.checkers.end_state import end_state

pytestmark = [pytest.mark.slow, pytest.mark.nightly]

Play = Callable[..., Any]

#: Method and path.
Write = tuple[str, str]

#: All that is held, but overprovisioning, which Flexible sets do not have.
POLICIES = {
    "automaticRepairsPolicy": {"enabled": True, "gracePeriod": "PT10M"},
    "resiliencyPolicy": {"automaticZoneRebalancingPolicy": {"enabled": True}},
    "scaleInPolicy": {"rules": ["Default"]},
}

#: Words in the paths of what a deployment writes to, in both modes and in each.
WRITTEN = {"autoscalesettings", "virtualmachinescalesets", "delete", "backendaddresspools"}
OF_MODE = {"Uniform": {"setorchestrationservicestate", "virtualmachines"}, "Flexible": {"networkinterfaces"}}


def world(mode: str) -> World:
    """Two VMs behind a load balancer and a gateway, with everything that has to be held: each kind of write is made."""
    document = demo_world().model_dump(mode="json", by_alias=True)
    document["scaleSets"] = [one for one in document["scaleSets"] if one["name"] == "web"]
    document["groups"] = [one for one in document["groups"] if one["id"] == "web"]
    document["scaleSets"][0] |= {
        "capacity": 2,
        "orchestrationMode": mode,
        "backendPools": ["lb/web", "gw/web"],
        "overrides": {"properties": POLICIES},
    }
    document["loadBalancers"] = [{"name": "lb", "resourceGroup": "demo", "pools": ["web"]}]
    document["applicationGateways"] = [{"name": "gw", "resourceGroup": "demo", "pools": ["web"]}]
    always = {"name": "always", "minimum": 2, "maximum": 2}
    document["autoscaleSettings"] = [{"name": "as", "resourceGroup": "demo", "scaleSet": "web", "profiles": [always]}]
    document["groups"][0]["healthCheckTypes"] = ["vmState", "applicationHealth", "loadBalancer", "applicationGateway"]
    return parse_world(document)


@pytest.fixture
def deploy(play: Play) -> Callable[..., tuple[Any, list[Write]]]:
    """Play one deployment, with a fault; what it left behind, and every write that it sent."""

    def run(mode: str, image: str, fault: Fault | None = None) -> tuple[Any, list[Write]]:
        async def story(stage: Any) -> tuple[Any, list[Write]]:
            cloud = stage.platform.cloud
            if fault:
                cloud.faults.add(fault)
            deployment = await stage.platform.start(image=image, batchSizePercentage=100, gracePeriod=120)
            await stage.platform.ended(deployment)
            assert cloud.faults.struck == bool(fault)
            ended = await end_state(stage.platform, deployment)
            return ended, [(entry.method, entry.path) for entry in cloud.audit]

        played: tuple[Any, list[Write]] = play(story, world(mode))
        return played

    return run


def later(writes: list[Write]) -> Fault:
    """Refuse the last of these writes once."""
    method, path = writes[-1]
    rule = {"method": method, "path": f"{re.escape(path)}$", "calls": [writes.count(writes[-1])]}
    return Fault.model_validate({**rule, **LATER})


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
def test_each_write_in_turn_that_resource_manager_wants_later_leads_to_the_same_end(
    deploy: Callable[..., tuple[Any, list[Write]]], mode: str
) -> None:
    before: list[Write] = []
    for image, status in (("1.1.0", "finished"), ("1.2.0", "failed")):
        undisturbed, writes = deploy(mode, image)
        assert undisturbed["deployment"]["status"] == status
        assert {word for _, path in writes for word in path.lower().split("/")} >= WRITTEN | OF_MODE[mode]
        for count in range(1, len(writes) + 1):
            # What the deployment that fails writes first, the other one has written too.
            if writes[:count] != before[:count]:
                ended, _ = deploy(mode, image, later(writes[:count]))
                assert ended == undisturbed, writes[count - 1]
        before = writes
