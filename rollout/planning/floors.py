"""How many VMs serve before a deployment, and how few while each of its batches is replaced."""

from __future__ import annotations

from collections.abc import Collection

from rollout.model.parameters import Parameters
from rollout.model.serving import Serving
from rollout.model.threshold import Threshold
from rollout.planning.batches import BatchPlan, PlannedBatch


def serving_at_start(planned: BatchPlan, serving: Collection[str]) -> Serving:
    """Before anything is changed. Skipped VMs count as of the image before."""
    kept = sum(1 for vm in planned.kept if vm.vm_id in serving)
    going = [vm for batch in planned.batches for vm in batch.blue]
    others = sum(1 for vm in (*going, *planned.skipped) if vm.vm_id in serving)
    return Serving(others, kept, sum(1 for vm in going if vm.vm_id not in serving))


def floors(planned: BatchPlan, parameters: Parameters, serving: Collection[str]) -> tuple[int, ...]:
    """Of each batch, how few VMs serve while it is replaced, and no fewer: as many as before it, or as after it.

    Where unhealthy green VMs are tolerated, as many fewer as may be sick. Else a blue VM stays for each.
    """
    total, found = len(serving), []
    for batch in planned.batches:
        after = total - _served(batch, serving) + _served_by(batch, parameters)
        found.append(max(0, min(total, after)))
        total = after
    return tuple(found)


def _served(batch: PlannedBatch, serving: Collection[str]) -> int:
    return sum(1 for vm in batch.blue if vm.vm_id in serving)


def _served_by(batch: PlannedBatch, parameters: Parameters) -> int:
    sick = Threshold.of(parameters).sick_allowed(batch.green) if parameters.tolerate_unhealthy else 0
    return batch.green - sick
