"""Activities called directly, on the real adapters over the simulated Azure, with no orchestration behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from activities.attempt import Activity, attempt
from activities.prepare import prepare_deployment
from activities.record import Entry, record_event
from adapters.arm.client import ComputeClients
from adapters.arm.constraints import ArmConstraints
from adapters.arm.identity import ArmIdentity
from adapters.arm.images import ArmImages
from adapters.arm.processes import ArmProcesses
from adapters.arm.scale_sets import ArmScaleSets
from adapters.arm.traffic import ArmTraffic
from local.azure.arm.transport import InProcessTransport
from local.azure.cloud import Cloud
from local.azure.world import World, demo_world, parse_world
from local.clock import VIRTUAL_START, PlatformClock, run_virtual
from local.virtual import StaticCredential
from local.virtual.memory import memory_store
from rollout.model.azure.scale_set import ImageReference
from rollout.model.choices import HealthCheckType
from rollout.model.codec import Json, decode, encode
from rollout.model.events import EventType
from rollout.model.order import Order, Progress, StepState
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Event, Image
from rollout.model.rows.lock import Lock
from rollout.ports.durable import InstanceState
from rollout.ports.ports import Ports
from settings import Settings

DEPLOYMENT = "web-20260101T000000Z-1a2b3c"
POLL = timedelta(seconds=15)


@dataclass
class ScriptedInstances:
    """Orchestrations that are what the test says."""

    is_now: InstanceState = InstanceState.RUNNING
    started: list[str] = field(default_factory=list)

    async def start(self, recipe: str, instance_id: str, order: Json) -> None:
        self.started.append(instance_id)

    async def state(self, instance_id: str) -> InstanceState:
        return self.is_now

    async def wake(self, instance_id: str, event: str) -> None:
        raise AssertionError("no activity wakes anybody")

    async def terminate(self, instance_id: str, reason: str) -> None:
        raise AssertionError("no activity does this")

    async def children(self, deployment_id: str) -> tuple[str, ...]:
        raise AssertionError("no activity does this")

    async def purge(self, created_from: datetime, created_to: datetime) -> int:
        raise AssertionError("no activity does this")

    async def describe(self, instance_id: str) -> Json | None:
        return None


class Bench:
    """A deployment to 1.1.0 of a set of two VMs, whose recipe is the test."""

    def __init__(self, world: World, image: str) -> None:
        self.clock = PlatformClock(VIRTUAL_START)
        self.cloud = Cloud(world, self.clock)
        self.instances = ScriptedInstances()
        self._compute = ComputeClients(Settings(), StaticCredential(), lambda: InProcessTransport(self.cloud))
        images = ArmImages(self._compute)
        self.ports = Ports(
            ArmScaleSets(self._compute),
            images,
            memory_store(),
            self.instances,
            self.clock,
            ArmTraffic(self._compute),
            constraints=ArmConstraints(self._compute),
            processes=ArmProcesses(self._compute),
            identity=ArmIdentity(self._compute),
        )
        self.scale_set_id = str(world.groups[0]["scaleSetId"])
        self.image = ImageReference(id=f"{world.groups[0]['imageId']}/versions/{image}")
        self.epoch = 1
        self.sequence = 0
        self._since = self.clock.now()

    @property
    def scale_set(self) -> Any:
        """The simulated set."""
        return self.cloud.scale_set(self.scale_set_id)

    def versions(self) -> list[str]:
        """The image version of each of its VMs."""
        return [str(vm.image["id"]).rsplit("/", 1)[-1] for vm in self.scale_set.active()]

    def order(self, batch: int = 0) -> Order:
        """What the recipe would tell an activity now; the wait began when the last activity was done."""
        now = self.clock.now()
        return Order(DEPLOYMENT, self.scale_set_id, self.epoch, batch, now, self._since, POLL)

    async def begin(self) -> None:
        """Write what a start writes, and take the lock."""
        checks = (HealthCheckType.VM_STATE, HealthCheckType.APPLICATION_HEALTH)
        parameters = Parameters("1.1.0", batch_size_percentage=50, grace_period=timedelta(minutes=5))
        image = Image("1.1.0", self.image)
        row = Deployment(
            DEPLOYMENT,
            "web",
            self.scale_set_id,
            replace(parameters, health_check_types=checks),
            image,
            self.clock.now(),
        )
        await self.ports.store.deployments.add(row)
        lock = Lock(self.scale_set_id.lower(), DEPLOYMENT, 1, self.clock.now())
        await self.ports.store.locks.swap(None, lock)

    async def call(self, body: Activity, batch: int = 0, order: Order | None = None) -> Progress:
        """Carry out the activity once."""
        return decode(Progress, await attempt(body, self.ports, encode(order or self.order(batch))))

    async def call_twice(self, body: Activity, batch: int = 0) -> Progress:
        """The same order twice: the second says the same as the first, and writes nothing."""
        order = self.order(batch)
        first = await self.call(body, order=order)
        written = len(self.cloud.audit)
        second = await self.call(body, order=order)
        assert len(self.cloud.audit) == written
        assert (second.state, second.code, second.data) == (first.state, first.code, first.data)
        return second

    async def finish(self, body: Activity, batch: int = 0, fact: EventType | None = None) -> Progress:
        """Repeat the activity, each time twice, until it is no longer on its way; write the fact down."""
        self._since = self.clock.now()
        for _ in range(1000):
            progress = await self.call_twice(body, batch)
            if progress.state is not StepState.AGAIN:
                break
            await self.clock.sleep(max(progress.after, timedelta(seconds=1)))
        if progress.done and fact is not None:
            await self.record(fact, batch, progress.data)
        return progress

    async def record(self, fact: EventType, batch: int = 0, data: Json | None = None) -> Event:
        """Write a fact down."""
        self.sequence += 1
        event = Event(self.sequence, self.clock.now(), fact, "so it was", batch or None, data or {})
        await record_event(self.ports, Entry(DEPLOYMENT, event))
        return event

    async def row(self) -> Deployment:
        """The deployment's row."""
        row = await self.ports.store.deployments.get(DEPLOYMENT)
        assert row is not None
        return row

    async def prepare(self) -> None:
        """Begin, plan, and write the plan down."""
        await self.begin()
        assert (await self.finish(prepare_deployment, fact=EventType.PLANNED)).done

    async def close(self) -> None:
        """Close the clients."""
        await self._compute.close()


@pytest.fixture
def on_bench() -> Callable[..., None]:
    """Run a test in virtual time on a bench with two VMs; ``scale_set`` and ``world`` are fields of the world."""

    def run(
        test: Callable[[Bench], Awaitable[None]],
        image: str = "1.1.0",
        scale_set: Json | None = None,
        **world: Any,
    ) -> None:
        async def main() -> None:
            document = demo_world().model_dump(mode="json", by_alias=True) | world
            document["scaleSets"][0] |= {"capacity": 2, **(scale_set or {})}
            bench = Bench(parse_world(document), image)
            try:
                await test(bench)
            finally:
                await bench.close()

        run_virtual(main())

    return run
