"""Green VMs are watched only where there are any, and only on the way to the new image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
Worlds = Callable[..., Any]

QUICK = {"image": "1.1.0", "gracePeriod": 300, "drainingTimeout": 0}


async def stop_at(stage: Any, event: str, batch: int | None = None, **asked: Any) -> None:
    """Leave the set with VMs of the new image, and the old image in its model."""
    deployment = await stage.platform.start(**QUICK, **asked)
    await stage.until(deployment, event, batch)
    await stage.say(deployment, "stop")
    assert (await stage.platform.ended(deployment)).status is Status.STOPPED


async def bakes(stage: Any, deployment: str) -> list[tuple[int | None, int]]:
    """After which batch the VMs were watched, and for how many seconds that was planned."""
    events = await stage.platform.events(deployment)
    return [(event.batch, event.data["seconds"]) for event in events if event.type == "BakeStarted"]


@pytest.mark.parametrize("on_failure", ["discardGreen", "rollBack"])
@pytest.mark.parametrize("canary", [{}, {"canary": {"size": 1, "bakeTime": 300}}])
def test_nothing_bakes_where_no_vm_is_replaced(play: Play, small_world: Worlds, canary: Any, on_failure: str) -> None:
    async def story(stage: Any) -> None:
        await stop_at(stage, "BakeStarted", batchSizePercentage=100, bakeTime=600)
        again = await stage.platform.start(**QUICK, batchSize=1, bakeTime=600, onFailure=on_failure, **canary)
        row = await stage.platform.ended(again)
        assert (row.status, row.error) == (Status.FINISHED, None)
        story = await stage.platform.story(again)
        assert not any(word in line for line in story for word in ("Bake", "StepRetried")), story
        assert (stage.versions(), stage.model()) == (["1.1.0"] * 4, "1.1.0")

    play(story, small_world(4))


@pytest.mark.parametrize(("after_canary", "before_the_end", "seconds"), [(300, 600, 600), (600, 300, 600)])
def test_a_canary_that_is_all_bakes_once_for_the_longer_time(
    play: Play, small_world: Worlds, after_canary: int, before_the_end: int, seconds: int
) -> None:
    async def story(stage: Any) -> None:
        await stop_at(stage, "ApprovalAwaited", 3, batchSize=1, approvals=[3])
        canary = {"size": 1, "bakeTime": after_canary}
        again = await stage.platform.start(**QUICK, batchSize=1, canary=canary, bakeTime=before_the_end)
        assert (await stage.platform.ended(again)).status is Status.FINISHED
        assert await bakes(stage, again) == [(1, seconds)]
        (begun,) = [one.at for one in await stage.platform.events(again) if one.type == "BakeStarted"]
        (baked,) = [one.at for one in await stage.platform.events(again) if one.type == "Baked"]
        assert (baked - begun).total_seconds() == seconds

    play(story, small_world(4))


def test_nothing_bakes_while_a_deployment_is_rolled_back(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        canary = {"size": 1, "bakeTime": 300}
        deployment = await stage.platform.start(**QUICK, batchSize=1, canary=canary, bakeTime=600)
        await stage.until(deployment, "BakeStarted", 3)
        await stage.say(deployment, "rollBack")
        assert (await stage.platform.ended(deployment)).status is Status.ROLLED_BACK
        assert await bakes(stage, deployment) == [(1, 300), (3, 600)]

    play(story, small_world(3))
