"""What Teal needs of the outside world: one Protocol a neighbour. Adapters implement them and decide nothing.

Whatever speaks to a service raises ``rollout.errors.AzureError``: ``Busy`` where trying again may help, ``Refused``
where it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from rollout.codec import Json
from rollout.commands import Command
from rollout.deployment import Batch, Deployment, Event, Intent, Lock, VmRecord
from rollout.evidence import Inspection, VmEvidence
from rollout.group import Group, HealthCheckType, SignalType
from rollout.holds import Hold, Process
from rollout.idempotency import KeyedRequest
from rollout.scale_set import ImageReference, ImageVersion, Place, ScaleSet, Vm, VmList
from rollout.signals import Signal
from rollout.surroundings import ManagementLock, Usage, VmSize
from rollout.traffic import AdminState, Asked, Membership, Probe


class Clock(Protocol):
    """The time for those outside orchestrations; recipes and activities are given theirs."""

    def now(self) -> datetime:
        """Aware, in UTC."""
        ...


class ScaleSets(Protocol):
    """Scale sets and their VMs. Every method may raise ``rollout.errors.AzureError``; none waits for an operation."""

    async def read(self, scale_set_id: str) -> ScaleSet | None:
        """The set as it is now; ``None`` where there is none."""
        ...

    async def list_vms(self, scale_set_id: str) -> VmList:
        """Every VM with its state, and its health where the same requests tell that. ``Stale``: the set is gone."""
        ...

    async def with_health(self, scale_set_id: str, listed: VmList, vm_ids: Collection[str]) -> VmList:
        """The list with the health of these VMs as well: a request for each whose health the list could not tell."""
        ...

    async def read_vm(self, scale_set_id: str, vm_name: str) -> Vm | None:
        """The VM that has this name now, in one request that does not count against lists; ``None``: there is none.

        Its health may be left out.
        """
        ...

    async def inspect_vm(self, scale_set_id: str, vm_name: str, vm_id: str) -> Inspection | None:
        """Whatever can be read of the VM that has this name and ``vm_id``; ``None`` where it is gone."""
        ...

    async def set_image(self, scale_set: ScaleSet, image: ImageReference) -> None:
        """Change only the model's image, if the set is still as it was read."""
        ...

    async def raise_capacity(self, scale_set: ScaleSet, capacity: int) -> None:
        """Ask for as many more VMs as ``capacity`` is above the set's, if the set is still as it was read."""
        ...

    async def delete_vms(self, scale_set: ScaleSet, instance_ids: Sequence[str]) -> None:
        """Delete these VMs in one call. Azure lowers a Uniform set's capacity by their number."""
        ...


class Traffic(Protocol):
    """The load balancers and application gateways before scale sets. Raises ``AzureError``; no method waits."""

    async def read(self, scale_set: ScaleSet, vms: Sequence[Vm]) -> tuple[Membership, ...]:
        """The pools that each of these VMs is in now."""
        ...

    async def probe(self, source: HealthCheckType, pools: Collection[str], asked: Sequence[Asked]) -> Probe:
        """Read what was asked of the balancers of one kind that have any of these pools, and ask again."""
        ...

    async def set_state(self, pool: str, members: Collection[Membership], state: AdminState) -> None:
        """Set the ``adminState`` of members of a load balancer's pool, in one write."""
        ...

    async def leave(self, scale_set: ScaleSet, vm: Vm, pools: Collection[str]) -> None:
        """Take these pools out of the VM's own network configuration."""
        ...

    async def join(self, scale_set: ScaleSet, vm: Vm) -> None:
        """Put the pools of the set's model back into the VM's own network configuration."""
        ...

    async def draining_time(self, pools: Collection[str]) -> timedelta:
        """How long at most the application gateways that have these pools let connections of a VM end that left."""
        ...


class Constraints(Protocol):
    """What Azure allows around a scale set. Raises ``AzureError``; a right may be missing for each alone."""

    async def size(self, scale_set: ScaleSet) -> VmSize | None:
        """The set's VM size; ``None`` where Azure does not list it in the region."""
        ...

    async def usages(self, scale_set: ScaleSet) -> tuple[Usage, ...]:
        """The subscription's limits in the set's region, and what is in use."""
        ...

    async def locks(self, scale_set: ScaleSet) -> tuple[ManagementLock, ...]:
        """The locks of Resource Manager at, above and below the set's resource group."""
        ...

    async def rolling_upgrade(self, scale_set: ScaleSet) -> str | None:
        """How the latest of Azure's own rolling upgrades stands (``RollingForward``…); ``None``: there was none."""
        ...


class Processes(Protocol):
    """What changes a scale set by itself (``rollout.holds``). Raises ``AzureError``; no method waits."""

    async def read(self, scale_set: ScaleSet) -> tuple[Process, ...]:
        """Every process as it is now; one that may not be read says so."""
        ...

    async def write(self, scale_set: ScaleSet, processes: Sequence[Process]) -> None:
        """Make these as they say in one request (``rollout.hold_moves.next_writes``), if the set is as it was read."""
        ...


class Images(Protocol):
    """Images of every kind. ``place``: for whose VMs; where the reference is a resource id none is needed."""

    async def read(self, reference: ImageReference, place: Place | None = None) -> ImageVersion | None:
        """One exact image and what a set has to fit; ``None`` where there is none."""
        ...

    async def list_versions(
        self, reference: ImageReference, place: Place | None = None
    ) -> tuple[ImageVersion, ...] | None:
        """Every version of the image that a reference names, highest first; ``None`` where there is no such image.

        Of a gallery's versions it does not tell the replication.
        """
        ...


class Groups(Protocol):
    """The groups table."""

    async def get(self, group_id: str) -> Group | None: ...
    async def list(self) -> tuple[Group, ...]: ...
    async def put(self, group: Group) -> None: ...
    async def delete(self, group_id: str) -> None: ...


class Deployments(Protocol):
    """The deployments table. A deployment's id names its group and its time, so it finds its row without an index."""

    async def add(self, deployment: Deployment) -> bool:
        """Add a row; false, and nothing changed, where there is one of that id."""
        ...

    async def get(self, deployment_id: str) -> Deployment | None: ...

    async def change(self, deployment_id: str, change: Callable[[Deployment], Deployment]) -> Deployment:
        """Apply ``change`` to the row as it is now, again if another writer came between.

        Nothing is written where ``change`` returns an equal row. ``KeyError``: there is no such row.
        """
        ...

    async def newest(self, group_id: str, limit: int) -> tuple[Deployment, ...]:
        """The newest of a group, newest first."""
        ...


class Batches(Protocol):
    """The batches table."""

    async def put(self, deployment_id: str, batches: Sequence[Batch]) -> None: ...
    async def get(self, deployment_id: str, number: int) -> Batch | None: ...
    async def list(self, deployment_id: str) -> tuple[Batch, ...]: ...
    async def change(self, deployment_id: str, number: int, change: Callable[[Batch], Batch]) -> Batch:
        """As ``Deployments.change``."""
        ...


class Vms(Protocol):
    """The VMs table."""

    async def put(self, deployment_id: str, records: Sequence[VmRecord]) -> None:
        """Add or replace; any number."""
        ...

    async def list(self, deployment_id: str, batch: int | None = None) -> tuple[VmRecord, ...]:
        """By batch, blue before green; of one batch where ``batch`` is given."""
        ...

    async def change(self, deployment_id: str, record: VmRecord, change: Callable[[VmRecord], VmRecord]) -> VmRecord:
        """As ``Deployments.change``, for the row of ``record``'s VM."""
        ...


class Events(Protocol):
    """The events table."""

    async def put(self, deployment_id: str, event: Event) -> None:
        """Add or replace the event of that sequence number."""
        ...

    async def list(self, deployment_id: str, after: int = 0, limit: int = 1000) -> tuple[Event, ...]:
        """Events with a higher sequence number than ``after``, in order."""
        ...


class Intents(Protocol):
    """The intents table."""

    async def put(self, deployment_id: str, intent: Intent) -> None: ...
    async def list(self, deployment_id: str, batch: int | None = None) -> tuple[Intent, ...]:
        """In the order of batch, kind, number."""
        ...


class Locks(Protocol):
    """The locks table: one row a scale set, never deleted, so that epochs only grow."""

    async def get(self, scale_set_id: str) -> Lock | None:
        """The lock; the id's case does not matter."""
        ...

    async def swap(self, expected: Lock | None, lock: Lock) -> bool:
        """Write ``lock`` if the row still is ``expected`` (``None``: there is no row); false where it is not."""
        ...


class Commands(Protocol):
    """The commands table: what was said to a deployment, in the order in which it was said."""

    async def add(self, deployment_id: str, command: Command) -> bool:
        """Add a command; false, and nothing changed, where there is one of that number."""
        ...

    async def list(self, deployment_id: str) -> tuple[Command, ...]:
        """All of them, by number."""
        ...


class Requests(Protocol):
    """The requests table: POSTs with an ``Idempotency-Key``, and what they were answered (``rollout.idempotency``)."""

    async def add(self, request: KeyedRequest) -> bool:
        """Add a row; false, and nothing changed, where there is one of that scope and key."""
        ...

    async def get(self, scope: str, key: str) -> KeyedRequest | None: ...

    async def swap(self, expected: KeyedRequest, request: KeyedRequest) -> bool:
        """Write ``request`` if the row still is ``expected``; false, and nothing changed, where it is not."""
        ...


class Signals(Protocol):
    """The signals table: the first signal of each type from each VM of a scale set."""

    async def put(self, scale_set_id: str, signal: Signal) -> bool:
        """Keep a signal; false, and nothing changed, where the VM has sent one of that type before."""
        ...

    async def get(self, scale_set_id: str, vm_id: str, kind: SignalType) -> Signal | None: ...

    async def list(self, scale_set_id: str) -> tuple[Signal, ...]:
        """The signals of all VMs of the set."""
        ...

    async def delete(self, scale_set_id: str, vm_ids: Collection[str]) -> None:
        """Forget what these VMs said; those that said nothing are passed over."""
        ...


class Evidence(Protocol):
    """The evidence table: what is kept of sick VMs that are deleted."""

    async def put(self, deployment_id: str, evidence: VmEvidence) -> bool:
        """Keep what is known of a VM; false, and nothing changed, where there is evidence of it already."""
        ...

    async def get(self, deployment_id: str, vm_id: str) -> VmEvidence | None:
        """The evidence of one VM; the id's case does not matter."""
        ...


class Archive(Protocol):
    """All tables at once, for what is forgotten after a time. The answers come in no particular order."""

    async def ended_before(self, time: datetime, limit: int) -> tuple[Deployment, ...]:
        """Deployments of any group, whether or not it is still there, that ended before ``time``."""
        ...

    async def forget(self, deployment_id: str) -> None:
        """Remove all that is kept of a deployment, its own row last."""
        ...

    async def asked_before(self, time: datetime, limit: int) -> tuple[KeyedRequest, ...]:
        """Requests with an idempotency key that were made before ``time``."""
        ...

    async def forget_request(self, scope: str, key: str) -> None:
        """Remove the row of a request."""
        ...


class Holds(Protocol):
    """The holds table: one row a scale set, the journal of what is held of it (``rollout.holds``)."""

    async def get(self, scale_set_id: str) -> Hold | None:
        """The journal; the id's case does not matter."""
        ...

    async def put(self, hold: Hold) -> None:
        """Add or replace the row."""
        ...

    async def delete(self, scale_set_id: str) -> None:
        """Remove the row; nothing happens where there is none."""
        ...

    async def list(self) -> tuple[Hold, ...]:
        """Every journal."""
        ...


@dataclass(frozen=True)
class Store:
    """Table Storage, or what stands in for it: Teal's facts for people, its lock and its journals."""

    groups: Groups
    deployments: Deployments
    batches: Batches
    vms: Vms
    events: Events
    intents: Intents
    locks: Locks
    signals: Signals
    evidence: Evidence
    commands: Commands
    requests: Requests
    archive: Archive
    holds: Holds


class InstanceState(StrEnum):
    """What the orchestration that runs a deployment is doing."""

    ABSENT = "absent"
    RUNNING = "running"
    SUSPENDED = "suspended"
    ENDED = "ended"


class Instances(Protocol):
    """The orchestrations of the Durable Functions task hub."""

    async def start(self, recipe: str, instance_id: str, order: Json) -> None:
        """Start a recipe."""
        ...

    async def state(self, instance_id: str) -> InstanceState: ...

    async def wake(self, instance_id: str, event: str) -> None:
        """Raise an event of this name. An instance that does not listen, or is gone, is passed over."""
        ...

    async def terminate(self, instance_id: str, reason: str) -> None:
        """Ask the instance to end; one that has ended, or is absent, is passed over."""
        ...

    async def children(self, deployment_id: str) -> tuple[str, ...]:
        """The deployment's other orchestrations that have not ended, each parent before what it started.

        Of more than a page of them, some.
        """
        ...

    async def purge(self, created_from: datetime, created_to: datetime) -> int:
        """Forget the instances that have ended and were begun in this time; how many there were."""
        ...

    async def describe(self, instance_id: str) -> Json | None:
        """The Durable status as JSON, without history and keyed URLs; ``None``: no such instance."""
        ...


@dataclass(frozen=True)
class Ports:
    """The neighbours, handed to every activity and every door."""

    scale_sets: ScaleSets
    images: Images
    store: Store
    instances: Instances
    clock: Clock
    traffic: Traffic
    constraints: Constraints
    processes: Processes
