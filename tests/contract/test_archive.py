"""What both stores promise of what is forgotten: all of it goes, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rollout.model.azure.evidence import VmEvidence
from rollout.model.azure.scale_set import ImageReference
from rollout.model.group import SignalType
from rollout.model.names import deployment_id
from rollout.model.parameters import Parameters
from rollout.model.rows.commands import Command, CommandKind
from rollout.model.rows.deployment import Batch, Deployment, Event, Image, Intent, IntentKind, VmRecord
from rollout.model.rows.health_part import HealthPart
from rollout.model.rows.keyed_request import KeyedRequest
from rollout.model.rows.signals import Signal
from rollout.model.status import Color, Status, VmStatus
from rollout.ports.store import Store

START = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
DAY = timedelta(days=1)


def deployment(days: int, ran: timedelta | None = timedelta(hours=1), group_id: str = "web") -> Deployment:
    """One that was asked for so many days after the start, and ran so long; ``None``: it has not ended."""
    at = START + days * DAY
    name = deployment_id(group_id, at, "1a2b3c")
    row = Deployment(name, group_id, "/set", Parameters("1.1.0"), Image("1.1.0", ImageReference(id="i")), at)
    return row if ran is None else replace(row, status=Status.FINISHED, ended_at=at + ran)


async def test_deployments_of_every_group_that_ended_before_a_time_are_found(store: Store) -> None:
    rows = [deployment(0), deployment(1, group_id="api"), deployment(2, DAY * 5), deployment(3, None), deployment(9)]
    for row in rows:
        await store.deployments.add(row)
    found = await store.archive.ended_before(START + 5 * DAY, 10)
    assert {row.id for row in found} == {rows[0].id, rows[1].id}


async def test_no_more_are_found_than_are_asked_for(store: Store) -> None:
    for day in range(5):
        await store.deployments.add(deployment(day))
    assert len(await store.archive.ended_before(START + 9 * DAY, 3)) == 3


async def test_what_is_not_wanted_takes_no_place_of_what_is(store: Store) -> None:
    for day in range(5):
        await store.deployments.add(deployment(day))
    kept = {deployment(day).id for day in (1, 3, 4)}
    found = await store.archive.ended_before(START + 9 * DAY, 3, kept)
    assert {row.id for row in found} == {deployment(0).id, deployment(2).id}


@pytest.mark.parametrize("vms", [1, 250])
async def test_all_of_a_deployment_is_forgotten_and_nothing_of_another(store: Store, vms: int) -> None:
    old, kept = deployment(0).id, deployment(1).id
    for name, row in ((old, deployment(0)), (kept, deployment(1))):
        await store.deployments.add(row)
        await store.vms.put(name, [_vm(number) for number in range(vms)])
        await store.batches.put(name, [Batch(1, 2, 2)])
        await store.events.put(name, Event(1, START, "DeploymentPlanned", "so it was"))
        await store.intents.put(name, Intent(IntentKind.LAUNCH, 1, 1, START))
        await store.commands.add(name, Command(1, CommandKind.PAUSE, START))
        await store.health_parts.keep(name, HealthPart(1, 0, START))
        await store.evidence.put(name, VmEvidence("vm-1", "web_1", 1, START, VmStatus.UNHEALTHY, ""))
    for _ in range(2):
        await store.archive.forget(old)
        assert await _left(store, old) == [0, 0, 0, 0, 0, 0, 0, 0]
        assert await _left(store, kept) == [1, vms, 1, 1, 1, 1, 1, 1]


def _vm(number: int) -> VmRecord:
    return VmRecord(f"{number:08x}-0000", f"web_{number}", Color.BLUE, 1, VmStatus.RUNNING)


async def _left(store: Store, name: str) -> list[int]:
    return [
        int(await store.deployments.get(name) is not None),
        len(await store.vms.list(name)),
        len(await store.batches.list(name)),
        len(await store.events.list(name)),
        len(await store.intents.list(name)),
        len(await store.commands.list(name)),
        int(await store.evidence.get(name, "vm-1") is not None),
        len(await store.health_parts.list(name, 1)),
    ]


async def test_requests_are_found_by_their_age_and_forgotten_by_scope_and_key(store: Store) -> None:
    old, young = (KeyedRequest("POST /a", key, "f", "t", START + days * DAY) for key, days in (("k1", 0), ("k2", 3)))
    for request in (old, young):
        assert await store.requests.add(request)
    assert await store.archive.asked_before(START + DAY, 10) == (old,)
    for _ in range(2):
        await store.archive.forget_request(old.scope, old.key)
    assert await store.requests.get(old.scope, old.key) is None
    assert await store.requests.get(young.scope, young.key) == young


async def test_requests_that_are_not_wanted_take_no_place(store: Store) -> None:
    for number in range(4):
        await store.requests.add(KeyedRequest("POST /a", f"k{number}", "f", "t", START))
    found = await store.archive.asked_before(START + DAY, 2, {("POST /a", "k0"), ("POST /a", "k2")})
    assert {one.key for one in found} == {"k1", "k3"}


async def test_rows_that_are_wanted_are_swept_from_all_partitions_up_to_a_limit(store: Store) -> None:
    for number in range(4):
        await store.signals.put(f"/set-{number}", Signal("vm-1", "web_1", SignalType.VM_READY, START + number * DAY))
    gone = [
        await store.archive.forget_signals(lambda one: one.received_at < START + 3 * DAY, limit) for limit in (2, 2, 2)
    ]
    assert gone == [2, 1, 0]
    assert [len(await store.signals.list(f"/set-{number}")) for number in range(4)] == [0, 0, 0, 1]
