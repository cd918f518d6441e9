"""What is old is forgotten by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.world import Fault, World, parse_world
from local.clock import run_virtual
from local.durable.options import QUIET
from local.virtual import VirtualPlatform
from local.virtual.checkers.watched import image_version
from rollout.model.status import Status
from settings import Settings

pytestmark = pytest.mark.slow

SmallWorld = Callable[..., World]
Play = Callable[..., Any]

GOOD: dict[str, Any] = {"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300}


def test_what_is_old_is_forgotten_but_the_newest_deployment(small_world: SmallWorld) -> None:
    async def main() -> None:
        settings = Settings(history_days=2, rows_days=4)
        async with VirtualPlatform(small_world(2), settings=settings, options=QUIET) as platform:
            first = await platform.start(**GOOD)
            await platform.ended(first)
            await platform.clock.sleep(timedelta(hours=1))
            second = await platform.start(image="1.0.0", batchSizePercentage=50)
            await platform.ended(second)
            assert (await platform.get(f"/api/deployments/{first}/durable")).status == 200
            await platform.clock.sleep(timedelta(days=3))
            assert platform.host.durable.instances() == []
            assert (await platform.get(f"/api/deployments/{first}/durable")).status == 404
            assert (await platform.get(f"/api/deployments/{first}/events")).body["value"]
            await platform.clock.sleep(timedelta(days=3))
            assert (await platform.get(f"/api/deployments/{first}")).status == 404
            assert await platform.store.events.list(first) == ()
            assert (await platform.get(f"/api/deployments/{second}")).body["status"] == "finished"
            assert (await platform.ended(await platform.start(**GOOD))).status is Status.FINISHED

    run_virtual(main())


def scaled_world(small_world: SmallWorld) -> World:
    """Four VMs that autoscale may make eight."""
    document = small_world(4).model_dump(mode="json", by_alias=True)
    bounds = [{"name": "always", "minimum": 2, "maximum": 8}]
    document["autoscaleSettings"] = [{"name": "web", "resourceGroup": "demo", "scaleSet": "web", "profiles": bounds}]
    return parse_world(document)


KEPT = {**GOOD, "drainingTimeout": 0, "gracePeriod": 120, "keepFor": 2 * 86400}


async def keep_something(platform: VirtualPlatform, end: str) -> str:
    """A deployment that keeps something for two days, after which another was asked for and taken back; its id."""
    image, on_failure = ("1.2.0", "keep") if end == "failed" else ("1.1.0", "discardGreen")
    kept = await platform.start(**{**KEPT, "image": image, "onFailure": on_failure})
    await platform.clock.sleep(timedelta(seconds=30))
    other = await platform.start(image="1.1.0", onConflict="queue")
    await platform.clock.sleep(timedelta(seconds=20))
    await platform.host.request("DELETE", f"/api/groups/web/queue/{other}")
    if end == "stopped":
        await platform.clock.sleep(timedelta(seconds=30))
        await platform.post(f"/api/deployments/{kept}/stop", {})
    assert (await platform.ended(kept)).status == end
    return kept


def releases(platform: VirtualPlatform) -> list[str]:
    """How the runs that let go of something ended, as far as they are remembered."""
    instances = platform.host.durable.instances()
    return [str(one.status.value) for one in instances if one.name == "restore_group"]


@pytest.mark.parametrize("end", ["failed", "stopped"])
def test_what_keeps_something_is_not_forgotten_before_that_is_given_back(small_world: SmallWorld, end: str) -> None:
    async def main() -> None:
        async with VirtualPlatform(
            scaled_world(small_world), settings=Settings(rows_days=1), options=QUIET
        ) as platform:
            scale_set_id = str(platform.world.groups[0]["scaleSetId"])
            kept = await keep_something(platform, end)
            await platform.clock.sleep(timedelta(days=1, hours=12))
            assert (await platform.get(f"/api/deployments/{kept}")).status == 200
            assert releases(platform) == []
            await platform.clock.sleep(timedelta(hours=13))
            assert releases(platform) == ["Completed"]
            assert await platform.store.holds.list() == ()
            assert await platform.store.dangers.list() == ()
            lock = await platform.store.locks.get(scale_set_id)
            assert (lock and lock.owner, image_version(platform, scale_set_id)) == ("", "1.0.0")
            if end == "failed":
                assert len(platform.cloud.scale_set(scale_set_id).active()) == 4

    run_virtual(main())


def test_journal_whose_deployment_is_forgotten_is_given_back_all_the_same(small_world: SmallWorld) -> None:
    async def main() -> None:
        async with VirtualPlatform(scaled_world(small_world), options=QUIET) as platform:
            scale_set_id = str(platform.world.groups[0]["scaleSetId"])
            kept = await keep_something(platform, "stopped")
            assert platform.cloud.autoscale_settings(scale_set_id)[0]["properties"]["profiles"][0]["capacity"] == {
                "minimum": "2",
                "maximum": "6",
                "default": "2",
            }
            await platform.store.archive.forget(kept)
            await platform.clock.sleep(timedelta(days=2, hours=1))
            assert releases(platform) == ["Completed"]
            assert await platform.store.holds.list() == ()
            (setting,) = platform.cloud.autoscale_settings(scale_set_id)
            assert setting["properties"]["profiles"][0]["capacity"]["maximum"] == "8"

    run_virtual(main())


def test_what_cannot_be_given_back_is_tried_again_told_and_cured(small_world: SmallWorld) -> None:
    async def main() -> None:
        async with VirtualPlatform(scaled_world(small_world), options=QUIET) as platform:
            kept = await keep_something(platform, "failed")
            denied = {"error": {"code": "AuthorizationFailed", "message": "no role"}}
            platform.cloud.faults.add(Fault(method="GET", path="virtualMachineScaleSets", status=403, body=denied))
            await platform.clock.sleep(timedelta(days=3))
            (danger,) = (await platform.get(f"/api/deployments/{kept}")).body["dangers"]
            assert danger["code"] == "notRestored"
            assert "AuthorizationFailed" in danger["message"] or "no role" in danger["message"]
            assert (await platform.get("/api/groups/web")).body["dangers"] == [danger]
            assert 5 <= len(releases(platform)) <= 10
            await platform.restart_host()
            platform.cloud.faults.clear()
            await platform.clock.sleep(timedelta(days=1, hours=1))
            assert releases(platform)[-1] == "Completed"
            assert (await platform.get("/api/groups/web")).body["dangers"] == []
            assert await platform.store.dangers.list() == ()
            assert await platform.store.holds.list() == ()

    run_virtual(main())


def test_group_is_not_deleted_while_a_lost_deployment_holds_its_set(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        lost = await platform.start(**GOOD)
        await stage.until(lost, "BatchLaunched", 1)
        platform.host.durable.terminate(lost, "by hand")
        await stage.sleep(seconds=30)
        assert (await platform.host.request("DELETE", "/api/groups/web")).status == 409
        await stage.sleep(minutes=40)
        assert (await platform.host.request("DELETE", "/api/groups/web")).status == 204
        assert (await platform.store.locks.get(stage.scale_set_id)).owner == ""
        assert (await platform.store.holds.list(), stage.model()) == ((), "1.0.0")

    play(story, scaled_world(small_world))
