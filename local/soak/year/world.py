"""Where the year is played: six scale sets of both modes, an image each, and 15 schedules in four time zones."""

from __future__ import annotations

from typing import Any

from local.azure.arm.messages import Json
from local.azure.world import World, demo_world, parse_world
from local.soak.worlds import DEFAULTS

BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"

#: By group: its schedules' expressions and time zones. There are times that a clock jumps over, and shows twice.
SCHEDULES: dict[str, tuple[tuple[str, str], ...]] = {
    "web": (("0 3 * * *", BERLIN), ("30 2 * * SUN", BERLIN), ("30 */4 * * *", LORD_HOWE)),
    "api": (("0 */6 * * *", LORD_HOWE), ("15 2 * * *", LORD_HOWE), ("*/20 9-10 * * MON-FRI", NEW_YORK)),
    "shop": (("0 0 1 * *", "UTC"), ("30 1 * * *", NEW_YORK), ("0 12 13 * FRI", "UTC")),
    "mail": (("45 2 * * 1-5", NEW_YORK),),
    "search": (("0 0 31 * *", BERLIN), ("10,40 1-3 * * *", LORD_HOWE)),
    "branch": (("0 5 * * 0,6", "UTC"), ("5 0 * * *", BERLIN), ("59 23 * * *", "UTC")),
}

#: The group with a rule for published images, and the one that is deleted and made anew under another name.
RULED, RENAMED = "mail", "branch"

#: The groups whose sets are Flexible, and those that a balancer stands before, by its field in the world.
FLEXIBLE = frozenset({"api", "search", "branch"})
BALANCED = {"shop": "loadBalancers", "api": "applicationGateways"}

#: What each deployment asks for besides the image: short waits, so that a year is not all looks.
ASKED = {"image": "latest", "gracePeriod": 300, "drainingTimeout": 60, "batchSizePercentage": 50}


def year_world() -> World:
    """The demo's subscription, with these sets and groups instead of its own."""
    document = demo_world().model_dump(mode="json", by_alias=True)
    base = f"/subscriptions/{document['subscriptionId']}/resourceGroups/demo/providers/Microsoft.Compute"
    document["scaleSets"] = [_scale_set(name) for name in SCHEDULES]
    document["galleries"] = [
        {
            "name": "apps",
            "resourceGroup": "demo",
            "images": [{"name": name, "versions": [{"name": "1.0.0"}]} for name in SCHEDULES],
        }
    ]
    document["groups"] = [{"id": name, **definition(name, base)} for name in SCHEDULES]
    for field in ("loadBalancers", "applicationGateways"):
        names = [name for name, kind in BALANCED.items() if kind == field]
        document[field] = [{"name": f"{name}-front", "resourceGroup": "demo", "pools": [name]} for name in names]
    return parse_world({**document, "autoscaleSettings": []})


def vms_of(name: str) -> int:
    """How many VMs the set is to have."""
    return 3 if name in BALANCED else 2


def _scale_set(name: str) -> Json:
    return {
        "name": name,
        "resourceGroup": "demo",
        "capacity": vms_of(name),
        "image": f"apps/{name}/1.0.0",
        "health": "binary",
        "orchestrationMode": "Flexible" if name in FLEXIBLE else "Uniform",
        "backendPools": [f"{name}-front/{name}"] if name in BALANCED else [],
    }


def definition(name: str, base: str) -> dict[str, Any]:
    """The body of the group's ``PUT``; ``base`` is where the resources are."""
    checks = {"loadBalancers": "loadBalancer", "applicationGateways": "applicationGateway"}
    balanced = [checks[BALANCED[name]]] if name in BALANCED else []
    group: dict[str, Any] = {
        "scaleSetId": f"{base}/virtualMachineScaleSets/{name}",
        "imageId": f"{base}/galleries/apps/images/{name}",
        "healthCheckTypes": ["vmState", "applicationHealth", *balanced],
        "defaults": DEFAULTS,
        "schedules": [
            {"name": f"at-{number}", "cron": cron, "timeZone": zone, "deployment": ASKED}
            for number, (cron, zone) in enumerate(SCHEDULES[name])
        ],
    }
    if name == RULED:
        rule = {key: value for key, value in ASKED.items() if key != "image"}
        group["imageRule"] = {"imageId": group["imageId"], "deployment": rule}
    return group
