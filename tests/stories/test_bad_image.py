"""Stories of a set whose model names an image that was judged bad: nothing makes VMs of it unless a person names it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.world import World, parse_world
from local.durable.options import HostOptions
from rollout.automation.tries import version_id
from rollout.model.azure.scale_set import ImageReference
from rollout.model.status import Status

Play = Callable[..., Any]
Worlds = Callable[..., World]

PATH = "/api/groups/web/deployments"
ASKED = {"image": "1.1.0", "gracePeriod": 300, "drainingTimeout": 0, "batchSizePercentage": 100}
BAD = "modelNamesBadImage"


def autoscaled(world: World) -> World:
    """The world with something that a deployment holds."""
    profile = {"name": "always", "minimum": 2, "maximum": 3}
    setting = {"name": "web-as", "resourceGroup": "demo", "scaleSet": "web", "profiles": [profile], "every": None}
    return parse_world({**world.model_dump(mode="json", by_alias=True), "autoscaleSettings": [setting]})


async def left_on_a_bad_image(stage: Any) -> str:
    """A deployment whose image turns out bad, and whose image before is gone by then."""
    cloud, image_id = stage.platform.cloud, stage.platform.world.groups[0]["imageId"]
    deployment: str = await stage.platform.start(**ASKED, bakeTime=900)
    await stage.until(deployment, "BakeStarted")
    cloud.interfere.delete_version(f"{image_id}/versions/1.0.0")
    for vm in cloud.scale_set(stage.scale_set_id).active():
        cloud.interfere.sicken(stage.scale_set_id, vm.vm_id)
    row = await stage.platform.ended(deployment)
    assert (row.status, row.error.code, row.settled) == (Status.FAILED, "unhealthyWhileBaking", False)
    for vm in cloud.scale_set(stage.scale_set_id).active():
        cloud.interfere.sicken(stage.scale_set_id, vm.vm_id, sick=False)
    await stage.sleep(minutes=10)
    return deployment


async def dangers(stage: Any, path: str = "/api/groups/web") -> list[str]:
    return [danger["code"] for danger in (await stage.platform.get(path)).body["dangers"]]


async def plan(stage: Any, **asked: Any) -> dict[str, str]:
    reply = await stage.platform.post(f"{PATH}?dryRun=true", {**ASKED, **asked})
    return {finding["code"]: finding["severity"] for finding in reply.body["findings"]}


def test_a_bad_image_in_the_model_is_told_and_only_a_person_who_names_it_goes_to_it(
    play: Play, either_world: Worlds
) -> None:
    async def story(stage: Any) -> None:
        deployment = await left_on_a_bad_image(stage)
        shown = (await stage.platform.get("/api/groups/web")).body
        (danger,) = shown["dangers"]
        assert (danger["code"], "1.1.0" in danger["message"], bool(danger["remedy"])) == (BAD, True, True)
        assert await dangers(stage, f"/api/deployments/{deployment}") == [BAD]
        roll = shown["rollNeeded"]
        assert (roll["outdated"], [reason["field"] for reason in roll["reasons"]]) == (0, [BAD])
        reply = await stage.platform.post(PATH, {**ASKED, "image": None})
        (detail,) = reply.body["error"]["details"]
        assert (reply.status, detail["code"]) == (422, BAD)
        assert detail["remedy"].startswith("Deploy another version")
        assert (await plan(stage))[BAD] == "warning"
        found = await plan(stage, image="1.2.0", onFailure="rollBack")
        assert (found["previousImageUnknown"], found["previousModelUnknown"], BAD in found) == (
            "warning",
            "error",
            False,
        )
        hold = await stage.platform.store.holds.get(stage.scale_set_id)
        assert (hold is not None, hold.keep_until) == (True, None)
        row = await stage.platform.ended(await stage.platform.start(**ASKED, force=True))
        assert row.status is Status.FINISHED
        assert await dangers(stage) == []
        assert await stage.platform.store.holds.get(stage.scale_set_id) is None

    play(story, autoscaled(either_world(2)), exempt=["never_fewer_serving"], options=HostOptions())


def test_another_version_that_fails_too_claims_nothing_restored(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        await left_on_a_bad_image(stage)
        row = await stage.platform.ended(await stage.platform.start(**{**ASKED, "image": "1.2.0", "gracePeriod": 120}))
        assert (row.status, row.settled, row.image.previous.label, row.image.bad) == (
            Status.FAILED,
            False,
            "1.1.0",
            True,
        )
        types = [event.type for event in await stage.platform.events(row.id)]
        assert ("ImageNotRestored" in types, "ImageRestored" in types) == (True, False)
        assert await dangers(stage) == await dangers(stage, f"/api/deployments/{row.id}") == [BAD]
        assert (stage.model(), stage.versions()) == ("1.1.0", ["1.1.0"] * 2)

    play(story, either_world(2), exempt=["good_image", "never_fewer_serving"])


@pytest.mark.parametrize("asked", [{}, {"image": "latest"}, {"image": "1.1.0"}])
def test_a_schedule_waits_as_long_as_it_would_roll_the_set_to_it(
    play: Play, either_world: Worlds, asked: dict[str, Any]
) -> None:
    async def story(stage: Any) -> None:
        await left_on_a_bad_image(stage)
        for worse in ("1.3.0", "1.2.0", "1.4.0"):
            stage.platform.cloud.interfere.delete_version(
                f"{stage.platform.world.groups[0]['imageId']}/versions/{worse}"
            )
        await stage.sleep(minutes=10)
        schedule = {
            "name": "hourly",
            "cron": "0 * * * *",
            "timeZone": "Etc/UTC",
            "deployment": {**asked, "gracePeriod": 300, "drainingTimeout": 0, "force": True},
        }
        definition = {name: value for name, value in stage.platform.world.groups[0].items() if name != "id"}
        reply = await stage.platform.put("/api/groups/web", {**definition, "schedules": [schedule]})
        assert reply.status in (200, 201), reply.body
        await stage.sleep(minutes=65)
        (scheduled,) = (await stage.platform.get("/api/groups/web")).body["scheduled"]
        assert scheduled["lastRun"]["outcome"] == "waiting"
        assert scheduled["lastRun"]["reason"].startswith(BAD)
        assert len(await stage.watched.deployments()) == 1

    play(story, either_world(2), exempt=["good_image", "never_fewer_serving"])


def test_another_image_in_the_model_takes_it_away_and_what_was_held_comes_back(
    play: Play, either_world: Worlds
) -> None:
    async def story(stage: Any) -> None:
        deployment = await left_on_a_bad_image(stage)
        await stage.sleep(hours=30)
        assert await dangers(stage) == [BAD]
        image_id = stage.platform.world.groups[0]["imageId"]
        stage.platform.cloud.interfere.name_image(stage.scale_set_id, f"{image_id}/versions/1.2.0")
        await stage.sleep(minutes=30)
        assert await dangers(stage) == await dangers(stage, f"/api/deployments/{deployment}") == []
        assert await stage.platform.store.holds.get(stage.scale_set_id) is None
        assert BAD not in await plan(stage, image=None)

    play(story, autoscaled(either_world(2)), exempt=["good_image", "never_fewer_serving"])


def test_vms_that_are_kept_go_when_their_time_is_over_and_what_is_held_stays_held(
    play: Play, either_world: Worlds
) -> None:
    async def story(stage: Any) -> None:
        asked = {**ASKED, "image": "1.2.0", "gracePeriod": 120, "onFailure": "keep", "keepFor": 3600}
        deployment = await stage.platform.start(**asked)
        await stage.until(deployment, "BatchLaunched")
        image_id = stage.platform.world.groups[0]["imageId"]
        stage.platform.cloud.interfere.delete_version(f"{image_id}/versions/1.0.0")
        row = await stage.platform.ended(deployment)
        assert (row.status, sorted(stage.versions())) == (Status.FAILED, ["1.0.0"] * 2 + ["1.2.0"] * 2)
        await stage.platform.clock.sleep(timedelta(hours=2))
        assert stage.versions() == ["1.0.0"] * 2
        hold = await stage.platform.store.holds.get(stage.scale_set_id)
        assert (hold is not None, hold.keep_until, await dangers(stage)) == (True, None, [BAD])
        settings = stage.platform.cloud.autoscale_settings(stage.scale_set_id)
        assert settings[0]["properties"]["profiles"][0]["capacity"]["maximum"] == "4"

    play(story, autoscaled(either_world(2)), exempt=["good_image"])


def test_a_rule_deploys_another_version_than_the_bad_one(
    play: Play, either_world: Worlds, images_of: Callable[..., Any]
) -> None:
    async def story(stage: Any) -> None:
        images = images_of(stage)
        await left_on_a_bad_image(stage)
        await stage.platform.store.tries.delete(await _try_of(stage, "1.1.0"))
        await images.rule()
        await images.notify("1.1.0", "bad")
        await stage.sleep(minutes=5)
        outcome, reason = await images.outcome("bad")
        assert (outcome, reason.startswith("The set's model names it since")) == ("ignored", True)
        images.publish("1.0.5")
        await images.notify("1.0.5", "older")
        found = await images.until_started(2)
        assert (await stage.platform.ended(found[1].id)).status is Status.FINISHED
        assert (stage.versions(), await dangers(stage)) == (["1.0.5"] * 2, [])

    play(story, either_world(2), exempt=["never_fewer_serving"])


async def _try_of(stage: Any, version: str) -> Any:
    image = ImageReference(id=f"{stage.platform.world.groups[0]['imageId']}/versions/{version}")
    return await stage.platform.store.tries.get(stage.scale_set_id, version_id(image))
