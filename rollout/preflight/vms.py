"""Check a scale set's VMs for the preflight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollout.model.azure.scale_set import OrchestrationMode, ScaleSet, Vm
from rollout.model.choices import VmPolicy
from rollout.model.findings import Finding, error, info, warning
from rollout.model.parameters import Parameters
from rollout.model.words import counted
from rollout.planning.batches import BatchPlan
from rollout.planning.plan import ATTACHED, PROTECTED, STOPPED, policies

#: Code, parameter and remedy of each kind of VM that needs somebody's decision.
KINDS = {
    PROTECTED: ("protectedVms", "az vmss update --protect-from-scale-set-actions false --instance-id …"),
    STOPPED: ("stoppedVms", "start or delete them"),
    ATTACHED: (
        "attachedVms",
        "detach or delete them: "
        "learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-attach-detach-vm",
    ),
}


def check_vms(
    scale_set: ScaleSet, vms: Sequence[Vm], parameters: Parameters, planned: BatchPlan | None
) -> Iterator[Finding]:
    """VMs that are not like the others, and what goes with those that go. ``planned`` ``None``: all VMs may go."""
    kept = {vm.vm_id for vm in planned.kept} if planned else set()
    standing = [vm for vm in vms if not vm.leaving]
    concerned = [vm for vm in standing if vm.vm_id not in kept]
    for words in KINDS:
        yield from _needing_decision(words, concerned, parameters)
    # What a Flexible set's capacity says may always have been another number: Azure keeps its VMs to none.
    if len(standing) != scale_set.capacity and scale_set.mode is OrchestrationMode.UNIFORM:
        yield error(
            "capacityMismatch",
            f"The set's capacity is {scale_set.capacity}, but it has {len(standing)} VMs",
            "Wait until the set has settled, or set its capacity to the number of VMs it is to have",
        )
    if planned:
        going = [vm for batch in planned.batches for vm in batch.blue]
        yield from _data_disks(going)
        yield from _left_behind(going)
    if planned and parameters.image is None and not parameters.force:
        yield from _models_unknown(standing)


def _needing_decision(words: str, vms: Sequence[Vm], parameters: Parameters) -> Iterator[Finding]:
    concerned = [vm for vm in vms if words in policies(vm, parameters)]
    decided = {_label(words, vm): policies(vm, parameters)[words] for vm in concerned}
    if not decided:
        return
    code, remedy = KINDS[words]
    found = f"{names(list(decided))} {'is' if len(decided) == 1 else 'are'} {words}"
    policy = next(iter(decided.values()))
    if policy is VmPolicy.REFUSE:
        yield error(code, found, f"Start with {code}: skip or replace, or {remedy}", code)
    elif policy is VmPolicy.SKIP:
        yield warning(code, f"{found}: left as they are", f"To have them replaced start with {code}: replace", code)
    else:
        yield warning(code, f"{found}: replaced like the others", f"To leave them start with {code}: skip", code)


def _label(words: str, vm: Vm) -> str:
    """The VM's name; of one that the set did not make also what gives it away."""
    return f"{vm.name} ({vm.foreign})" if words == ATTACHED else vm.name


def _data_disks(going: Sequence[Vm]) -> Iterator[Finding]:
    lost = [f"{vm.name} ({', '.join(vm.data_disks)})" for vm in going if vm.data_disks]
    if lost:
        yield warning(
            "dataDisksLost",
            f"Data disks are deleted with their VMs: {names(lost)}",
            "Take a snapshot of what is needed, or keep data where VMs can be replaced without it",
        )


def _left_behind(going: Sequence[Vm]) -> Iterator[Finding]:
    """What is detached and not deleted costs on, and takes addresses of the subnet."""
    disks, interfaces = sum(vm.left_disks for vm in going), sum(vm.left_interfaces for vm in going)
    parts = [
        *([counted(disks, "disk")] if disks else []),
        *([counted(interfaces, "network interface")] if interfaces else []),
    ]
    if parts:
        yield warning(
            "leftBehind",
            f"{' and '.join(parts)} of VMs that are deleted {'stays' if disks + interfaces == 1 else 'stay'} behind: "
            "their deleteOption is Detach",
            "Set deleteOption to Delete in the set's model and its VMs, or delete them yourself afterwards",
        )


def _models_unknown(vms: Sequence[Vm]) -> Iterator[Finding]:
    """The VM API says nothing of models, so VMs of a Flexible set are compared by image."""
    if any(vm.latest_model is None for vm in vms):
        yield info(
            "modelNotTold",
            "Azure does not tell which of the VMs run the set's present model: those with its image are taken to",
            "To replace all VMs start with force: true",
            "force",
        )


def names(found: Sequence[str]) -> str:
    """The first five, and how many more."""
    return ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
