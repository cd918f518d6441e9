"""Plan a deployment from one reading of the set: which VMs go, and its needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from rollout.model.azure.health import serves
from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.choices import AFTER_CANARY, EVERY_BATCH, VmPolicy
from rollout.model.parameters import Parameters
from rollout.model.threshold import Threshold
from rollout.planning.batches import BatchPlan, plan
from rollout.planning.inheritance import Chain, surplus

#: The kinds of VMs that need somebody's decision, and the words for each.
PROTECTED = "protected from scale-set actions"
STOPPED = "stopped"
ATTACHED = "attached, not made by the scale set"


def policies(vm: Vm, parameters: Parameters) -> dict[str, VmPolicy]:
    """What is to become of the VM, by why it needs a decision; empty for a VM like any other."""
    found = (
        (PROTECTED, vm.protected, parameters.protected_vms),
        (STOPPED, vm.stopped, parameters.stopped_vms),
        (ATTACHED, bool(vm.foreign), parameters.attached_vms),
    )
    return {words: policy for words, needs_decision, policy in found if needs_decision}


def is_skipped(vm: Vm, parameters: Parameters) -> bool:
    """Whether the VM is left as it is. One that is both, and is to be replaced for the other reason, is left too."""
    return VmPolicy.SKIP in policies(vm, parameters).values()


def is_current(vm: Vm, parameters: Parameters, pinned: ImageReference) -> bool:
    """Whether the VM is what the deployment would make. Where no image was named, the whole model counts, as far as
    Azure tells which VMs run it.
    """
    return vm.image.matches(pinned) and (parameters.image is not None or vm.latest_model is not False)


def serving_vms(vms: Iterable[Vm], aside: Collection[str], parameters: Parameters) -> frozenset[str]:
    """The ids of the VMs that serve. VMs ``aside`` are out of their pools: they serve nobody, whatever their health."""
    sources = parameters.health_check_types
    return frozenset(vm.vm_id for vm in vms if not vm.leaving and vm.vm_id not in aside and serves(vm, sources))


def make_plan(
    parameters: Parameters,
    pinned: ImageReference,
    vms: Sequence[Vm],
    aside: Collection[str],
    target_size: int = 0,
    chain: Chain | None = None,
) -> BatchPlan:
    """Which VMs stay, which are skipped, and which go in which batch.

    The target size is the number of VMs that the set has, unless an unfinished deployment left it another. That is a
    Uniform set's capacity, or the preflight refuses. A Flexible set's may be another number: Azure does not make up for
    VMs that were deleted one by one, and Teal does not either. Skipped VMs count.

    ``chain``: what unfinished deployments launched. Of that nothing is kept that nobody judged, nor what is too many.
    """
    chain = chain or Chain()
    standing = [vm for vm in vms if not vm.leaving]
    size = target_size or len(standing)
    serving = serving_vms(standing, aside, parameters)
    skips = {vm.vm_id for vm in standing if is_skipped(vm, parameters)}
    good = [
        vm
        for vm in standing
        if vm.vm_id in serving and vm.vm_id not in chain.unjudged and is_current(vm, parameters, pinned)
    ]
    candidates = [] if parameters.force else good
    others = len(skips - {vm.vm_id for vm in candidates})
    too_many = surplus(candidates, others, size, chain, skips)
    kept = [vm for vm in candidates if vm.vm_id not in too_many]
    stays = {vm.vm_id for vm in kept}
    left = [vm for vm in standing if vm.vm_id not in stays]
    skipped = [vm for vm in left if vm.vm_id in skips]
    blue = [vm for vm in left if vm.vm_id not in skips]
    return plan(
        blue,
        kept,
        size,
        parameters.batch_size_percentage,
        [vm for vm in blue if vm.vm_id not in serving],
        batch_size=parameters.batch_size,
        canary=parameters.canary.size if parameters.canary else 0,
        skipped=skipped,
    )


def approvals(parameters: Parameters) -> tuple[int, ...]:
    """The numbers of the batches after which somebody must approve, besides ``everyBatch``.

    Without a canary ``afterCanary`` means the first batch.
    """
    first = parameters.approvals == AFTER_CANARY or (parameters.canary is not None and parameters.canary.approval)
    return tuple(sorted({*([1] if first else []), *parameters.approval_batches}))


def approves_every(parameters: Parameters) -> bool:
    """Whether somebody must approve after every batch but the last."""
    return parameters.approvals == EVERY_BATCH


def most_cores(planned: BatchPlan, cores: int) -> int:
    """How many more cores than now are in use at most; a deallocated VM frees none when it goes."""
    above, most = 0, 0
    for batch in planned.batches:
        most = max(most, above + batch.green * cores)
        freed = sum(1 for vm in batch.blue if vm.power_state != "deallocated")
        above += (batch.green - freed) * cores
    return most


def serving_floor(planned: BatchPlan, parameters: Parameters, serving: Collection[str]) -> int:
    """As few VMs serve at any time as this, and no fewer: as many as now, or as there are to be in the end.

    Where unhealthy green VMs are tolerated, as many fewer as may be sick in batches that pass.
    """
    floor = min(len(serving), planned.target_size)
    if not parameters.tolerate_unhealthy:
        return floor
    stays = sum(1 for vm in (*planned.kept, *planned.skipped) if vm.vm_id in serving)
    threshold = Threshold.of(parameters)
    sick = sum(threshold.sick_allowed(batch.green) for batch in planned.batches)
    return min(floor, stays + planned.green - sick)
