"""Which VMs of a scale set are its own: made by it, so that it can make their like. Others were attached by somebody.

Only a Flexible set has VMs that it did not make. It names its own ``{set}_{8 characters of a GUID}``
(https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-instance-ids), but anybody may
name a VM so, hence what speaks against it counts too. What Azure leaves out says nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from rollout.model.azure.scale_set import ImageReference, OrchestrationMode, ScaleSet, Vm, VmList


@dataclass(frozen=True)
class Ownership:
    """Whether the set made the VM, and why that is said."""

    own: bool
    reason: str


def ownership(scale_set: ScaleSet, vm: Vm) -> Ownership:
    """Whether the set made the VM: its name, its image, its computer name and its age, in this order."""
    if scale_set.mode is OrchestrationMode.UNIFORM:
        return Ownership(True, "a Uniform set makes all its VMs")
    if not re.fullmatch(re.escape(scale_set.name) + "_[0-9a-f]{8}", vm.name, re.IGNORECASE):
        return Ownership(False, f"its name is not {scale_set.name}_ and eight hexadecimal digits")
    if vm.image == ImageReference():
        return Ownership(False, "it was made from a disk, not from an image")
    prefix = scale_set.computer_name_prefix
    if prefix and vm.computer_name and not vm.computer_name.lower().startswith(prefix.lower()):
        return Ownership(False, f"its computer name {vm.computer_name} does not begin with {prefix}")
    if scale_set.created_at and vm.created_at and vm.created_at < scale_set.created_at:
        return Ownership(False, "it is older than the set")
    return Ownership(True, "it is named like those that the set makes, and nothing speaks against it")


def told_apart(scale_set: ScaleSet, listed: VmList) -> VmList:
    """The VMs, each with the reason for which it is ``foreign``."""
    judged = [(vm, ownership(scale_set, vm)) for vm in listed.vms]
    return replace(listed, vms=tuple(vm if owner.own else replace(vm, foreign=owner.reason) for vm, owner in judged))
