"""Stories: a whole deployment in virtual time, and after each the same promises."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from local.azure.compute.fabric import image_name
from local.azure.world import World, demo_world, parse_world
from local.clock import VIRTUAL_START, run_virtual
from local.durable.faults import DurableFaults
from local.durable.options import QUIET, HostOptions
from local.durable.timestamps import fast_timestamps
from local.virtual import VirtualPlatform
from local.virtual.checkers import violations
from local.virtual.checkers.watched import WatchedSet, image_version
from settings import Settings

GROUP = "web"

WEBHOOK = "/runtime/webhooks/EventGrid?functionName=imagePublished"
WRITE_VERSION = "Microsoft.Compute/galleries/images/versions/write"

#: What an image rule of a story asks for.
QUICK = {"batchSizePercentage": 100, "gracePeriod": 300, "drainingTimeout": 0}


class Stage:
    """Where a story is played: the platform, and what a story often needs to know of it."""

    def __init__(self, platform: VirtualPlatform) -> None:
        self.platform = platform
        self.scale_set_id = str(platform.world.groups[0]["scaleSetId"])
        self.watched = WatchedSet.begin(platform, self.scale_set_id, GROUP)

    def versions(self) -> list[str]:
        """The image version of each VM of the set, in the order of instance ids."""
        vms = self.platform.cloud.scale_set(self.scale_set_id).active()
        return [re.split("[/:]", image_name(vm.image))[-1] for vm in vms]

    def model(self) -> str:
        """The image version in the set's model."""
        return image_version(self.platform, self.scale_set_id)

    def capacity(self) -> int:
        """The set's nominal capacity."""
        return self.platform.cloud.scale_set(self.scale_set_id).capacity

    def serving(self) -> int:
        """How many of its VMs serve now."""
        return sum(1 for vm in self.platform.cloud.scale_set(self.scale_set_id).active() if vm.serving)

    async def sleep(self, **duration: float) -> None:
        """Let time pass: ``minutes=5``."""
        await self.platform.clock.sleep(timedelta(**duration))

    async def until(self, deployment_id: str, event: str, batch: int | None = None) -> None:
        """Wait for an event of a deployment."""
        seen = 0
        for _ in range(24 * 3600):
            for one in await self.platform.events(deployment_id, after=seen):
                if one.type == event and batch in (None, one.batch):
                    return
                seen = one.sequence
            await self.sleep(seconds=1)
        raise TimeoutError(f"{event} did not happen: {await self.platform.story(deployment_id)}")

    async def say(self, deployment_id: str, command: str, **body: Any) -> None:
        """Give a deployment a command that makes sense."""
        reply = await self.platform.post(f"/api/deployments/{deployment_id}/{command}", body)
        assert reply.status == 202, reply

    async def quiet(self) -> None:
        """Wait until no orchestration is under way."""
        for _ in range(24 * 60):
            if all(one.status.is_ended for one in self.platform.host.durable.instances()):
                return
            await self.sleep(minutes=1)
        raise TimeoutError(self.platform.host.durable.describe())


class Images:
    """The gallery image of group ``web``, and Event Grid."""

    def __init__(self, stage: Any) -> None:
        self.stage = stage
        self.platform = stage.platform
        group = stage.platform.world.groups[0]
        self.image_id = str(group["imageId"])
        self.definition = {name: value for name, value in group.items() if name != "id"}
        self.behavior = next(
            version.behavior
            for version in stage.platform.world.galleries[0].images[0].versions
            if version.name == "1.1.0"
        )

    async def rule(self, versions: str = "*", **fields: Any) -> None:
        """Give the group a rule."""
        rule = {"imageId": self.image_id, "versions": versions, "deployment": QUICK, **fields}
        reply = await self.platform.put("/api/groups/web", {**self.definition, "imageRule": rule})
        assert reply.status == 200, reply.body

    def publish(self, name: str, **how: Any) -> str:
        """Publish a version that is as good as 1.1.0 is."""
        version_id: str = self.platform.cloud.interfere.publish(
            self.image_id, name, **{"behavior": self.behavior, **how}
        )
        return version_id

    def event(self, name: str, event_id: str = "", **changed: Any) -> dict[str, Any]:
        """A notification that the version was written, in the Event Grid schema."""
        group = self.image_id.partition("/providers/")[0]
        subject = f"{self.image_id}/versions/{name}".replace("/resourceGroups/", "/resourcegroups/")
        return {
            "id": event_id or f"event-{name}",
            "subject": subject,
            "eventType": "Microsoft.Resources.ResourceWriteSuccess",
            "eventTime": self.platform.clock.now().isoformat(),
            "data": {"operationName": WRITE_VERSION, "resourceUri": subject, "status": "Succeeded"},
            "dataVersion": "2",
            "metadataVersion": "1",
            "topic": group,
            **changed,
        }

    async def send(self, body: Any) -> int:
        """Post it as Event Grid does; the status of the answer."""
        headers = {"aeg-event-type": "Notification", "Content-Type": "application/json"}
        answer = await self.platform.host.request("POST", WEBHOOK, headers=headers, body=json.dumps(body).encode())
        return int(answer.status)

    async def notify(self, name: str, event_id: str = "") -> None:
        """Send one notification, which is taken."""
        assert await self.send([self.event(name, event_id)]) == 202

    async def notifications(self) -> list[dict[str, Any]]:
        """All that are recorded, newest first."""
        listed: list[dict[str, Any]] = []
        token = ""
        while True:
            reply = await self.platform.get(f"/api/notifications?limit=30{token}")
            listed += reply.body["value"]
            if "continuationToken" not in reply.body:
                return listed
            token = f"&continuationToken={reply.body['continuationToken']}"

    async def outcome(self, event_id: str) -> tuple[str, str]:
        """What a notification led to in its one group, and why."""
        (found,) = [one for one in await self.notifications() if one["id"] == event_id]
        if not found["groups"]:
            return found["outcome"], found["reason"]
        (group,) = found["groups"]
        assert (group["outcome"], found["reason"]) == (found["outcome"], "")
        return group["outcome"], group["reason"]

    async def deployments(self) -> list[Any]:
        """The group's, oldest first."""
        return list(reversed(await self.platform.store.deployments.newest("web", 100)))

    async def until_started(self, count: int = 1, minutes: int = 60 * 24) -> list[Any]:
        """Wait until the group has so many deployments."""
        for _ in range(minutes * 6):
            if len(found := await self.deployments()) >= count:
                return found
            await self.stage.sleep(seconds=10)
        raise TimeoutError(await self.notifications())


@pytest.fixture(autouse=True, scope="module")
def quick_replays() -> Iterator[None]:
    """Without this a third of a story's time is the SDK's reading of timestamps."""
    with fast_timestamps():
        yield


@pytest.fixture
def images_of() -> Callable[[Stage], Images]:
    """Make the gallery image and the Event Grid of a stage."""
    return Images


def small_world(capacity: int = 2, *, healthy_after: int = 60, **platform: Any) -> World:
    """The demo's world with so many VMs; ``platform`` are fields of the world's platform."""
    document = demo_world().model_dump(mode="json", by_alias=True)
    document["scaleSets"][0]["capacity"] = capacity
    # Nothing of the set has to be held, so that the stories are not all about that; those of test_holds.py are.
    document["scaleSets"][0]["overrides"] = {"properties": {"scaleInPolicy": {"rules": ["OldestVM"]}}}
    document["platform"] |= platform
    # Stories of notifications send their own, when they like.
    document["eventSubscriptions"] = []
    for version in document["galleries"][0]["images"][0]["versions"]:
        if version["name"] == "1.1.0":
            version["behavior"] |= {"bootTimeSpread": 0, "healthyAfter": healthy_after}
    return parse_world(document)


@pytest.fixture(name="small_world")
def small_world_fixture() -> Callable[..., World]:
    """Make a world with few VMs."""
    return small_world


@pytest.fixture
def flexible_world(small_world: Callable[..., World]) -> Callable[..., World]:
    """Make the small world with its set in Flexible orchestration; ``scale_set`` are fields of the set."""

    def make(capacity: int = 2, *, scale_set: dict[str, Any] | None = None, **fields: Any) -> World:
        document = small_world(capacity, **fields).model_dump(mode="json", by_alias=True)
        document["scaleSets"][0] |= {"orchestrationMode": "Flexible", **(scale_set or {})}
        return parse_world(document)

    return make


@pytest.fixture(params=["Uniform", "Flexible"])
def either_world(
    request: pytest.FixtureRequest, small_world: Callable[..., World], flexible_world: Callable[..., World]
) -> Callable[..., World]:
    """Make the small world, with its set in one of the orchestration modes and then in the other."""
    return small_world if request.param == "Uniform" else flexible_world


Story = Callable[[Stage], Awaitable[Any]]


@pytest.fixture
def play() -> Callable[..., Any]:
    """Play a story in virtual time, then hold it to every promise but the ``exempt`` ones; what it returned."""

    def run(
        story: Story,
        world: World | None = None,
        *,
        faults: DurableFaults | None = None,
        exempt: Iterable[str] = (),
        start: datetime = VIRTUAL_START,
        options: HostOptions | None = None,
        settings: Settings | None = None,
    ) -> Any:
        async def main() -> Any:
            async with VirtualPlatform(
                world, faults=faults, settings=settings, start=start, options=options or QUIET
            ) as platform:
                stage = Stage(platform)
                result = await story(stage)
                await stage.quiet()
                # What was delivered late in the story may still write after its end.
                await stage.sleep(minutes=30)
                assert await violations(stage.watched, frozenset(exempt)) == []
                return result

        return run_virtual(main())

    return run
