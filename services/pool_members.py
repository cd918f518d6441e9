"""Who of a scale set's VMs gets traffic."""

from __future__ import annotations

from collections.abc import Sequence

from rollout.model.azure.pools import Membership, gets_traffic
from rollout.model.azure.scale_set import ScaleSet, Vm
from rollout.ports.ports import Ports


async def members_of(ports: Ports, scale_set: ScaleSet | None, vms: Sequence[Vm]) -> dict[str, Membership]:
    """The pools that each of these VMs is in, by ``vm_id``; nothing is asked where the set has none."""
    if scale_set is None or not scale_set.backend_pools or not vms:
        return {}
    return {member.vm_id: member for member in await ports.traffic.read(scale_set, vms)}


async def out_of_traffic(ports: Ports, scale_set: ScaleSet, vms: Sequence[Vm]) -> frozenset[str]:
    """The ids of those of these VMs that are not in every pool of the set, or Down in one."""
    members = await members_of(ports, scale_set, vms)
    return frozenset(vm.vm_id for vm in vms if not gets_traffic(members.get(vm.vm_id), scale_set.backend_pools))
