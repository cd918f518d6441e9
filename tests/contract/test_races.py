"""What both stores promise to those who write at the same moment."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from rollout.model.azure.scale_set import ImageReference
from rollout.model.group import Group
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Batch, Deployment, Image
from rollout.model.rows.lock import Lock
from rollout.ports.store import Store

START = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
ID = "web-20261123T081500Z-1a2b3c"
RACERS = 20


def deployment(reason: str = "") -> Deployment:
    image = Image("1.1.0", ImageReference(id="/versions/1.1.0"))
    return Deployment(ID, "web", "/sets/web", Parameters("1.1.0"), image, START, reason=reason)


async def test_of_20_changes_of_a_deployment_at_once_each_is_counted(store: Store) -> None:
    await store.deployments.add(deployment())
    changes = (store.deployments.change(ID, lambda row: replace(row, sequence=row.sequence + 1)) for _ in range(RACERS))
    changed = await asyncio.gather(*changes)
    assert sorted(row.sequence for row in changed) == list(range(1, RACERS + 1))
    assert await store.deployments.get(ID) == replace(deployment(), sequence=RACERS)


async def test_of_20_changes_of_a_batch_at_once_each_is_counted(store: Store) -> None:
    await store.batches.put(ID, [Batch(1, 0, 2)])
    await asyncio.gather(
        *(store.batches.change(ID, 1, lambda batch: replace(batch, blue=batch.blue + 1)) for _ in range(RACERS))
    )
    assert await store.batches.get(ID, 1) == Batch(1, RACERS, 2)


async def test_of_20_who_add_one_deployment_at_once_one_does(store: Store) -> None:
    rows = [deployment(f"racer {number}") for number in range(RACERS)]
    added = await asyncio.gather(*(store.deployments.add(row) for row in rows))
    assert added.count(True) == 1
    assert await store.deployments.get(ID) == rows[added.index(True)]


async def test_of_20_who_take_a_new_lock_at_once_one_does(store: Store) -> None:
    locks = [Lock("/sets/web", f"racer {number}", 1, START) for number in range(RACERS)]
    taken = await asyncio.gather(*(store.locks.swap(None, lock) for lock in locks))
    assert taken.count(True) == 1
    assert await store.locks.get("/sets/web") == locks[taken.index(True)]


async def test_of_20_who_take_a_lock_over_at_once_one_does(store: Store) -> None:
    before = Lock("/sets/web", "ended", 1, START)
    await store.locks.swap(None, before)
    locks = [Lock("/sets/web", f"racer {number}", 2, START) for number in range(RACERS)]
    taken = await asyncio.gather(*(store.locks.swap(before, lock) for lock in locks))
    assert taken.count(True) == 1
    assert await store.locks.get("/sets/web") == locks[taken.index(True)]


async def test_many_may_be_the_first_to_need_a_table(store: Store) -> None:
    await asyncio.gather(*(store.groups.put(Group(f"group-{number:02}", "/sets/web")) for number in range(RACERS)))
    assert len(await store.groups.list()) == RACERS
