"""Lost green VMs: whose places are asked for again, how long each place has, and what is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rollout.model.azure.health import Observation, VmHealth
from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.choices import HealthCheckType
from rollout.model.rows.deployment import VmRecord
from rollout.model.status import Color, VmStatus
from rollout.steps.relaunch import is_final, lost_words, newly_lost, spent, succeeded, time_of, waiting_places

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NEW, OLD = ImageReference(id="/versions/1.1.0"), ImageReference(id="/versions/1.0.0")
VM = Vm("a", "web_1", "1", NEW, "Succeeded", "running")
ROW = VmRecord("a", "web_1", Color.GREEN, 1, VmStatus.RUNNING)
SECOND = replace(ROW, launched_at=NOW)

STATES = {
    "running": (VM, False, False),
    "stopped": (replace(VM, power_state="stopped"), False, False),
    "deallocated": (replace(VM, power_state="deallocated"), True, True),
    "deleting": (replace(VM, provisioning_state="Deleting"), True, True),
    "gone": (None, True, True),
    "failed": (replace(VM, provisioning_state="Failed"), False, True),
    "another image": (replace(VM, image=OLD), False, True),
}


@pytest.mark.parametrize("state", STATES)
def test_lost_is_what_is_gone_or_has_no_hardware_and_final_what_can_not_become_healthy(state: str) -> None:
    vm, lost, final = STATES[state]
    vms = {"a": vm} if vm is not None else {}
    assert [one.relaunched_at for one in newly_lost([ROW], vms, NOW)] == ([NOW] if lost else [])
    assert is_final(vm, NEW) is final


def test_place_is_asked_for_again_once() -> None:
    asked = replace(ROW, relaunched_at=NOW)
    assert newly_lost([asked, SECOND], {}, NOW) == ()
    assert waiting_places([asked, SECOND, ROW], {}) == (asked,)
    assert waiting_places([asked], {"a": VM}) == ()


def test_who_is_gone_is_deleted_and_who_is_not_yet_is_only_replaced() -> None:
    other = replace(ROW, vm_id="b")
    idle = replace(VM, vm_id="b", power_state="deallocated")
    taken = succeeded([ROW, other, replace(ROW, vm_id="c")], 2, {"b": idle}, NOW)
    assert [(one.vm_id, one.replaced, one.reason) for one in taken] == [("a", True, "Deleted"), ("b", True, "")]


def seen(health: VmHealth) -> dict[str, list[Observation]]:
    return {"a": [Observation(HealthCheckType.VM_STATE, health, "said")]}


@pytest.mark.parametrize(
    ("row", "vm", "health", "coming", "checked", "waited", "certain"),
    [
        (ROW, VM, VmHealth.WAITING, 0, True, 100, False),
        (replace(ROW, launched_at=NOW + timedelta(seconds=70)), VM, VmHealth.WAITING, 0, True, 30, False),
        (ROW, VM, VmHealth.WAITING, 1, True, 0, False),
        (ROW, VM, VmHealth.HEALTHY, 0, True, 100, True),
        (ROW, VM, VmHealth.HEALTHY, 0, False, 100, False),
        (ROW, None, VmHealth.UNHEALTHY, 0, True, 100, True),
        (ROW, replace(VM, provisioning_state="Failed"), VmHealth.UNHEALTHY, 0, False, 100, True),
    ],
)
def test_the_youngest_place_that_may_still_become_healthy_counts(
    row: VmRecord, vm: Vm | None, health: VmHealth, coming: int, checked: bool, waited: int, certain: bool
) -> None:
    vms = {"a": vm} if vm is not None else {}
    at = NOW + timedelta(seconds=100)
    time = time_of([row], seen(health), vms, NEW, NOW, lambda since: at - since, coming, checked)
    assert (time.waited, time.certain) == (timedelta(seconds=waited), certain)


def test_a_sick_second_vm_has_had_the_replacement_of_its_place() -> None:
    assert spent([SECOND], seen(VmHealth.UNHEALTHY)) == 1
    assert spent([SECOND], seen(VmHealth.HEALTHY)) == spent([ROW], seen(VmHealth.UNHEALTHY)) == 0


def test_lost_vms_are_named() -> None:
    rows = [replace(ROW, vm_id=str(number), name=f"web_{number}") for number in range(7)]
    idle = replace(VM, vm_id="0", power_state="deallocated")
    assert lost_words(rows[:1], {"0": idle}) == "web_0 is deallocated: its place is asked for again"
    words = lost_words(rows, {"0": idle})
    assert words.startswith("web_0 is deallocated, web_1 is gone, ")
    assert words.endswith("web_4 is gone, and 2 more: their places are asked for again")
