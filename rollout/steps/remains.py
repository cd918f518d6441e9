"""Remains of an unfinished deployment, and what it had changed, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rollout.model.azure.scale_set import Vm
from rollout.model.rows.deployment import Deployment, Intent, IntentKind, VmRecord
from rollout.model.rows.lock import Lock
from rollout.model.status import Color, VmStatus
from rollout.model.words import counted
from rollout.steps.retirement import DELETED


def remains(vms: Iterable[Vm], records: Sequence[VmRecord]) -> str:
    """How many VMs stand, by their part in the deployment: ``stopped with 8 blue VMs, 4 green VMs; 2 out of traffic``.

    A VM that is rolled back counts as what it is now, blue (``VmRecord.moved_to``).
    """
    standing = {vm.vm_id for vm in vms if not vm.leaving}
    counting = [record for record in records if record.vm_id in standing and not record.moved_to]
    blue = sum(1 for record in counting if record.color is Color.BLUE)
    green = [record for record in counting if record.color is Color.GREEN]
    unjudged = sum(1 for record in green if not record.is_good)
    detached = sum(1 for record in counting if record.status is VmStatus.DETACHED)
    said = f"stopped with {counted(blue, 'blue VM')} and {counted(len(green), 'green VM')}"
    notes = [f"{unjudged} green not judged healthy"] if unjudged else []
    notes += [f"{detached} blue out of traffic"] if detached else []
    return said + (f" ({', '.join(notes)})" if notes else "")


def without_lock(
    deployment: Deployment, lock: Lock | None, records: Sequence[VmRecord], intents: Sequence[Intent]
) -> str:
    """Who has the scale set now, and what the deployment had changed of it, by its own rows."""
    owner = lock.owner if lock is not None else ""
    told = f"deployment {owner} has the scale set now" if owner else "the scale set's lock was lost"
    if owner == deployment.id:
        told = "the scale set's lock could not be renewed"
    return f"{told}; changed before and left so: {_changed(deployment, records, intents)}"


def _changed(deployment: Deployment, records: Sequence[VmRecord], intents: Sequence[Intent]) -> str:
    kinds = {intent.kind for intent in intents}
    launched = {one.vm_id for one in records if one.color is Color.GREEN and one.batch}
    deleted = {one.vm_id for one in records if one.batch and one.reason == DELETED and not one.moved_to}
    detached = {one.vm_id for one in records if one.batch and one.status is VmStatus.DETACHED and not one.moved_to}
    under_way = any(
        intent.kind is IntentKind.LAUNCH and not any(_is_of(one, intent.batch) for one in records) for intent in intents
    )
    said = [f"image {deployment.image.pinned.label} in the model"] if IntentKind.IMAGE in kinds else []
    said += [f"{counted(len(launched), 'VM')} launched"] if launched else []
    said += ["a launch under way"] if under_way else []
    said += [f"{counted(len(detached - deleted), 'VM')} out of traffic"] if detached - deleted else []
    said += [f"{counted(len(deleted), 'VM')} deleted"] if deleted else []
    return ", ".join(said) or "what was held of it"


def _is_of(record: VmRecord, batch: int) -> bool:
    return record.color is Color.GREEN and record.batch == batch
