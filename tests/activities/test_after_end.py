"""What happens after the end of a deployment: an event, written once, by who has its lock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from activities.record import Entry, record_event
from local.virtual.memory import memory_store
from rollout.model.azure.scale_set import ImageReference
from rollout.model.codec import Json
from rollout.model.events import EventType
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Event, Image, Problem
from rollout.model.rows.lock import Lock
from rollout.model.status import Status
from rollout.ports.ports import Ports
from rollout.ports.store import Store

NAME, SET = "web-20261123T081500Z-aaaaaa", "/subscriptions/s/web"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ENDED = Deployment(
    *(NAME, "web", SET, Parameters("1.1.0"), Image("1.1.0", ImageReference(id="/i")), NOW),
    status=Status.FAILED,
    reason="Batch 1 of 2: 0 of 2",
    error=Problem("batchUnhealthy", "Batch 1 of 2: 0 of 2"),
    ended_at=NOW,
    green_vms=3,
    sequence=2,
)


class Desk:
    """The rows of a deployment, and what is written about it while ``owner`` has the lock in epoch 5."""

    def __init__(self, store: Store) -> None:
        self.store = store
        neighbours: dict[str, Any] = dict.fromkeys(Ports.__dataclass_fields__)
        self.ports = cast(Any, Ports)(**(neighbours | {"store": store, "clock": self}))

    def now(self) -> datetime:
        return NOW

    async def fill(self, row: Deployment = ENDED, owner: str = NAME) -> None:
        await self.store.deployments.add(row)
        for number in range(1, row.sequence + 1):
            await self.store.events.put(NAME, Event(number, NOW, EventType.FAILED, "so it was"))
        await self.store.locks.swap(None, Lock(SET, owner, 5, NOW))

    async def say(self, kind: EventType, data: Json, batch: int | None = 1, epoch: int = 5) -> None:
        event = Event(1, NOW + timedelta(days=1), kind, "so it went on", batch, data)
        await record_event(self.ports, Entry(NAME, event, epoch=epoch))

    async def types(self) -> list[str]:
        events = await self.store.events.list(NAME)
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        return [str(event.type) for event in events[2:]]

    async def row(self) -> Deployment:
        row = await self.store.deployments.get(NAME)
        assert row is not None
        return row


@pytest.fixture
async def desk() -> Desk:
    return Desk(memory_store())


async def test_what_goes_later_is_told_once_and_the_end_stays_as_it_is(desk: Desk) -> None:
    await desk.fill()
    for _ in range(2):
        await desk.say(EventType.KEPT_DISCARDED, {"discarded": 2})
        await desk.say(EventType.KEPT_RESTORED, {"restored": ["autoscale"], "conflicts": []}, None)
    assert await desk.types() == ["KeptGreenDiscarded", "KeptProcessesRestored"]
    assert await desk.row() == replace(ENDED, sequence=4, green_vms=1)


async def test_a_run_that_died_before_the_row_followed_goes_on_from_there(desk: Desk) -> None:
    await desk.fill()
    await desk.say(EventType.KEPT_DISCARDED, {"discarded": 2})
    await desk.store.deployments.change(NAME, lambda row: ENDED)
    await desk.say(EventType.KEPT_DISCARDED, {"discarded": 2})
    await desk.store.deployments.change(NAME, lambda row: ENDED)
    await desk.say(EventType.KEPT_RESTORED, {"restored": [], "conflicts": []}, None)
    assert await desk.types() == ["KeptGreenDiscarded", "KeptProcessesRestored"]
    assert await desk.row() == replace(ENDED, sequence=4, green_vms=1)


async def test_who_acted_in_an_earlier_epoch_adds_nothing(desk: Desk) -> None:
    await desk.fill()
    await desk.say(EventType.KEPT_DISCARDED, {"discarded": 2}, epoch=4)
    assert (await desk.types(), await desk.row()) == ([], ENDED)


@pytest.mark.parametrize("owner", ["", "web-20261123T090000Z-bbbbbb"])
async def test_what_was_done_is_told_though_another_deployment_has_taken_the_lock_meanwhile(
    desk: Desk, owner: str
) -> None:
    """Found by the soak: VMs went, and before that was told the next deployment had begun."""
    await desk.fill(owner=owner)
    for _ in range(2):
        await desk.say(EventType.KEPT_DISCARDED, {"discarded": 2})
    assert await desk.types() == ["KeptGreenDiscarded"]
    assert (await desk.row()).green_vms == 1


@pytest.mark.parametrize("kind", [EventType.GREEN_DISCARDED, EventType.PROCESSES_RESTORED, EventType.STEP_RETRIED])
async def test_anything_else_that_is_said_after_the_end_is_dropped(desk: Desk, kind: EventType) -> None:
    await desk.fill()
    event = Event(3, NOW, kind, "too late", None, {"discarded": 2})
    await record_event(desk.ports, Entry(NAME, event, epoch=5))
    assert (await desk.types(), await desk.row()) == ([], ENDED)


async def test_before_the_end_nothing_is_said_of_what_comes_after_it(desk: Desk) -> None:
    live = replace(ENDED, status=Status.IN_PROGRESS, ended_at=None, error=None)
    await desk.fill(live)
    await desk.say(EventType.KEPT_DISCARDED, {"discarded": 2})
    assert (await desk.types(), await desk.row()) == ([], live)
