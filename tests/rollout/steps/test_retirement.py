"""Which VMs leave at the end of a batch."""

from __future__ import annotations

import pytest

from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.rows.deployment import Batch, VmRecord
from rollout.model.status import Color, VmStatus
from rollout.steps.retirement import blue_to_detach, remaining, to_delete, to_replace


def records(blue: int, healthy: int, sick: int) -> list[VmRecord]:
    return (
        [VmRecord(f"blue-{n}", "", Color.BLUE, 1, VmStatus.RUNNING) for n in range(blue)]
        + [VmRecord(f"good-{n}", "", Color.GREEN, 1, VmStatus.HEALTHY) for n in range(healthy)]
        + [VmRecord(f"sick-{n}", "", Color.GREEN, 1, VmStatus.UNHEALTHY) for n in range(sick)]
    )


@pytest.mark.parametrize(
    ("blue", "green", "healthy", "sick", "detached"),
    [
        (2, 2, 2, 0, 2),
        (2, 2, 1, 1, 1),
        (2, 2, 1, 0, 1),  # one was never created
        (2, 1, 1, 0, 2),  # the set had one VM too many
        (2, 1, 0, 1, 1),
        (2, 2, 0, 2, 0),
        (1, 2, 2, 0, 1),
        (0, 1, 1, 0, 0),
    ],
)
def test_for_each_sick_green_vm_one_blue_stays(blue: int, green: int, healthy: int, sick: int, detached: int) -> None:
    assert len(blue_to_detach(records(blue, healthy, sick), Batch(1, blue, green))) == detached


def test_blue_vm_that_stays_is_one_that_serves() -> None:
    others = [
        VmRecord("idle", "", Color.BLUE, 1, VmStatus.RUNNING, idle=True),
        VmRecord("unjudged", "", Color.BLUE, 1, VmStatus.RUNNING, unjudged=True),
    ]
    rows = [*records(2, 2, 1), *others]
    for sick, leaving in ((1, ["idle", "unjudged", "blue-0"]), (2, ["idle", "unjudged"]), (3, ["idle"])):
        assert [record.vm_id for record in blue_to_detach(rows, Batch(1, 4, 2 + sick))] == leaving


def test_detached_blue_and_sick_green_are_deleted() -> None:
    rows = [*records(1, 1, 1), VmRecord("gone", "", Color.BLUE, 1, VmStatus.DETACHED)]
    assert [record.vm_id for record in to_delete(rows)] == ["sick-0", "gone"]


def test_vms_are_looked_up_by_vm_id_because_instance_ids_are_used_again() -> None:
    reused = Vm("new-id", "web_3", "3", ImageReference(), "Succeeded")
    leaving = Vm("old-id", "web_4", "4", ImageReference(), "Deleting")
    left = remaining(["blue-3", "old-id"], [reused, leaving])
    assert (left.ask, left.leaving, left.gone) == ((), (leaving,), False)
    assert remaining(["blue-3"], [reused]).gone


def test_where_sick_green_vms_are_tolerated_all_blue_go_and_the_sick_stay() -> None:
    rows = records(2, 1, 1)
    assert len(blue_to_detach(rows, Batch(1, 2, 2), tolerate=True)) == 2
    assert to_delete(rows, tolerate=True) == ()


def test_sick_green_vms_are_replaced_and_those_that_were_are_not_deleted_again() -> None:
    replaced = VmRecord("was-sick", "", Color.GREEN, 1, VmStatus.UNHEALTHY, replaced=True)
    rows = [*records(1, 1, 1), replaced]
    assert [record.vm_id for record in to_replace(rows)] == ["sick-0", "was-sick"]
    assert [record.vm_id for record in to_delete(rows)] == ["sick-0"]
