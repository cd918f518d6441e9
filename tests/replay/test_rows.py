"""Rows that earlier versions wrote are read, folded and shown by the code of today."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.tables.columns import from_columns, to_columns
from adapters.tables.store import store_over
from local.clock import run_virtual
from local.recording import REPLAY, ROWS, Rows, Tables, default_version, moments
from local.virtual import VirtualPlatform
from local.virtual.memory import MemoryTable
from local.virtual.scenarios import scenario_world
from rollout.model.azure.evidence import VmEvidence
from rollout.model.events import apply, apply_to_batch
from rollout.model.group import Group
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
from rollout.model.rows.wanted import Follower, WantedVersion
from rollout.model.schedule import ScheduleRun
from rollout.model.status import Status
from rollout.ports.store import Store

pytestmark = pytest.mark.slow

KINDS: dict[str, type[Any]] = {
    "Groups": Group,
    "GroupStates": GroupState,
    "Deployments": Deployment,
    "Batches": Batch,
    "Vms": VmRecord,
    "Events": Event,
    "Intents": Intent,
    "Locks": Lock,
    "Queue": QueueEntry,
    "Signals": Signal,
    "Evidence": VmEvidence,
    "HealthParts": HealthPart,
    "Commands": Command,
    "Requests": KeyedRequest,
    "Holds": Hold,
    "Notifications": NotificationRecord,
    "Wanted": WantedVersion,
    "Followers": Follower,
    "ScheduleRuns": ScheduleRun,
    "Tries": Try,
    "Dangers": DangerRecord,
    "Timers": TimerRun,
}

MOMENTS = [
    pytest.param(rows, id=f"{file.parent.name}/{moment}")
    for file in sorted(REPLAY.glob(f"*/{ROWS}"))
    for moment, rows in moments(file.parent).items()
]


async def filled(rows: Rows) -> Tables:
    """Tables that hold these rows."""
    tables = Tables()
    for (table, partition, row), columns in rows.items():
        await tables.table(table).put(partition, {row: columns})
    return tables


def of(table: str, rows: Rows) -> list[Any]:
    """A table's rows as values."""
    return [from_columns(KINDS[name], columns) for (name, _, _), columns in rows.items() if name == table]


def lost(before: Any, after: Any) -> bool:
    """Whether something that was stored is not there, or is another; there may be more."""
    if isinstance(before, dict) and isinstance(after, dict):
        return any(key not in after or lost(before[key], after[key]) for key in before)
    if isinstance(before, list) and isinstance(after, list):
        return len(before) != len(after) or any(map(lost, before, after))
    return bool(before != after)


def parsed(columns: Any) -> Any:
    """Columns with their nested values as such, so that these too may have more fields."""
    return {name: json.loads(value) if name.endswith("_json") else value for name, value in columns.items()}


def test_table_of_every_kind_is_known_here() -> None:
    asked: list[str] = []

    def table(name: str) -> MemoryTable:
        asked.append(name)
        return MemoryTable()

    store_over(table)
    assert set(asked) == set(KINDS)


def test_rows_of_every_table_are_recorded() -> None:
    recorded = {table for rows in moments(REPLAY / default_version()).values() for table, _, _ in rows}
    assert recorded == set(KINDS)


@pytest.mark.parametrize("rows", MOMENTS)
def test_rows_lose_nothing_when_they_are_read_and_written(rows: Rows) -> None:
    for (table, *key), columns in rows.items():
        again = to_columns(from_columns(KINDS[table], columns))
        assert not lost(parsed(columns), parsed(again)), (table, key)


def test_loss_would_be_noticed() -> None:
    assert lost({"a": {"b": 1}}, {"a": {}})
    assert lost({"a": [1]}, {"a": []})
    assert lost({"a": 1}, {"a": 2})
    assert not lost({"a": [{"b": 1}]}, {"a": [{"b": 1, "c": 2}], "d": 3})


@pytest.mark.parametrize("rows", MOMENTS)
def test_rows_are_found_where_the_store_looks_for_them(rows: Rows) -> None:
    async def main() -> None:
        store = store_over((await filled(rows)).table)
        for group in of("Groups", rows):
            assert await store.groups.get(group.id) == group
        for lock in of("Locks", rows):
            assert await store.locks.get(lock.scale_set_id) == lock
        for hold in of("Holds", rows):
            assert await store.holds.get(hold.scale_set_id) == hold
        for request in of("Requests", rows):
            assert await store.requests.get(request.scope, request.key) == request
        found = [await of_deployment(store, row) for row in of("Deployments", rows)]
        for table in ("Batches", "Vms", "Events", "Commands", "Evidence", "HealthParts"):
            assert sum(parts[table] for parts in found) == len(of(table, rows))
        groups = {group.scale_set_id for group in of("Groups", rows)}
        assert sum([len(await store.signals.list(one)) for one in groups]) == len(of("Signals", rows))

    run_virtual(main())


async def of_deployment(store: Store, row: Deployment) -> dict[str, int]:
    """How many rows of each table are a deployment's."""
    assert await store.deployments.get(row.id) == row
    assert row in await store.deployments.newest(row.group_id, 100)
    vms, batches = await store.vms.list(row.id), await store.batches.list(row.id)
    return {
        "Batches": len(batches),
        "Vms": len(vms),
        "Events": len(await store.events.list(row.id)),
        "Commands": len(await store.commands.list(row.id)),
        "HealthParts": sum([len(await store.health_parts.list(row.id, batch.number)) for batch in batches]),
        "Evidence": len([vm for vm in vms if await store.evidence.get(row.id, vm.vm_id)]),
    }


@pytest.mark.parametrize("rows", MOMENTS)
def test_rows_hold_their_events_already(rows: Rows) -> None:
    each_deployment(rows, lambda row, events: fold(row, events) == row)
    for deployment, events in histories(rows).items():
        for (table, partition, _), columns in rows.items():
            if table == "Batches" and partition == deployment:
                batch = from_columns(Batch, columns)
                assert all(apply_to_batch(batch, event) == batch for event in events if event.batch == batch.number)


@pytest.mark.parametrize("rows", MOMENTS)
def test_events_fold_into_the_rows_as_they_did(rows: Rows) -> None:
    each_deployment(rows, lambda row, events: folded_fields(fold(begun(row), events)) == folded_fields(row))


def each_deployment(rows: Rows, holds: Callable[[Deployment, list[Event]], bool]) -> None:
    for row in of("Deployments", rows):
        assert holds(row, histories(rows).get(row.id, [])), row


def histories(rows: Rows) -> dict[str, list[Event]]:
    """Each deployment's events."""
    found: dict[str, list[Event]] = {}
    for (table, partition, _), columns in rows.items():
        if table == "Events":
            found.setdefault(partition, []).append(from_columns(Event, columns))
    return found


def fold(row: Deployment, events: list[Event]) -> Deployment:
    for event in events:
        row = apply(row, event)
    return row


def begun(row: Deployment) -> Deployment:
    """The deployment's row as the start wrote it."""
    status = Status.PENDING if row.queued_at is None else Status.QUEUED
    return Deployment(row.id, row.group_id, row.scale_set_id, row.parameters, row.image, row.created_at, status=status)


def folded_fields(row: Deployment) -> tuple[Any, ...]:
    """All that follows from events; while a deployment is queued, its reason does not."""
    return (
        row.status,
        row.sequence and row.reason,
        row.progress,
        row.number_of_batches,
        row.rollback_batches,
        row.current_batch,
        row.blue_vms,
        row.green_vms,
        row.remaining_blue,
        row.settled,
        row.started_at,
        row.ended_at,
        row.error,
        row.sequence,
        row.heard,
        row.decision,
        row.paused_from,
    )


@pytest.mark.parametrize("rows", MOMENTS)
def test_api_shows_the_rows(rows: Rows) -> None:
    async def main() -> None:
        platform = VirtualPlatform(scenario_world())
        async with platform:
            platform.store = store_over((await filled(rows)).table)
            for group in of("Groups", rows):
                assert (await shown(platform, f"groups/{group.id}"))["scaleSetId"] == group.scale_set_id
                listed = (await shown(platform, f"groups/{group.id}/deployments"))["value"]
                own = [row for row in of("Deployments", rows) if row.group_id == group.id]
                assert {one["id"] for one in listed} == {row.id for row in own}
            for row in of("Deployments", rows):
                overview = await shown(platform, f"deployments/{row.id}")
                assert (overview["status"], overview["startedBy"]) == (row.status, row.started_by)
                await show_parts(platform, row, rows)

    run_virtual(main())


async def show_parts(platform: VirtualPlatform, row: Deployment, rows: Rows) -> None:
    """Every list of a deployment shows every one of its rows."""
    path = f"deployments/{row.id}"
    for name, table in (("batches", "Batches"), ("vms", "Vms"), ("events", "Events"), ("commands", "Commands")):
        count = sum(1 for kind, partition, _ in rows if (kind, partition) == (table, row.id))
        assert len((await shown(platform, f"{path}/{name}"))["value"]) == count
    for vm in (await shown(platform, f"{path}/vms"))["value"]:
        if vm["evidence"]:
            assert (await shown(platform, f"{path}/vms/{vm['vmId']}/evidence"))["vmId"] == vm["vmId"]


async def shown(platform: VirtualPlatform, path: str) -> Any:
    reply = await platform.get(f"/api/{path}")
    assert reply.status == 200, (path, reply.body)
    return reply.body


def test_every_version_has_its_rows() -> None:
    assert {file.parent for file in REPLAY.glob(f"*/{ROWS}")} == {path for path in REPLAY.iterdir() if is_version(path)}


def is_version(path: Path) -> bool:
    return path.is_dir() and path.name[0].isdigit()
