"""Table Storage, one Protocol a table. Every method may raise ``AzureError``.

A row that a newer release wrote raises ``Unreadable``, also in a list: nothing is decided as if it were not there. Only
where a method says so, such rows are left out, or told in the place of their values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from rollout.model.azure.evidence import VmEvidence
from rollout.model.group import Group, SignalType
from rollout.model.rows.commands import Command
from rollout.model.rows.danger import DangerRecord
from rollout.model.rows.deployment import Batch, Deployment, Event, Intent, VmRecord
from rollout.model.rows.group_state import GroupState
from rollout.model.rows.health_part import HealthPart
from rollout.model.rows.holds import Hold
from rollout.model.rows.keyed_request import KeyedRequest
from rollout.model.rows.lock import Lock
from rollout.model.rows.queue_entry import QueueEntry
from rollout.model.rows.signals import Signal
from rollout.model.rows.unreadable import UnreadableRow
from rollout.ports.archive import Archive
from rollout.ports.automatic import Followers, Notifications, ScheduleRuns, TimerRuns, Tries, WantedVersions


class Groups(Protocol):
    """The groups table."""

    async def get(self, group_id: str) -> Group | None: ...
    async def list(self) -> tuple[Group, ...]: ...

    async def listed(self) -> tuple[Group | UnreadableRow, ...]:
        """As ``list``, with those that cannot be read told in their places."""
        ...

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

    async def newest(self, group_id: str, limit: int, before: str = "") -> tuple[Deployment, ...]:
        """The newest of a group, newest first; where ``before`` is an id, those older than that."""
        ...

    async def listed(
        self, group_id: str, limit: int, before: str = "", statuses: Collection[str] = ()
    ) -> tuple[Deployment | UnreadableRow, ...]:
        """As ``newest``, with those that cannot be read told in their places; only of ``statuses`` where some are."""
        ...


class GroupStates(Protocol):
    """The group states table: one row a group, what is shown of it without asking Azure."""

    async def get(self, group_id: str) -> GroupState | None:
        """The state; ``None`` where nobody has looked, or the row cannot be read: whoever looks writes it anew."""
        ...

    async def list(self) -> tuple[GroupState, ...]:
        """Those that can be read."""
        ...

    async def change(self, group_id: str, change: Callable[[GroupState | None], GroupState]) -> GroupState:
        """As ``Deployments.change``; ``change`` is given ``None`` where ``get`` answers that, and the row is put."""
        ...

    async def delete(self, group_id: str) -> None:
        """Remove the row; nothing happens where there is none."""
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
        """Those that have a part in it, by batch, blue before green; of one batch where ``batch`` is given."""
        ...

    async def all(self, deployment_id: str) -> tuple[VmRecord, ...]:
        """The same, and then those that others made: for who shows VMs, or looks at them, and decides nothing."""
        ...

    async def since(self, deployment_id: str, mark: str) -> tuple[tuple[VmRecord, ...], str]:
        """Those of ``all`` that were written after ``mark``, and the mark to go on from; with an empty one all."""
        ...

    async def change(self, deployment_id: str, record: VmRecord, change: Callable[[VmRecord], VmRecord]) -> VmRecord:
        """As ``Deployments.change``, for the row of ``record``'s VM."""
        ...


class Events(Protocol):
    """The events table."""

    async def put(self, deployment_id: str, event: Event) -> None:
        """Add or replace the event of that sequence number."""
        ...

    async def add(self, deployment_id: str, event: Event) -> bool:
        """Add an event; false, and nothing changed, where there is one of that sequence number."""
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
    """The locks table: one row a scale set; it stays while a group has the set, so that epochs only grow."""

    async def get(self, scale_set_id: str) -> Lock | None:
        """The lock; the id's case does not matter."""
        ...

    async def swap(self, expected: Lock | None, lock: Lock) -> bool:
        """Write ``lock`` if the row still is ``expected`` (``None``: there is no row); false where it is not."""
        ...


class HealthParts(Protocol):
    """The health parts table: what the parts of a look have read, until the next look's replace it."""

    async def keep(self, deployment_id: str, part: HealthPart) -> bool:
        """Add or replace the part's row; false, and nothing changed, where there is one that was asked for later."""
        ...

    async def list(self, deployment_id: str, batch: int) -> tuple[HealthPart, ...]:
        """Those of one batch that can be read, by number: a part that is not there is asked for again."""
        ...


class QueueEntries(Protocol):
    """The queue table: one row for each deployment that waits for a scale set."""

    async def add(self, entry: QueueEntry) -> bool:
        """Add a row; false, and nothing changed, where the deployment has one for that set."""
        ...

    async def list(self, scale_set_id: str) -> tuple[QueueEntry, ...]:
        """Those of a scale set, in no particular order; the id's case does not matter."""
        ...

    async def delete(self, scale_set_id: str, deployment_id: str) -> None:
        """Remove the row; nothing happens where there is none."""
        ...


class Commands(Protocol):
    """The commands table: what was said to a deployment, in the order in which it was said."""

    async def add(self, deployment_id: str, command: Command) -> bool:
        """Add a command; false, and nothing changed, where there is one of that number."""
        ...

    async def list(self, deployment_id: str) -> tuple[Command, ...]:
        """All of them, by number."""
        ...

    async def change(self, deployment_id: str, number: int, change: Callable[[Command], Command]) -> Command:
        """As ``Deployments.change``."""
        ...


class KeyedRequests(Protocol):
    """The requests table: POSTs with an ``Idempotency-Key``, and what they were answered."""

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


class Holds(Protocol):
    """The holds table: one row a scale set, the journal of what is held of it (``rollout.holds.holds``)."""

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

    async def listed(self) -> tuple[Hold | UnreadableRow, ...]:
        """As ``list``, with those that cannot be read told in their places."""
        ...


class Dangers(Protocol):
    """The dangers table: one row a scale set and code (``rollout.lifecycle.dangers``)."""

    async def get(self, scale_set_id: str, code: str) -> DangerRecord | None:
        """The danger; the id's case does not matter."""
        ...

    async def put(self, danger: DangerRecord) -> None:
        """Add or replace the row."""
        ...

    async def delete(self, scale_set_id: str, code: str) -> None:
        """Remove the row; nothing happens where there is none."""
        ...

    async def list(self, scale_set_id: str | None = None) -> tuple[DangerRecord, ...]:
        """Those of a scale set that can be read; ``None``: of every one."""
        ...


@dataclass(frozen=True)
class Store:
    """Table Storage, or what stands in for it: Teal's facts for people, its lock and its journals."""

    groups: Groups
    group_states: GroupStates
    deployments: Deployments
    batches: Batches
    vms: Vms
    events: Events
    intents: Intents
    locks: Locks
    queue: QueueEntries
    signals: Signals
    evidence: Evidence
    health_parts: HealthParts
    commands: Commands
    requests: KeyedRequests
    archive: Archive
    holds: Holds
    notifications: Notifications
    wanted: WantedVersions
    followers: Followers
    schedule_runs: ScheduleRuns
    tries: Tries
    dangers: Dangers
    timer_runs: TimerRuns
