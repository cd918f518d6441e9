"""The lock is taken back once, however often that is asked, and never from another deployment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from activities.batch.launch import launch_green
from activities.ends.reclaim import reclaim
from activities.image import apply_image, restore_image
from rollout.model.events import EventType
from rollout.model.order import StepState
from rollout.model.rows.holds import Hold

OnBench = Callable[..., None]


def test_reclaiming_twice_is_reclaiming_once_and_what_is_older_loses_its_right(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        await bench.finish(apply_image, fact=EventType.IMAGE_APPLIED)
        old = bench.order(1)
        taken = await bench.call_twice(reclaim)
        assert (taken.data["epoch"], taken.data["sequence"], taken.data["ended"]) == (2, bench.sequence, False)
        lock = await bench.ports.store.locks.get(bench.scale_set_id)
        assert (lock.owner, lock.epoch) == (old.deployment_id, 2)
        written = len(bench.cloud.audit)
        assert (await bench.call(launch_green, order=old)).state is StepState.LOCK_LOST
        bench.epoch = 2
        assert (await bench.finish(restore_image)).done
        assert len(bench.cloud.audit) == written + 1

    on_bench(test)


@pytest.mark.parametrize(("owner", "epoch"), [("", 1), ("", 2), ("web-2", 1), ("web-2", 2)])
def test_the_lock_comes_from_nobody_else_and_in_no_other_epoch(on_bench: OnBench, owner: str, epoch: int) -> None:
    async def test(bench: Any) -> None:
        await bench.begin()
        lock = await bench.ports.store.locks.get(bench.scale_set_id)
        assert await bench.ports.store.locks.swap(lock, replace(lock, owner=owner, epoch=epoch))
        taken = await bench.call_twice(reclaim)
        assert taken.done is ((owner, epoch) == ("", 1))
        if not taken.done:
            assert taken.state is StepState.LOCK_LOST
            assert (await bench.ports.store.locks.get(bench.scale_set_id)).owner == owner

    on_bench(test)


def test_what_was_begun_is_told(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await bench.begin()
        first = await bench.call(reclaim)
        assert (first.data["planned"], first.data["open"], first.data["discard"]) == (False, False, 0)

    on_bench(test)

    async def in_a_batch(bench: Any) -> None:
        await bench.prepare()
        await bench.record(EventType.BATCH_STARTED, 1)
        told = (await bench.call(reclaim)).data
        assert (told["planned"], told["open"], told["ended"]) == (True, True, False)

    on_bench(in_a_batch)


@pytest.mark.parametrize(
    ("whose", "minutes", "discard"), [("mine", -1, 2), ("mine", 1, 0), ("mine", None, 0), ("theirs", -1, 0)]
)
def test_kept_vms_go_when_their_time_is_over(on_bench: OnBench, whose: str, minutes: int | None, discard: int) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        at = bench.clock.now()
        until = None if minutes is None else at + timedelta(minutes=minutes)
        owner = bench.order().deployment_id if whose == "mine" else "web-2"
        await bench.ports.store.holds.put(Hold(bench.scale_set_id, owner, (), at, until, discard_batch=2))
        assert (await bench.call(reclaim)).data["discard"] == discard

    on_bench(test)
