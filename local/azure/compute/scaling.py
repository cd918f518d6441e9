"""Which instance ids and zones new VMs get, and which VMs a scale-in takes: pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from local.azure.arm.resources import VmInstance


def new_numbers(taken: Collection[int], next_number: int, *, reuse: bool) -> Iterator[int]:
    """Instance ids for new VMs: the lowest free ones, or ever higher ones from ``next_number`` on.

    https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-instance-ids: ids of deleted
    VMs may be given to new ones.
    """
    number = 0 if reuse else next_number
    while True:
        if number not in taken:
            yield number
        number += 1


def new_zones(zones: Sequence[str], vms: Collection[VmInstance]) -> Iterator[str | None]:
    """Zones for new VMs: each time the one with the fewest VMs, the first of equals."""
    count = Counter(vm.zone for vm in vms)
    while True:
        zone = min(zones, key=lambda name: count[name]) if zones else None
        count[zone] += 1
        yield zone


def scale_in(vms: Collection[VmInstance], count: int, rule: str) -> list[VmInstance]:
    """The VMs that Azure takes away: from the zone with the most VMs, there by the set's ``scaleInPolicy`` rule.

    ``Default`` takes the highest instance id, ``NewestVM`` and ``OldestVM`` what they say. Protected VMs stay, even if
    fewer than ``count`` can go. https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-scale-in-policy
    """
    left = [vm for vm in vms if not (vm.protection or {}).get("protectFromScaleIn")]
    in_zone = Counter(vm.zone for vm in left)
    chosen: list[VmInstance] = []
    while left and len(chosen) < count:
        most = max(in_zone.values())
        victim = max((vm for vm in left if in_zone[vm.zone] == most), key=lambda vm: _rank(vm, rule))
        left.remove(victim)
        in_zone[victim.zone] -= 1
        chosen.append(victim)
    return chosen


def _rank(vm: VmInstance, rule: str) -> tuple[float, int]:
    created = vm.created_at.timestamp()
    if rule == "OldestVM":
        return -created, -vm.number
    return created if rule == "NewestVM" else 0.0, vm.number
