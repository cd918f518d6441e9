"""Cores: how many a VM size has, how many are in use, and how many there may be.

https://learn.microsoft.com/azure/virtual-machines/quotas: limits hold per region, for all families and for each.
"""

from __future__ import annotations

import re
from collections import Counter

from local.azure.arm.errors import quota_exceeded
from local.azure.arm.messages import ArmRequest, Json
from local.azure.arm.resources import CloudState, ScaleSetResource
from local.azure.world import Quota

#: Standard_{family}{cores}[-{used cores}]{features}[_{version}]
_SIZE = re.compile(r"^(?:Standard|Basic)_([A-Z]+)(\d+)(?:-(\d+))?([a-z]*)(?:_(v\d+))?$", re.IGNORECASE)

#: The sizes whose number is not their cores: the D series of versions 1 and 2.
_D_SERIES = {1: 1, 2: 2, 3: 4, 4: 8, 5: 16, 11: 2, 12: 4, 13: 8, 14: 16, 15: 20}


def cores(size: str) -> int:
    """The cores of a VM size; 1 where its name does not tell.

    >>> cores("Standard_D2s_v5"), cores("Standard_DS3_v2"), cores("Standard_E16-4s_v5")
    (2, 4, 4)
    """
    match = _SIZE.match(size)
    if match is None:
        return 1
    letters, number, constrained, _, version = match.groups()
    if letters.upper() in ("D", "DS") and version in (None, "v2"):
        return _D_SERIES.get(int(number), int(number))
    return int(constrained or number)


def family(size: str) -> str:
    """The family that a VM size counts in.

    >>> family("Standard_D2s_v5"), family("Standard_DS3_v2")
    ('standardDSv5Family', 'standardDSv2Family')
    """
    match = _SIZE.match(size)
    if match is None:
        return f"{size}Family"
    letters, _, _, features, version = match.groups()
    return f"standard{letters.upper()}{features.upper()}{version or ''}Family"


def check_quota(state: CloudState, quota: Quota, scale_set: ScaleSetResource, size: str, more_vms: int) -> None:
    """Refuse a launch of VMs of a size that needs more cores than there are.

    :raises ArmError: 409, at the write and not in the operation, as Azure does.
    """
    required = more_vms * cores(size)
    if required <= 0:
        return
    used = cores_used(state, scale_set.location)
    name = family(size)
    for label, limit, usage in (
        ("Total Regional", quota.cores, sum(used.values())),
        (name, quota.families.get(name, quota.cores), used.get(name, 0)),
    ):
        if usage + required > limit:
            raise quota_exceeded(label, scale_set.location, limit, usage, required)


def cores_used(state: CloudState, location: str) -> dict[str, int]:
    """Cores in use in a region, by family; a deallocated VM uses none."""
    used: dict[str, int] = {}
    for scale_set in state.scale_sets.values():
        if scale_set.location != location:
            continue
        sizes = Counter(
            str(scale_set.sku_of(vm).get("name", ""))
            for vm in scale_set.instances.values()
            if vm.power != "deallocated"
        )
        # A set without VMs has its family in the list of usages too.
        for size in {*sizes, scale_set.size} - {""}:
            used[family(size)] = used.get(family(size), 0) + sizes[size] * cores(size)
    return used


def usages(state: CloudState, quota: Quota, location: str) -> Json:
    """The answer of ``GET …/locations/{location}/usages``."""
    used = cores_used(state, location)
    names = {**dict.fromkeys(used, quota.cores), **quota.families}
    items = [_usage("cores", "Total Regional vCPUs", sum(used.values()), quota.cores)]
    items += [_usage(name, f"{name} vCPUs", used.get(name, 0), limit) for name, limit in names.items()]
    vms = sum(len(scale_set.instances) for scale_set in state.scale_sets.values() if scale_set.location == location)
    items.append(_usage("virtualMachines", "Virtual Machines", vms, quota.virtual_machines))
    items.append(_usage("lowPriorityCores", "Total Regional Spot vCPUs", 0, quota.cores))
    return {"value": items}


def skus(state: CloudState, request: ArmRequest) -> Json:
    """The answer of ``GET …/skus``: some sizes, and those of the sets that there are.

    Without a filter by location each is in all regions that there are sets in.
    """
    asked = request.query.get("$filter", "").removeprefix("location eq ").strip("'")
    regions = [asked] if asked else sorted({scale_set.location for scale_set in state.scale_sets.values()})
    used = {scale_set.size for scale_set in state.scale_sets.values()}
    return {"value": [_sku(size, regions) for size in sorted({*_SIZES, *used} - {""})]}


#: What every region has, besides the sizes in use.
_SIZES = ("Standard_D2s_v5", "Standard_D4s_v5", "Standard_D8s_v5", "Standard_E16-4s_v5")


def is_arm(size: str) -> bool:
    """Whether a size has Arm processors: a "p" among its small letters
    (https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions).
    """
    return re.fullmatch(r"Standard_[A-Z]+[0-9]+[a-z]*p[a-z]*_v[0-9]+", size) is not None


def disk_controllers(size: str) -> str:
    """How disks can be attached to VMs of a size: https://learn.microsoft.com/azure/virtual-machines/nvme-overview.

    >>> disk_controllers("Standard_D2s_v6"), disk_controllers("Standard_E8bds_v5"), disk_controllers("Standard_D2s_v5")
    ('NVMe', 'SCSI, NVMe', 'SCSI')
    """
    if size.endswith("_v6"):
        return "NVMe"
    return "SCSI, NVMe" if re.fullmatch(r"Standard_E[0-9]+bd?s_v5", size) else "SCSI"


def _sku(size: str, regions: list[str]) -> Json:
    # Arm's and the sixth version of sizes are of generation 2 only:
    # https://learn.microsoft.com/azure/virtual-machines/generation-2
    arm = is_arm(size)
    told = {
        "vCPUs": cores(size),
        "vCPUsAvailable": cores(size),
        "HyperVGenerations": "V2" if arm or size.endswith("_v6") else "V1,V2",
        "CpuArchitectureType": "Arm64" if arm else "x64",
        "DiskControllerTypes": disk_controllers(size),
    }
    return {
        "resourceType": "virtualMachines",
        "name": size,
        "tier": "Standard",
        "size": size.removeprefix("Standard_"),
        "family": family(size),
        "locations": regions,
        "locationInfo": [{"location": region, "zones": ["1", "2", "3"], "zoneDetails": []} for region in regions],
        "capabilities": [{"name": name, "value": str(value)} for name, value in told.items()],
        "restrictions": [],
    }


def _usage(name: str, localized: str, current: int, limit: int) -> Json:
    text = {"value": name, "localizedValue": localized}
    return {"limit": limit, "unit": "Count", "currentValue": current, "name": text}
