"""The world that a run begins in: one scale set, what stands before it, and the VMs that somebody set aside."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from local.azure.arm.messages import Json
from local.azure.network.network import GATEWAY_TYPE, LOAD_BALANCER_TYPE
from local.azure.world import World, demo_world, parse_world
from rollout.model.order import PART_SIZE

#: What may be the matter with a VM before anything is deployed.
STOPPED, DEALLOCATED, PROTECTED = "stopped", "deallocated", "protected"

#: What may stand before a set's VMs, by the health check type that asks it: where it is in the world, and what it is.
BALANCERS: dict[str, tuple[str, Json]] = {
    "loadBalancer": ("loadBalancers", {"name": "front", "resourceGroup": "demo", "pools": ["web"]}),
    "applicationGateway": (
        "applicationGateways",
        {"name": "front", "resourceGroup": "demo", "pools": ["web"], "drainTimeout": 30},
    ),
}

#: The kinds of resources that these are.
KINDS = {"loadBalancer": LOAD_BALANCER_TYPE, "applicationGateway": GATEWAY_TYPE}


#: What a request leaves to the group. Whoever waits looks every few seconds: a day of that is a run of minutes.
DEFAULTS = {"waitTimeout": 600, "keepFor": 1800}


@dataclass(frozen=True)
class Setting:
    """What a run begins with. ``balancer``: a health check type, or none; ``aside``: the matter with the first VMs;
    ``asked``: the timers of each minute look whether the set needs a roll, and what is due;
    ``part_size`` and ``poll_interval``: as in the app's settings.
    """

    mode: str
    vms: int
    balancer: str = ""
    autoscale: bool = False
    signals: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()
    attached: int = 0
    health: str = "binary"
    upgrade_mode: str = "Manual"
    overprovision: bool = False
    concurrent_writes: str = "conflict"
    image_rule: bool = False
    vm_writes: str = "parallel"
    asked: bool = True
    part_size: int = PART_SIZE
    poll_interval: int = 15
    admin_state: str = "pool"
    events_late: int = 2
    rebalances: bool = False
    capacity_falls: str = "atOnce"

    @property
    def health_check_types(self) -> tuple[str, ...]:
        """The types that the group defines."""
        return ("vmState", "applicationHealth", *([self.balancer] if self.balancer else []))

    @property
    def odd_vms(self) -> bool:
        """Whether some VMs need a decision of the request."""
        return bool(self.aside or self.attached)

    @property
    def needs_adjusting(self) -> bool:
        """Whether a deployment is refused that may not adjust the set."""
        return self.overprovision or self.upgrade_mode != "Manual"


def choose_setting(dice: Random) -> Setting:
    """Any setting, the plain ones more often."""
    mode = dice.choice(["Uniform", "Flexible"])
    vms = dice.choice([0, 1, 2, 2, 3, 3, 4, 4, 5, 6])
    odd = dice.choices([STOPPED, DEALLOCATED, PROTECTED], k=dice.choice([1, 1, 2])) if dice.random() < 0.25 else []
    uniform = mode == "Uniform"
    return Setting(
        mode=mode,
        vms=vms,
        balancer=dice.choice(["", "", *BALANCERS]),
        autoscale=dice.random() < 0.4,
        signals=tuple(
            dice.choice([(), (), (), ("vmReady",), ("vmReadyToShutdown",), ("vmReady", "vmReadyToShutdown")])
        ),
        aside=tuple(odd[:vms]),
        attached=1 if not uniform and dice.random() < 0.15 else 0,
        health=dice.choice(["binary", "binary", "rich"]),
        upgrade_mode=dice.choice(["Automatic", "Rolling"]) if uniform and dice.random() < 0.1 else "Manual",
        overprovision=uniform and dice.random() < 0.1,
        concurrent_writes=dice.choice(["conflict", "conflict", "preempt"]),
        image_rule=dice.random() < 0.2,
        vm_writes=dice.choice(["parallel", "oneAtATime"]) if uniform else "parallel",
        asked=dice.random() < 0.25,
        admin_state=dice.choice(["pool", "pool", "balancer", "never"]),
        events_late=dice.choice([2, 2, 600]),
        rebalances=dice.random() < 0.2,
        capacity_falls=dice.choice(["atOnce", "late"]),
    )


def pool_id(setting: Setting, world: World) -> str:
    """The one backend pool's; empty where there is none."""
    if not setting.balancer:
        return ""
    group = f"/subscriptions/{world.subscription_id}/resourceGroups/demo"
    return f"{group}/providers/{KINDS[setting.balancer]}/front/backendAddressPools/web"


def world_of(setting: Setting) -> World:
    """The demo's first set and its images, in this setting."""
    document = demo_world().model_dump(mode="json", by_alias=True)
    (scale_set,) = (one for one in document["scaleSets"] if one["name"] == "web")
    (group,) = (one for one in document["groups"] if one["id"] == "web")
    scale_set |= {
        "capacity": setting.vms,
        "orchestrationMode": setting.mode,
        "health": setting.health,
        "upgradeMode": setting.upgrade_mode,
        "overprovision": setting.overprovision,
        "attachedVms": [f"legacy{number}" for number in range(setting.attached)],
    }
    group["healthCheckTypes"] = list(setting.health_check_types)
    group["defaults"] = DEFAULTS
    group["signals"] = [{"type": kind, "timeout": 300} for kind in setting.signals]
    document["platform"] |= {
        "concurrentWrites": setting.concurrent_writes,
        "vmWrites": setting.vm_writes,
        "capacityFalls": setting.capacity_falls,
    }
    if setting.image_rule:
        group["imageRule"] = {
            "imageId": group["imageId"],
            "deployment": {"batchSizePercentage": 50, "gracePeriod": 300},
        }
        for subscription in document["eventSubscriptions"]:
            subscription["arrivesWithin"] = setting.events_late
    else:
        document["eventSubscriptions"] = []
    if setting.rebalances:
        policy = {"resiliencyPolicy": {"automaticZoneRebalancingPolicy": {"enabled": True}}}
        scale_set["overrides"] = {**scale_set["overrides"], "properties": policy}
    return parse_world({**document, "scaleSets": [scale_set], "groups": [group], **_surroundings(setting, scale_set)})


def _surroundings(setting: Setting, scale_set: Json) -> dict[str, Any]:
    found: dict[str, Any] = {"loadBalancers": [], "applicationGateways": [], "autoscaleSettings": []}
    if setting.balancer:
        field, body = BALANCERS[setting.balancer]
        told = {"adminState": setting.admin_state} if setting.balancer == "loadBalancer" else {}
        found[field] = [body | told]
        scale_set["backendPools"] = ["front/web"]
    if setting.autoscale:
        profile = {"name": "always", "minimum": min(setting.vms, 2), "maximum": setting.vms + 2, "default": setting.vms}
        found["autoscaleSettings"] = [
            {"name": "web-as", "resourceGroup": "demo", "scaleSet": "web", "profiles": [profile]}
        ]
    return found
