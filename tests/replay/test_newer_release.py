"""A release may be taken back: rows that a newer one wrote stop nothing but what needs just those rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from adapters.tables.columns import from_columns, read_columns, to_columns
from adapters.tables.records import Records
from adapters.tables.store import store_over
from local.clock import run_virtual
from local.recording import REPLAY, Rows, Tables, default_version, moments
from local.virtual import VirtualPlatform
from local.virtual.memory import MemoryTable
from local.virtual.scenarios import scenario_world
from rollout.model.events import EventType, apply, apply_to_batch
from rollout.model.rows.deployment import Batch, Deployment, Event
from rollout.model.rows.unreadable import UnreadableRow
from rollout.model.status import Status
from rollout.ports.errors import Unreadable
from rollout.ports.keys import Key
from tests.replay.test_rows import KINDS, lost, parsed
from tests.triggers.test_timers import Orchestrations
from triggers.group_states import look_around
from triggers.purge import purge
from triggers.schedules import ScheduleMemory, start_due
from triggers.watchdog import watch

#: A word that no release has used yet.
TOMORROW = "ofTomorrow"

#: One value in a row of each table that has words of a fixed list, as a newer release might write it.
NEW_WORDS: Mapping[str, Mapping[str, str]] = {
    "Groups": {"healthCheckTypes_json": '["vmState","ofTomorrow"]'},
    "Deployments": {"status": TOMORROW},
    "Batches": {"phase": TOMORROW},
    "Vms": {"status": TOMORROW},
    "Intents": {"kind": TOMORROW},
    "Signals": {"type": TOMORROW},
    "Commands": {"kind": TOMORROW},
    "Notifications": {
        "groups_json": '[{"groupId":"web","outcome":"ofTomorrow","reason":"","at":"2026-11-23T08:15:00.000Z"}]'
    },
    "ScheduleRuns": {"outcome": TOMORROW},
}


def recorded() -> dict[str, Any]:
    """One recorded row of every table, the one with the most columns."""
    found: dict[str, Any] = {}
    for rows in moments(REPLAY / default_version()).values():
        for (table, _, _), columns in rows.items():
            if len(columns) > len(found.get(table, ())):
                found[table] = columns
    return found


RECORDED = recorded()


def changed_leaves(value: Any) -> Iterator[Any]:
    """The value with one leaf after the other as a newer release might write it: another word, another type."""
    if isinstance(value, dict) and value:
        for name, part in value.items():
            yield from ({**value, name: other} for other in changed_leaves(part))
    elif isinstance(value, list) and value:
        for place, part in enumerate(value):
            yield from ([*value[:place], other, *value[place + 1 :]] for other in changed_leaves(part))
    else:
        yield from (TOMORROW, [], {"ofTomorrow": 1}, 10**40, None)


def changed_rows(columns: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The row with one leaf after the other changed."""
    for name, value in columns.items():
        nested = name.endswith("_json")
        for other in changed_leaves(json.loads(value) if nested else value):
            if nested:
                yield {**columns, name: json.dumps(other)}
            elif other is not None and not isinstance(other, list | dict):
                yield {**columns, name: other}
            elif other is not None:
                yield {**{key: one for key, one in columns.items() if key != name}, f"{name}_json": json.dumps(other)}
    yield from ({key: one for key, one in columns.items() if key != name} for name in columns)


def unreadable_row(table: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The row as a newer release might write it, so that this one cannot read it."""
    if table in NEW_WORDS:
        return {**columns, **NEW_WORDS[table]}
    return next(row for row in changed_rows(columns) if isinstance(read(table, row), UnreadableRow))


def read(table: str, columns: Mapping[str, Any]) -> Any:
    return read_columns(KINDS[table], columns)


@pytest.mark.parametrize("table", KINDS)
def test_rows_are_read_or_told_whatever_is_in_them(table: str) -> None:
    told = [row for row in changed_rows(RECORDED[table]) if isinstance(read(table, row), UnreadableRow)]
    assert told


@pytest.mark.parametrize("table", KINDS)
def test_unknown_fields_are_ignored_at_every_depth(table: str) -> None:
    def with_more(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: with_more(part) for name, part in value.items()} | {TOMORROW: [{"a": None}]}
        return [with_more(part) for part in value] if isinstance(value, list) else value

    columns = {
        name: json.dumps(with_more(json.loads(value))) if name.endswith("_json") else value
        for name, value in RECORDED[table].items()
    }
    found = read(table, {**columns, TOMORROW: 1})
    assert not lost(parsed(RECORDED[table]), parsed(to_columns(found)))


@pytest.mark.parametrize("table", NEW_WORDS)
async def test_new_words_are_told_by_the_row_that_has_them(table: str) -> None:
    rows, key = MemoryTable(), Key("partition", "row")
    await rows.insert(key, unreadable_row(table, RECORDED[table]))
    records: Records[Any] = Records(rows, KINDS[table])
    for ask in (
        records.get(key),
        records.list("partition"),
        records.since("partition", ""),
        records.change(key, lambda row: row),
        records.swap(key, lambda row: True, from_columns(KINDS[table], RECORDED[table])),
    ):
        with pytest.raises(Unreadable, match=f"{TOMORROW}.*until that release is deployed again"):
            await ask
    assert [type(row) for row in await records.listed("partition")] == [UnreadableRow]
    assert await records.readable("partition") == await records.scan(lambda row: True, 9) == ()
    assert await records.sweep(lambda row: True, 9) == 0
    assert await rows.get(key) is not None


async def test_a_page_without_unreadable_rows_is_full_all_the_same() -> None:
    rows, batches = MemoryTable(), [Batch(number, 1, 1) for number in range(1, 8)]
    for batch in batches:
        row = {**to_columns(batch), **({"phase": TOMORROW} if batch.number in (1, 3, 4) else {})}
        await rows.insert(Key("partition", str(batch.number)), row)
    found = await Records(rows, Batch).readable("partition", limit=3)
    assert [batch.number for batch in found] == [2, 5, 6]


def test_events_of_an_unknown_type_are_counted_and_change_nothing_else() -> None:
    deployment = replace(from_columns(Deployment, RECORDED["Deployments"]), status=Status.IN_PROGRESS)
    batch = from_columns(Batch, RECORDED["Batches"])
    event = Event(deployment.sequence + 1, deployment.created_at, TOMORROW, "nobody knows", batch.number)
    later = Event(batch.sequence + 1, deployment.created_at, TOMORROW, "nobody knows", batch.number)
    assert TOMORROW not in list(EventType)
    assert apply(deployment, event).sequence == event.sequence
    assert apply(deployment, event).status is deployment.status
    assert apply_to_batch(batch, later).phase is batch.phase


def scene(rows: Rows, table: str) -> Rows:
    """The rows, of which the table's cannot be read."""
    return {**rows, **{key: unreadable_row(table, columns) for key, columns in rows.items() if key[0] == table}}


@pytest.mark.parametrize("table", KINDS)
def test_lists_and_timers_go_on(table: str) -> None:
    found = moments(REPLAY / default_version())
    rows = next(rows for rows in found.values() if any(key[0] == table for key in rows))

    async def main() -> None:
        tables = Tables()
        for (name, partition, row), columns in scene(rows, table).items():
            await tables.table(name).put(partition, {row: columns})
        async with VirtualPlatform(scenario_world()) as platform:
            platform.store = store_over(tables.table)
            ports = replace(platform.ports(None), instances=cast(Any, Orchestrations()))
            for path in ("groups?include=state", "deployments", "deployments?status=finished", "notifications"):
                reply = await platform.get(f"/api/{path}")
                assert reply.status == 200, (path, reply.body)
                if (table, path) in (("Groups", "groups?include=state"), ("Deployments", "deployments")):
                    assert {one["code"] for one in reply.body["unreadable"]} == {"writtenByNewerRelease"}
            await watch(ports)
            await start_due(ports, decided=ScheduleMemory())
            await look_around(ports)
            left = await purge(ports, history=timedelta(days=30), rows=timedelta(days=90))
            assert all("writtenByNewerRelease" in one for one in left)

    run_virtual(main())
