"""What both stores promise of what belongs to a set: its queue, what was tried, and what is out of order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rollout.model.rows.danger import DangerRecord
from rollout.model.rows.queue_entry import QueueEntry
from rollout.model.rows.tries import Try
from rollout.ports.store import Store

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
SET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/web"
VERSION = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/a/images/web/versions/1.1.0"


async def test_the_queue_of_a_set_has_each_deployment_once_until_it_leaves(store: Store) -> None:
    first, second = QueueEntry(SET, "web-1", NOW), QueueEntry(SET, "web-2", NOW)
    elsewhere = QueueEntry(f"{SET}-2", "web-1", NOW)
    for one in (second, first, elsewhere):
        assert await store.queue.add(one)
    assert not await store.queue.add(replace(first, scale_set_id=SET.upper(), queued_at=NOW + timedelta(1)))
    assert set(await store.queue.list(SET.upper())) == {first, second}
    for _ in range(2):
        await store.queue.delete(SET.upper(), "web-1")
        assert await store.queue.list(SET) == (second,)
    assert await store.queue.list(f"{SET}-2") == (elsewhere,)


async def test_a_try_is_written_once_and_changed_only_as_it_was_seen(store: Store) -> None:
    one = Try(SET.lower(), VERSION.lower(), "web-1", NOW)
    assert await store.tries.get(SET, VERSION) is None
    assert await store.tries.swap(None, one)
    assert not await store.tries.swap(None, replace(one, deployment_id="web-2"))
    assert await store.tries.get(SET.upper(), VERSION.upper()) == one
    assert not await store.tries.swap(replace(one, standing="failed"), replace(one, deployment_id="web-2"))
    told = replace(one, standing="finished")
    assert await store.tries.swap(one, told)
    assert await store.tries.get(SET, VERSION) == told
    assert await store.tries.get(f"{SET}-2", VERSION) is None


async def test_the_tries_of_all_sets_are_listed_and_one_by_one_removed(store: Store) -> None:
    tries = [Try(f"{SET}-{number}".lower(), VERSION, "web-1", NOW) for number in range(3)]
    for one in tries:
        assert await store.tries.swap(None, one)
    assert set(await store.tries.all(10)) == set(tries)
    assert len(await store.tries.all(2)) == 2
    for _ in range(2):
        await store.tries.delete(tries[0])
        assert set(await store.tries.all(10)) == set(tries[1:])


async def test_dangers_are_found_by_their_set_and_code(store: Store) -> None:
    one = DangerRecord(SET, "notRestored", NOW, "web-1", "It is so", "Do this", 2, NOW, "web-1:restore-2")
    another, elsewhere = DangerRecord(SET, "other", NOW), DangerRecord(f"{SET}-2", "other", NOW)
    for danger in (one, another, elsewhere, another):
        await store.dangers.put(danger)
    assert await store.dangers.get(SET.upper(), "notRestored") == one
    assert await store.dangers.get(SET, "nothing") is None
    assert set(await store.dangers.list(SET.lower())) == {one, another}
    assert set(await store.dangers.list()) == {one, another, elsewhere}
    for _ in range(2):
        await store.dangers.delete(SET.upper(), "other")
        assert await store.dangers.list(SET) == (one,)
    assert await store.dangers.list(f"{SET}-2") == (elsewhere,)
