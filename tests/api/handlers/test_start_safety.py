"""Starts that race, die half way, or lose an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta
from typing import Any

from rollout.model.azure.scale_set import ImageReference
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.lock import Lock
from rollout.model.rows.unreadable import UnreadableRow
from rollout.model.status import Status
from rollout.ports.durable import InstanceState
from rollout.ports.errors import Busy
from rollout.ports.store import Deployments, Locks

START = "groups/web/deployments"


class ForgetfulLocks:
    """Locks whose first swaps are ``written`` or not, and say in either case that they were not."""

    def __init__(self, locks: Locks, forgotten: int, written: bool) -> None:
        self.locks, self.forgotten, self.written = locks, forgotten, written

    async def get(self, scale_set_id: str) -> Lock | None:
        return await self.locks.get(scale_set_id)

    async def swap(self, expected: Lock | None, lock: Lock) -> bool:
        self.forgotten -= 1
        if self.forgotten < 0:
            return await self.locks.swap(expected, lock)
        if self.written:
            await self.locks.swap(expected, lock)
        return False


class AddedDeployments:
    """Deployments whose ``add`` raises ``outcome``, or writes what it makes of the row and says false."""

    def __init__(self, deployments: Deployments, outcome: Exception | Callable[[Deployment], Deployment]) -> None:
        self.deployments, self.outcome = deployments, outcome

    async def add(self, deployment: Deployment) -> bool:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        await self.deployments.add(self.outcome(deployment))
        return False

    async def get(self, deployment_id: str) -> Deployment | None:
        return await self.deployments.get(deployment_id)

    async def change(self, deployment_id: str, change: Callable[[Deployment], Deployment]) -> Deployment:
        return await self.deployments.change(deployment_id, change)

    async def newest(self, group_id: str, limit: int, before: str = "") -> tuple[Deployment, ...]:
        return await self.deployments.newest(group_id, limit, before)

    async def listed(
        self, group_id: str, limit: int, before: str = "", statuses: Collection[str] = ()
    ) -> tuple[Deployment | UnreadableRow, ...]:
        return await self.deployments.listed(group_id, limit, before, statuses)


async def test_a_second_start_is_409_with_the_holders_id(world: Any) -> None:
    first = (await world.start())["id"]
    before = await world.written()
    status, error = await world.refused("POST", START, {"image": "1.9.0"})

    assert (status, error["code"], error["target"]) == (409, "deploymentInProgress", first)
    assert first in error["message"]
    assert [detail["target"] for detail in error["details"]] == [first]
    assert await world.written() == before


async def test_a_scale_set_that_a_deployment_keeps_busy_is_409_with_the_holders_id(world: Any) -> None:
    first = (await world.start())["id"]
    busy = replace(world.scale_sets.sets[world.scale_set_id.lower()], provisioning_state="Updating")
    world.scale_sets.add(busy)
    status, error = await world.refused("POST", START, {"image": "1.9.0"})
    assert (status, error["target"]) == (409, first)


async def test_a_suspended_deployment_still_holds_the_scale_set(world: Any) -> None:
    world.instances.states[(await world.start())["id"]] = InstanceState.SUSPENDED
    assert (await world.refused("POST", START, {"image": "1.9.0"}))[0] == 409


async def test_of_many_racing_starts_exactly_one_deploys(world: Any) -> None:
    answers = await asyncio.gather(*(world.send("POST", START, {"image": "1.1.0"}) for _ in range(8)))

    assert sorted(answer.status for answer in answers) == [202] + [409] * 7
    (winner,) = (answer.body["id"] for answer in answers if answer.status == 202)
    assert {answer.body["error"]["target"] for answer in answers if answer.status == 409} == {winner}
    assert list(world.instances.started) == [winner]
    assert [row.id for row in await world.deployments()] == [winner]


async def test_a_holder_that_ended_is_taken_over_and_gets_its_end(world: Any) -> None:
    first = (await world.start())["id"]
    previous = ImageReference(id=f"{world.image_id}/versions/1.0.0")

    def in_the_middle(row: Deployment) -> Deployment:
        image = replace(row.image, previous=previous)
        return replace(row, status=Status.IN_PROGRESS, settled=False, target_size=10, image=image)

    await world.store.deployments.change(first, in_the_middle)
    world.instances.states[first] = InstanceState.ENDED
    world.clock.pass_(timedelta(minutes=1))
    second = (await world.start(image="1.9.0"))["id"]

    newest, oldest = await world.deployments()
    assert (newest.id, newest.epoch, newest.target_size, newest.image.previous) == (second, 2, 10, previous)
    assert (oldest.id, oldest.status, oldest.error.code) == (first, Status.FAILED, "orchestratorLost")
    assert (await world.lock()).owner == second


async def test_a_start_that_died_holding_the_lock_is_taken_over_after_two_minutes(world: Any) -> None:
    dead = "web-20261123T081500Z-aaaaaa"
    await world.store.locks.swap(None, Lock(world.scale_set_id.lower(), dead, 1, world.clock.now()))

    assert (await world.refused("POST", START, {"image": "1.1.0"}))[1]["target"] == dead
    world.clock.pass_(timedelta(minutes=2))
    name = (await world.start())["id"]
    assert [row.id for row in await world.deployments()] == [name]


async def test_a_row_that_a_dead_start_left_live_is_ended_by_the_next(world: Any) -> None:
    left = (await world.start())["id"]
    lock = await world.lock()
    await world.store.locks.swap(lock, replace(lock, owner=""))
    world.instances.states[left] = InstanceState.ABSENT
    world.clock.pass_(timedelta(minutes=5))
    await world.start()

    assert (await world.store.deployments.get(left)).status is Status.FAILED


async def test_a_deployment_that_freed_the_lock_is_waited_for_until_its_end_is_written(world: Any) -> None:
    ending = (await world.start())["id"]
    await world.store.deployments.change(ending, lambda row: replace(row, settled=False, target_size=7))
    lock = await world.lock()
    await world.store.locks.swap(lock, replace(lock, owner=""))
    world.clock.pass_(timedelta(seconds=1))
    status, error = await world.refused("POST", START, {"image": "1.9.0"})

    assert (status, error["code"], error["target"]) == (409, "deploymentInProgress", ending)
    assert ((await world.lock()).owner, list(world.instances.started)) == ("", [ending])

    await world.store.deployments.change(ending, lambda row: replace(row, status=Status.FINISHED, settled=True))
    following = (await world.start())["id"]
    assert (await world.store.deployments.get(following)).target_size == 0


async def test_a_lock_whose_answer_was_lost_is_taken(world: Any) -> None:
    world.store = replace(world.store, locks=ForgetfulLocks(world.store.locks, forgotten=1, written=True))
    name = (await world.start())["id"]
    assert ((await world.lock()).owner, (await world.lock()).epoch) == (name, 1)


async def test_a_lock_that_another_took_and_freed_meanwhile_is_taken(world: Any) -> None:
    world.store = replace(world.store, locks=ForgetfulLocks(world.store.locks, forgotten=1, written=False))
    name = (await world.start())["id"]
    assert (await world.lock()).owner == name


async def test_a_lock_that_is_never_free_when_it_is_written_is_409(world: Any) -> None:
    world.store = replace(world.store, locks=ForgetfulLocks(world.store.locks, forgotten=1000, written=False))
    status, error = await world.refused("POST", START, {"image": "1.1.0"})
    assert (status, error["code"]) == (409, "deploymentInProgress")
    assert (world.instances.started, await world.deployments()) == ({}, ())


async def test_a_row_whose_answer_was_lost_is_this_starts_row(world: Any) -> None:
    world.store = replace(world.store, deployments=AddedDeployments(world.store.deployments, lambda row: row))
    name = (await world.start())["id"]
    assert list(world.instances.started) == [name]


async def test_an_id_that_another_deployment_has_starts_nothing_and_frees_the_lock(world: Any) -> None:
    other = AddedDeployments(world.store.deployments, lambda row: replace(row, started_by="another"))
    world.store = replace(world.store, deployments=other)
    status, error = await world.refused("POST", START, {"image": "1.1.0"})
    assert (status, error["code"]) == (503, "notStarted")
    assert (world.instances.started, (await world.lock()).owner) == ({}, "")


async def test_a_row_that_cannot_be_written_frees_the_lock(world: Any) -> None:
    failing = AddedDeployments(world.store.deployments, Busy("TableServerBusy", "later"))
    world.store = replace(world.store, deployments=failing)
    status, error = await world.refused("POST", START, {"image": "1.1.0"})
    assert (status, error["code"]) == (503, "azureBusy")
    assert (world.instances.started, (await world.lock()).owner) == ({}, "")


async def test_a_taken_over_deployment_of_a_group_that_is_gone_gets_its_end_too(world: Any) -> None:
    former = (await world.start())["id"]
    world.instances.states[former] = InstanceState.ENDED
    await world.store.deployments.change(former, lambda row: replace(row, settled=False, target_size=7))
    await world.store.groups.delete("web")
    await world.add_group(id="web2")
    row = await world.store.deployments.get(former)
    older = replace(row, id="web2-20260101T000000Z-aaaaaa", group_id="web2", status=Status.FINISHED, target_size=1)
    await world.store.deployments.add(older)
    world.clock.pass_(timedelta(seconds=1))
    answer = await world.send("POST", "groups/web2/deployments", {"image": "1.1.0"})

    assert answer.status == 202
    assert (await world.store.deployments.get(former)).status is Status.FAILED
    assert (await world.store.deployments.get(answer.body["id"])).target_size == 7


async def test_what_another_scale_set_was_left_with_is_not_inherited(world: Any) -> None:
    former = (await world.start())["id"]
    await world.store.deployments.change(
        former, lambda row: replace(row, scale_set_id="/other", settled=False, target_size=7)
    )
    world.instances.states[former] = InstanceState.ENDED
    lock = await world.lock()
    await world.store.locks.swap(lock, replace(lock, owner=""))
    world.clock.pass_(timedelta(seconds=1))
    following = (await world.start())["id"]

    assert (await world.store.deployments.get(following)).target_size == 0
    assert (await world.store.deployments.get(former)).status is Status.PENDING


async def test_a_queued_deployment_is_nobodys_predecessor_and_none_that_is_gone_bars_the_way(world: Any) -> None:
    former = (await world.start())["id"]
    await world.store.deployments.change(former, lambda row: replace(row, settled=False, target_size=7))
    world.instances.states[former] = InstanceState.ENDED
    row = await world.store.deployments.get(former)
    name = "web-20261123T081501Z-ffffff"
    queued = replace(row, id=name, status=Status.QUEUED, settled=True, target_size=0, epoch=0)
    await world.store.deployments.add(queued)
    world.instances.states[name] = InstanceState.ENDED
    world.clock.pass_(timedelta(seconds=2))
    following = (await world.start())["id"]

    assert (await world.store.deployments.get(queued.id)).status is Status.QUEUED
    assert (await world.store.deployments.get(following)).target_size == 7


async def test_a_start_that_durable_refuses_is_undone(world: Any) -> None:
    world.instances.start_error = Busy("DurableExtension", "no storage")
    answer = await world.send("POST", START, {"image": "1.1.0"})

    assert (answer.status, answer.body["error"]["code"], answer.headers["Retry-After"]) == (503, "notStarted", "15")
    assert (await world.lock()).owner == ""
    (row,) = await world.deployments()
    assert (row.status, row.error.code) == (Status.FAILED, "notStarted")
    world.instances.start_error = None
    world.clock.pass_(timedelta(seconds=1))
    assert (await world.start())["status"] == "pending"


async def test_a_start_whose_answer_was_lost_is_a_start(world: Any) -> None:
    world.instances.start_error, world.instances.starts_anyway = Busy("DurableExtension", "timeout"), True
    name = (await world.start())["id"]
    assert list(world.instances.started) == [name]
    assert (await world.lock()).owner == name


async def test_where_durable_says_nothing_at_all_the_lock_stays(world: Any) -> None:
    def fall_silent() -> None:
        world.instances.start_error = world.instances.state_error = Busy("DurableExtension", "gone")

    world.instances.before_start = fall_silent
    status, error = await world.refused("POST", START, {"image": "1.1.0"})

    assert (status, error["code"]) == (503, "startUncertain")
    assert (await world.lock()).owner == error["target"]
    assert (await world.deployments())[0].status is Status.PENDING
