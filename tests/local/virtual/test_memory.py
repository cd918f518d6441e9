"""The store in memory runs in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from local.clock import VIRTUAL_START, PlatformClock, run_virtual
from local.virtual.memory import memory_store
from rollout.model.rows.deployment import Batch


def test_racing_writers_take_no_virtual_time_and_end_the_same_in_every_run() -> None:
    async def race() -> tuple[list[int], timedelta]:
        clock = PlatformClock(VIRTUAL_START)
        store = memory_store()
        await store.batches.put("a", [Batch(1, 0, 0)])

        async def add_one() -> int:
            return (await store.batches.change("a", 1, lambda batch: replace(batch, blue=batch.blue + 1))).blue

        counts = await asyncio.gather(*(add_one() for _ in range(20)))
        return counts, clock.now() - VIRTUAL_START

    counts, took = run_virtual(race())
    assert sorted(counts) == list(range(1, 21))
    assert took == timedelta(0)
    assert run_virtual(race()) == (counts, took)


async def test_two_stores_share_nothing() -> None:
    one, other = memory_store(), memory_store()
    await one.batches.put("a", [Batch(1, 0, 0)])
    assert await other.batches.list("a") == ()
