"""One whole deployment in virtual time, measured."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from bench.buckets import POLICIES, MeteredCloud, tightest
from bench.ideal import ideal_duration
from bench.turns import LookTime, TurnWatch, messages
from local.azure.world import World, demo_world, parse_world
from local.durable.actions import ActionType
from local.durable.turn import Execution
from local.virtual import VirtualPlatform
from rollout.model.azure.scale_set import OrchestrationMode
from rollout.model.order import PART_SIZE
from settings import Settings

IMAGE = "1.1.0"

#: After so long every bucket of a minute's refill is full, also at half of Azure's limits.
REFILLED = timedelta(minutes=5)


@dataclass(frozen=True)
class Scale:
    """A set of ``vms``, replaced in batches of so many percent, at Azure's request limits or a share of them.

    ``gateway``: the set is in a pool of an application gateway, whose word on its VMs is checked. ``wire``: what each
    request to Azure takes. ``bake``: for how long the green VMs are watched at the end. ``part_size``: as in the
    settings. ``vm_writes``: how Azure takes the writes of its VMs, each of which takes 40 s where it is one at a time.
    """

    vms: int
    batch_size_percentage: int
    throttling_factor: float = 1.0
    mode: OrchestrationMode = OrchestrationMode.UNIFORM
    gateway: bool = False
    wire: timedelta = timedelta(0)
    bake: timedelta = timedelta(0)
    part_size: int = PART_SIZE
    vm_writes: str = "parallel"


@dataclass(frozen=True)
class RequestCounts:
    """Requests of one kind: the bucket they are assumed to be charged to, and how empty it became (1: empty)."""

    kind: str
    policy: str
    refill: float
    size: float
    passed: int
    throttled: int
    highest_use: float | None


@dataclass(frozen=True)
class Histories:
    """What the turns of one recipe cost: the most events and the largest context of any instance, CPU in seconds."""

    recipe: str
    turns: int
    events_max: int
    instance: str
    context_bytes_max: int
    cpu_seconds: float


@dataclass(frozen=True)
class Measurement:
    """What a deployment took. ``cpu_seconds`` is the whole process's: Teal, the SDKs, and what stands in for Azure.

    ``begun``: what the orchestrations of the batch began that began most.
    """

    scale: Scale
    batches: int
    requests: tuple[RequestCounts, ...]
    histories: tuple[Histories, ...]
    duration: timedelta
    ideal: timedelta
    cpu_seconds: float
    looks: tuple[LookTime, ...] = ()
    begun: Counter[ActionType] = field(default_factory=Counter)

    @property
    def orchestrator_cpu_seconds(self) -> float:
        """The CPU of all turns: the Durable SDK's replay and the recipes."""
        return sum(one.cpu_seconds for one in self.histories)


async def measure(scale: Scale) -> Measurement:
    """Roll a set of this size to a good image. Raises ``RuntimeError`` where the deployment does not finish."""
    platform = VirtualPlatform(_world(scale), settings=Settings(part_size=scale.part_size))
    cloud = platform.cloud = MeteredCloud(platform.world, platform.clock)
    cloud.wire = scale.wire
    async with platform:
        # Registering the groups has listed their VMs: the deployment is measured from full buckets.
        await platform.clock.sleep(REFILLED)
        cloud.begin()
        watch = TurnWatch(platform.clock.now)
        if scale.wire:
            platform.host.durable.listen(watch.hear)
        begun = time.process_time()
        bake = round(scale.bake.total_seconds())
        deployment_id = await platform.start(
            image=IMAGE, batchSizePercentage=scale.batch_size_percentage, bakeTime=bake
        )
        row = await platform.ended(deployment_id)
        cpu_seconds = time.process_time() - begun
        if row.status != "finished" or row.ended_at is None:
            raise RuntimeError(f"the deployment is {row.status}: {row.reason}")
        return Measurement(
            scale,
            row.number_of_batches,
            tuple(_requests(cloud)),
            tuple(_histories(platform.host.durable.executions)),
            row.ended_at - row.created_at,
            ideal_duration(cloud, platform.settings.poll_interval, row.parameters.draining_timeout),
            cpu_seconds,
            tuple(watch.looks()),
            max(watch.of_batches().values(), key=messages, default=Counter()),
        )


def _world(scale: Scale) -> World:
    document = demo_world().model_dump(mode="json", by_alias=True)
    document["scaleSets"][0] |= {"capacity": scale.vms, "orchestrationMode": str(scale.mode)}
    if scale.gateway:
        document["scaleSets"][0]["backendPools"] = ["api-gw/api"]
        document["groups"][0]["healthCheckTypes"].append("applicationGateway")
    document["platform"]["throttlingFactor"] = scale.throttling_factor
    document["platform"]["vmWrites"] = scale.vm_writes
    if scale.vm_writes == "oneAtATime":
        document["platform"]["updateTime"] = 40
    return parse_world(document)


def _requests(cloud: MeteredCloud) -> Iterable[RequestCounts]:
    factor = cloud.world.platform.throttling_factor
    for name, count in sorted(cloud.requests.items()):
        limit = tightest(POLICIES[count.bucket])
        yield RequestCounts(
            kind=name.removesuffix(f" [{count.bucket}]"),
            policy=count.bucket,
            refill=limit.refill * factor,
            size=limit.size * factor,
            passed=count.passed,
            throttled=count.throttled,
            highest_use=cloud.highest_use(count.bucket),
        )


def _histories(executions: Sequence[Execution]) -> Iterable[Histories]:
    for recipe in sorted({execution.name for execution in executions}):
        turns = [execution for execution in executions if execution.name == recipe]
        longest = max(turns, key=lambda turn: turn.events)
        yield Histories(
            recipe,
            len(turns),
            longest.events,
            longest.instance_id.partition(":")[2] or "the deployment",
            max(turn.context_bytes for turn in turns),
            sum(turn.cpu_seconds for turn in turns),
        )
