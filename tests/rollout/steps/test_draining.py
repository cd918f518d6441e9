"""Who of the VMs that are to go is drained, and since when each has been out of the pools."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.rows.deployment import Intent, IntentKind, VmRecord
from rollout.model.status import Color, VmStatus
from rollout.steps.draining import (
    LEAVE_TRIES,
    back_inside,
    is_willing,
    newly_out,
    of_this_wait,
    to_drain,
    undrained,
    waiting_ones,
)
from rollout.steps.retirement import DELETED

AT = datetime(2026, 1, 1, tzinfo=UTC)
BEFORE = AT - timedelta(minutes=10)


def row(vm_id: str, color: Color = Color.GREEN, status: VmStatus = VmStatus.UNHEALTHY, **more: Any) -> VmRecord:
    return VmRecord(vm_id, vm_id, color, 1, status, **more)


def vm(vm_id: str, state: str = "Succeeded", power: str = "running") -> Vm:
    return Vm(vm_id, vm_id, "0", ImageReference(), state, power)


def intent(kind: IntentKind, *vm_ids: str, at: datetime = AT, pool: str = "") -> Intent:
    return Intent(kind, 1, 1, at, vm_ids=vm_ids, pool=pool)


@pytest.mark.parametrize(
    ("color", "status", "state", "drained"),
    [
        (Color.GREEN, VmStatus.HEALTHY, "Succeeded", True),
        (Color.GREEN, VmStatus.UNHEALTHY, "Succeeded", True),
        (Color.GREEN, VmStatus.UNHEALTHY, "Updating", True),
        (Color.GREEN, VmStatus.UNHEALTHY, "Failed", False),
        (Color.BLUE, VmStatus.RUNNING, "Failed", True),
    ],
)
def test_who_azure_could_make_is_drained_whatever_its_health(
    color: Color, status: VmStatus, state: str, drained: bool
) -> None:
    assert (to_drain([row("a", color, status)], [vm("a", state)]) == {"a"}) is drained


def test_green_vm_is_out_once_it_was_asked_to_leave_and_did() -> None:
    leaving = [row("out"), row("inside"), row("never asked"), row("gone"), row("blue", Color.BLUE), row("going")]
    asked = [intent(IntentKind.DRAIN, "out", "inside", "gone", "blue", "going")]
    there = [vm("out"), vm("inside"), vm("never asked"), vm("blue"), vm("going", "Deleting")]
    found = newly_out(leaving, {"inside"}, asked, there, AT)
    assert [(one.vm_id, one.detached_at) for one in found] == [("out", AT)]
    assert newly_out(found, set(), asked, there, AT + timedelta(minutes=5)) == ()


def test_green_vm_that_somebody_put_back_is_drained_anew() -> None:
    leaving = [row("back", detached_at=BEFORE), row("out", detached_at=BEFORE), row("inside")]
    assert [(one.vm_id, one.detached_at) for one in back_inside(leaving, {"back", "inside"})] == [("back", None)]


def test_wait_is_for_those_that_were_drained_and_are_there() -> None:
    rows = [
        row("drained", detached_at=AT),
        row("never in a pool"),
        row("blue", Color.BLUE),
        row("gone", detached_at=AT, reason=DELETED),
    ]
    assert [one.vm_id for one in waiting_ones(rows)] == ["drained", "blue"]


def test_who_was_to_leave_and_was_deleted_inside_is_told() -> None:
    rows = [row("drained", detached_at=AT), row("cut"), row("by somebody"), row("never in a pool")]
    intents = [
        intent(IntentKind.DRAIN, "drained", "cut", "by somebody"),
        intent(IntentKind.DELETE, "drained", "cut", "never in a pool"),
    ]
    assert undrained(rows, intents) == 1


def test_time_to_leave_counts_from_this_wait_and_these_vms() -> None:
    intents = [
        intent(IntentKind.DRAIN, "a", at=BEFORE),
        intent(IntentKind.DRAIN, "other"),
        intent(IntentKind.DRAIN, "a", "other"),
    ]
    assert of_this_wait(intents, [row("a")], AT) == [intents[2]]


def test_green_vm_is_asked_so_often_to_leave_by_itself() -> None:
    times = [AT + timedelta(seconds=15 * number) for number in range(LEAVE_TRIES)]
    by_pool = [intent(IntentKind.DRAIN, "a", at=at, pool="lb/web") for at in times]
    by_itself = [intent(IntentKind.DRAIN, "a", at=at) for at in times]
    assert is_willing("a", by_pool + by_itself[1:])
    assert not is_willing("a", by_itself)
