"""How VMs and their health develop over time."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.azure.arm.messages import ArmResponse
from local.azure.cloud import Cloud
from local.azure.compute.lifecycle import (
    HealthSource,
    boot_time,
    health_source,
    is_application_healthy,
    next_change,
    reported_health,
)
from local.azure.world import World
from local.azure.world.images import Behavior
from local.clock import PlatformClock

Ask = Callable[..., Awaitable[ArmResponse]]

BOOT = datetime(2026, 1, 1, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    ("behavior", "launch", "healthy_from_to"),
    [
        ({}, 1, [(30, 1000)]),
        ({"healthy_after": 400}, 1, [(400, 1000)]),
        ({"never_healthy": True}, 1, []),
        ({"every_second_never_healthy": True}, 1, [(30, 1000)]),
        ({"every_second_never_healthy": True}, 2, []),
        ({"every_second_never_healthy": True}, 3, [(30, 1000)]),
        ({"unhealthy_after": 100}, 1, [(30, 130)]),
        ({"flap_every": 200}, 1, [(30, 230), (430, 630), (830, 1000)]),
    ],
)
def test_the_application_is_healthy_when_its_image_says(
    behavior: Any, launch: int, healthy_from_to: list[tuple[int, int]]
) -> None:
    described = Behavior.model_validate(behavior)
    for second in range(0, 1000, 10):
        expected = any(start <= second < end for start, end in healthy_from_to)
        assert is_application_healthy(described, launch, BOOT, BOOT + seconds(second)) is expected, second


@pytest.mark.parametrize("behavior", [{}, {"unhealthy_after": 100}, {"flap_every": 200}, {"never_healthy": True}])
@pytest.mark.parametrize("grace", [0, 45])
def test_nothing_changes_between_the_times_that_are_looked_at(behavior: Any, grace: Any) -> None:
    described, source = Behavior.model_validate(behavior), HealthSource("rich", seconds(grace))

    def picture(at: datetime) -> tuple[bool, str | None]:
        healthy = is_application_healthy(described, 1, BOOT, at)
        return healthy, reported_health(source, healthy, False, BOOT, at)

    at = BOOT
    while (upcoming := next_change(described, source, BOOT, at)) and upcoming < BOOT + seconds(1000):
        assert picture(upcoming - timedelta(microseconds=1)) == picture(at)
        at = upcoming


@pytest.mark.parametrize(
    ("source", "healthy", "was_healthy", "after", "word"),
    [
        (None, True, True, 10, None),
        (HealthSource("binary"), False, False, 0, "unhealthy"),
        (HealthSource("binary"), True, True, 60, "healthy"),
        (HealthSource("rich", seconds(60)), False, False, 59, "initializing"),
        (HealthSource("rich", seconds(60)), False, False, 60, "unknown"),
        (HealthSource("rich", seconds(60), is_tcp=True), False, False, 60, "unhealthy"),
        (HealthSource("rich", seconds(60)), True, True, 5, "healthy"),
        (HealthSource("rich", seconds(60)), False, True, 5, "unhealthy"),
    ],
)
def test_what_is_reported_depends_on_who_reports(
    source: HealthSource | None, healthy: bool, was_healthy: bool, after: int, word: str | None
) -> None:
    assert reported_health(source, healthy, was_healthy, BOOT, BOOT + seconds(after)) == word


@pytest.mark.parametrize(
    ("profile", "kind", "grace"),
    [
        ({}, None, None),
        ({"networkProfile": {"healthProbe": {"id": "probe"}}}, "binary", 0),
        ({"extensionProfile": {"extensions": [{"properties": {"type": "CustomScript"}}]}}, None, None),
        ({"extensionProfile": {"extensions": [{"properties": {"type": "ApplicationHealthWindows"}}]}}, "binary", 0),
    ],
)
def test_the_source_of_health_is_read_from_the_model(profile: Any, kind: str | None, grace: Any) -> None:
    source = health_source(profile)
    assert (source.kind if source else None) == kind
    assert (source.grace_period.total_seconds() if source else None) == grace


@pytest.mark.parametrize(
    ("settings", "grace"),
    [({}, 5), ({"intervalInSeconds": 10, "numberOfProbes": 3}, 30), ({"gracePeriod": 600}, 600)],
)
def test_the_rich_extension_s_grace_period_defaults_to_interval_times_probes(settings: Any, grace: Any) -> None:
    properties = {"type": "ApplicationHealthLinux", "typeHandlerVersion": "2.0", "settings": settings}
    source = health_source({"extensionProfile": {"extensions": [{"name": "health", "properties": properties}]}})
    assert source == HealthSource("rich", seconds(grace), extension="health", version="2.0")


def test_the_spread_of_boot_times_is_another_for_each_vm_and_the_same_every_time() -> None:
    behavior = Behavior(boot_time=seconds(30), boot_time_spread=seconds(10))
    times = {boot_time(behavior, f"vm-{number}", 1) for number in range(50)}
    assert len(times) == 50
    assert all(seconds(30) <= time < seconds(40) for time in times)
    assert boot_time(behavior, "vm-1", 1) == boot_time(behavior, "vm-1", 1)


async def health_over_time(ask: Ask, cloud: Cloud, web: str, times: list[int]) -> list[str | None]:
    """The health that the VM launched last reports at each of these seconds; ``None``: nothing reported."""
    seen = []
    for time in times:
        await cloud.clock.sleep_until(BOOT + seconds(time))
        view = (await ask(cloud, "GET", f"{web}/virtualMachines/10/instanceView")).json()
        seen.append(view.get("vmHealth", {}).get("status", {}).get("code"))
    return seen


@pytest.mark.parametrize(
    ("health", "version", "expected"),
    [
        ("binary", "1.1.0", [None, "unhealthy", "healthy", "healthy"]),
        ("binary", "1.2.0", [None, "unhealthy", "unhealthy", "unhealthy"]),
        ("binary", "1.4.0", [None, "unhealthy", "unhealthy", "healthy"]),
        ("probe", "1.1.0", [None, "unhealthy", "healthy", "healthy"]),
        ("rich", "1.1.0", [None, "initializing", "healthy", "healthy"]),
        ("rich", "1.2.0", [None, "initializing", "initializing", "unknown"]),
        ("none", "1.1.0", [None, None, None, None]),
    ],
)
async def test_the_demo_s_images_behave_as_they_are_described(
    ask: Ask,
    clock: PlatformClock,
    patched_demo: Callable[..., World],
    web: str,
    image: str,
    health: str,
    version: str,
    expected: Any,
) -> None:
    cloud = Cloud(patched_demo({"health": health}), clock)
    reference = {"imageReference": {"id": f"{image}/versions/{version}"}}
    profile = {"virtualMachineProfile": {"storageProfile": reference}}
    await ask(cloud, "PATCH", web, {"properties": profile, "sku": {"capacity": 11}})
    seen = await health_over_time(ask, cloud, web, [29, 45, 120, 700])
    assert seen == [word and f"HealthState/{word}" for word in expected]


async def test_every_second_vm_of_a_bad_image_never_serves(
    ask: Ask, cloud: Cloud, clock: PlatformClock, web: str, image: str
) -> None:
    reference = {"imageReference": {"id": f"{image}/versions/1.3.0"}}
    profile = {"virtualMachineProfile": {"storageProfile": reference}}
    await ask(cloud, "PATCH", web, {"properties": profile, "sku": {"capacity": 14}})
    await clock.sleep(timedelta(minutes=10))
    instances = cloud.scale_set(web).instances
    assert [instances[number].serving for number in (10, 11, 12, 13)] == [True, False, True, False]


async def test_changes_are_logged_at_their_exact_times_however_late_anybody_looks(
    ask: Ask, cloud: Cloud, clock: PlatformClock, web: str
) -> None:
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    await clock.sleep(timedelta(hours=1))
    history = [(change.time - BOOT, change.state) for change in cloud.changes if change.name == "web_10"]
    assert history == [(seconds(0), "creating"), (seconds(30), "notServing"), (seconds(60), "serving")]
