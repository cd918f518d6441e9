"""A world for the HTTP triggers: the store in memory, and neighbours that answer from what a test puts into them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import pytest

from api.routes import open_routes, routes
from api.transport.errors import respond
from api.transport.http import Answer, Request
from local.virtual.contract import breaches
from local.virtual.memory import memory_store
from rollout.model.azure.evidence import Inspection
from rollout.model.azure.scale_set import ImageReference, Place, PublishedVersion, ScaleSet, Vm, VmList
from rollout.model.azure.surroundings import ManagementLock, Usage, VmSize
from rollout.model.choices import HealthCheckType
from rollout.model.codec import Json
from rollout.model.group import Group
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.holds import Process
from rollout.model.rows.lock import Lock
from rollout.ports.azure import Traffic
from rollout.ports.durable import InstanceState
from rollout.ports.ports import Ports
from rollout.ports.store import Store
from settings import Settings

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo/providers/Microsoft.Compute"
SCALE_SET_ID = f"{SUBSCRIPTION}/virtualMachineScaleSets/web"
IMAGE_ID = f"{SUBSCRIPTION}/galleries/apps/images/web"
#: With a fraction that rows and answers do not keep, as a real clock has.
START = datetime(2026, 11, 23, 8, 15, 0, 123, tzinfo=UTC)


#: No set of this world is behind a balancer. Those of stories are.
NO_TRAFFIC = cast(Traffic, None)


class HandClock:
    """A clock that stands still until it is put on."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time

    def pass_(self, duration: timedelta) -> None:
        self.time += duration


class ListedScaleSets:
    """Scale sets by id, and VMs by their set's id and name; ``error`` is raised where one is given.

    It can only be read: the HTTP triggers change no scale set. A list has as many ``pages``, and ``list_error`` is its
    own.
    """

    def __init__(self) -> None:
        self.sets: dict[str, ScaleSet] = {}
        self.vms: dict[tuple[str, str], Vm] = {}
        self.listed: dict[str, list[Vm]] = {}
        self.reads = 0
        self.lists = 0
        self.pages = 1
        self.share_left: float | None = None
        self.error: Exception | None = None
        self.list_error: Exception | None = None

    def add(self, scale_set: ScaleSet) -> None:
        self.sets[scale_set.id.lower()] = scale_set

    async def read(self, scale_set_id: str) -> ScaleSet | None:
        self.reads += 1
        await asyncio.sleep(0)  # A read takes time, so others come between.
        if self.error:
            raise self.error
        return self.sets.get(scale_set_id.lower())

    async def read_vm(self, scale_set_id: str, vm_name: str) -> Vm | None:
        if self.error:
            raise self.error
        return self.vms.get((scale_set_id.lower(), vm_name))

    async def list_vms(self, scale_set_id: str, share_min: float = 0.0) -> VmList:
        """The VMs that a test gives the set; else as many as its capacity says, all healthy and on its image."""
        self.lists += 1
        if self.list_error:
            raise self.list_error
        scale_set = self.sets[scale_set_id.lower()]
        image = scale_set.image or ImageReference()
        vms = [
            Vm(f"id-{n}", f"{scale_set.name}_{n}", str(n), image, "Succeeded", "running", "healthy", latest_model=True)
            for n in range(scale_set.capacity)
        ]
        return VmList(tuple(self.listed.get(scale_set_id.lower(), vms)), self.pages)

    def left(self, scale_set_id: str) -> float | None:
        return self.share_left

    async def with_health(self, scale_set_id: str, listed: VmList, vm_ids: Any) -> VmList:
        return listed

    async def health_of(self, scale_set_id: str, vm_names: Any) -> dict[str, str | None]:
        raise AssertionError("no HTTP trigger reads in parts")

    async def inspect_vm(self, scale_set_id: str, vm_name: str, vm_id: str) -> Inspection | None:
        raise AssertionError("no HTTP trigger inspects VMs")

    async def set_image(self, scale_set: ScaleSet, image: ImageReference) -> None:
        raise AssertionError("no HTTP trigger changes a scale set")

    async def raise_capacity(self, scale_set: ScaleSet, capacity: int) -> None:
        raise AssertionError("no HTTP trigger changes a scale set")

    async def delete_vms(self, scale_set: ScaleSet, instance_ids: Any) -> None:
        raise AssertionError("no HTTP trigger changes a scale set")


class ListedImages:
    """Image versions by id. A list shows no replication, as Azure's does not."""

    def __init__(self) -> None:
        self.versions: list[PublishedVersion] = []
        self.reads = 0
        self.error: Exception | None = None

    def add(self, name: str, **fields: Any) -> None:
        regions = fields.pop("regions", {"eastus2": "Completed"})
        version_id = f"{IMAGE_ID}/versions/{name}"
        self.versions.append(
            PublishedVersion(version_id, name, "Succeeded", regions=regions, os_type="Linux", **fields)
        )

    async def read(self, reference: ImageReference, place: Place | None = None) -> PublishedVersion | None:
        self.reads += 1
        if self.error:
            raise self.error
        return next((version for version in self.versions if version.reference.matches(reference)), None)

    async def list_versions(
        self, reference: ImageReference, place: Place | None = None
    ) -> tuple[PublishedVersion, ...] | None:
        if not reference.matches(ImageReference(id=IMAGE_ID)):
            return None
        return tuple(replace(version, regions=None) for version in reversed(self.versions))


class ListedConstraints:
    """What is around every set: as a test gives it; ``errors`` are raised by the methods of those names."""

    def __init__(self) -> None:
        self.vm_size: VmSize | None = VmSize("Standard_D2s_v5", "standardDSv5Family", 2)
        self.usage: list[Usage] = []
        self.held: list[ManagementLock] = []
        self.upgrade: str | None = None
        self.errors: dict[str, Exception] = {}

    def _tell(self, name: str) -> None:
        if name in self.errors:
            raise self.errors[name]

    async def size(self, scale_set: ScaleSet) -> VmSize | None:
        self._tell("size")
        return self.vm_size

    async def usages(self, scale_set: ScaleSet) -> tuple[Usage, ...]:
        self._tell("usages")
        return tuple(self.usage)

    async def locks(self, scale_set: ScaleSet) -> tuple[ManagementLock, ...]:
        self._tell("locks")
        return tuple(self.held)

    async def rolling_upgrade(self, scale_set: ScaleSet) -> str | None:
        self._tell("rolling_upgrade")
        return self.upgrade


@dataclass
class ListedProcesses:
    """What a test says that changes the set by itself."""

    found: tuple[Process, ...] = ()

    async def read(self, scale_set: ScaleSet) -> tuple[Process, ...]:
        return self.found

    async def write(self, scale_set: ScaleSet, processes: Sequence[Process]) -> None:
        raise AssertionError("an HTTP trigger changes nothing")


class RecordedInstances:
    """What was started, and the states that a test gives. ``start_error`` is raised before or after the effect."""

    def __init__(self) -> None:
        self.started: dict[str, tuple[str, Json]] = {}
        self.states: dict[str, InstanceState] = {}
        self.descriptions: dict[str, Json] = {}
        self.start_error: Exception | None = None
        self.starts_anyway = False
        self.state_error: Exception | None = None
        self.before_start: Callable[[], None] = lambda: None
        self.woken: list[tuple[str, str]] = []

    async def start(self, recipe: str, instance_id: str, order: Json) -> None:
        self.before_start()
        if self.start_error is None or self.starts_anyway:
            self.started[instance_id] = (recipe, order)
            self.states[instance_id] = InstanceState.RUNNING
        if self.start_error is not None:
            raise self.start_error

    async def state(self, instance_id: str) -> InstanceState:
        if self.state_error is not None:
            raise self.state_error
        return self.states.get(instance_id, InstanceState.ABSENT)

    async def wake(self, instance_id: str, event: str) -> None:
        self.woken.append((instance_id, event))

    async def terminate(self, instance_id: str, reason: str) -> None:
        raise AssertionError("only timers do this")

    async def children(self, deployment_id: str) -> tuple[str, ...]:
        raise AssertionError("only timers do this")

    async def purge(self, created_from: datetime, created_to: datetime) -> int:
        raise AssertionError("only timers do this")

    async def describe(self, instance_id: str) -> Json | None:
        return self.descriptions.get(instance_id)


class KnownIdentity:
    """An identity that gets its token, unless a test gives the ``error`` that it meets."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked = 0

    async def check(self) -> None:
        self.asked += 1
        if self.error:
            raise self.error


@dataclass
class World:
    """The HTTP triggers and all that is behind them. Requests go by the route table, as they do through the host."""

    store: Store = field(default_factory=memory_store)
    clock: HandClock = field(default_factory=HandClock)
    scale_sets: ListedScaleSets = field(default_factory=ListedScaleSets)
    images: ListedImages = field(default_factory=ListedImages)
    instances: RecordedInstances = field(default_factory=RecordedInstances)
    constraints: ListedConstraints = field(default_factory=ListedConstraints)
    processes: ListedProcesses = field(default_factory=ListedProcesses)
    identity: KnownIdentity = field(default_factory=lambda: KnownIdentity())
    scale_set_id: str = SCALE_SET_ID
    image_id: str = IMAGE_ID

    def __post_init__(self) -> None:
        self.behind(Settings())

    def behind(self, settings: Settings) -> None:
        """Open HTTP triggers with these settings; all that is behind them stays as it is."""
        self.routes = (*routes(settings), *open_routes(settings))

    @property
    def ports(self) -> Ports:
        return Ports(
            self.scale_sets,
            self.images,
            self.store,
            self.instances,
            self.clock,
            NO_TRAFFIC,
            constraints=self.constraints,
            processes=self.processes,
            identity=self.identity,
        )

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """A request with JSON, or with bytes as they are."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        url = urlsplit(f"https://teal.example/api/{path}")
        names = {"content-type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        params = dict(parse_qsl(url.query))
        for route in self.routes:
            match = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path), url.path.removeprefix("/api/"))
            if match and route.method == method:
                request = Request(method, url.geturl(), names, match.groupdict(), content, params=params)
                answer = await respond(route.handler, lambda: self.ports, request)
                assert breaches(route.name, answer.status, answer.all_headers, answer.content) == []
                return answer
        raise AssertionError(f"there is no route {method} {path}")

    async def get(self, path: str) -> Any:
        """The body of a GET that succeeds."""
        answer = await self.send("GET", path)
        assert answer.status == 200, answer.body
        return answer.body

    async def refused(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """The status and the error of a request that is refused."""
        answer = await self.send(method, path, body, **headers)
        assert set(answer.body) == {"error"}, answer.body
        return answer.status, answer.body["error"]

    async def start(self, **fields: Any) -> Any:
        """The body of a start that succeeds."""
        answer = await self.send("POST", "groups/web/deployments", {"image": "1.1.0", **fields})
        assert answer.status == 202, answer.body
        return answer.body

    async def add_group(self, **fields: Any) -> Group:
        asked = {"health_check_types": (HealthCheckType.VM_STATE, HealthCheckType.APPLICATION_HEALTH)}
        group = Group(**{"id": "web", "scale_set_id": SCALE_SET_ID, "image_id": IMAGE_ID, **asked, **fields})
        await self.store.groups.put(group)
        return group

    async def lock(self) -> Lock | None:
        return await self.store.locks.get(SCALE_SET_ID)

    async def deployments(self) -> tuple[Deployment, ...]:
        return await self.store.deployments.newest("web", 100)

    async def written(self) -> tuple[Any, ...]:
        """All that a request may have changed."""
        return (
            dict(self.instances.started),
            await self.lock(),
            await self.deployments(),
            await self.store.groups.list(),
        )


@pytest.fixture
async def world() -> World:
    """Ten VMs in scale set ``web``, registered as group ``web``, and images 1.0.0 (which runs) to 1.10.0."""
    world = World()
    world.scale_sets.add(
        ScaleSet(
            id=SCALE_SET_ID,
            name="web",
            location="eastus2",
            etag='"1"',
            capacity=10,
            provisioning_state="Succeeded",
            image=ImageReference(id=f"{IMAGE_ID}/versions/1.0.0"),
            os_type="Linux",
            reports_health=True,
            zones=("1", "2", "3"),
        )
    )
    for name in ("1.0.0", "1.1.0", "1.9.0", "1.10.0"):
        world.images.add(name)
    await world.add_group()
    return world
