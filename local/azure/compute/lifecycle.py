"""How a VM's application and its reported health develop over time: pure functions of the behaviour and the clock.

Reported health is that of the Application Health extension or of a load balancer's probe
(https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-health-extension).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from local.azure.arm.messages import Json
from local.azure.world.images import Behavior

HEALTH_EXTENSIONS = frozenset({"applicationhealthlinux", "applicationhealthwindows"})


@dataclass(frozen=True)
class HealthSource:
    """What reports a VM's health.

    ``binary``: extension 1.0 or a probe, which know healthy and unhealthy only. ``rich``: extension 2.0, which says
    `Initializing` until ``grace_period`` after the boot; then `Unhealthy` where it asks by TCP, else `Unknown`.
    """

    kind: Literal["binary", "rich"]
    grace_period: timedelta = timedelta()
    is_tcp: bool = False
    extension: str | None = None
    version: str | None = None


def health_source(profile: Json) -> HealthSource | None:
    """What reports the health of VMs made from a virtual machine profile; ``None`` where nothing does."""
    extensions = (profile.get("extensionProfile") or {}).get("extensions") or []
    for extension in extensions:
        properties = extension.get("properties") or {}
        if str(properties.get("type", "")).lower() in HEALTH_EXTENSIONS:
            return _extension_source(extension.get("name", properties["type"]), properties)
    probe = (profile.get("networkProfile") or {}).get("healthProbe")
    return HealthSource("binary") if probe else None


def _extension_source(name: str, properties: Json) -> HealthSource:
    version = str(properties.get("typeHandlerVersion", "1.0"))
    settings = properties.get("settings") or {}
    if version.startswith("1."):
        return HealthSource("binary", extension=name, version=version)
    default_grace = int(settings.get("intervalInSeconds", 5)) * int(settings.get("numberOfProbes", 1))
    grace = timedelta(seconds=int(settings.get("gracePeriod", default_grace)))
    return HealthSource("rich", grace, str(settings.get("protocol", "")).lower() == "tcp", name, version)


def boot_time(behavior: Behavior, vm_id: str, boot: int) -> timedelta:
    """How long a VM takes from launch to `Succeeded`; the spread is another for each VM, and always the same for it."""
    return behavior.boot_time + behavior.boot_time_spread * random.Random(f"{vm_id}/{boot}").random()


def is_application_healthy(behavior: Behavior, launch: int, booted_at: datetime, now: datetime) -> bool:
    """Whether the application answers well. ``launch`` is 1 for the first VM that the set launched from the image."""
    if behavior.never_healthy or (behavior.every_second_never_healthy and launch % 2 == 0):
        return False
    healthy_for = now - booted_at - behavior.healthy_after
    if healthy_for < timedelta():
        return False
    if behavior.unhealthy_after is not None and healthy_for >= behavior.unhealthy_after:
        return False
    return not behavior.flap_every or (healthy_for // behavior.flap_every) % 2 == 0


def has_been_healthy(behavior: Behavior, launch: int, booted_at: datetime, now: datetime) -> bool:
    """Whether the application has answered well at any time since the boot."""
    since_boot = max(timedelta(), now - booted_at)
    return is_application_healthy(behavior, launch, booted_at, booted_at + min(since_boot, behavior.healthy_after))


def reported_health(
    source: HealthSource | None, healthy: bool, was_healthy: bool, booted_at: datetime, now: datetime
) -> str | None:
    """The word behind ``HealthState/``: healthy, unhealthy, initializing or unknown; ``None`` where nothing reports."""
    if source is None:
        return None
    if healthy:
        return "healthy"
    if source.kind == "binary" or was_healthy:
        return "unhealthy"
    if now < booted_at + source.grace_period:
        return "initializing"
    return "unhealthy" if source.is_tcp else "unknown"


def next_change(behavior: Behavior, source: HealthSource | None, booted_at: datetime, now: datetime) -> datetime | None:
    """The next time after ``now`` at which application or reported health may differ; ``None``: never again."""
    healthy_at = booted_at + behavior.healthy_after
    times = [healthy_at]
    if source is not None and source.kind == "rich":
        times.append(booted_at + source.grace_period)
    if behavior.unhealthy_after is not None:
        times.append(healthy_at + behavior.unhealthy_after)
    if behavior.flap_every and now >= healthy_at:
        times.append(healthy_at + behavior.flap_every * ((now - healthy_at) // behavior.flap_every + 1))
    return min((time for time in times if time > now), default=None)
