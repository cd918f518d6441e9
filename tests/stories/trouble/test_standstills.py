"""The app is away, or its clock is wrong: a deployment ends as if nothing had been."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.world import Fault, World, parse_world
from local.virtual import VirtualPlatform
from rollout.model.status import Status
from settings import Settings

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
Worlds = Callable[..., World]

ASKED: dict[str, Any] = {"image": "1.1.0", "batchSize": 2, "gracePeriod": 300, "drainingTimeout": 60}

#: What is asked for, the set's mode, the pool that it is behind, and how it ends.
KINDS: dict[str, tuple[dict[str, Any], str, str, Status]] = {
    "uniform": (ASKED, "Uniform", "", Status.FINISHED),
    "flexible": (ASKED, "Flexible", "", Status.FINISHED),
    "balancer": (ASKED, "Uniform", "web-lb/web", Status.FINISHED),
    "gateway": (ASKED, "Flexible", "web-gw/web", Status.FINISHED),
    "canary": (ASKED | {"canary": {"size": 1, "bakeTime": 120}, "bakeTime": 60}, "Uniform", "", Status.FINISHED),
    "rollBack": (ASKED | {"image": "1.2.0", "onFailure": "rollBack"}, "Uniform", "", Status.ROLLED_BACK),
}

AWAY = {"hour": timedelta(hours=1), "day": timedelta(days=1), "tenDays": timedelta(days=10)}


def world_of(small_world: Worlds, mode: str, pool: str) -> World:
    """Four VMs, in this mode, behind this pool or none."""
    document = small_world(4).model_dump(mode="json", by_alias=True)
    document["scaleSets"][0] |= {"orchestrationMode": mode, "backendPools": [pool] if pool else []}
    document["loadBalancers"] = [{"name": "web-lb", "resourceGroup": "demo", "pools": ["web"]}]
    document["applicationGateways"] = [{"name": "web-gw", "resourceGroup": "demo", "pools": ["web"]}]
    document["scaleSets"] = document["scaleSets"][:1]
    document["groups"] = document["groups"][:1]
    checked = {"": [], "web-lb/web": ["loadBalancer"], "web-gw/web": ["applicationGateway"]}[pool]
    document["groups"][0]["healthCheckTypes"] = ["vmState", "applicationHealth", *checked]
    return parse_world(document)


@pytest.mark.sweep
@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize("minute", range(14))
@pytest.mark.parametrize("kind", KINDS)
def test_downtime_at_any_minute_leads_to_the_same_end(
    play: Play, small_world: Worlds, kind: str, minute: int, away: str
) -> None:
    asked, mode, pool, end = KINDS[kind]

    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**asked)
        await stage.sleep(minutes=minute, seconds=20)
        await stage.platform.sleep(AWAY[away])
        row = await stage.platform.ended(deployment)
        assert row.status is end, await stage.platform.story(deployment)
        version = "1.1.0" if end is Status.FINISHED else "1.0.0"
        assert stage.versions() == [version] * 4

    play(story, world_of(small_world, mode, pool))


@pytest.mark.sweep
@pytest.mark.parametrize("hours", [1, -1])
@pytest.mark.parametrize("minute", range(7))
def test_clock_that_is_set_ends_nothing_and_no_time_runs_backwards(
    play: Play, small_world: Worlds, minute: int, hours: int
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**ASKED)
        await stage.sleep(minutes=minute, seconds=20)
        stage.platform.host_clock.step(timedelta(hours=hours))
        row = await stage.platform.ended(deployment)
        assert row.status is Status.FINISHED, await stage.platform.story(deployment)
        times = [row.created_at, *(one.at for one in await stage.platform.events(deployment)), row.ended_at]
        assert times == sorted(times)

    # Azure's clock is not the app's any more, and the promise is about what had happened when.
    play(story, small_world(4), exempt=["vms_shown_at_the_end"])


def test_vms_that_were_deleted_while_the_app_was_away_are_found_gone(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**ASKED)
        while not any(one.path.endswith("/delete") for one in stage.platform.cloud.audit):
            await stage.sleep(seconds=1)
        await stage.platform.sleep(timedelta(minutes=61))
        assert (await stage.platform.ended(deployment)).status is Status.FINISHED

    play(story, small_world(4))


def test_a_person_who_comes_after_the_app_was_away_past_the_deadline_still_decides(
    play: Play, small_world: Worlds
) -> None:
    async def story(stage: Any) -> list[str]:
        ends = []
        for says in (True, False):
            deployment = await stage.platform.start(**ASKED, approvals=[1], waitTimeout=3600)
            await stage.until(deployment, "ApprovalAwaited")
            await stage.platform.sleep(timedelta(hours=10))
            if says:
                await stage.sleep(minutes=1)
                await stage.say(deployment, "approve")
            row = await stage.platform.ended(deployment)
            ends.append(f"{row.status}: {row.reason}")
            await stage.platform.ended(await stage.platform.start(**ASKED | {"image": "1.0.0"}))
        return ends

    approved, stopped = play(story, small_world(4))
    assert approved.startswith("finished")
    assert stopped.startswith("stopped")
    assert "nobody answered within 1 h (Teal itself was away for " in stopped


def test_settings_that_are_tightened_while_a_version_and_a_deployment_wait_hold_for_both(
    play: Play, small_world: Worlds, images_of: Any
) -> None:
    async def story(stage: Any) -> None:
        platform: VirtualPlatform = stage.platform
        images = images_of(stage)
        await images.rule()
        first = await platform.start(**ASKED, approvals=[1])
        queued = await platform.start(**ASKED | {"image": "1.0.0"}, onConflict="queue")
        await stage.until(first, "ApprovalAwaited")
        await images.notify("1.4.0")
        platform.settings = Settings(allowed_scopes="/subscriptions/s/resourceGroups/other")
        await platform.sleep(timedelta(minutes=1))
        row = await platform.ended(queued)
        assert (row.status, row.error.code if row.error else "") == (Status.FAILED, "scopeNotAllowed")
        await stage.sleep(minutes=5)
        outcome, reason = await images.outcome("event-1.4.0")
        assert (outcome, reason.partition(":")[0]) == ("failed", "scopeNotAllowed")
        await stage.say(first, "approve")
        assert (await platform.ended(first)).status is Status.FINISHED

    play(story, small_world(4))


def test_an_interval_that_is_changed_counts_at_the_next_look_of_a_deployment_under_way(
    play: Play, small_world: Worlds
) -> None:
    async def story(stage: Any) -> list[int]:
        platform: VirtualPlatform = stage.platform
        deployment = await platform.start(**ASKED | {"image": "1.2.0", "gracePeriod": 3600})
        await stage.until(deployment, "BatchLaunched")
        looks = []
        for seconds in (15, 60):
            platform.settings = Settings(poll_interval=timedelta(seconds=seconds))
            await platform.restart_host()
            await stage.sleep(minutes=10)
            looks.append(sum(one.name == "wait_until_done" for one in platform.host.durable.executions))
        await stage.say(deployment, "stop")
        return looks

    often, seldom = play(story, small_world(2))
    assert often > 3 * seldom > 0


def test_a_schedule_of_a_scope_that_is_not_allowed_any_more_starts_nothing(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> str:
        platform: VirtualPlatform = stage.platform
        group = dict(platform.world.groups[0])
        hourly = {"name": "hourly", "cron": "0 * * * *", "deployment": {"image": "1.1.0"}}
        assert (await platform.put(f"/api/groups/{group.pop('id')}", {**group, "schedules": [hourly]})).status == 200
        platform.settings = Settings(allowed_scopes="/subscriptions/s/resourceGroups/other")
        await platform.sleep(timedelta(minutes=1))
        await stage.sleep(hours=1)
        assert await platform.store.deployments.newest("web", 1) == ()
        (run,) = await platform.store.schedule_runs.list("web")
        return f"{run.outcome}: {run.reason}"

    outcome, _, reason = play(story, small_world(2)).partition(": ")
    assert (outcome, "TEAL_ALLOWED_SCOPES" in reason) == ("failed", True)


def test_a_launch_that_has_no_room_is_not_given_up_at_the_first_look_after_an_hour(
    play: Play, small_world: Worlds
) -> None:
    async def story(stage: Any) -> None:
        # The first PATCH is that of the image.
        full = {"error": {"code": "AllocationFailed", "message": "There is no room."}}
        calls = tuple(range(2, 100))
        stage.platform.cloud.faults.add(
            Fault(method="PATCH", path="/virtualMachineScaleSets/", status=409, body=full, calls=calls)
        )
        deployment = await stage.platform.start(**ASKED, allocationTimeout=300)
        await stage.until(deployment, "BatchStarted")
        await stage.sleep(minutes=2)
        stage.platform.cloud.faults.clear()
        await stage.platform.sleep(timedelta(hours=1))
        row = await stage.platform.ended(deployment)
        assert row.status is Status.FINISHED, await stage.platform.story(deployment)

    play(story, small_world(2))


def test_a_history_stays_short_however_often_a_deployment_is_paused(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**ASKED, bakeTime=3600)
        await stage.until(deployment, "BakeStarted")
        for _ in range(30):
            for command in ("pause", "resume"):
                await stage.say(deployment, command)
                await stage.sleep(seconds=20)
        durable = stage.platform.host.durable
        assert max(len(durable.history(one.id)) for one in durable.instances()) < 200
        await stage.say(deployment, "stop")

    play(story, small_world(2))


def test_a_version_that_the_gallery_has_later_is_deployed_then(play: Play, small_world: Worlds, images_of: Any) -> None:
    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule()
        for status, name in ((404, "1.5.0"), (503, "1.6.0"), (429, "1.7.0")):
            stage.platform.cloud.faults.add(Fault(method="GET", path="/galleries/", status=status))
            images.publish(name)
            await images.notify(name)
            await stage.sleep(minutes=10)
            outcome, reason = await images.outcome(f"event-{name}")
            assert (outcome, reason.startswith(("The gallery has no version", "Azure is busy"))) == ("waiting", True)
            stage.platform.cloud.faults.clear()
            await stage.quiet()
        assert stage.versions() == ["1.7.0"] * 2

    play(story, small_world(2))
