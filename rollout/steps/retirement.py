"""Which VMs leave at the end of a batch, and what is still to be done about those that should."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rollout.model.azure.scale_set import Vm
from rollout.model.rows.deployment import Batch, VmRecord
from rollout.model.status import Color, VmStatus

#: What the row of a VM says from when it was seen to be gone.
DELETED = "Deleted"


def blue_to_detach(records: Sequence[VmRecord], batch: Batch, tolerate: bool = False) -> tuple[VmRecord, ...]:
    """The batch's blue VMs that its healthy green ones replace: for each sick green one, one blue VM stays.

    Two go and two came, one of them sick: one goes. Two go and one came (the set had a VM too many): both go. Where
    sick green VMs are tolerated, all go. Those that stay are to serve: VMs that served nobody when the batch was
    planned go first, then those that nobody judged.
    """
    blue = [record for record in records if record.color is Color.BLUE]
    if tolerate:
        return tuple(blue)
    green = [record for record in records if record.color is Color.GREEN]
    healthy = sum(1 for record in green if record.is_good)
    sick = max(0, batch.green - healthy)
    first = sorted(blue, key=lambda record: (not record.idle, not record.unjudged))
    return tuple(first[: max(0, len(blue) - sick)])


def to_delete(records: Sequence[VmRecord], tolerate: bool = False) -> tuple[VmRecord, ...]:
    """The VMs of a judged batch that leave: detached blue ones, and sick green ones unless those are tolerated.

    And those that others took the places of, where nobody saw yet that they are gone.
    """
    sick = sick_ones(records, tolerate)
    return tuple(
        record
        for record in records
        if (record.color is Color.BLUE and record.status is VmStatus.DETACHED)
        or record in sick
        or (record.replaced and (record.unmade or record.relaunched_at) and record.reason != DELETED)
    )


def sick_ones(records: Iterable[VmRecord], tolerate: bool = False) -> tuple[VmRecord, ...]:
    """The sick green VMs of a judged batch, which leave unless they are tolerated."""
    return tuple(one for one in records if one.color is Color.GREEN and _is_sick(one) and not tolerate)


def in_place(records: Iterable[VmRecord]) -> int:
    """How many of these are green VMs whose places nobody else has taken: what the deployment counts as green."""
    return sum(1 for record in records if record.color is Color.GREEN and not record.replaced)


def to_replace(records: Iterable[VmRecord]) -> tuple[VmRecord, ...]:
    """The sick green VMs whose places others are to take, those that were chosen before included.

    A place is asked for again once: not so where that was done before the verdict.
    """
    return tuple(
        record
        for record in records
        if record.color is Color.GREEN
        and not record.unmade
        and record.relaunched_at is None
        and (record.replaced or (_is_sick(record) and record.launched_at is None))
    )


def _is_sick(record: VmRecord) -> bool:
    return record.status is VmStatus.UNHEALTHY and not record.replaced


def gone(records: Iterable[VmRecord], vms: Iterable[Vm], at: datetime) -> tuple[VmRecord, ...]:
    """The rows of VMs that are gone and do not say so yet, saying so."""
    present = {vm.vm_id for vm in vms if not vm.leaving}
    left = (record for record in records if record.vm_id not in present and record.reason != DELETED)
    return tuple(replace(record, reason=DELETED, updated_at=at) for record in left)


def unless_deleted(row: VmRecord, record: VmRecord) -> VmRecord:
    """The record in place of the row, unless the row says that the VM was deleted: that is final."""
    return row if row.reason == DELETED else record


@dataclass(frozen=True)
class Remaining:
    """What is left of the VMs that are to be deleted: to ``ask`` for, and ``leaving`` already. None: all are gone."""

    ask: tuple[Vm, ...]
    leaving: tuple[Vm, ...]

    @property
    def gone(self) -> bool:
        """Whether none of them exists any more."""
        return not self.ask and not self.leaving


def remaining(vm_ids: Iterable[str], vms: Iterable[Vm]) -> Remaining:
    """Look the VMs up by ``vm_id``: instance ids and names are used again, and gone VMs count as done."""
    wanted = set(vm_ids)
    present = [vm for vm in vms if vm.vm_id in wanted]
    return Remaining(tuple(vm for vm in present if not vm.leaving), tuple(vm for vm in present if vm.leaving))
