"""Whatever is lost, doubled, late or killed: a published version is deployed once, and the record says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.world import Fault, World
from local.durable.errors import HostKilled
from local.durable.faults import ActivityFault, ActivityLoss, Delivery, DurableFaults, TurnFault, TurnLoss
from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]
ImagesOf = Callable[[Any], Any]


async def deployed_once(images: Any, version: str = "1.5.0") -> None:
    """The version was deployed, by one deployment, to its end; and nothing is left."""
    stage = images.stage
    await stage.quiet()
    (row,) = await images.deployments()
    assert (row.status, row.image.pinned.label) == (Status.FINISHED, version)
    assert stage.versions() == [version] * 2
    for record in await images.notifications():
        (group,) = record["groups"]
        assert (group["outcome"], group["deploymentId"]) == ("started", row.id)
    assert await stage.platform.store.wanted.list("web") == ()
    assert (await stage.platform.store.followers.get("web")).instance_id == ""


@pytest.mark.sweep
@pytest.mark.parametrize("loss", list(ActivityLoss))
@pytest.mark.parametrize("activity", ["decide_wanted", "start_wanted"])
@pytest.mark.parametrize("delivery", [1, 2])
def test_a_look_or_a_start_that_is_lost_doubled_or_late(
    play: Play, images_of: ImagesOf, small_world: SmallWorld, activity: str, loss: ActivityLoss, delivery: int
) -> None:
    fault = ActivityFault(loss, activity, delivery=delivery, after=timedelta(minutes=2))

    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule()
        images.publish("1.5.0", creating_for=timedelta(seconds=50))
        await images.notify("1.5.0")
        await images.until_started()
        await deployed_once(images)

    play(story, small_world(2), faults=DurableFaults(activities=[fault]))


@pytest.mark.parametrize("loss", list(TurnLoss))
@pytest.mark.parametrize("delivery", [1, 2, 3, 5, 7])
def test_a_turn_that_is_lost(
    play: Play, images_of: ImagesOf, small_world: SmallWorld, loss: TurnLoss, delivery: int
) -> None:
    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule()
        images.publish("1.5.0", creating_for=timedelta(minutes=7))
        await images.notify("1.5.0")
        await images.until_started()
        await deployed_once(images)

    play(story, small_world(2), faults=DurableFaults(turns=[TurnFault(loss, "follow_images", delivery=delivery)]))


@pytest.mark.sweep
@pytest.mark.parametrize("number", range(1, 16))
def test_a_host_that_is_killed_at_any_delivery(
    play: Play, images_of: ImagesOf, small_world: SmallWorld, number: int
) -> None:
    """What was not answered is sent again, as Event Grid does; so is one that was, once more."""
    faults = DurableFaults()

    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule()
        images.publish("1.5.0", creating_for=timedelta(minutes=2))

        def kill(delivery: Delivery) -> None:
            if delivery.number == number:
                stage.platform.host.kill()

        faults.on_delivery = kill
        event = images.event("1.5.0")
        for _ in range(60):
            try:
                await images.send([event])
                await stage.sleep(seconds=10)
                if await images.deployments():
                    break
            except HostKilled:
                await stage.platform.restart_host()
        await stage.platform.restart_host()
        await deployed_once(images)

    play(story, small_world(2), faults=faults)


@pytest.mark.parametrize("seconds", [0, 20, 80])
def test_a_follower_that_is_terminated_is_started_anew(
    play: Play, images_of: ImagesOf, small_world: SmallWorld, seconds: int
) -> None:
    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule()
        images.publish("1.5.0", creating_for=timedelta(minutes=20))
        await images.notify("1.5.0")
        await stage.sleep(seconds=seconds)
        dead = (await stage.platform.store.followers.get("web")).instance_id
        stage.platform.host.durable.terminate(dead, "by hand")
        await stage.sleep(minutes=6)
        follower = (await stage.platform.store.followers.get("web")).instance_id
        assert follower not in ("", dead)
        await images.until_started()
        await deployed_once(images)

    play(story, small_world(2))


@pytest.mark.parametrize("moment", range(0, 100, 14))
def test_a_notification_that_comes_as_the_follower_ends_is_followed(
    play: Play, images_of: ImagesOf, small_world: SmallWorld, moment: int
) -> None:
    """An older version is settled at the first look; the follower ends while another notification comes in."""

    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule()
        await images.notify("1.0.0")
        await stage.sleep(seconds=14, milliseconds=moment * 40)
        images.publish("1.5.0")
        await images.notify("1.5.0")
        await images.until_started(minutes=4)

    play(story, small_world(2))


def test_an_azure_that_does_not_answer_is_asked_again(play: Play, images_of: ImagesOf, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule()
        images.publish("1.5.0")
        for status in (503, 429):
            fault = {"status": status, "path": "/versions/1.5.0$", "calls": list(range(1, 9))}
            stage.platform.cloud.faults.add(Fault.model_validate(fault))
        await images.notify("1.5.0")
        await images.until_started()
        await deployed_once(images)

    play(story, small_world(2))
