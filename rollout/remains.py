"""What a deployment that did not finish leaves behind, in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rollout.deployment import VmRecord
from rollout.scale_set import Vm
from rollout.status import Color, VmStatus
from rollout.words import counted


def remains(vms: Iterable[Vm], records: Sequence[VmRecord]) -> str:
    """How many VMs stand, by their part in the deployment: ``stopped with 8 blue VMs, 4 green VMs; 2 out of traffic``.

    A VM that is rolled back counts as what it is now, blue (``VmRecord.moved_to``).
    """
    standing = {vm.vm_id for vm in vms if not vm.leaving}
    counting = [record for record in records if record.vm_id in standing and not record.moved_to]
    blue = sum(1 for record in counting if record.color is Color.BLUE)
    green = [record for record in counting if record.color is Color.GREEN]
    unjudged = sum(1 for record in green if record.status is not VmStatus.HEALTHY)
    detached = sum(1 for record in counting if record.status is VmStatus.DETACHED)
    said = f"stopped with {counted(blue, 'blue VM')} and {counted(len(green), 'green VM')}"
    notes = [f"{unjudged} green not judged healthy"] if unjudged else []
    notes += [f"{detached} blue out of traffic"] if detached else []
    return said + (f" ({', '.join(notes)})" if notes else "")
