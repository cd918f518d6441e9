"""What is recorded of each version of Teal (``local.recording``): deployments that between them go every way there is.

Each scenario is a function of a ``ScenarioScene``. It names the moments at which the rows are copied, besides the end:
rows of a deployment that is under way are what a release finds.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from local.azure.world import World, demo_world, parse_world
from local.virtual import VirtualPlatform
from local.virtual.memory import MemoryTable
from rollout.model.status import Status

#: A good image, and one whose VMs never become healthy.
GOOD = {"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300, "drainingTimeout": 60}
BAD = {**GOOD, "image": "1.2.0", "gracePeriod": 120}
BACK = {**GOOD, "image": "1.0.0"}

#: VMs of each scale set: two batches of two.
VMS = 4

#: Longer than the watchdog needs to put in order what a terminated deployment left.
RESTORED = timedelta(minutes=40)


class ScenarioScene:
    """Where a scenario plays; ``keep`` copies the rows as they are now, under a name; ``table`` is one by its name."""

    def __init__(
        self, platform: VirtualPlatform, keep: Callable[[str], None], table: Callable[[str], MemoryTable]
    ) -> None:
        self.platform = platform
        self.keep = keep
        self.table = table

    async def start(self, asked: dict[str, Any], **parameters: Any) -> str:
        """Start a deployment of the Uniform set; its id."""
        return await self.platform.start(**{**asked, **parameters})

    async def until(self, deployment_id: str, event: str, batch: int | None = None) -> None:
        """Wait for an event of a deployment, until its rows hold it; ``TimeoutError`` after a day."""
        seen = 0
        for _ in range(24 * 3600):
            events = await self.platform.events(deployment_id, after=seen)
            await self.sleep(1)
            if any(one.type == event and batch in (None, one.batch) for one in events):
                return
            seen = events[-1].sequence if events else seen
        raise TimeoutError(f"{event} did not happen: {await self.platform.story(deployment_id)}")

    async def say(self, deployment_id: str, command: str, **body: Any) -> None:
        """Give a deployment a command that makes sense."""
        self._accepted((await self.platform.post(f"/api/deployments/{deployment_id}/{command}", body)).status, command)

    async def signal(self, kind: str) -> None:
        """Let the first VM of the Uniform set say something of itself."""
        vm = self.platform.cloud.scale_set(self.scale_set_id).active()[0]
        body = {"vmName": vm.name, "vmId": vm.vm_id, "resourceGroupName": "demo", "signalType": kind}
        self._accepted((await self.platform.post("/api/vm/signal", body)).status, kind)

    async def rule(self, versions: str) -> None:
        """Give the Uniform set's group an image rule."""
        group = dict(self.platform.world.groups[0])
        asked = {name: value for name, value in GOOD.items() if name != "image"}
        rule = {"imageId": group["imageId"], "versions": versions, "deployment": asked}
        reply = await self.platform.put(f"/api/groups/{group.pop('id')}", {**group, "imageRule": rule})
        self._accepted(reply.status + 2, "the rule")

    def publish(self, version: str, made_in: float = 0) -> None:
        """Publish a version of the Uniform set's image, which is made in so many seconds."""
        interfere = self.platform.cloud.interfere
        interfere.publish(self._image_id, version, creating_for=timedelta(seconds=made_in))

    async def notify(self, *versions: str) -> None:
        """Let Event Grid tell that versions were written."""
        data = {"operationName": "Microsoft.Compute/galleries/images/versions/write"}
        for version in versions:
            event = {
                "id": f"event-{version}-{self.platform.clock.now():%H%M%S}",
                "subject": f"{self._image_id}/versions/{version}",
                "eventType": "Microsoft.Resources.ResourceWriteSuccess",
                "eventTime": self.platform.clock.now().isoformat(),
                "data": data,
            }
            headers = {"aeg-event-type": "Notification", "Content-Type": "application/json"}
            body = json.dumps([event]).encode()
            path = "/runtime/webhooks/EventGrid?functionName=imagePublished"
            answer = await self.platform.host.request("POST", path, headers=headers, body=body)
            self._accepted(answer.status, "the notification")

    async def until_deployments(self, count: int) -> str:
        """Wait until the Uniform set's group has so many deployments; the newest one's id."""
        for _ in range(24 * 360):
            rows = await self.platform.store.deployments.newest("web", count)
            if len(rows) == count:
                return rows[0].id
            await self.sleep(10)
        raise TimeoutError(f"there are no {count} deployments")

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await self.platform.clock.sleep(timedelta(seconds=seconds))

    async def ends(self, deployment_id: str, status: Status) -> None:
        """Wait for the end of a deployment, which must be this one."""
        row = await self.platform.ended(deployment_id)
        if row.status is not status:
            raise RuntimeError(f"{deployment_id} is {row.status}: {await self.platform.story(deployment_id)}")

    def sicken(self, version: str) -> None:
        """Let every VM of an image version of the Uniform set become sick."""
        for vm in self.platform.cloud.scale_set(self.scale_set_id).active():
            if str(vm.image["id"]).endswith(f"/{version}"):
                self.platform.cloud.interfere.sicken(self.scale_set_id, vm.vm_id)

    @property
    def scale_set_id(self) -> str:
        """The Uniform set's id."""
        return str(self.platform.world.groups[0]["scaleSetId"])

    @property
    def _image_id(self) -> str:
        return str(self.platform.world.groups[0]["imageId"])

    def _accepted(self, status: int, what: str) -> None:
        if status != 202:
            raise RuntimeError(f"{what} was answered {status}")


Scenario = Callable[[ScenarioScene], Awaitable[None]]


async def finished(scene: ScenarioScene) -> None:
    """Two batches, autoscale held meanwhile, with a key under which the request may be sent again."""
    content = b'{"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300, "comment": "release 42"}'
    headers = {"Content-Type": "application/json", "Idempotency-Key": "release-42"}
    answer = await scene.platform.host.request("POST", "/api/groups/web/deployments", headers=headers, body=content)
    deployment = str(answer.json()["id"])
    await scene.until(deployment, "BatchLaunched", 1)
    scene.keep("launched")
    await scene.until(deployment, "BatchDetached", 2)
    scene.keep("detached")
    await scene.ends(deployment, Status.FINISHED)


async def failed(scene: ScenarioScene) -> None:
    """The first batch never becomes healthy, and is discarded."""
    await scene.ends(await scene.start(BAD), Status.FAILED)


async def failed_and_rolled_back(scene: ScenarioScene) -> None:
    """The second batch becomes sick, so the first one goes back too."""
    deployment = await scene.start(GOOD, onFailure="rollBack")
    await scene.until(deployment, "BatchLaunched", 2)
    scene.sicken("1.1.0")
    await scene.ends(deployment, Status.ROLLED_BACK)


async def kept(scene: ScenarioScene) -> None:
    """The green VMs of the failed batch are left to be looked at, and go later."""
    deployment = await scene.start(BAD, onFailure="keep", keepFor=7200)
    await scene.ends(deployment, Status.FAILED)
    scene.keep("kept")
    await scene.sleep(3 * 3600)


async def stopped(scene: ScenarioScene) -> None:
    """Stopped while blue VMs drain, of which one has said that it may go; a retry then finishes it."""
    group = {**scene.platform.world.groups[0], "signals": [{"type": "vmReadyToShutdown", "timeout": 600}]}
    await scene.platform.put(f"/api/groups/{group.pop('id')}", group)
    deployment = await scene.start(GOOD)
    await scene.until(deployment, "BatchDetached", 1)
    await scene.signal("vmReadyToShutdown")
    scene.keep("draining")
    await scene.say(deployment, "stop", comment="not today")
    await scene.ends(deployment, Status.STOPPED)
    scene.keep("stopped")
    await scene.ends(await scene.platform.start(retryOf=deployment), Status.FINISHED)


async def paused(scene: ScenarioScene) -> None:
    """Paused while green VMs boot, for longer than a generation's looks, and resumed."""
    deployment = await scene.start(GOOD)
    await scene.until(deployment, "BatchLaunched", 1)
    await scene.say(deployment, "pause", comment="let me look")
    await scene.sleep(3600)
    scene.keep("paused")
    await scene.say(deployment, "resume")
    await scene.ends(deployment, Status.FINISHED)


async def approved(scene: ScenarioScene) -> None:
    """A canary that bakes and is approved, a gate after each batch, and a bake before the end."""
    canary = {"size": 1, "approval": True, "bakeTime": 300}
    deployment = await scene.start(
        GOOD, canary=canary, approvals="everyBatch", bakeTime=300, maxUnhealthyPercentage=50, onConflict="reject"
    )
    await scene.until(deployment, "BakeStarted", 1)
    scene.keep("baking")
    await scene.until(deployment, "ApprovalAwaited", 1)
    await scene.sleep(30)
    scene.keep("awaiting approval")
    await scene.say(deployment, "approve", all=True)
    await scene.ends(deployment, Status.FINISHED)


async def unanswered(scene: ScenarioScene) -> None:
    """Nobody approves in time, and so it is stopped."""
    deployment = await scene.start(GOOD, approvals=[1], waitTimeout=3600, actionOnTimeout="stop")
    await scene.ends(deployment, Status.STOPPED)


async def rolled_back(scene: ScenarioScene) -> None:
    """Rolled back by a person in the second batch."""
    deployment = await scene.start(GOOD)
    await scene.until(deployment, "BatchHealthy", 2)
    await scene.say(deployment, "rollBack", comment="it is slow")
    await scene.until(deployment, "BatchLaunched", 3)
    scene.keep("rolling back")
    await scene.ends(deployment, Status.ROLLED_BACK)


async def queued(scene: ScenarioScene) -> None:
    """Waits for the one before, and then takes its turn; another one supersedes it in its first batch."""
    first = await scene.start(GOOD)
    await scene.sleep(5)
    second = await scene.start(BACK, onConflict="queue")
    await scene.sleep(60)
    scene.keep("queued")
    await scene.ends(first, Status.FINISHED)
    await scene.until(second, "BatchLaunched")
    third = await scene.start(GOOD, onConflict="supersede")
    await scene.ends(second, Status.STOPPED)
    await scene.ends(third, Status.FINISHED)


async def taken_back(scene: ScenarioScene) -> None:
    """Taken back while it was queued."""
    first = await scene.start(GOOD)
    await scene.sleep(5)
    second = await scene.start(BACK, onConflict="queue")
    await scene.sleep(40)
    await scene.platform.host.request("DELETE", f"/api/groups/web/queue/{second}")
    await scene.ends(second, Status.STOPPED)
    await scene.ends(first, Status.FINISHED)


async def lost(scene: ScenarioScene) -> None:
    """Terminated through Durable in the first batch, and put in order by the watchdog."""
    deployment = await scene.start(GOOD)
    await scene.until(deployment, "BatchLaunched", 1)
    scene.platform.host.durable.terminate(deployment, "by hand")
    await scene.until(deployment, "ImageRestored")
    scene.keep("being restored")
    await scene.platform.clock.sleep(RESTORED)
    row = await scene.platform.row(deployment)
    if row.error is None or row.error.code != "orchestratorLost":
        raise RuntimeError(f"the watchdog has not seen to {deployment}: {row}")


async def storage_away(scene: ScenarioScene) -> None:
    """Table Storage takes no events for a while."""
    deployment = await scene.start(GOOD)
    await scene.until(deployment, "BatchHealthy", 1)
    scene.table("Events").takes_writes = False
    await scene.sleep(120)
    scene.table("Events").takes_writes = True
    await scene.ends(deployment, Status.FINISHED)


async def sick_replaced(scene: ScenarioScene) -> None:
    """Every second green VM is sick; they are replaced once, and blue VMs stay in the place of what is sick again."""
    await scene.ends(await scene.start(GOOD, image="1.3.0"), Status.FINISHED)


async def unchanged(scene: ScenarioScene) -> None:
    """All VMs run the image already."""
    await scene.ends(await scene.start(BACK), Status.FINISHED)


async def scheduled(scene: ScenarioScene) -> None:
    """Started by a schedule, for which another deployment was in the way; later there is nothing to roll."""
    group = {**scene.platform.world.groups[0]}
    schedule = {"name": "often", "cron": "5,55 * * * *", "timeZone": "Europe/Berlin", "deployment": GOOD}
    await scene.platform.put(f"/api/groups/{group.pop('id')}", {**group, "schedules": [schedule]})
    first = await scene.start(BACK, force=True)
    await scene.sleep(330)
    scene.keep("waiting")
    await scene.ends(first, Status.FINISHED)
    await scene.sleep(2 * 60)
    run = await scene.platform.store.schedule_runs.get("web", "often")
    if run is None or run.deployment_id is None:
        raise RuntimeError(f"the schedule has started nothing: {run}")
    scene.keep("started")
    await scene.ends(run.deployment_id, Status.FINISHED)
    await scene.sleep(3600)


async def flexible(scene: ScenarioScene) -> None:
    """A Flexible set behind an application gateway, one bad image and one good one."""
    asked = {**BAD, "healthCheckTypes": ["vmState", "applicationGateway"]}
    await scene.ends(await scene.platform.start("api", **asked), Status.FAILED)
    await scene.ends(await scene.platform.start("api", **{**asked, **GOOD}), Status.FINISHED)


async def in_parts(scene: ScenarioScene) -> None:
    """A Flexible set of which each VM is a part of every look; evidence is taken in parts, too."""
    scene.platform.settings = replace(scene.platform.settings, part_size=1)
    asked = {"healthCheckTypes": ["vmState", "applicationHealth"], "bakeTime": 60}
    await scene.ends(await scene.platform.start("api", **BAD, **asked), Status.FAILED)
    deployment = await scene.platform.start("api", **GOOD, **asked)
    await scene.until(deployment, "BakeStarted")
    await scene.sleep(20)
    scene.keep("being watched")
    await scene.ends(deployment, Status.FINISHED)


async def published(scene: ScenarioScene) -> None:
    """Versions are published while the one before is being made and deployed; one is for nobody."""
    await scene.rule("1.x")
    await scene.notify("1.5.0", "2.0.0")
    await scene.sleep(60)
    scene.keep("waiting")
    scene.publish("1.5.0", made_in=600)
    scene.publish("1.6.0")
    await scene.notify("1.5.0", "1.6.0")
    first = await scene.until_deployments(1)
    scene.publish("1.7.0")
    scene.publish("1.8.0")
    await scene.notify("1.7.0", "1.8.0")
    await scene.sleep(60)
    scene.keep("under way")
    await scene.ends(first, Status.FINISHED)
    await scene.ends(await scene.until_deployments(2), Status.FINISHED)
    await scene.sleep(300)


#: By the name of the file. Each plays in a world of its own.
SCENARIOS: dict[str, Scenario] = {
    "finished": finished,
    "failed": failed,
    "failed-and-rolled-back": failed_and_rolled_back,
    "kept": kept,
    "stopped": stopped,
    "paused": paused,
    "approved": approved,
    "unanswered": unanswered,
    "rolled-back": rolled_back,
    "queued": queued,
    "taken-back": taken_back,
    "lost": lost,
    "storage-away": storage_away,
    "sick-replaced": sick_replaced,
    "unchanged": unchanged,
    "scheduled": scheduled,
    "flexible": flexible,
    "in-parts": in_parts,
    "published": published,
}


def scenario_world() -> World:
    """The demo's world with few VMs, and an autoscale setting to be held; VMs boot equally fast."""
    document = demo_world().model_dump(mode="json", by_alias=True)
    for scale_set in document["scaleSets"]:
        scale_set["capacity"] = VMS
    for image in document["galleries"][0]["images"]:
        for version in image["versions"]:
            version["behavior"]["bootTimeSpread"] = 0
    profile = {"name": "always", "minimum": VMS, "maximum": VMS}
    setting = {"name": "web-as", "resourceGroup": "demo", "scaleSet": "web", "profiles": [profile]}
    # Scenarios send their own notifications, when they like.
    return parse_world({**document, "autoscaleSettings": [setting], "eventSubscriptions": []})
