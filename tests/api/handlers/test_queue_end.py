"""The end of the queue: at most fifty wait for a set, and what died in the queue takes no place in it."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rollout.lifecycle.queue import QUEUE_MAX, entry_of
from rollout.model.names import deployment_id
from rollout.model.rows.deployment import Deployment
from rollout.model.status import Status
from rollout.ports.durable import InstanceState
from rollout.ports.errors import Busy
from services.queue import FullQueue
from services.start import StartObstacle, obstacle

START = "groups/web/deployments"
QUEUE = {"image": "1.1.0", "onConflict": "queue"}


async def waiting(world: Any, count: int) -> list[Deployment]:
    """A deployment that has the set, and so many that wait for it since then."""
    first = await world.store.deployments.get((await world.start())["id"])
    rows = []
    for number in range(count):
        at = first.created_at + timedelta(seconds=1 + number)
        name = deployment_id("web", at, "aaaaaa")
        row = replace(first, id=name, created_at=at, queued_at=at, epoch=0, status=Status.QUEUED)
        await world.store.queue.add(entry_of(row))
        await world.store.deployments.add(row)
        world.instances.states[name] = InstanceState.RUNNING
        rows.append(row)
    world.clock.pass_(timedelta(seconds=1 + count))
    return rows


async def entered(world: Any) -> set[str]:
    return {entry.deployment_id for entry in await world.store.queue.list(world.scale_set_id)}


async def test_one_too_many_is_refused_with_the_count_and_leaves_nothing(world: Any) -> None:
    rows = await waiting(world, QUEUE_MAX)
    status, error = await world.refused("POST", START, QUEUE)
    assert (status, error["code"], error["target"]) == (409, "queueFull", "onConflict")
    assert str(QUEUE_MAX) in error["message"]
    assert await entered(world) == {row.id for row in rows}
    assert len(await world.deployments()) == 1 + QUEUE_MAX
    planned = (await world.send("POST", f"{START}?dryRun=true", QUEUE)).body
    assert (planned["canStart"], planned["findings"][0]["code"]) == (False, "queueFull")


async def test_who_supersedes_takes_back_those_that_wait_however_many(world: Any) -> None:
    rows = await waiting(world, QUEUE_MAX)
    answer = await world.send("POST", START, {**QUEUE, "onConflict": "supersede"})
    assert (answer.status, answer.body["queuePosition"]) == (202, QUEUE_MAX + 1)
    for row in rows:
        assert [str(command.kind) for command in await world.store.commands.list(row.id)] == ["stop"]


async def test_of_many_that_come_at_once_as_many_wait_as_there_are_places(world: Any) -> None:
    await waiting(world, QUEUE_MAX - 5)
    answers = await asyncio.gather(*(world.send("POST", START, QUEUE) for _ in range(9)))
    assert Counter(answer.status for answer in answers) == {202: 5, 409: 4}
    assert len(await entered(world)) == QUEUE_MAX


@pytest.mark.parametrize("status", [Status.STOPPED, Status.IN_PROGRESS, None])
async def test_an_entry_whose_deployment_does_not_wait_takes_no_place(world: Any, status: Status | None) -> None:
    rows = await waiting(world, QUEUE_MAX)
    if status is None:
        # Its start died between the two rows.
        world.clock.pass_(timedelta(minutes=5))
        world.scale_sets.share_left = 1.0
        await world.store.archive.forget(rows[3].id)
    else:
        await world.store.deployments.change(rows[3].id, lambda row: replace(row, status=status))
    answer = await world.send("POST", START, QUEUE)
    assert answer.status == 202, answer.body
    assert answer.body["queuePosition"] == QUEUE_MAX
    assert await entered(world) == {row.id for row in rows} - {rows[3].id} | {answer.body["id"]}


async def test_a_start_that_came_to_nothing_leaves_the_queue(world: Any) -> None:
    await waiting(world, 0)
    world.instances.start_error = Busy("DurableExtension", "no storage")
    status, error = await world.refused("POST", START, QUEUE)
    assert (status, error["code"]) == (503, "notStarted")
    assert await entered(world) == set()


def test_a_full_queue_passes() -> None:
    assert obstacle(FullQueue(50)) == StartObstacle("50 deployments wait for the scale set, and no more may")
