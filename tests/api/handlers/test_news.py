"""``GET /deployments/{deploymentId}`` for who asks again and again, and the lists' filters."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from adapters.tables.store import store_over
from adapters.tables.table import ANY, Row, Table, Where
from local.virtual.memory import MemoryTable
from rollout.model.azure.scale_set import ImageReference
from rollout.model.events import EventType
from rollout.model.rows.commands import Command, CommandKind
from rollout.model.rows.deployment import Batch, Deployment, Event, VmRecord
from rollout.model.status import Color, Status, VmStatus
from rollout.ports.durable import InstanceState
from rollout.ports.store import Store
from triggers.group_states import look_around

AT = datetime(2026, 11, 23, 8, 20, tzinfo=UTC)
ALL = "include=batches,vms,events,commands"


class Counts:
    """What was read of the store: requests, and the rows that they gave, by table."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()

    def store(self) -> Store:
        return store_over(lambda name: cast(Table, CountedTable(name, self)))

    def forget(self) -> None:
        self.requests.clear()
        self.rows.clear()


class CountedTable(MemoryTable):
    """A table that tells how much is read of it."""

    def __init__(self, name: str, counts: Counts) -> None:
        super().__init__()
        self.name, self.counts = name, counts

    def _count(self, rows: int) -> None:
        self.counts.requests[self.name] += 1
        self.counts.rows[self.name] += rows

    async def get(self, key: Any) -> Row | None:
        row = await super().get(key)
        self._count(1)
        return row

    async def list(self, partition: str, within: Any, limit: int | None, where: Where = ANY) -> tuple[Row, ...]:
        rows = await super().list(partition, within, limit, where)
        self._count(len(rows))
        return rows

    async def since(self, partition: str, mark: str) -> tuple[tuple[Row, ...], str]:
        rows, mark = await super().since(partition, mark)
        self._count(len(rows))
        return rows, mark


def vm(number: int, batch: int, **fields: Any) -> VmRecord:
    return VmRecord(f"id-{number}", f"web_{number}", Color.BLUE, batch, VmStatus.RUNNING, **fields)


async def under_way(world: Any, vms: int = 10, batches: int = 5) -> str:
    """A deployment in its second batch."""
    name: str = (await world.start())["id"]
    world.instances.states[name] = InstanceState.RUNNING
    size = vms // batches
    await world.store.batches.put(name, [Batch(n, size, size, reason="r") for n in range(1, batches + 1)])
    await world.store.vms.put(name, [vm(n, 1 + n // size) for n in range(vms)])
    for number, (kind, batch) in enumerate([(EventType.PLANNED, None), (EventType.BATCH_STARTED, 1)], 1):
        await world.store.events.put(name, Event(number, AT, kind, "said", batch))
    return await change(world, name, status=Status.IN_PROGRESS, number_of_batches=batches, current_batch=2)


async def change(world: Any, name: str, **fields: Any) -> str:
    await world.store.deployments.change(name, lambda row: replace(row, **fields))
    return name


async def ask(world: Any, name: str, query: str, tag: str = "") -> Any:
    headers = {"if_none_match": tag} if tag else {}
    return await world.send("GET", f"deployments/{name}?{query}", **headers)


async def test_everything_at_first_and_then_what_is_new(world: Any) -> None:
    name = await under_way(world)
    first = (await ask(world, name, ALL)).body
    assert [batch["number"] for batch in first["batches"]] == [1, 2, 3, 4, 5]
    assert (len(first["vms"]), len(first["events"]), first["commands"], first["next"]) == (10, 2, [], "2")

    await world.store.events.put(name, Event(3, AT, EventType.BATCH_TERMINATED, "gone", 1))
    await world.store.vms.put(name, [vm(4, 3, reason="new")])
    await change(world, name, sequence=3)
    query = f"{ALL}&after={first['next']}&vmsSince={first['vmsSince']}"
    then = (await ask(world, name, query)).body
    assert [event["sequence"] for event in then["events"]] == [3]
    assert [batch["number"] for batch in then["batches"]] == [1, 2]
    assert [(one["vmId"], one["reason"]) for one in then["vms"]] == [("id-4", "new")]
    assert (then["next"], then["vmsSince"] > first["vmsSince"]) == ("3", True)


async def test_a_vm_of_others_is_told_until_it_has_a_part(world: Any) -> None:
    name = await under_way(world)
    other = replace(vm(77, 0), color=None)
    await world.store.vms.put(name, [other])
    first = (await ask(world, name, ALL)).body
    assert [one["vmId"] for one in first["vms"] if one["color"] is None] == ["id-77"]
    for batch, ids in (("", ["id-77"]), ("?batch=0", ["id-77"]), ("?batch=1", [])):
        listed = (await world.send("GET", f"deployments/{name}/vms{batch}")).body["value"]
        assert [one["vmId"] for one in listed if one["color"] is None] == ids

    await world.store.vms.put(name, [replace(other, reason="late"), vm(77, 2)])
    for query in (ALL, f"{ALL}&vmsSince={first['vmsSince']}"):
        found = (await ask(world, name, query)).body["vms"]
        assert [one["color"] for one in found if one["vmId"] == "id-77"] == ["blue"]
    assert (await world.send("GET", f"deployments/{name}/vms?batch=0")).body["value"] == []


async def test_only_what_is_asked_for_is_told(world: Any) -> None:
    name = await under_way(world)
    plain = await ask(world, name, "")
    assert not {"batches", "vms", "events", "commands", "next", "vmsSince"} & set(plain.body)
    some = (await ask(world, name, "include=vms,commands")).body
    assert set(some) - set(plain.body) == {"vms", "commands", "next", "vmsSince"}
    assert b"\n" in plain.content


async def test_what_is_asked_for_again_and_again_is_compact(world: Any) -> None:
    name = await under_way(world)
    answer = await ask(world, name, ALL)
    assert b"\n" not in answer.content
    assert b'": ' not in answer.content


async def test_before_there_are_vms_there_is_something_to_go_on_with(world: Any) -> None:
    name = (await world.start())["id"]
    first = (await ask(world, name, ALL)).body
    assert (first["vms"], first["next"], first["vmsSince"]) == ([], "0", "0")
    await world.store.vms.put(name, [vm(1, 1)])
    assert len((await ask(world, name, f"{ALL}&after=0&vmsSince=0")).body["vms"]) == 1


async def test_while_nothing_changes_there_is_no_answer(world: Any) -> None:
    name = await under_way(world)
    tag = (await ask(world, name, ALL)).headers["ETag"]
    answer = await ask(world, name, ALL, f'"other", {tag}')
    assert (answer.status, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    assert "Retry-After" in answer.headers

    await world.store.commands.add(name, Command(1, CommandKind.PAUSE, AT))
    assert (await ask(world, name, ALL, tag)).status == 304  # Whoever writes a command raises the revision after it.
    assert (await world.send("POST", f"deployments/{name}/stop")).status == 202
    assert (await ask(world, name, ALL, tag)).status == 200


async def test_an_orchestration_that_ends_is_a_change(world: Any) -> None:
    name = await under_way(world)
    tag = (await ask(world, name, ALL)).headers["ETag"]
    world.instances.states[name] = InstanceState.ENDED
    answer = await ask(world, name, ALL, tag)
    assert answer.status == 200
    assert answer.body["reason"].startswith("The orchestration has ended")


async def test_where_there_is_more_no_tag_keeps_anybody_from_asking(world: Any) -> None:
    name = await under_way(world)
    for number in range(3, 1003):
        await world.store.events.put(name, Event(number, AT, EventType.BATCH_STARTED, "said", 1))
    first = await ask(world, name, "include=events")
    assert (len(first.body["events"]), first.body["next"], "ETag" in first.headers) == (1000, "1000", False)
    last = await ask(world, name, "include=events&after=1000")
    assert ([one["sequence"] for one in last.body["events"]], "ETag" in last.headers) == ([1001, 1002], True)


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("include=batches,pools", "include"),
        ("include=vms&vmsSince=yesterday", "vmsSince"),
        ("include=vms&vmsSince=2026-13-23T08:15:00.0000000Z", "vmsSince"),
        ("include=events&after=x", "after"),
    ],
)
async def test_what_is_not_understood_is_refused(world: Any, query: str, target: str) -> None:
    name = await under_way(world)
    status, error = await world.refused("GET", f"deployments/{name}?{query}")
    assert (status, error["target"]) == (400, target)


async def test_ten_refreshes_of_900_vms_read_little(world: Any) -> None:
    """Unchanged: the deployment's row, and nothing else. One look of a batch of 90: that look, not the 900."""
    counts = Counts()
    world.store = counts.store()
    await world.add_group()
    name = await under_way(world, vms=900, batches=10)
    first = await ask(world, name, ALL)
    tag, body = first.headers["ETag"], first.body
    counts.forget()
    for _ in range(10):
        assert (await ask(world, name, ALL, tag)).status == 304
    assert counts.requests == {"Deployments": 10}
    assert counts.rows == {"Deployments": 10}

    counts.forget()
    for look in range(10):
        await world.store.vms.put(name, [vm(n, 2, reason=f"look {look}") for n in range(90, 180)])
        await change(world, name, revision=look + 1)
        query = f"{ALL}&after={body['next']}&vmsSince={body['vmsSince']}"
        answer = await ask(world, name, query, tag)
        tag, body = answer.headers["ETag"], answer.body
        assert (len(body["vms"]), len(body["batches"])) == (90, 1)
    assert counts.rows["Vms"] == 900
    assert sum(counts.rows.values()) - counts.rows["Vms"] <= 10 * 5


async def test_an_open_list_of_200_groups_reads_each_row_once(world: Any) -> None:
    counts = Counts()
    world.store = counts.store()
    for number in range(200):
        await world.add_group(id=f"web-{number}", scale_set_id=f"{world.scale_set_id}{number}")
    for _ in range(20):
        await look_around(world.ports)
    counts.forget()
    assert len((await world.get("groups?include=state"))["value"]) == 200
    assert counts.requests == {"Groups": 1, "GroupStates": 1, "Dangers": 1}
    assert counts.rows == {"Groups": 200, "GroupStates": 200, "Dangers": 0}


async def test_the_latest_is_the_newest(world: Any) -> None:
    status, error = await world.refused("GET", "groups/web/deployments/latest")
    assert (status, error["code"]) == (404, "deploymentNotFound")
    status, error = await world.refused("GET", "groups/nobody/deployments/latest")
    assert (status, error["code"]) == (404, "groupNotFound")
    first = await under_way(world)
    await change(world, first, status=Status.FINISHED, ended_at=AT)
    world.instances.states[first] = InstanceState.ENDED
    lock = await world.lock()
    await world.store.locks.swap(lock, replace(lock, owner=""))
    world.clock.pass_(timedelta(seconds=1))
    second = (await world.start())["id"]
    answer = await world.send("GET", "groups/web/deployments/latest?include=events")
    assert (answer.body["id"], answer.body["events"]) == (second, [])
    again = await world.send("GET", "groups/web/deployments/latest", if_none_match=answer.headers["ETag"])
    assert again.status == 304


async def history(world: Any) -> list[str]:
    """Deployments of four minutes, oldest first: of 1.0.0 and 1.1.0 in turn."""
    made = []
    first = await world.start()
    (row,) = await world.deployments()
    for minute in range(1, 4):
        image = replace(row.image, requested="1.0.0", pinned=ImageReference(id=f"{world.image_id}/versions/1.0.0"))
        at = row.created_at + timedelta(minutes=minute)
        name = f"web-20261123T08{15 + minute}00Z-00000{minute}"
        other = replace(row, id=name, created_at=at, image=image if minute % 2 else row.image, status=Status.FAILED)
        await world.store.deployments.add(cast(Deployment, other))
        made.append(name)
    return [first["id"], *made]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [3, 2, 1, 0]),
        ("image=1.0.0", [3, 1]),
        ("image=1.1.0", [2, 0]),
        ("status=failed&image=1.1.0", [2]),
        ("createdAfter=2026-11-23T08:16:30Z", [3, 2]),
        ("createdBefore=2026-11-23T08:16:30%2B00:00", [1, 0]),
        ("createdBefore=2026-11-23T09:16:30+01:00", [1, 0]),
        ("createdAfter=2026-11-23T08:15:30Z&createdBefore=2026-11-23T08:17:30Z", [2, 1]),
        ("createdAfter=2027-01-01T00:00:00Z", []),
        ("createdBefore=9999-12-31T23:59:59Z", [3, 2, 1, 0]),
        ("createdBefore=0001-01-02T00:00:00Z", []),
    ],
)
@pytest.mark.parametrize("path", ["deployments", "groups/web/deployments"])
async def test_lists_are_filtered(world: Any, path: str, query: str, expected: list[int]) -> None:
    made = await history(world)
    assert [one["id"] for one in (await world.get(f"{path}?{query}"))["value"]] == [made[n] for n in expected]


async def test_a_filtered_list_goes_on_where_it_ended(world: Any) -> None:
    made = await history(world)
    query = "deployments?createdBefore=2026-11-23T08:17:30Z&limit=1"
    first = await world.get(query)
    second = await world.get(f"{query}&continuationToken={first['continuationToken']}")
    assert [one["value"][0]["id"] for one in (first, second)] == [made[2], made[1]]


@pytest.mark.parametrize("text", ["yesterday", "2026-11-23", "2026-11-23T08:15:00"])
async def test_a_time_says_its_zone(world: Any, text: str) -> None:
    status, error = await world.refused("GET", f"deployments?createdAfter={text}")
    assert (status, error["code"], error["target"]) == (400, "invalidValue", "createdAfter")
