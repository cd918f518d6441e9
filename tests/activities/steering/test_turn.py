"""A queued deployment's turn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from activities.attempt import attempt
from activities.steering.turn import take_turn
from local.virtual.memory import memory_store
from rollout.lifecycle.queue import entry_of
from rollout.model.azure.scale_set import ImageReference, PublishedVersion, ScaleSet
from rollout.model.codec import decode, encode
from rollout.model.order import Order, Progress, StepState
from rollout.model.parameters import Parameters
from rollout.model.rows.commands import Command, CommandKind
from rollout.model.rows.deployment import Deployment, Image
from rollout.model.rows.lock import Lock
from rollout.model.status import Status
from rollout.ports.durable import InstanceState
from rollout.ports.ports import Ports
from rollout.ports.store import Locks, Store

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SET = "/subscriptions/s/web"
POLL = timedelta(seconds=15)
RUNNING, FIRST, SECOND = (f"web-20261123T08150{n}Z-aaaaaa" for n in range(3))
CURRENT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/a/images/web/versions/1.2.0"
PREVIOUS = ImageReference(id="/images/1.0.0")


@dataclass
class States:
    """What each orchestration does."""

    states: dict[str, InstanceState] = field(default_factory=dict)

    async def state(self, instance_id: str) -> InstanceState:
        return self.states.get(instance_id, InstanceState.ABSENT)


class StandingClock:
    def now(self) -> datetime:
        return NOW


class ScaleSetOnVersion:
    """A set whose model names version 1.2.0, which there is."""

    async def read(self, scale_set_id: str) -> ScaleSet:
        return ScaleSet(SET, "web", "eastus2", '"1"', 2, "Succeeded", ImageReference(id=CURRENT))


class AnyImage:
    """Whatever version is asked for, there is one."""

    async def read(self, *asked: Any, **more: Any) -> PublishedVersion:
        return PublishedVersion(CURRENT, "1.2.0", "Succeeded")


@dataclass
class Queue:
    """A set that one deployment has, and two that wait for it."""

    store: Store = field(default_factory=memory_store)
    instances: States = field(default_factory=States)

    @property
    def ports(self) -> Ports:
        nothing = cast(Any, None)
        instances = cast(Any, self.instances)
        sets, images = cast(Any, ScaleSetOnVersion()), cast(Any, AnyImage())
        return Ports(sets, images, self.store, instances, StandingClock(), nothing, nothing, nothing, nothing)

    async def add(self, name: str, status: Status, **fields: Any) -> Deployment:
        at = NOW - timedelta(minutes=30) + timedelta(seconds=int(name[18]))
        image = Image("1.1.0", ImageReference(id="/images/1.1.0"))
        epoch, queued_at = (0, at) if status is Status.QUEUED else (1, None)
        row = Deployment(
            name, "web", SET, Parameters("1.1.0"), image, at, epoch=epoch, status=status, queued_at=queued_at
        )
        row = replace(row, **fields)
        if row.status is Status.QUEUED:
            await self.store.queue.add(entry_of(row))
        await self.store.deployments.add(row)
        self.instances.states[name] = InstanceState.RUNNING
        return row

    async def fill(self) -> None:
        image = Image("1.1.0", ImageReference(id="/images/1.1.0"), PREVIOUS)
        await self.add(RUNNING, Status.IN_PROGRESS, settled=False, target_size=7, image=image)
        await self.store.locks.swap(None, Lock(SET, RUNNING, 1, NOW - timedelta(hours=1)))
        await self.add(SECOND, Status.QUEUED)
        await self.add(FIRST, Status.QUEUED)

    async def end(self, name: str, frees: bool = True, **fields: Any) -> None:
        self.instances.states[name] = InstanceState.ENDED
        await self.store.deployments.change(name, lambda row: replace(row, status=Status.STOPPED, **fields))
        if frees:
            await self.free()

    async def free(self) -> None:
        lock = await self.lock()
        await self.store.locks.swap(lock, replace(lock, owner=""))

    async def lock(self) -> Lock:
        lock = await self.store.locks.get(SET)
        assert lock is not None
        return lock

    async def row(self, name: str) -> Deployment:
        row = await self.store.deployments.get(name)
        assert row is not None
        return row

    async def call(self, name: str, **fields: Any) -> Progress:
        """Carry out the activity for a deployment, as its recipe would."""
        order = Order(name, SET, 0, 0, NOW, NOW, POLL, steered=True, waiter=f"{name}:w", wake="wake-3")
        return decode(Progress, await attempt(take_turn, self.ports, encode(replace(order, **fields))))


@pytest.fixture
async def queue() -> Queue:
    queue = Queue()
    await queue.fill()
    return queue


async def test_a_deployment_waits_for_who_has_the_set_and_for_who_waited_before(queue: Queue) -> None:
    for name, ahead in ((FIRST, RUNNING), (SECOND, FIRST)):
        for _ in range(2):
            progress = await queue.call(name)
            assert (progress.state, progress.after, progress.listen) == (StepState.AGAIN, POLL, True)
            assert ahead in progress.reason
        row = await queue.row(name)
        assert row.reason == progress.reason
        assert row.waiting is not None
        assert (row.waiting.instance_id, row.waiting.event) == (f"{name}:w", "wake-3")
    assert (await queue.lock()).owner == RUNNING


async def test_the_first_takes_the_lock_once_and_inherits_what_was_left(queue: Queue) -> None:
    await queue.end(RUNNING)
    assert (await queue.call(SECOND)).state is StepState.AGAIN
    answers = [await queue.call(FIRST) for _ in range(3)]
    assert [(answer.state, answer.data) for answer in answers] == [(StepState.DONE, {"epoch": 2})] * 3
    lock = await queue.lock()
    assert (lock.owner, lock.epoch) == (FIRST, 2)
    row = await queue.row(FIRST)
    assert (row.target_size, row.image.previous, row.settled) == (7, PREVIOUS, False)
    # The event that says so comes from the recipe.
    assert (row.status, row.epoch) == (Status.QUEUED, 0)


async def test_a_settled_deployment_leaves_nothing_to_inherit(queue: Queue) -> None:
    await queue.end(RUNNING, settled=True)
    await queue.call(FIRST)
    row = await queue.row(FIRST)
    assert (row.target_size, row.image.previous, row.settled) == (0, None, True)


async def test_a_deployment_without_an_image_rolls_what_the_set_has_when_its_turn_comes(queue: Queue) -> None:
    await queue.end(RUNNING)
    await queue.store.deployments.change(FIRST, lambda row: replace(row, image=replace(row.image, requested=None)))
    assert (await queue.call(FIRST)).done
    assert (await queue.row(FIRST)).image.pinned.id == CURRENT


async def test_a_holder_whose_orchestration_ended_is_taken_over_and_gets_its_end(queue: Queue) -> None:
    queue.instances.states[RUNNING] = InstanceState.ENDED
    assert (await queue.call(FIRST)).data == {"epoch": 2}
    row = await queue.row(RUNNING)
    assert row.error is not None
    assert (row.status, row.error.code) == (Status.FAILED, "orchestratorLost")
    assert (await queue.row(FIRST)).target_size == 7


async def test_a_holder_that_is_writing_its_end_is_waited_for(queue: Queue) -> None:
    await queue.free()
    progress = await queue.call(FIRST)
    assert (progress.state, progress.reason) == (StepState.AGAIN, f"Waiting for deployment {RUNNING}")
    assert (await queue.lock()).owner == ""


async def test_a_queued_deployment_whose_orchestration_is_gone_is_passed_over(queue: Queue) -> None:
    await queue.end(RUNNING)
    queue.instances.states[FIRST] = InstanceState.ENDED
    assert (await queue.call(SECOND)).done
    assert (await queue.lock()).owner == SECOND


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (InstanceState.ENDED, StepState.LOCK_LOST),
        (InstanceState.ABSENT, StepState.LOCK_LOST),
        (InstanceState.SUSPENDED, StepState.AGAIN),
    ],
)
async def test_for_an_orchestration_that_does_not_run_no_lock_is_taken(
    queue: Queue, state: InstanceState, expected: StepState
) -> None:
    await queue.end(RUNNING)
    queue.instances.states[FIRST] = state
    assert (await queue.call(FIRST)).state is expected
    assert (await queue.lock()).owner == ""


@pytest.mark.parametrize("status", [Status.PENDING, Status.IN_PROGRESS, Status.STOPPED])
async def test_a_run_that_comes_late_takes_no_second_turn(queue: Queue, status: Status) -> None:
    await queue.end(RUNNING)
    await queue.store.deployments.change(FIRST, lambda row: replace(row, status=status, epoch=4))
    assert (await queue.call(FIRST)).data == {"epoch": 4}
    assert (await queue.lock()).owner == ""


async def test_a_deployment_that_is_taken_back_stops_waiting(queue: Queue) -> None:
    await queue.store.commands.add(FIRST, Command(1, CommandKind.STOP, NOW, "ada"))
    progress = await queue.call(FIRST)
    assert (progress.state, progress.code, progress.data["heard"]) == (StepState.INTERRUPTED, "stop", 1)


class BeatenLocks:
    """Locks that another writer always changes first; or whose swap is written and says that it was not."""

    def __init__(self, locks: Locks, written: bool) -> None:
        self.locks, self.written = locks, written

    async def get(self, scale_set_id: str) -> Lock | None:
        return await self.locks.get(scale_set_id)

    async def swap(self, expected: Lock | None, lock: Lock) -> bool:
        if self.written:
            await self.locks.swap(expected, lock)
        return False


@pytest.mark.parametrize("written", [True, False])
async def test_a_lock_that_was_not_taken_for_certain_is_looked_at_again(queue: Queue, written: bool) -> None:
    await queue.end(RUNNING)
    queue.store = replace(queue.store, locks=BeatenLocks(queue.store.locks, written))
    assert (await queue.call(FIRST)).state is StepState.AGAIN
    assert (await queue.call(FIRST)).state is (StepState.DONE if written else StepState.AGAIN)


async def test_of_two_that_are_first_at_once_one_takes_the_lock(queue: Queue) -> None:
    """Whoever does not see the other yet: the lock decides."""
    await queue.end(RUNNING)
    await queue.store.deployments.change(FIRST, lambda row: replace(row, queued_at=NOW, created_at=NOW))
    queue.instances.states[FIRST] = InstanceState.ENDED
    assert (await queue.call(SECOND)).done
    queue.instances.states[FIRST] = InstanceState.RUNNING
    assert (await queue.call(FIRST)).state is StepState.AGAIN
    assert (await queue.lock()).owner == SECOND


async def test_the_longest_waiting_comes_first_however_many_came_after(queue: Queue) -> None:
    await queue.end(RUNNING)
    for number in range(120):
        at = NOW + timedelta(seconds=number)
        await queue.add(f"web-{at:%Y%m%dT%H%M%SZ}-bbbbbb", Status.QUEUED, queued_at=at, created_at=at)
    later = f"web-{NOW + timedelta(seconds=20):%Y%m%dT%H%M%SZ}-bbbbbb"
    assert (await queue.call(later)).reason == f"Waiting for deployment {FIRST}"
    assert (await queue.row(later)).ahead == 22
    assert (await queue.call(FIRST)).done


async def test_who_takes_the_turn_leaves_the_queue_also_where_it_died_before_that(queue: Queue) -> None:
    await queue.end(RUNNING)
    entry = entry_of(await queue.row(FIRST))
    assert (await queue.call(FIRST)).done
    assert [one.deployment_id for one in await queue.store.queue.list(SET)] == [SECOND]
    await queue.store.queue.add(entry)
    assert (await queue.call(FIRST)).done
    assert [one.deployment_id for one in await queue.store.queue.list(SET)] == [SECOND]


async def test_an_entry_that_was_left_behind_bars_nobody_and_goes(queue: Queue) -> None:
    entry = entry_of(await queue.row(FIRST))
    await queue.end(FIRST, frees=False, ended_at=NOW)
    queue.instances.states[FIRST] = InstanceState.RUNNING
    await queue.end(RUNNING)
    await queue.store.queue.add(entry)
    assert (await queue.call(SECOND)).done
    assert await queue.store.queue.list(SET) == ()


async def test_who_waits_and_is_not_in_the_queue_enters_it(queue: Queue) -> None:
    """A start that took so long that its entry passed for a dead one's."""
    entry = entry_of(await queue.row(FIRST))
    await queue.store.queue.delete(SET, FIRST)
    assert (await queue.call(FIRST)).state is StepState.AGAIN
    assert entry in await queue.store.queue.list(SET)
    assert FIRST in (await queue.call(SECOND)).reason
