"""The store of ``rollout.ports.ports`` over tables: which row holds what. The keys are ``rollout.ports.keys``'."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import cache

from adapters.tables.archive import archive_over
from adapters.tables.automatic import (
    TableFollowers,
    TableNotifications,
    TableScheduleRuns,
    TableTimerRuns,
    TableTries,
    TableWanted,
)
from adapters.tables.dangers import TableDangers
from adapters.tables.group_states import TableGroupStates
from adapters.tables.health_parts import TableHealthParts
from adapters.tables.queue import TableQueue
from adapters.tables.records import Records
from adapters.tables.table import ANY, TableMaker
from rollout.model.azure.evidence import VmEvidence
from rollout.model.codec import encode
from rollout.model.group import Group, SignalType
from rollout.model.rows.commands import Command
from rollout.model.rows.danger import DangerRecord
from rollout.model.rows.deployment import Batch, Deployment, Event, Intent, VmRecord
from rollout.model.rows.group_state import GroupState
from rollout.model.rows.health_part import HealthPart
from rollout.model.rows.holds import Hold
from rollout.model.rows.keyed_request import KeyedRequest
from rollout.model.rows.lock import Lock
from rollout.model.rows.notification import NotificationRecord
from rollout.model.rows.queue_entry import QueueEntry
from rollout.model.rows.signals import Signal
from rollout.model.rows.timer_run import TimerRun
from rollout.model.rows.tries import Try
from rollout.model.rows.unreadable import UnreadableRow
from rollout.model.rows.wanted import Follower, WantedVersion
from rollout.model.schedule import ScheduleRun
from rollout.ports.keys import (
    GROUPS,
    HOLDS,
    Key,
    KeyRange,
    batch_row,
    command_row,
    deployment_key,
    encode_key,
    event_row,
    events_after,
    evidence_key,
    group_key,
    hold_key,
    intent_row,
    lock_key,
    request_key,
    rows_after,
    rows_of_batch,
    rows_of_batches,
    signal_key,
    signals_of,
    vm_row,
)
from rollout.ports.store import Store


def store_over(tables: TableMaker) -> Store:
    """The store whose tables ``tables`` makes, each once."""
    tables = cache(tables)
    return Store(
        groups=TableGroups(Records(tables("Groups"), Group)),
        group_states=TableGroupStates(Records(tables("GroupStates"), GroupState)),
        deployments=TableDeployments(Records(tables("Deployments"), Deployment)),
        batches=TableBatches(Records(tables("Batches"), Batch)),
        vms=TableVms(Records(tables("Vms"), VmRecord)),
        events=TableEvents(Records(tables("Events"), Event)),
        intents=TableIntents(Records(tables("Intents"), Intent)),
        locks=TableLocks(Records(tables("Locks"), Lock)),
        queue=TableQueue(Records(tables("Queue"), QueueEntry)),
        signals=TableSignals(Records(tables("Signals"), Signal)),
        evidence=TableEvidence(Records(tables("Evidence"), VmEvidence)),
        health_parts=TableHealthParts(Records(tables("HealthParts"), HealthPart)),
        commands=TableCommands(Records(tables("Commands"), Command)),
        requests=TableRequests(Records(tables("Requests"), KeyedRequest)),
        archive=archive_over(tables),
        holds=TableHolds(Records(tables("Holds"), Hold)),
        notifications=TableNotifications(Records(tables("Notifications"), NotificationRecord)),
        wanted=TableWanted(Records(tables("Wanted"), WantedVersion)),
        followers=TableFollowers(Records(tables("Followers"), Follower)),
        schedule_runs=TableScheduleRuns(Records(tables("ScheduleRuns"), ScheduleRun)),
        tries=TableTries(Records(tables("Tries"), Try)),
        dangers=TableDangers(Records(tables("Dangers"), DangerRecord)),
        timer_runs=TableTimerRuns(Records(tables("Timers"), TimerRun)),
    )


class TableGroups:
    """Groups, by id."""

    def __init__(self, records: Records[Group]) -> None:
        self._records = records

    async def get(self, group_id: str) -> Group | None:
        return await self._records.get(group_key(group_id))

    async def list(self) -> tuple[Group, ...]:
        return await self._records.list(GROUPS)

    async def listed(self) -> tuple[Group | UnreadableRow, ...]:
        return await self._records.listed(GROUPS)

    async def put(self, group: Group) -> None:
        await self._records.put(GROUPS, {group_key(group.id).row: group})

    async def delete(self, group_id: str) -> None:
        await self._records.delete(group_key(group_id))


class TableDeployments:
    """Deployments: a group's in its partition, newest first."""

    def __init__(self, records: Records[Deployment]) -> None:
        self._records = records

    async def add(self, deployment: Deployment) -> bool:
        """As the port has it. ``ValueError``: its id is no deployment's id."""
        key = deployment_key(deployment.id)
        if key is None:
            raise ValueError(f"{deployment.id!r} is no deployment's id")
        return await self._records.add(key, deployment)

    async def get(self, deployment_id: str) -> Deployment | None:
        key = deployment_key(deployment_id)
        return None if key is None else await self._records.get(key)

    async def change(self, deployment_id: str, change: Callable[[Deployment], Deployment]) -> Deployment:
        key = deployment_key(deployment_id)
        if key is None:
            raise KeyError(deployment_id)
        return await self._records.change(key, change)

    async def newest(self, group_id: str, limit: int, before: str = "") -> tuple[Deployment, ...]:
        return await self._records.list(encode_key(group_id), _older_than(before), limit)

    async def listed(
        self, group_id: str, limit: int, before: str = "", statuses: Collection[str] = ()
    ) -> tuple[Deployment | UnreadableRow, ...]:
        where = {"status": statuses} if statuses else ANY
        return await self._records.listed(encode_key(group_id), _older_than(before), limit, where)


class TableBatches:
    """Batches: a deployment's in its partition, by number."""

    def __init__(self, records: Records[Batch]) -> None:
        self._records = records

    async def put(self, deployment_id: str, batches: Sequence[Batch]) -> None:
        await self._records.put(encode_key(deployment_id), {batch_row(batch.number): batch for batch in batches})

    async def get(self, deployment_id: str, number: int) -> Batch | None:
        return await self._records.get(Key(encode_key(deployment_id), batch_row(number)))

    async def list(self, deployment_id: str) -> tuple[Batch, ...]:
        return await self._records.list(encode_key(deployment_id))

    async def change(self, deployment_id: str, number: int, change: Callable[[Batch], Batch]) -> Batch:
        return await self._records.change(Key(encode_key(deployment_id), batch_row(number)), change)


class TableVms:
    """VMs: a deployment's in its partition, by batch, blue before green, and those of others last."""

    def __init__(self, records: Records[VmRecord]) -> None:
        self._records = records

    async def put(self, deployment_id: str, records: Sequence[VmRecord]) -> None:
        rows = {vm_row(record.batch, record.color, record.vm_id): record for record in records}
        await self._records.put(encode_key(deployment_id), rows)

    async def list(self, deployment_id: str, batch: int | None = None) -> tuple[VmRecord, ...]:
        within = rows_of_batches() if batch is None else rows_of_batch(batch)
        return await self._records.list(encode_key(deployment_id), within)

    async def all(self, deployment_id: str) -> tuple[VmRecord, ...]:
        return await self._records.list(encode_key(deployment_id))

    async def since(self, deployment_id: str, mark: str) -> tuple[tuple[VmRecord, ...], str]:
        return await self._records.since(encode_key(deployment_id), mark)

    async def change(self, deployment_id: str, record: VmRecord, change: Callable[[VmRecord], VmRecord]) -> VmRecord:
        row = vm_row(record.batch, record.color, record.vm_id)
        return await self._records.change(Key(encode_key(deployment_id), row), change)


class TableEvents:
    """Events: a deployment's in its partition, in sequence."""

    def __init__(self, records: Records[Event]) -> None:
        self._records = records

    async def put(self, deployment_id: str, event: Event) -> None:
        await self._records.put(encode_key(deployment_id), {event_row(event.sequence): event})

    async def add(self, deployment_id: str, event: Event) -> bool:
        return await self._records.add(Key(encode_key(deployment_id), event_row(event.sequence)), event)

    async def list(self, deployment_id: str, after: int = 0, limit: int = 1000) -> tuple[Event, ...]:
        return await self._records.list(encode_key(deployment_id), events_after(after), limit)


class TableIntents:
    """Intents: a deployment's in its partition, by batch, kind and number."""

    def __init__(self, records: Records[Intent]) -> None:
        self._records = records

    async def put(self, deployment_id: str, intent: Intent) -> None:
        row = intent_row(intent.batch, intent.kind, intent.number)
        await self._records.put(encode_key(deployment_id), {row: intent})

    async def list(self, deployment_id: str, batch: int | None = None) -> tuple[Intent, ...]:
        return await self._records.list(encode_key(deployment_id), None if batch is None else rows_of_batch(batch))


class TableLocks:
    """Locks: one row a scale set."""

    def __init__(self, records: Records[Lock]) -> None:
        self._records = records

    async def get(self, scale_set_id: str) -> Lock | None:
        return await self._records.get(lock_key(scale_set_id))

    async def swap(self, expected: Lock | None, lock: Lock) -> bool:
        key = lock_key(lock.scale_set_id)
        if expected is None:
            return await self._records.add(key, lock)
        return await self._records.swap(key, lambda found: _folded(found) == _folded(expected), lock)


class TableSignals:
    """Signals: those of a scale set in its partition, by VM and type."""

    def __init__(self, records: Records[Signal]) -> None:
        self._records = records

    async def put(self, scale_set_id: str, signal: Signal) -> bool:
        return await self._records.add(signal_key(scale_set_id, signal.vm_id, signal.type), signal)

    async def get(self, scale_set_id: str, vm_id: str, kind: SignalType) -> Signal | None:
        return await self._records.get(signal_key(scale_set_id, vm_id, kind))

    async def delete(self, scale_set_id: str, vm_ids: Collection[str]) -> None:
        wanted = {vm_id.lower() for vm_id in vm_ids}
        for signal in await self.list(scale_set_id):
            if signal.vm_id.lower() in wanted:
                await self._records.delete(signal_key(scale_set_id, signal.vm_id, signal.type))

    async def list(self, scale_set_id: str) -> tuple[Signal, ...]:
        return await self._records.list(signals_of(scale_set_id))


class TableEvidence:
    """Evidence: that of a deployment in its partition, by VM."""

    def __init__(self, records: Records[VmEvidence]) -> None:
        self._records = records

    async def put(self, deployment_id: str, evidence: VmEvidence) -> bool:
        return await self._records.add(evidence_key(deployment_id, evidence.vm_id), evidence)

    async def get(self, deployment_id: str, vm_id: str) -> VmEvidence | None:
        return await self._records.get(evidence_key(deployment_id, vm_id))


class TableCommands:
    """Commands: a deployment's in its partition, by number."""

    def __init__(self, records: Records[Command]) -> None:
        self._records = records

    async def add(self, deployment_id: str, command: Command) -> bool:
        return await self._records.add(Key(encode_key(deployment_id), command_row(command.number)), command)

    async def list(self, deployment_id: str) -> tuple[Command, ...]:
        return await self._records.list(encode_key(deployment_id))

    async def change(self, deployment_id: str, number: int, change: Callable[[Command], Command]) -> Command:
        return await self._records.change(Key(encode_key(deployment_id), command_row(number)), change)


class TableRequests:
    """Requests with an idempotency key: one row a partition."""

    def __init__(self, records: Records[KeyedRequest]) -> None:
        self._records = records

    async def add(self, request: KeyedRequest) -> bool:
        return await self._records.add(request_key(request.scope, request.key), request)

    async def get(self, scope: str, key: str) -> KeyedRequest | None:
        return await self._records.get(request_key(scope, key))

    async def swap(self, expected: KeyedRequest, request: KeyedRequest) -> bool:
        key = request_key(request.scope, request.key)
        return await self._records.swap(key, lambda found: encode(found) == encode(expected), request)


class TableHolds:
    """Journals of what is held: all in one partition, by scale set."""

    def __init__(self, records: Records[Hold]) -> None:
        self._records = records

    async def get(self, scale_set_id: str) -> Hold | None:
        return await self._records.get(hold_key(scale_set_id))

    async def put(self, hold: Hold) -> None:
        key = hold_key(hold.scale_set_id)
        await self._records.put(key.partition, {key.row: hold})

    async def delete(self, scale_set_id: str) -> None:
        await self._records.delete(hold_key(scale_set_id))

    async def list(self) -> tuple[Hold, ...]:
        return await self._records.list(HOLDS)

    async def listed(self) -> tuple[Hold | UnreadableRow, ...]:
        return await self._records.listed(HOLDS)


def _older_than(deployment_id: str) -> KeyRange | None:
    key = deployment_key(deployment_id)
    return None if key is None else rows_after(key.row)


def _folded(lock: Lock) -> object:
    """What makes two locks the same: everything as it is stored, except the case of the scale set's id."""
    return encode(replace(lock, scale_set_id=lock.scale_set_id.lower()))
