"""Published images: what Event Grid tells of, and what each group makes of it."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from local.azure.world import World, parse_world
from local.clock import run_virtual
from local.durable.options import QUIET
from local.virtual import VirtualPlatform
from rollout.model.status import Status
from settings import Settings

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

ImagesOf = Callable[[Any], Any]

#: What the rule of the stories asks for (tests/stories/conftest.py).
ASKED: dict[str, Any] = {"batchSizePercentage": 100, "gracePeriod": 300, "drainingTimeout": 0}


def test_a_published_image_is_deployed_to_its_end(play: Play, images_of: ImagesOf, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule("1.x")
        images.publish("1.5.0")
        await images.notify("1.5.0")
        assert await images.outcome("event-1.5.0") == ("waiting", "Version 1.5.0 is one of 1.x")
        (row,) = await images.until_started()
        assert (row.started_by, row.parameters.comment) == ("imagePublished", "Version 1.5.0 was published")
        assert row.parameters.grace_period == timedelta(seconds=300)
        row = await stage.platform.ended(row.id)
        assert (row.status, stage.versions(), stage.model()) == (Status.FINISHED, ["1.5.0"] * 2, "1.5.0")
        assert await images.outcome("event-1.5.0") == ("started", f"Deployment {row.id} deploys it")
        (listed,) = await images.notifications()
        assert listed["groups"][0]["deploymentId"] == row.id
        assert (listed["version"], listed["deliveries"]) == ("1.5.0", 1)
        await stage.quiet()
        assert (await stage.platform.store.followers.get("web")).instance_id == ""

    play(story, either_world(2))


def test_both_schemas_start_a_deployment(play: Play, images_of: ImagesOf, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule()
        images.publish("1.5.0")
        event = images.event("1.5.0")
        cloud_event = {
            "id": "cloud-1",
            "source": event["topic"],
            "subject": event["subject"],
            "type": event["eventType"],
            "time": event["eventTime"],
            "data": event["data"],
            "specversion": "1.0",
        }
        assert await images.send(cloud_event) == 202
        (row,) = await images.until_started()
        row = await stage.platform.ended(row.id)
        assert (row.status, row.image.pinned.label) == (Status.FINISHED, "1.5.0")
        assert (await images.outcome("cloud-1"))[0] == "started"

    play(story, small_world(2))


@pytest.mark.parametrize("schema", ["EventGridSchema", "CloudEventSchemaV1_0"])
def test_event_grid_tells_of_what_a_pipeline_publishes(
    play: Play, images_of: ImagesOf, small_world: SmallWorld, schema: str
) -> None:
    """From the write of a version to the end of the deployment, through the subscription, each notification twice."""
    document = small_world(2).model_dump(mode="json", by_alias=True)
    subscription = {"name": "all", "function": "imagePublished", "eventDeliverySchema": schema, "duplicates": 1}
    document["eventSubscriptions"] = [subscription]

    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule()
        images.publish("1.5.0", creating_for=timedelta(minutes=5))
        (row,) = await images.until_started()
        row = await stage.platform.ended(row.id)
        assert (row.status, row.image.pinned.label, stage.versions()) == (Status.FINISHED, "1.5.0", ["1.5.0"] * 2)
        await stage.quiet()
        await stage.sleep(minutes=5)
        told = await images.notifications()
        (published,) = [one for one in told if one["version"]]
        assert (published["outcome"], published["deliveries"]) == ("started", 2)
        # The subscription has no filter, so Teal's own writes come back to it, and lead to nothing.
        own = [one for one in told if not one["version"]]
        assert own
        assert {one["outcome"] for one in own} == {"ignored"}
        assert len(await images.deployments()) == 1

    play(story, parse_world(document))


@pytest.mark.parametrize("minutes", [8, 120])
def test_a_version_is_deployed_once_it_has_reached_the_groups_region(
    play: Play, images_of: ImagesOf, small_world: SmallWorld, minutes: int
) -> None:
    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule()
        begun = stage.platform.clock.now()
        region = stage.platform.cloud.scale_set(stage.scale_set_id).location
        images.publish("1.5.0", replicated_after={region: timedelta(minutes=minutes)})
        await images.notify("1.5.0")
        await stage.sleep(minutes=minutes - 1)
        outcome, reason = await images.outcome("event-1.5.0")
        assert (outcome, reason.partition(" is ")[2]) == ("waiting", "Replicating")
        assert await images.deployments() == []
        (row,) = await images.until_started()
        assert timedelta(minutes=minutes) <= row.created_at - begun < timedelta(minutes=minutes + 2)
        assert (await stage.platform.ended(row.id)).status is Status.FINISHED

    play(story, small_world(2))


def test_replication_that_fails_and_one_that_takes_too_long_are_told(
    play: Play, images_of: ImagesOf, small_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule(replicationTimeout=1800)
        region = stage.platform.cloud.scale_set(stage.scale_set_id).location
        images.publish("1.5.0", replication_failed=[region])
        images.publish("1.6.0", replicated_after={region: timedelta(hours=2)})
        await images.notify("1.5.0")
        await images.notify("1.6.0")
        await stage.sleep(minutes=5)
        assert await images.outcome("event-1.5.0") == ("failed", f"Its replication to {region} has failed")
        assert (await images.outcome("event-1.6.0"))[0] == "waiting"
        await stage.sleep(hours=3)
        outcome, reason = await images.outcome("event-1.6.0")
        assert (outcome, "Replicating at its deadline" in reason) == ("failed", True)
        assert await images.deployments() == []
        # Somebody writes to the version again, now that it is there.
        await images.notify("1.6.0", "again")
        (row,) = await images.until_started()
        assert (await stage.platform.ended(row.id)).status is Status.FINISHED

    play(story, small_world(2))


def test_a_version_that_is_still_being_made_is_waited_for(
    play: Play, images_of: ImagesOf, small_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule()
        images.publish("1.5.0", creating_for=timedelta(minutes=10))
        images.publish("1.6.0", creating_for=timedelta(minutes=10), fails=True)
        await images.notify("1.5.0")
        await images.notify("1.6.0")
        await stage.sleep(minutes=5)
        assert await images.outcome("event-1.5.0") == ("waiting", "It is Creating")
        (row,) = await images.until_started()
        assert (row.image.pinned.label, await images.outcome("event-1.6.0")) == ("1.5.0", ("failed", "It is Failed"))
        await stage.platform.ended(row.id)

    play(story, small_world(2))


@pytest.mark.parametrize("seed", range(3))
def test_a_burst_deploys_at_most_the_first_and_the_newest_and_all_is_accounted_for(
    play: Play, images_of: ImagesOf, small_world: SmallWorld, seed: int
) -> None:
    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule()
        names = [f"1.{number}.0" for number in range(10, 20)]
        for name in names:
            images.publish(name)
        events = [images.event(name, f"{name}-{copy}") for name in names for copy in range(5)] * 2
        random.Random(seed).shuffle(events)
        sent = [images.send([event]) for event in events]
        for start in range(0, 100, 10):
            assert set(await asyncio.gather(*sent[start : start + 10])) == {202}
            await stage.sleep(milliseconds=100)
        await stage.quiet()

        deployed = await images.deployments()
        assert 1 <= len(deployed) <= 2
        assert deployed[-1].image.pinned.label == "1.19.0"
        assert {row.status for row in deployed} == {Status.FINISHED}
        assert (stage.versions(), stage.model()) == (["1.19.0"] * 2, "1.19.0")
        records = await images.notifications()
        assert sum(record["deliveries"] for record in records) == 100
        assert Counter(record["version"] for record in records) == dict.fromkeys(names, 5)
        outcomes = {record["version"]: record["outcome"] for record in records}
        assert outcomes.pop("1.19.0") == "started"
        for row in deployed[:-1]:
            assert outcomes.pop(row.image.pinned.label) == "started"
        assert set(outcomes.values()) <= {"superseded", "ignored"}
        assert await stage.platform.store.wanted.list("web") == ()

    play(story, small_world(2))


def test_of_versions_published_during_a_deployment_the_newest_is_next(
    play: Play, images_of: ImagesOf, small_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule()
        images.publish("1.5.0")
        await images.notify("1.5.0")
        (first,) = await images.until_started()
        for name in ("1.7.0", "1.6.0", "1.8.0"):
            images.publish(name)
            await images.notify(name)
        await stage.sleep(minutes=2)
        for name in ("1.8.0", "1.7.0", "1.6.0"):
            reason = f"Deployment {first.id} is deploying to the scale set"
            assert await images.outcome(f"event-{name}") == ("waiting", reason)
        _, second = await images.until_started(2)
        assert (await stage.platform.row(first.id)).status is Status.FINISHED
        await stage.platform.ended(second.id)
        await stage.quiet()
        assert [row.image.pinned.label for row in await images.deployments()] == ["1.5.0", "1.8.0"]
        for name in ("1.6.0", "1.7.0"):
            reason = "Version 1.8.0 is newer, and was deployed instead"
            assert await images.outcome(f"event-{name}") == ("superseded", reason)
        assert stage.versions() == ["1.8.0"] * 2

    play(story, small_world(2))


def test_an_image_that_does_not_fit_the_set_fails_and_says_why(
    play: Play, images_of: ImagesOf, small_world: SmallWorld
) -> None:
    document = small_world(2).model_dump(mode="json", by_alias=True)
    document["galleries"][0]["images"].append({"name": "win", "osType": "Windows", "versions": [{"name": "1.0.0"}]})

    async def story(stage: Any) -> None:
        images = images_of(stage)
        images.image_id = images.image_id.removesuffix("web") + "win"
        await images.rule()
        await images.notify("1.0.0")
        await stage.quiet()
        outcome, reason = await images.outcome("event-1.0.0")
        assert (outcome, "imageIncompatible" in reason) == ("failed", True), reason
        assert await images.deployments() == []

    play(story, parse_world(document))


def test_what_may_pass_is_waited_for(play: Play, images_of: ImagesOf, small_world: SmallWorld) -> None:
    """Somebody's own change of the set is under way."""

    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule()
        stage.platform.cloud.interfere.hold(stage.scale_set_id, timedelta(minutes=15))
        await images.notify("1.1.0")
        await stage.sleep(minutes=10)
        outcome, reason = await images.outcome("event-1.1.0")
        assert (outcome, "scaleSetBusy" in reason) == ("waiting", True), reason
        (row,) = await images.until_started()
        assert (await stage.platform.ended(row.id)).status is Status.FINISHED

    play(story, small_world(2))


def test_a_deployment_by_hand_is_waited_for_and_may_settle_it(
    play: Play, images_of: ImagesOf, small_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule()
        images.publish("1.5.0")
        mine = await stage.platform.start(image="1.5.0", **ASKED)
        await stage.sleep(seconds=5)
        images.publish("1.6.0")
        await images.notify("1.5.0")
        await images.notify("1.6.0")
        await stage.sleep(minutes=1)
        # The gallery is not asked while the deployment is under way.
        assert (await images.outcome("event-1.5.0"))[0] == "waiting"
        _, second = await images.until_started(2)
        outcome, reason = await images.outcome("event-1.5.0")
        assert (outcome, reason.startswith(f"It was deployed before: {mine}")) == ("ignored", True)
        assert (await stage.platform.row(mine)).status is Status.FINISHED
        assert (await stage.platform.ended(second.id)).image.pinned.label == "1.6.0"

    play(story, small_world(2))


def test_a_version_gets_one_try_however_often_it_is_written(
    play: Play, images_of: ImagesOf, small_world: SmallWorld
) -> None:
    """1.2.0 never becomes healthy. A tag on it is a write, too, and must not have it deployed again."""

    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule()
        await images.notify("1.2.0")
        (row,) = await images.until_started()
        row = await stage.platform.ended(row.id)
        assert (row.status, stage.model()) == (Status.FAILED, "1.0.0")
        await images.notify("1.2.0", "a-tag")
        await stage.quiet()
        assert await images.outcome("a-tag") == ("ignored", f"It was deployed before: {row.id} is failed")
        assert len(await images.deployments()) == 1
        # An older version that is newer than what runs is deployed all the same.
        await images.notify("1.1.0")
        _, second = await images.until_started(2)
        assert (await stage.platform.ended(second.id)).status is Status.FINISHED

    play(story, small_world(2))


def test_what_is_not_for_the_group_is_ignored_with_its_reason(
    play: Play, images_of: ImagesOf, small_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule("1.x", replicationTimeout=3600)
        images.publish("2.0.0")
        images.publish("1.5.0", exclude_from_latest=True)
        own = f"{stage.scale_set_id}".replace("/resourceGroups/", "/resourcegroups/")
        sent = {
            "other-major": images.event("2.0.0"),
            "excluded": images.event("1.5.0"),
            "older": images.event("1.0.0"),
            "unknown": images.event("1.77.0"),
            "own-write": {
                **images.event("1.1.0"),
                "subject": own,
                "data": {"operationName": "Microsoft.Compute/virtualMachineScaleSets/delete"},
            },
            "gallery": images.event("1.1.0", subject=images.image_id.replace("/apps/", "/other/") + "/versions/1.1.0"),
            "type": images.event("1.1.0", eventType="Microsoft.Resources.ResourceWriteFailure"),
            "malformed": {"data": 5, "subject": ["x"], "eventType": {}},
        }
        for name, event in sent.items():
            assert await images.send([{**event, "id": name}]) == 202
        await stage.quiet()
        # A gallery may be a while behind what it tells of.
        outcome, reason = await images.outcome("unknown")
        assert (outcome, reason.partition(" at ")[0]) == ("failed", "The gallery has no version 1.77.0 yet")
        for name, (outcome, reason) in {
            "other-major": ("ignored", "Version 2.0.0 is not one of 1.x"),
            "excluded": ("ignored", "It is excluded from latest"),
            "older": ("ignored", "It is not newer than version 1.0.0, which the group runs"),
            "own-write": (
                "ignored",
                "The operation 'Microsoft.Compute/virtualMachineScaleSets/delete' writes no image version",
            ),
            "gallery": ("ignored", "No group has a rule for the image"),
            "type": (
                "ignored",
                "It is a 'Microsoft.Resources.ResourceWriteFailure', not a Microsoft.Resources.ResourceWriteSuccess",
            ),
        }.items():
            assert await images.outcome(name) == (outcome, reason)
        assert len(await images.notifications()) == len(sent)
        assert await images.deployments() == []

    play(story, small_world(2))


def test_a_rule_that_is_off_or_turned_off_meanwhile_deploys_nothing(
    play: Play, images_of: ImagesOf, small_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule(enabled=False)
        await images.notify("1.1.0")
        assert await images.outcome("event-1.1.0") == ("ignored", "The rule is off")
        await images.rule()
        region = stage.platform.cloud.scale_set(stage.scale_set_id).location
        images.publish("1.5.0", replicated_after={region: timedelta(minutes=20)})
        await images.notify("1.5.0")
        await stage.sleep(minutes=10)
        await images.rule(enabled=False)
        await stage.quiet()
        assert await images.outcome("event-1.5.0") == ("ignored", "The rule is off")
        assert await images.deployments() == []

    play(story, small_world(2))


def test_a_group_that_is_deleted_meanwhile_gets_nothing(
    play: Play, images_of: ImagesOf, small_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        images = images_of(stage)
        await images.rule()
        images.publish("1.5.0", creating_for=timedelta(minutes=20))
        await images.notify("1.5.0")
        await stage.sleep(minutes=5)
        answer = await stage.platform.host.request("DELETE", "/api/groups/web")
        assert answer.status == 204
        await stage.quiet()
        assert await images.outcome("event-1.5.0") == ("ignored", "The group is gone")

    play(story, small_world(2))


@pytest.mark.parametrize("renamed", [False, True], ids=["same", "renamed"])
def test_a_version_that_was_rolled_back_stays_so_when_its_deployment_is_forgotten(
    images_of: ImagesOf, small_world: SmallWorld, renamed: bool
) -> None:
    async def main() -> None:
        async with VirtualPlatform(small_world(1), settings=Settings(rows_days=1), options=QUIET) as platform:
            images = images_of(
                SimpleNamespace(platform=platform, sleep=lambda **time: platform.clock.sleep(timedelta(**time)))
            )
            await images.rule()
            images.publish("1.5.0")
            await images.notify("1.5.0")
            (first,) = await images.until_started()
            await platform.ended(first.id)
            await platform.ended(await platform.start(image="1.0.0", **ASKED))
            await platform.clock.sleep(timedelta(days=3))
            assert (await platform.get(f"/api/deployments/{first.id}")).status == 404
            if renamed:
                assert (await platform.host.request("DELETE", "/api/groups/web")).status == 204
                rule = {"imageId": images.image_id, "deployment": ASKED}
                reply = await platform.put("/api/groups/shop", {**images.definition, "imageRule": rule})
                assert reply.status == 201, reply.body
            await images.notify("1.5.0", "a tag")
            await platform.clock.sleep(timedelta(minutes=10))
            outcome, reason = await images.outcome("a tag")
            assert (outcome, reason) == ("ignored", f"It was deployed before: {first.id} is finished")
            await platform.clock.sleep(timedelta(minutes=30))

    run_virtual(main())
