"""Stories of the way back: the image that serves is put back, and none that failed is called restored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.azure.world import World, parse_world
from rollout.events import EventType
from rollout.status import Status

Play = Callable[..., Any]
Worlds = Callable[..., World]

FAILING = {"image": "1.2.0", "gracePeriod": 120, "drainingTimeout": 0, "batchSizePercentage": 50}


def autoscaled(world: World) -> World:
    """The world with something that a deployment holds."""
    profile = {"name": "always", "minimum": 4, "maximum": 4}
    setting = {"name": "web-as", "resourceGroup": "demo", "scaleSet": "web", "profiles": [profile], "every": None}
    return parse_world({**world.model_dump(mode="json", by_alias=True), "autoscaleSettings": [setting]})


def name_in_model(stage: Any, version: str) -> None:
    """What Terraform does before it starts the deployment. ``""``: no version."""
    image = f"{stage.platform.world.groups[0]['imageId']}{version and f'/versions/{version}'}"
    stage.platform.cloud.interfere.name_image(stage.scale_set_id, image)


async def plan(stage: Any, **asked: Any) -> dict[str, str]:
    """The findings of a dry run, each with its severity."""
    reply = await stage.platform.post("/api/groups/web/deployments?dryRun=true", asked)
    return {finding["code"]: finding["severity"] for finding in reply.body["findings"]}


@pytest.mark.parametrize("named", ["1.2.0", "1.1.0", ""])
def test_a_failure_puts_the_image_that_serves_into_a_model_that_named_another(
    play: Play, either_world: Worlds, named: str
) -> None:
    async def story(stage: Any) -> None:
        name_in_model(stage, named)
        await stage.sleep(minutes=10)
        assert "previousImageUnknown" not in await plan(stage, **FAILING)
        row = await stage.platform.ended(await stage.platform.start(**FAILING))
        assert (row.status, row.settled, row.image.previous.label) == (Status.FAILED, True, "1.0.0")
        assert (stage.model(), stage.versions()) == ("1.0.0", ["1.0.0"] * 4)
        told = [
            event.message for event in await stage.platform.events(row.id) if event.type == EventType.IMAGE_RESTORED
        ]
        assert told == ["Image 1.0.0 restored"]

    play(story, either_world(4))


def test_a_roll_back_brings_the_image_that_serves_though_the_model_named_the_new_one(
    play: Play, either_world: Worlds
) -> None:
    async def story(stage: Any) -> None:
        name_in_model(stage, "1.1.0")
        await stage.sleep(minutes=10)
        asked = {**FAILING, "image": "1.1.0", "onFailure": "rollBack", "approvals": "everyBatch"}
        deployment = await stage.platform.start(**asked)
        await stage.until(deployment, "ApprovalAwaited")
        await stage.say(deployment, "rollBack")
        row = await stage.platform.ended(deployment)
        assert (row.status, row.reason) == (Status.ROLLED_BACK, "4 VMs now on 1.0.0")
        assert (stage.model(), stage.versions()) == ("1.0.0", ["1.0.0"] * 4)

    play(story, either_world(4))


def test_where_blue_vms_differ_a_warning_tells_and_a_failure_claims_nothing(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        row = await stage.platform.ended(await stage.platform.start(image="1.1.0", drainingTimeout=0, batchSize=4))
        assert row.status is Status.FINISHED
        older = stage.platform.cloud.scale_set(stage.scale_set_id).active()[0]
        older.image = {**older.image, "id": older.image["id"].replace("1.1.0", "1.0.0"), "exactVersion": "1.0.0"}
        name_in_model(stage, "1.2.0")
        await stage.sleep(minutes=10)
        assert (await plan(stage, **FAILING))["previousImageUnknown"] == "warning"
        assert (await plan(stage, **FAILING, onFailure="rollBack"))["previousModelUnknown"] == "error"
        deployment = await stage.platform.start(**FAILING)
        await stage.until(deployment, "BatchStarted")
        reply = await stage.platform.post(f"/api/deployments/{deployment}/rollBack", {})
        assert (reply.status, reply.body["error"]["code"]) == (409, "previousModelUnknown")
        row = await stage.platform.ended(deployment)
        assert (row.status, row.settled, row.error.code) == (Status.FAILED, False, "batchUnhealthy")
        events = {event.type: event for event in await stage.platform.events(deployment)}
        assert EventType.IMAGE_RESTORED not in events
        assert events[EventType.IMAGE_NOT_RESTORED].data["code"] == "previousImageUnknown"
        assert EventType.PROCESSES_RESTORED not in events
        assert EventType.PROCESSES_HELD in events
        assert await stage.platform.store.holds.get(stage.scale_set_id) is not None

    play(story, autoscaled(either_world(4)), exempt=["good_image"])
