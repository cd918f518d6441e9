"""Find limits, quotas and locks by which Azure would refuse in mid-deployment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollout.model.azure.scale_set import ImageReference, ScaleSet, Vm
from rollout.model.azure.surroundings import ManagementLock, Surroundings, Usage
from rollout.model.findings import Finding, error, info
from rollout.model.parameters import Parameters
from rollout.model.words import counted
from rollout.planning.batches import BatchPlan
from rollout.planning.plan import most_cores
from rollout.preflight.vms import names

#: https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-placement-groups
SCALE_SET_LIMIT = 1000
MANAGED_IMAGE_LIMIT = 600
SINGLE_PLACEMENT_GROUP_LIMIT = 100

#: What is said not to have been read where the list of sizes was not.
VM_SIZES = "VM sizes"

#: How many models the VMs of a set may run (https://github.com/kubernetes-sigs/cluster-api-provider-azure/issues/4958).
MODELS_LIMIT = 10


def check_size(scale_set: ScaleSet, planned: BatchPlan, parameters: Parameters) -> Iterator[Finding]:
    """Whether the set may hold the VMs that there are in the largest batch."""
    limit, holder = _limit(scale_set)
    standing = max(scale_set.capacity, planned.standing)
    if standing + planned.surge > limit:
        field = _field(planned, parameters)
        yield error(
            "surgeOverLimit",
            f"{standing} VMs and {planned.surge} green ones are {standing + planned.surge}; "
            f"{holder} holds {limit} at most",
            _room(scale_set, field, limit - standing),
            field,
        )


def _room(scale_set: ScaleSet, field: str, room: int) -> str:
    """How the largest batch comes to have room: a smaller batch is no way where there is none at all."""
    if room > 0:
        return f"Choose a {field} that launches at most {counted(room, 'VM')} at once"
    scale_in = f"Scale the set in by {counted(1 - room, 'VM')} or more"
    if scale_set.single_placement_group:
        return f"{scale_in}, or az vmss update --set singlePlacementGroup=false, which is for ever"
    return scale_in


def check_quota(
    scale_set: ScaleSet, planned: BatchPlan, parameters: Parameters, surroundings: Surroundings
) -> Iterator[Finding]:
    """Whether the subscription's quota holds the largest batch. Spot VMs have one of their own, for all families."""
    size = surroundings.size
    if size is None:
        yield from _exceeded(scale_set, planned, parameters, surroundings.usage("virtualMachines"), planned.surge, 1)
        return
    needed_regular, needed_spot = _by_priority(scale_set, planned, size.cores)
    for name, needed in (("cores", needed_regular), (size.family, needed_regular), ("lowPriorityCores", needed_spot)):
        yield from _exceeded(scale_set, planned, parameters, surroundings.usage(name), needed, size.cores)
    yield from _exceeded(scale_set, planned, parameters, surroundings.usage("virtualMachines"), planned.surge, 1)


def _by_priority(scale_set: ScaleSet, planned: BatchPlan, cores: int) -> tuple[int, int]:
    """How many more cores of regular and of Spot VMs there are at most.

    Of a mix, Azure launches what brings the set to the parts that its policy gives the VMs that there are.
    """
    needed = most_cores(planned, cores)
    if not scale_set.spot:
        return needed, 0
    regular = scale_set.priority_mix.regular
    more = (regular(planned.standing + needed // cores) - regular(planned.standing)) * cores
    return more, needed - more


def _exceeded(
    scale_set: ScaleSet, planned: BatchPlan, parameters: Parameters, usage: Usage | None, needed: int, for_each: int
) -> Iterator[Finding]:
    if usage is None or needed <= usage.left:
        return
    field, room = _field(planned, parameters), usage.left // for_each
    smaller = f", or choose a {field} that launches at most {counted(room, 'VM')} at once" if room else ""
    yield error(
        "quotaExceeded",
        f"The largest batch needs {needed} more of {usage.label} in {scale_set.location}; "
        f"{usage.used} of {usage.limit} are in use",
        f"Ask Azure for more quota{smaller or ', or free some of what is in use'}",
        field,
    )


def check_models(
    scale_set: ScaleSet, vms: Sequence[Vm], pinned: ImageReference, planned: BatchPlan
) -> Iterator[Finding]:
    """Whether the set may get one more model: VMs of so many images run at least so many."""
    images: list[ImageReference] = []
    for vm in vms:
        if not vm.leaving and not any(vm.image.matches(image) for image in images):
            images.append(vm.image)
    changes = scale_set.image is not None and not scale_set.image.matches(pinned)
    if planned.batches and changes and len(images) >= MODELS_LIMIT:
        yield error(
            "modelsExhausted",
            f"The VMs run {len(images)} images; Azure lets the VMs of a set run {MODELS_LIMIT} models at most",
            "Replace the VMs that run the oldest images first, with the set's present image",
        )


def check_locks(scale_set: ScaleSet, vms: Sequence[Vm], locks: Sequence[ManagementLock]) -> Iterator[Finding]:
    """Whether a lock of Resource Manager would keep VMs from being deleted, or the set from being changed."""
    holding = [lock for lock in locks if _concerns(lock, scale_set, vms)]
    if holding:
        found = [f"{lock.name} ({lock.level}) on {_last(lock.scope)}" for lock in holding]
        yield error(
            "deleteLocked",
            f"Locks keep VMs from being deleted: {names(found)}",
            "Take the locks off for the deployment: az lock delete --ids …",
        )


def check_size_known(scale_set: ScaleSet, surroundings: Surroundings) -> Iterator[Finding]:
    """Whether the VMs' size could be looked at; of a mix Azure chooses the sizes only when it launches."""
    if surroundings.size is not None or not surroundings.usages or surroundings.misses(VM_SIZES):
        return
    if scale_set.mixed_sizes:
        why = f"Azure launches VMs of {', '.join(scale_set.mixed_sizes)}, as it has room and prices are"
    else:
        why = f"Azure lists no size {scale_set.sku_name} in {scale_set.location}"
    yield info(
        "notChecked",
        f"{why}: neither the cores that the largest batch needs nor whether its image fits were checked",
        f"See that the quotas hold the largest batch: az vm list-usage --location {scale_set.location}",
    )


def check_unread(surroundings: Surroundings) -> Iterator[Finding]:
    """What the preflight could not look at."""
    for unread in surroundings.unread:
        yield info(
            "notChecked",
            f"{unread.what} could not be read: {unread.why}",
            f"Give the app's identity {unread.right}" if unread.right else "Look at them, or ask again later",
        )


def _limit(scale_set: ScaleSet) -> tuple[int, str]:
    if scale_set.single_placement_group:
        return SINGLE_PLACEMENT_GROUP_LIMIT, "a single placement group"
    if scale_set.image is not None and "/providers/microsoft.compute/images/" in (scale_set.image.id or "").lower():
        return MANAGED_IMAGE_LIMIT, "a scale set with a managed image"
    return SCALE_SET_LIMIT, "a scale set"


def _field(planned: BatchPlan, parameters: Parameters) -> str:
    """The parameter that makes the largest batch as large as it is."""
    largest = max(planned.batches, key=lambda batch: batch.green, default=None)
    if largest is not None and largest.canary:
        return "canary.size"
    return "batchSizePercentage" if parameters.batch_size is None else "batchSize"


def _concerns(lock: ManagementLock, scale_set: ScaleSet, vms: Sequence[Vm]) -> bool:
    """A lock holds for all below its scope. VMs of a Flexible set are resources beside it."""
    scope, own = f"{lock.scope.lower().rstrip('/')}/", f"{scale_set.id.lower()}/"
    if own.startswith(scope) or scope.startswith(own):
        return True
    group = own.partition("/virtualmachinescalesets/")[0]
    return any(scope.startswith(f"{group}/virtualmachines/{vm.name.lower()}/") for vm in vms)


def _last(scope: str) -> str:
    return scope.rstrip("/").rpartition("/")[2]
