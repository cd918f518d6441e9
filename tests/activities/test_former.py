"""What a deployment deletes or gives back that earlier ones left: an event of theirs, once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from activities.former import tell_of_deleted, tell_of_given_back, tell_of_gone
from local.virtual.memory import memory_store
from rollout.model.azure.scale_set import ImageReference
from rollout.model.events import EventType
from rollout.model.order import Order
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Event, Image, Intent, IntentKind, VmRecord
from rollout.model.rows.holds import HoldKind, ProcessHold
from rollout.model.status import Color, Status, VmStatus
from rollout.ports.errors import Busy
from rollout.ports.ports import Ports
from rollout.ports.store import Store

SET = "/subscriptions/s/web"
FIRST, SECOND, THIRD = (f"web-2026112{day}T081500Z-aaaaaa" for day in (3, 4, 5))
END = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
NOW = END + timedelta(days=2)


def row(name: str, former: str = "", **fields: Any) -> Deployment:
    image, created = Image("1.1.0", ImageReference(id="/i")), END - timedelta(hours=1)
    base = Deployment(name, "web", SET, Parameters("1.1.0"), image, created, former=former, sequence=2)
    return replace(replace(base, status=Status.STOPPED, reason="so it ended", ended_at=END), **fields)


def vm(number: int, color: Color, batch: int = 1, **fields: Any) -> VmRecord:
    return VmRecord(f"id-{number}", f"web_{number}", color, batch, VmStatus.RUNNING, **fields)


LATER = row(THIRD, SECOND, status=Status.IN_PROGRESS, ended_at=None)


class Histories:
    """The first deployment left three blue and two green VMs; the second found all of them, and made two of its own."""

    def __init__(self, store: Store) -> None:
        self.store = store
        neighbours: dict[str, Any] = dict.fromkeys(Ports.__dataclass_fields__)
        self.ports = cast(Any, Ports)(**(neighbours | {"store": store, "clock": self}))

    def now(self) -> datetime:
        return NOW

    async def fill(self) -> None:
        await self._add(row(FIRST, blue_vms=3, green_vms=2), (1, 2, 3), (4, 5))
        await self._add(row(SECOND, FIRST, blue_vms=5, green_vms=2), (1, 2, 3, 4, 5), (6, 7))

    async def _add(self, deployment: Deployment, blue: tuple[int, ...], green: tuple[int, ...]) -> None:
        await self.store.deployments.add(deployment)
        for number in (1, 2):
            await self.store.events.put(deployment.id, Event(number, END, EventType.STOPPED, "so it was"))
        records = [*(vm(number, Color.BLUE) for number in blue), *(vm(number, Color.GREEN) for number in green)]
        await self.store.vms.put(deployment.id, records)

    async def delete(self, *numbers: int, at: datetime = NOW, batch: int = 2, by: Deployment = LATER) -> None:
        order = Order(by.id, SET, 3, batch, at, at)
        await tell_of_deleted(self.ports, order, by, {f"id-{number}" for number in numbers})

    async def told(self, name: str) -> list[list[str]]:
        """The VMs that each event after the end names; all of the history is in order, and the row has it."""
        events = await self.store.events.list(name)
        assert [event.sequence for event in events] == list(range(1, len(events) + 1))
        assert [event.at for event in events] == sorted(event.at for event in events)
        assert (await self.row(name)).sequence == len(events)
        return [event.data["names"] for event in events[2:]]

    async def row(self, name: str) -> Deployment:
        found = await self.store.deployments.get(name)
        assert found is not None
        return found

    async def gone(self, name: str) -> list[str]:
        return [one.name for one in await self.store.vms.list(name) if one.reason == "Deleted"]


@pytest.fixture
async def histories() -> Histories:
    filled = Histories(memory_store())
    await filled.fill()
    return filled


async def test_each_that_left_a_vm_is_told_once_and_its_end_stays(histories: Histories) -> None:
    for _ in range(2):
        await histories.delete(1, 4, 6)
    assert await histories.told(SECOND) == [["web_1", "web_4", "web_6"]]
    assert await histories.told(FIRST) == [["web_1", "web_4"]]
    assert await histories.gone(FIRST) == ["web_1", "web_4"]
    (event,) = await histories.store.events.list(FIRST, after=2)
    assert event.message == f"1 blue VM and 1 green VM deleted by {THIRD} in its batch 2: web_1, web_4"
    assert (event.data["by"], event.data["batch"], event.batch) == (THIRD, 2, None)
    after = await histories.row(FIRST)
    assert after == replace(row(FIRST, blue_vms=2, green_vms=1), sequence=3, revision=after.revision), (
        "status, reason and time of end are as they were"
    )


async def test_what_goes_at_later_looks_is_told_then(histories: Histories) -> None:
    await histories.delete(1)
    await histories.delete(1, 2, at=NOW + timedelta(minutes=1))
    assert await histories.told(FIRST) == [["web_1"], ["web_2"]]
    assert (await histories.row(FIRST)).blue_vms == 1


async def test_runs_side_by_side_tell_it_once(histories: Histories) -> None:
    await asyncio.gather(*(histories.delete(1, 4, 6) for _ in range(5)))
    assert (await histories.told(FIRST), await histories.told(SECOND)) == (
        [["web_1", "web_4"]],
        [["web_1", "web_4", "web_6"]],
    )


@pytest.mark.parametrize("table", ["deployments", "vms"])
async def test_a_run_that_died_on_the_way_is_made_up_for(histories: Histories, table: str) -> None:
    """Found by thinking: were the row to follow last, nothing would tell the next run that it lacks an event."""
    ports = histories.ports
    histories.ports = replace(ports, store=replace(ports.store, **{table: _Refusing(getattr(ports.store, table))}))
    with pytest.raises(Busy):
        await histories.delete(1)
    histories.ports = ports
    await histories.delete(1, 2, at=NOW + timedelta(minutes=1))
    assert await histories.told(SECOND) == [["web_1"], ["web_2"]]
    assert await histories.gone(FIRST) == ["web_1", "web_2"]
    assert ((await histories.row(FIRST)).blue_vms, (await histories.row(SECOND)).blue_vms) == (1, 3)


class _Refusing:
    """A table that takes no changes."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    async def change(self, *_: Any) -> Any:
        raise Busy("ServerBusy", "Table Storage is out of order")

    put = change


async def test_a_clock_that_is_behind_does_not_turn_a_history_round(histories: Histories) -> None:
    await histories.delete(1, at=END - timedelta(minutes=5))
    assert await histories.told(FIRST) == [["web_1"]]


async def test_many_are_told_in_several_events(histories: Histories) -> None:
    await histories.store.vms.put(SECOND, [vm(number, Color.GREEN) for number in range(10, 160)])
    await histories.delete(*range(10, 160))
    assert [len(names) for names in await histories.told(SECOND)] == [100, 50]
    assert await histories.told(FIRST) == [], "it left none of them"
    assert (await histories.row(SECOND)).green_vms == 2


async def test_of_one_that_finished_those_are_left_that_it_kept_or_skipped_out_of_traffic(histories: Histories) -> None:
    await histories.store.deployments.change(FIRST, lambda found: replace(found, status=Status.FINISHED))
    skipped = [vm(8, Color.BLUE, batch=0, taken_out=True), vm(9, Color.BLUE, batch=0)]
    for name in (FIRST, SECOND):
        await histories.store.vms.put(name, skipped)
    await histories.delete(1, 4, 8, 9)
    assert await histories.told(FIRST) == [["web_8", "web_1"]]
    assert ((await histories.row(FIRST)).blue_vms, (await histories.row(FIRST)).green_vms) == (2, 2)


async def test_one_that_has_not_ended_or_is_forgotten_is_not_told(histories: Histories) -> None:
    await histories.store.deployments.change(FIRST, lambda found: replace(found, status=Status.IN_PROGRESS))
    await histories.delete(1)
    assert (await histories.told(FIRST), await histories.gone(FIRST)) == ([], [])
    await histories.delete(2, by=replace(LATER, former="web-20261101T081500Z-aaaaaa"))
    assert await histories.told(SECOND) == [["web_1"]]


async def test_where_nothing_was_left_nothing_is_read(histories: Histories) -> None:
    histories.ports = replace(histories.ports, store=cast(Store, None))
    alone = replace(LATER, former="")
    await histories.delete(1, by=alone)
    await tell_of_gone(histories.ports, Order(THIRD, SET, 3, 0, NOW, NOW), alone, [vm(1, Color.BLUE)])
    await tell_of_given_back(histories.ports, Order(THIRD, SET, 3, 0, NOW, NOW), [held(HoldKind.REPAIRS)])


async def test_of_vms_that_a_later_step_misses_those_are_told_that_it_was_about_to_delete(histories: Histories) -> None:
    await histories.store.intents.put(THIRD, Intent(IntentKind.DELETE, 1, 1, NOW, vm_ids=("id-1", "id-9")))
    missing = [vm(1, Color.BLUE), vm(2, Color.BLUE)]
    await tell_of_gone(histories.ports, Order(THIRD, SET, 3, 0, NOW, NOW), LATER, missing)
    assert await histories.told(SECOND) == [["web_1"]]
    (event,) = await histories.store.events.list(SECOND, after=2)
    assert event.data["batch"] is None
    assert event.message == f"1 blue VM deleted by {THIRD}: web_1"


def held(kind: HoldKind, *left_by: str, restored: bool = True, conflict: str = "") -> ProcessHold:
    old, new = {"serviceState": "Running"}, {"serviceState": "Suspended"}
    return ProcessHold(kind, SET, old, new, old, restored=restored, conflict=conflict, left_by=left_by)


async def test_what_is_given_back_is_told_once_by_those_who_left_it_held(histories: Histories) -> None:
    items = [
        held(HoldKind.REPAIRS, FIRST, SECOND),
        held(HoldKind.AUTOSCALE, SECOND, restored=False),
        held(HoldKind.SCALE_IN_POLICY, SECOND, conflict="the scale-in policy is gone"),
        held(HoldKind.UPGRADE_MODE),
    ]
    for _ in range(2):
        await tell_of_given_back(histories.ports, Order(THIRD, SET, 3, 0, NOW, NOW), items)
    (first,) = await histories.store.events.list(FIRST, after=2)
    assert (first.type, first.message) == (EventType.KEPT_RESTORED, f"Restored: automatic repairs, by {THIRD}")
    (second,) = await histories.store.events.list(SECOND, after=2)
    assert second.data == {"restored": ["repairs"], "conflicts": ["the scale-in policy is gone"], "by": THIRD}
    assert ((await histories.row(SECOND)).blue_vms, (await histories.row(SECOND)).green_vms) == (5, 2)
