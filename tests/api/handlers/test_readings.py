"""How often HTTP triggers read a scale set."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rollout.model.azure.scale_set import ImageReference
from rollout.ports.durable import InstanceState
from rollout.ports.errors import Busy

START = "groups/web/deployments"
PLAN = f"{START}?dryRun=true"
MINUTE = timedelta(minutes=1)


async def reads(world: Any, count: int = 1, **fields: Any) -> tuple[int, int]:
    """How many reads of the set and lists of its VMs so many dry runs cost."""
    before = world.scale_sets.reads, world.scale_sets.lists
    answers = await asyncio.gather(*(world.send("POST", PLAN, {"image": "1.1.0", **fields}) for _ in range(count)))
    assert {answer.status for answer in answers} == {200}
    return world.scale_sets.reads - before[0], world.scale_sets.lists - before[1]


async def too_often(world: Any, path: str = PLAN, method: str = "POST", **body: Any) -> None:
    before = world.scale_sets.reads, world.scale_sets.lists
    answer = await world.send(method, path, body or {"image": "1.1.0"})
    assert (answer.status, answer.body["error"]["code"], answer.headers["Retry-After"]) == (
        503,
        "readingTooOften",
        "60",
    )
    assert (world.scale_sets.reads, world.scale_sets.lists) == before


async def test_thirty_dry_runs_at_once_are_one_reading(world: Any) -> None:
    assert await reads(world, 30) == (1, 1)
    world.clock.pass_(timedelta(seconds=59))
    assert await reads(world, batchSizePercentage=50) == (0, 0)
    world.clock.pass_(timedelta(seconds=1))
    assert await reads(world) == (1, 1)


async def test_a_start_rests_on_the_minute_s_reading(world: Any) -> None:
    await reads(world)
    before = world.scale_sets.lists
    await world.start()
    assert world.scale_sets.lists == before


async def test_a_start_of_the_set_s_own_image_takes_the_one_that_it_has_now(world: Any) -> None:
    await reads(world)
    key = world.scale_set_id.lower()
    image = ImageReference(id=f"{world.image_id}/versions/1.9.0")
    world.scale_sets.add(replace(world.scale_sets.sets[key], image=image))
    started = await world.start(image=None)
    assert started["image"]["pinned"].endswith("/versions/1.9.0")


@pytest.mark.parametrize("left", [0.0, 0.49])
async def test_where_a_deployment_needs_what_is_left_nothing_is_read(world: Any, left: float) -> None:
    await world.start()
    world.scale_sets.share_left = left
    assert await reads(world) == (0, 0)
    world.clock.pass_(MINUTE)
    await too_often(world)
    await too_often(world, START, image="1.9.0", onConflict="queue")
    await too_often(world, "groups/web", "PUT", scaleSetId=world.scale_set_id)
    world.scale_sets.share_left = 0.5
    assert await reads(world) == (1, 1)


async def test_where_nothing_is_known_there_is_one_reading(world: Any) -> None:
    world.instances.states["other"] = InstanceState.RUNNING
    lock = await world.store.locks.get(world.scale_set_id)
    assert lock is None
    first = await world.start()
    assert world.instances.states[first["id"]] is InstanceState.RUNNING
    world.routes = type(world)().routes  # Another process, which has read nothing.
    assert await reads(world, onConflict="queue") == (1, 1)
    world.clock.pass_(MINUTE)
    await too_often(world)


async def test_a_free_set_is_read_whatever_is_left(world: Any) -> None:
    world.scale_sets.share_left = 0.0
    assert await reads(world) == (1, 1)
    world.clock.pass_(MINUTE)
    assert await reads(world) == (1, 1)


async def test_what_asks_for_time_is_given_it(world: Any) -> None:
    world.scale_sets.list_error = Busy("TooManyRequests", "slow down", timedelta(seconds=20))
    for _ in range(3):
        answer = await world.send("POST", PLAN, {"image": "1.1.0"})
        assert (answer.status, answer.body["error"]["code"]) == (503, "azureBusy")
    assert (world.scale_sets.reads, world.scale_sets.lists) == (1, 1)
    world.scale_sets.list_error = None
    world.clock.pass_(MINUTE)
    assert await reads(world) == (1, 1)


@pytest.mark.parametrize("image", ["9.9.9", "nonsense", "a:b", "/x/versions/1.1.0"])
async def test_nothing_is_read_for_an_image_that_is_not_there(world: Any, image: str) -> None:
    before = world.scale_sets.reads
    assert (await world.refused("POST", START, {"image": image}))[0] == 422
    planned = await world.send("POST", PLAN, {"image": image})
    assert (planned.status, planned.body["canStart"]) == (200, False)
    assert world.scale_sets.reads == before
