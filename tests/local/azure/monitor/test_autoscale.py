"""Autoscale settings on the wire, and what they make of their scale set."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.arm.messages import ArmResponse
from local.azure.cloud import Cloud
from local.azure.world import World, WorldError
from local.clock import PlatformClock

Ask = Callable[..., Awaitable[ArmResponse]]
Demo = Callable[..., World]

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
ALL = f"{SUBSCRIPTION}/providers/Microsoft.Insights/autoscaleSettings"
OF_GROUP = f"{SUBSCRIPTION}/resourceGroups/ops/providers/microsoft.insights/autoscalesettings"


def world(patched_demo: Demo, **fields: Any) -> World:
    profiles = [{"name": "day", "minimum": 2, "maximum": 10}, {"name": "night", "minimum": 0, "maximum": 4}]
    setting = {"name": "web-as", "resourceGroup": "ops", "scaleSet": "web", "profiles": profiles, **fields}
    return patched_demo(autoscaleSettings=[setting])


async def test_settings_are_listed_read_and_replaced(
    patched_demo: Demo, clock: PlatformClock, ask: Ask, web: str
) -> None:
    cloud = Cloud(world(patched_demo), clock)
    [listed] = (await ask(cloud, "GET", ALL)).json()["value"]
    assert (await ask(cloud, "GET", OF_GROUP)).json()["value"] == [listed]
    elsewhere = OF_GROUP.replace("/ops/", "/demo/")
    assert (await ask(cloud, "GET", elsewhere)).json()["value"] == []
    assert (await ask(cloud, "GET", f"{OF_GROUP}/web-as")).json() == listed
    assert (await ask(cloud, "GET", f"{OF_GROUP}/other")).status == 404
    assert listed["properties"]["targetResourceUri"] == web
    assert listed["properties"]["profiles"][0]["capacity"] == {"minimum": "2", "maximum": "10", "default": "2"}

    body = {"location": "eastus2", "properties": {**listed["properties"], "enabled": False}}
    assert (await ask(cloud, "PUT", f"{OF_GROUP}/web-as", body)).status == 200
    assert (await ask(cloud, "PUT", f"{OF_GROUP}/new", body)).status == 201
    changed = (await ask(cloud, "GET", f"{OF_GROUP}/web-as")).json()
    assert (changed["properties"]["enabled"], changed["id"]) == (False, listed["id"])
    assert Cloud.restore(cloud.snapshot(), clock).snapshot() == cloud.snapshot()


@pytest.mark.parametrize(
    "capacity",
    [
        {"minimum": 2, "maximum": 10, "default": 2},  # numbers, not text
        {"minimum": "2", "maximum": "10"},
        {"minimum": "2", "maximum": "10", "default": "11"},
    ],
)
async def test_a_setting_that_azure_would_refuse_is_refused(
    patched_demo: Demo, clock: PlatformClock, ask: Ask, capacity: dict[str, Any]
) -> None:
    cloud = Cloud(world(patched_demo), clock)
    body = {"location": "eastus2", "properties": {"profiles": [{"name": "day", "capacity": capacity, "rules": []}]}}
    assert (await ask(cloud, "PUT", f"{OF_GROUP}/web-as", body)).status == 400
    assert (await ask(cloud, "PUT", f"{OF_GROUP}/web-as", {"properties": {}})).status == 400


async def test_autoscale_keeps_within_the_bounds_of_the_setting(
    patched_demo: Demo, clock: PlatformClock, web: str
) -> None:
    cloud = Cloud(world(patched_demo), clock)
    cloud.interfere.autoscale(web, 5)
    assert cloud.scale_set(web).capacity == 10
    cloud.interfere.change_autoscale(web, maximum=12)
    cloud.interfere.autoscale(web, 5)
    assert cloud.scale_set(web).capacity == 12
    cloud.interfere.autoscale(web, -20)
    assert cloud.scale_set(web).capacity == 2
    cloud.interfere.change_autoscale(web, enabled=False)
    cloud.interfere.autoscale(web, 15)
    assert cloud.scale_set(web).capacity == 17


async def test_a_setting_that_looks_by_itself_undoes_a_surge(
    patched_demo: Demo, clock: PlatformClock, ask: Ask, web: str
) -> None:
    cloud = Cloud(world(patched_demo, every=45), clock)
    await ask(cloud, "PATCH", web, {"sku": {"name": "Standard_D2s_v5", "capacity": 12}})
    # While the launch is under way, autoscale is refused as anybody else.
    await clock.sleep(timedelta(seconds=20))
    assert cloud.scale_set(web).capacity == 12
    await clock.sleep(timedelta(minutes=5))
    assert (cloud.scale_set(web).capacity, len(cloud.scale_set(web).active())) == (10, 10)
    cloud.interfere.change_autoscale(web, minimum=11, maximum=11, default=11)
    await clock.sleep(timedelta(minutes=1))
    assert cloud.scale_set(web).capacity == 11


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"scaleSet": "wbe"}, "autoscaleSettings[0].scaleSet: no scale set wbe; there are: web, api"),
        ({"profiles": []}, "autoscaleSettings[0].profiles"),
        ({"profiles": [{"name": "day", "minimum": 3, "maximum": 2}]}, "should be in this order"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(patched_demo: Demo, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(WorldError, match=re.escape(words)):
        world(patched_demo, **fields)
