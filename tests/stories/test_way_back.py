"""Stories of a previous image that is gone: the way back is looked at before the way forward, and again before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.azure.world import World
from rollout.events import EventType
from rollout.status import Status

Play = Callable[..., Any]
Worlds = Callable[..., World]

ASKED = {"image": "1.1.0", "gracePeriod": 300, "drainingTimeout": 0, "batchSizePercentage": 50}
PATH = "/api/groups/web/deployments"


def lose(stage: Any, version: str = "1.0.0") -> None:
    """Somebody cleans up the gallery."""
    stage.platform.cloud.interfere.delete_version(f"{stage.platform.world.groups[0]['imageId']}/versions/{version}")


async def severity(stage: Any, **asked: Any) -> str | None:
    """How severe a plan finds it that the image before is gone; ``None``: it is not."""
    reply = await stage.platform.post(f"{PATH}?dryRun=true", {**ASKED, **asked})
    found = {finding["code"]: finding["severity"] for finding in reply.body["findings"]}
    assert reply.body["canStart"] is (found.get("previousImageGone") != "error")
    return found.get("previousImageGone")


def test_a_way_back_that_is_closed_refuses_who_asks_for_it_and_warns_others(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        assert await severity(stage, onFailure="rollBack") is None
        lose(stage)
        await stage.sleep(minutes=10)
        assert await severity(stage) == "warning"
        assert await severity(stage, actionOnTimeout="rollBack") == "error"
        reply = await stage.platform.post(PATH, {**ASKED, "onFailure": "rollBack"})
        (detail,) = reply.body["error"]["details"]
        assert (reply.status, detail["code"], detail["target"]) == (422, "previousImageGone", "onFailure")
        reply = await stage.platform.post(PATH, ASKED)
        assert (reply.status, [one["code"] for one in reply.body["findings"]]) == (202, ["previousImageGone"])
        assert (await stage.platform.ended(reply.body["id"])).status is Status.FINISHED
        assert await severity(stage, image="1.1.0", force=True) is None

    play(story, either_world(2))


def test_a_roll_back_looks_again_before_anything_goes_and_says_why_it_cannot(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        asked = {**ASKED, "onFailure": "rollBack", "bakeTime": 900}
        deployment = await stage.platform.start(**asked)
        await stage.until(deployment, "BakeStarted")
        lose(stage)
        await stage.sleep(minutes=5)
        reply = await stage.platform.post(f"/api/deployments/{deployment}/rollBack", {})
        assert (reply.status, reply.body["error"]["code"]) == (409, "previousImageGone")
        for vm in stage.platform.cloud.scale_set(stage.scale_set_id).active():
            stage.platform.cloud.interfere.sicken(stage.scale_set_id, vm.vm_id)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.error.code, row.settled) == (Status.FAILED, "previousImageGone", False)
        begin = "cannot be rolled back: Image 1.0.0, which was there before, is not there any more (0 of 2 VMs healthy"
        assert row.reason.startswith(begin)
        types = [event.type for event in await stage.platform.events(deployment)]
        assert EventType.IMAGE_NOT_RESTORED in types
        assert not {EventType.IMAGE_RESTORED, EventType.ROLL_BACK_PLANNED} & set(types)
        assert (stage.versions(), stage.model()) == (["1.1.0"] * 2, "1.1.0")

    play(story, either_world(2), exempt=["good_image", "never_fewer_serving"])


@pytest.mark.parametrize("answer", ["rollBack", "stop"])
def test_who_is_waited_for_in_vain_hears_why_there_is_no_way_back(
    play: Play, either_world: Worlds, answer: str
) -> None:
    async def story(stage: Any) -> None:
        asked = {**ASKED, "approvals": "everyBatch", "waitTimeout": 600, "actionOnTimeout": "rollBack"}
        deployment = await stage.platform.start(**asked)
        await stage.until(deployment, "ApprovalAwaited")
        lose(stage)
        if answer == "stop":
            await stage.say(deployment, "stop")
        row = await stage.platform.ended(deployment)
        assert row.status is (Status.STOPPED if answer == "stop" else Status.FAILED)
        assert ("is not there any more" in row.reason) is (answer == "rollBack")
        assert sorted(stage.versions()) == ["1.0.0", "1.1.0"]

    play(story, either_world(2), exempt=["good_image"])
