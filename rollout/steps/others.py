"""VMs that others made while a deployment runs: they are shown beside its own, and decide nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from rollout.model.azure.health import VmHealth, observe
from rollout.model.azure.scale_set import Vm
from rollout.model.rows.deployment import GONE, Batch, Deployment, Intent, IntentKind, VmRecord
from rollout.model.status import Phase, VmStatus
from rollout.steps.known import trouble_of


def without_doubles(records: Iterable[VmRecord]) -> list[VmRecord]:
    """The rows without those of VMs of others that have a part by now: a launch took them for its own, or the end."""
    found = list(records)
    own = {record.vm_id for record in found if record.color is not None}
    return [record for record in found if record.color is not None or record.vm_id not in own]


def may_be_own(row: Deployment, batch: Batch | None, intents: Iterable[Intent], records: Iterable[VmRecord]) -> bool:
    """Whether a VM without a part may be the deployment's all the same, or is no news of its time.

    So it is before the plan and after the end, and from the moment in which a launch is asked for until what it brought
    has rows: ``launched_at`` of the batch, or of the VM that takes a lost one's place.
    """
    if row.number_of_batches == 0 or row.status.ended:
        return True
    asked = [one.at for one in intents if one.kind is IntentKind.LAUNCH]
    if batch is None or not asked or (batch.phase.reached(Phase.HEALTHY) and batch.phase is not Phase.FAILED):
        return False
    brought = [batch.launched_at, *(one.launched_at for one in records if one.batch == batch.number)]
    return all(at is None or at < max(asked) for at in brought)


def others_now(
    records: Sequence[VmRecord], vms: Mapping[str, Vm], came: Iterable[Vm], at: datetime
) -> tuple[VmRecord, ...]:
    """The rows that say something new: of VMs of others that are known, and of those that ``came``.

    One that is being deleted is not told of before it is gone.
    """
    found = [_record(vm, at) for vm in came]
    for record in without_doubles(records):
        vm = vms.get(record.vm_id)
        if record.color is not None or (vm is not None and vm.leaving):
            continue
        now = _record(vm, at) if vm is not None else replace(record, trouble=GONE, trouble_at=at, updated_at=at)
        if (now.status, now.reason, now.trouble) != (record.status, record.reason, record.trouble):
            found.append(now)
    return tuple(found)


def _record(vm: Vm, at: datetime) -> VmRecord:
    (state,) = observe(vm, ())
    made = VmStatus.PENDING if state.health is VmHealth.WAITING else VmStatus.RUNNING
    reason = f"Made by others, from {vm.image.label}"
    return VmRecord(
        vm.vm_id, vm.name, None, 0, made, reason, vm.zone, updated_at=at, trouble=trouble_of(vm), trouble_at=at
    )
