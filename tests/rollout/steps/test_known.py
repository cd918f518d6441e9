"""What is shown and told of the VMs that a deployment knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.rows.deployment import GONE, VmRecord
from rollout.model.status import Color, VmStatus
from rollout.steps.known import seen_now, shown, to_tell

AT = datetime(2026, 1, 1, tzinfo=UTC)
VM = Vm("id-1", "web_1", "1", ImageReference(), "Succeeded", "running")
BLUE = VmRecord("id-1", "web_1", Color.BLUE, 2, VmStatus.RUNNING)
STOPPED = replace(VM, power_state="deallocated")


@pytest.mark.parametrize(
    ("vm", "status", "told"),
    [
        (VM, VmStatus.RUNNING, None),
        (None, VmStatus.DELETED, "1 blue VM is gone: web_1"),
        (STOPPED, VmStatus.UNHEALTHY, "1 blue VM is down: web_1 (power state deallocated)"),
        (
            replace(VM, provisioning_state="Failed"),
            VmStatus.UNHEALTHY,
            "1 blue VM is down: web_1 (provisioning state Failed)",
        ),
        (replace(VM, power_state="starting"), VmStatus.RUNNING, None),
        (replace(VM, provisioning_state="Deleting"), VmStatus.RUNNING, None),
    ],
)
def test_a_vm_that_serves_nobody_is_shown_and_told_at_once(vm: Vm | None, status: VmStatus, told: str | None) -> None:
    found = seen_now([BLUE], [vm] if vm else [], AT)
    assert [news.message for news in to_tell(found, batch=1)] == ([told] if told else [])
    assert shown(found[0] if found else BLUE)[0] is status
    # A run that came late tells the same; the next look tells nothing, and writes nothing.
    assert seen_now(found or [BLUE], [vm] if vm else [], AT) == found
    assert seen_now(found or [BLUE], [vm] if vm else [], AT + timedelta(seconds=15)) == ()


def test_a_vm_that_runs_again_is_shown_as_what_it_was() -> None:
    (down,) = seen_now([replace(BLUE, reason="Draining")], [STOPPED], AT)
    (again,) = seen_now([down], [VM], AT + timedelta(minutes=1))
    assert (shown(again), to_tell([again], 1)) == ((VmStatus.RUNNING, "Draining"), ())


@pytest.mark.parametrize(
    "record",
    [
        replace(BLUE, status=VmStatus.DETACHED),
        replace(BLUE, color=Color.GREEN, status=VmStatus.UNHEALTHY),
        replace(BLUE, color=Color.GREEN, batch=1),
        replace(BLUE, color=Color.GREEN, status=VmStatus.HEALTHY, replaced=True),
    ],
)
def test_what_the_deployment_meant_is_shown_and_no_news(record: VmRecord) -> None:
    (gone,) = seen_now([record], [], AT)
    assert (gone.trouble, shown(gone)[0], to_tell([gone], batch=1)) == (GONE, VmStatus.DELETED, ())


def test_not_all_of_many_are_named() -> None:
    records = [replace(BLUE, vm_id=f"id-{n}", name=f"web_{n}") for n in range(12)]
    (news,) = to_tell(seen_now(records, [], AT), 1)
    assert news.message.startswith("12 blue VMs are gone: web_0, ")
    assert (news.message.endswith("web_9 and 2 more"), len(news.vms)) == (True, 10)
