"""Event Grid's delivery to functions: the handshake, at least once, in no order, and what is tried again when."""

# The decorators of the Functions SDK have no types.
# mypy: allow-untyped-decorators

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import pytest

from local.azure.cloud import Cloud
from local.azure.world import demo_world, parse_world
from local.clock import VIRTUAL_START, PlatformClock, run_virtual
from local.durable.answers import HttpAnswer
from local.durable.options import HostJson, HostOptions
from local.event_delivery import EventDelivery
from local.functions.host import FunctionsHost
from local.virtual import VirtualPlatform

IMAGE = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo/providers/Microsoft.Compute"
    "/galleries/apps/images/web"
)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass
class Scene:
    """A simulated Azure, a host with the function ``published``, and what both did."""

    clock: PlatformClock
    cloud: Cloud
    heard: list[tuple[datetime, Any]] = field(default_factory=list)
    requests: list[tuple[Mapping[str, str], Any]] = field(default_factory=list)
    failures: int = 0
    lingers: timedelta = timedelta()
    answers: list[int] = field(default_factory=list)
    host: FunctionsHost = field(init=False)
    delivery: EventDelivery = field(init=False)

    def versions(self) -> list[str]:
        """Of which versions the function heard, in that order."""
        return [event.subject.rpartition("/")[2] for _, event in self.heard]

    def seconds(self) -> list[int]:
        """When it did, in seconds."""
        return [round((time - VIRTUAL_START).total_seconds()) for time, _ in self.heard]

    def notifications(self) -> list[tuple[Mapping[str, str], Any]]:
        """The requests after the handshake."""
        return [(headers, body) for headers, body in self.requests if headers["aeg-event-type"] == "Notification"]

    async def start_host(self) -> None:
        self.host = FunctionsHost(_app(self), self.clock, host_json=HostJson(), options=HostOptions(timers=False))
        await self.host.start()

    async def post(self, path: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """To the host that there is now; or one of the answers that the test wants."""
        self.requests.append((headers, json.loads(body)))
        if self.answers and headers["aeg-event-type"] == "Notification":
            return HttpAnswer(self.answers.pop(0))
        return await self.host.request("POST", path, headers=headers, body=body)


def _app(scene: Scene) -> df.DFApp:
    blueprint = df.Blueprint()

    @blueprint.event_grid_trigger(arg_name="event")
    async def published(event: func.EventGridEvent) -> None:
        scene.heard.append((scene.clock.now(), event))
        if scene.lingers:
            await asyncio.sleep(scene.lingers.total_seconds())
        if scene.failures:
            scene.failures -= 1
            raise RuntimeError("not now")

    app = df.DFApp()
    app.register_functions(blueprint)
    return app


def play(story: Any, **subscription: Any) -> Scene:
    """Have a story happen to a world with one subscription."""

    async def main() -> Scene:
        clock = PlatformClock(VIRTUAL_START)
        document = demo_world().model_dump(mode="json", by_alias=True)
        document["eventSubscriptions"] = [{"name": "versions", "function": "published", **subscription}]
        scene = Scene(clock, Cloud(parse_world(document), clock))
        await scene.start_host()
        scene.delivery = EventDelivery(scene.cloud, scene.post)
        await scene.delivery.start()
        await story(scene)
        await scene.delivery.stop()
        await scene.host.stop()
        return scene

    return run_virtual(main())


async def publish(scene: Scene) -> None:
    scene.cloud.interfere.publish(IMAGE, "2.0.0")
    await scene.clock.sleep(2 * DAY)


def test_a_function_is_asked_first_and_then_told() -> None:
    scene = play(publish)
    [(handshake, _), (headers, [event])] = scene.requests
    assert (handshake["aeg-event-type"], headers["aeg-event-type"]) == ("SubscriptionValidation", "Notification")
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert (headers["aeg-subscription-name"], headers["aeg-delivery-count"]) == ("VERSIONS", "0")
    assert event["subject"].endswith(
        "/resourcegroups/demo/providers/Microsoft.Compute/galleries/apps/images/web/versions/2.0.0"
    )
    assert scene.versions() == ["2.0.0"]
    assert scene.seconds()[0] <= 2


def test_cloud_events_come_one_by_one() -> None:
    scene = play(publish, eventDeliverySchema="CloudEventSchemaV1_0")
    [(handshake, asked), (headers, event)] = scene.requests
    assert json.loads(asked["data"]).keys() == {"validationCode"}
    assert handshake["Content-Type"] == headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    assert (event["specversion"], event["type"]) == ("1.0", "Microsoft.Resources.ResourceWriteSuccess")
    assert scene.versions() == ["2.0.0"]


def test_the_end_of_an_operation_is_told_although_nobody_asks_azure_anything() -> None:
    async def story(scene: Scene) -> None:
        scene.cloud.interfere.publish(IMAGE, "2.0.0", creating_for=HOUR, replicated_after={"westus2": 2 * HOUR})
        await scene.clock.sleep(HOUR + timedelta(seconds=2))
        body = scene.cloud.snapshot()["state"]["image_versions"][f"{IMAGE}/versions/2.0.0".lower()]
        assert body["provisioning_state"] == "Succeeded"
        assert scene.versions() == ["2.0.0"]

    play(story)


async def two_by_two(scene: Scene) -> None:
    for number in range(4):
        scene.cloud.interfere.publish(IMAGE, f"2.0.{number}")
    await scene.clock.sleep(DAY)


def test_events_come_in_no_order() -> None:
    versions = play(two_by_two).versions()
    assert sorted(versions) == ["2.0.0", "2.0.1", "2.0.2", "2.0.3"] != versions


def test_events_may_come_several_at_once() -> None:
    async def story(scene: Scene) -> None:
        scene.answers = [500] * 4
        await two_by_two(scene)

    for schema, kind in (("EventGridSchema", "json"), ("CloudEventSchemaV1_0", "cloudevents-batch+json")):
        scene = play(story, maxEventsPerBatch=3, eventDeliverySchema=schema)
        assert sorted(scene.versions()) == ["2.0.0", "2.0.1", "2.0.2", "2.0.3"]
        assert all(isinstance(body, list) and len(body) <= 3 for _, body in scene.notifications())
        assert all(f"application/{kind}" in headers["Content-Type"] for headers, _ in scene.notifications())


def test_a_function_that_fails_hears_of_it_again_and_again() -> None:
    async def story(scene: Scene) -> None:
        scene.failures = 9
        await publish(scene)

    scene = play(story)
    waits = [later - earlier for earlier, later in zip(scene.seconds(), scene.seconds()[1:], strict=False)]
    least = [10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600]
    assert all(low <= wait <= 1.1 * low + 1 for low, wait in zip(least, waits, strict=True))
    assert scene.cloud.topic.dead_letters == []
    assert [headers["aeg-delivery-count"] for headers, _ in scene.notifications()] == [
        str(count) for count in range(10)
    ]


@pytest.mark.parametrize(
    ("more", "attempts"), [({}, 11), ({"maxDeliveryAttempts": 3}, 3), ({"eventTimeToLiveInMinutes": 10}, 5)]
)
def test_what_is_never_taken_is_given_up(more: dict[str, Any], attempts: int) -> None:
    async def story(scene: Scene) -> None:
        scene.failures = 100
        await publish(scene)

    scene = play(story, **more)
    assert len(scene.heard) == attempts
    assert [letter.event.write.resource_id[-5:] for letter in scene.cloud.topic.dead_letters] == ["2.0.0"]


@pytest.mark.parametrize("status", [400, 403, 413])
def test_some_answers_are_final(status: int) -> None:
    async def story(scene: Scene) -> None:
        scene.answers = [status]
        await publish(scene)

    scene = play(story)
    assert (len(scene.notifications()), len(scene.cloud.topic.dead_letters)) == (1, 1)


@pytest.mark.parametrize(("status", "least"), [(401, 300), (404, 300), (408, 120), (503, 30), (500, 10), (302, 10)])
def test_some_answers_are_waited_for_longer(status: int, least: int) -> None:
    async def story(scene: Scene) -> None:
        scene.answers = [status]
        await publish(scene)

    assert least <= play(story).seconds()[0] <= 1.1 * least + 3


def test_a_function_may_hear_of_everything_more_than_once() -> None:
    scene = play(publish, duplicates=2)
    assert scene.versions() == ["2.0.0"] * 3
    assert len({event.id for _, event in scene.heard}) == 1
    assert max(scene.seconds()) <= 60


def test_a_host_that_is_killed_has_not_taken_anything() -> None:
    async def story(scene: Scene) -> None:
        scene.lingers = timedelta(seconds=20)
        scene.cloud.interfere.publish(IMAGE, "2.0.0")
        await scene.clock.sleep(timedelta(seconds=5))
        scene.host.kill()
        await scene.start_host()
        await scene.clock.sleep(HOUR)

    assert play(story).versions() == ["2.0.0", "2.0.0"]


def test_a_host_that_is_down_is_told_once_it_is_up() -> None:
    async def story(scene: Scene) -> None:
        scene.host.kill()
        scene.cloud.interfere.publish(IMAGE, "2.0.0")
        await scene.clock.sleep(HOUR)
        assert scene.heard == []
        await scene.start_host()
        await scene.clock.sleep(HOUR)

    assert play(story).versions() == ["2.0.0"]


@pytest.mark.parametrize(("lingers", "times"), [(29, 1), (33, 1), (60, 2), (400, 7)])
def test_an_answer_that_takes_long_comes_too_late(lingers: int, times: int) -> None:
    async def story(scene: Scene) -> None:
        scene.lingers = timedelta(seconds=lingers)
        scene.cloud.interfere.publish(IMAGE, "2.0.0")
        await scene.clock.sleep(HOUR)

    scene = play(story)
    assert len(scene.heard) == times


def test_what_was_not_taken_is_told_after_a_restart_of_azure() -> None:
    async def story(scene: Scene) -> None:
        scene.failures = 1
        scene.cloud.interfere.publish(IMAGE, "2.0.0")
        await scene.clock.sleep(timedelta(seconds=5))
        await scene.delivery.stop()
        scene.cloud = Cloud.restore(scene.cloud.snapshot(), scene.clock)
        scene.delivery = EventDelivery(scene.cloud, scene.post)
        await scene.delivery.start()
        await scene.clock.sleep(HOUR)

    scene = play(story)
    assert scene.versions() == ["2.0.0", "2.0.0"]
    assert len(scene.requests) == len(scene.notifications()) + 1


def test_every_answer_is_kept() -> None:
    async def story(scene: Scene) -> None:
        kept: list[int] = []
        scene.cloud.on_change = lambda: kept.append(len(scene.cloud.snapshot()["state"]["notifications"]))
        scene.cloud.interfere.publish(IMAGE, "2.0.0")
        await scene.clock.sleep(timedelta(seconds=5))
        assert kept == [1, 0]

    play(story)


def test_a_function_that_is_not_there_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        scene = play(publish, function="other")
    assert (
        "Event subscription versions is not delivered: function other answered its validation with 404" in caplog.text
    )
    assert (scene.heard, scene.notifications()) == ([], [])


class Listening(VirtualPlatform):
    """The platform with the app of this file instead of Teal."""

    scene: Scene | None = None

    def _new_host(self) -> FunctionsHost:
        super()._new_host()
        self.scene = self.scene or Scene(self.clock, self.cloud)
        return FunctionsHost(_app(self.scene), self.clock, storage=self.state, host_json=HostJson())


def test_the_virtual_platform_delivers_and_goes_on_after_a_restart_of_its_host() -> None:
    async def story() -> list[str]:
        document = demo_world().model_dump(mode="json", by_alias=True)
        document |= {"groups": [], "eventSubscriptions": [{"name": "versions", "function": "published"}]}
        platform = Listening(parse_world(document))
        async with platform:
            for version in ("2.0.0", "2.1.0"):
                platform.cloud.interfere.publish(IMAGE, version)
                await platform.clock.sleep(timedelta(seconds=5))
                await platform.restart_host()
        return platform.scene.versions() if platform.scene else []

    assert run_virtual(story()) == ["2.0.0", "2.1.0"]


def test_the_virtual_platform_starts_without_the_function() -> None:
    async def story() -> int:
        document = demo_world().model_dump(mode="json", by_alias=True)
        document["eventSubscriptions"] = [{"name": "versions", "function": "notThere"}]
        async with VirtualPlatform(parse_world(document)) as platform:
            return (await platform.get("/api/groups/web")).status

    assert run_virtual(story()) == 200
