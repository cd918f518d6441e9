"""News of the VMs that a deployment knows, from one look at the set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rollout.model.azure.health import VmHealth, observe
from rollout.model.azure.scale_set import Vm
from rollout.model.choices import HealthCheckType
from rollout.model.events import EventType
from rollout.model.rows.deployment import GONE, VmRecord
from rollout.model.status import Color, VmStatus
from rollout.model.words import counted
from rollout.steps.retirement import DELETED

#: How many VMs an event names.
NAMES_MAX = 10


@dataclass(frozen=True)
class News:
    """A fact that a look found, to be written into the history by the recipe that looked."""

    type: EventType
    message: str
    vms: tuple[str, ...]


def trouble_of(vm: Vm | None) -> str:
    """Why the VM serves nobody, whatever its application says; empty where it is made or runs.

    >>> trouble_of(None)
    'gone'
    """
    if vm is None:
        return GONE
    (state,) = observe(vm, ())
    return state.detail if state.health is VmHealth.UNHEALTHY else ""


def shown(record: VmRecord) -> tuple[VmStatus, str]:
    """The status and the reason that people see: what the set's list says of the VM goes before its part."""
    if record.reason == DELETED:
        return VmStatus.DELETED, record.reason
    if record.trouble == GONE:
        return VmStatus.DELETED, "Gone: this deployment did not delete it"
    if record.trouble and record.status is not VmStatus.DETACHED:
        return VmStatus.UNHEALTHY, f"{HealthCheckType.VM_STATE}: {record.trouble}"
    return record.status, record.reason


def seen_now(records: Iterable[VmRecord], vms: Iterable[Vm], at: datetime) -> tuple[VmRecord, ...]:
    """The rows of which the look says something new, saying so; with the same ``at`` again, those of that look too.

    A VM that is being deleted is not told of before it is gone.
    """
    present = {vm.vm_id: vm for vm in vms}
    found = []
    for record in records:
        vm = present.get(record.vm_id)
        if record.reason == DELETED or record.moved_to or (vm is not None and vm.leaving):
            continue
        trouble = trouble_of(vm)
        if trouble != record.trouble:
            found.append(replace(record, trouble=trouble, trouble_at=at, updated_at=at))
        elif record.trouble_at == at:
            found.append(record)
    return tuple(found)


def to_tell(records: Sequence[VmRecord], batch: int) -> tuple[News, ...]:
    """What of that nobody meant: not what happens to VMs on their way out, nor to those that are being judged."""
    unmeant = [record for record in records if record.trouble and not _is_meant(record, batch)]
    gone = [record for record in unmeant if record.trouble == GONE]
    down = [record for record in unmeant if record.trouble != GONE]
    found = [(EventType.VMS_GONE, gone, "gone"), (EventType.VMS_FAILED, down, "down")]
    return tuple(_news(kind, which, words) for kind, which, words in found if which)


def _is_meant(record: VmRecord, batch: int) -> bool:
    green = record.color is Color.GREEN
    leaves = record.status is VmStatus.DETACHED or (green and record.status is VmStatus.UNHEALTHY)
    return leaves or record.replaced or (green and record.batch == batch)


def _news(kind: EventType, records: Sequence[VmRecord], words: str) -> News:
    named = [_named(record) for record in records]
    more = f" and {len(named) - NAMES_MAX} more" if len(named) > NAMES_MAX else ""
    by_color = [(color, sum(1 for record in records if record.color is color)) for color in Color]
    who = " and ".join(counted(number, f"{color} VM") for color, number in by_color if number)
    is_ = "is" if len(records) == 1 else "are"
    message = f"{who} {is_} {words}: {', '.join(named[:NAMES_MAX])}{more}"
    return News(kind, message, tuple(record.vm_id for record in records[:NAMES_MAX]))


def _named(record: VmRecord) -> str:
    return record.name if record.trouble == GONE else f"{record.name} ({record.trouble})"
