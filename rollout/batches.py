"""Batches: how many, how large, and which blue VMs each takes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rollout.scale_set import Vm


def number_of_batches(vms: int, batch_size_percentage: int) -> int:
    """``ceil(100 / batch_size_percentage)``, and at most one batch a VM.

    >>> number_of_batches(50, 20), number_of_batches(10, 30), number_of_batches(3, 25), number_of_batches(5, 100)
    (5, 4, 3, 1)
    """
    return min(vms, math.ceil(100 / batch_size_percentage))


def batch_sizes(vms: int, batches: int) -> tuple[int, ...]:
    """``vms`` dealt out to ``batches``: sizes differ by at most one, the larger come first.

    >>> batch_sizes(50, 5)
    (10, 10, 10, 10, 10)
    >>> batch_sizes(10, 4)
    (3, 3, 2, 2)
    >>> batch_sizes(7, 2)
    (4, 3)
    >>> batch_sizes(1, 2)
    (1, 0)
    """
    size, larger = divmod(vms, batches) if batches else (0, 0)
    return tuple(size + 1 if number < larger else size for number in range(batches))


def largest_surge(vms: int, batch_size_percentage: int) -> int:
    """How many VMs there are at most above the present ones: the largest batch.

    >>> largest_surge(10, 30)
    3
    """
    return max(batch_sizes(vms, number_of_batches(vms, batch_size_percentage)), default=0)


def across_zones(vms: Sequence[Vm]) -> tuple[Vm, ...]:
    """The VMs in such an order that every run of them holds the zones in proportion.

    The k-th of a zone's n VMs is put at the place (k + ½) / n of the whole. Six VMs in zone 1 and three in zone 2 come
    as 1 2 1 1 2 1 1 2 1: each third has two of zone 1 and one of zone 2, so that a batch neither empties a zone nor
    makes Azure's balancing undo it.
    """
    by_zone: dict[str, list[Vm]] = defaultdict(list)
    for vm in sorted(vms, key=lambda vm: (vm.zone or "", vm.name, vm.vm_id)):
        by_zone[vm.zone or ""].append(vm)
    placed = [
        ((place + 0.5) / len(members), zone, vm)
        for zone, members in by_zone.items()
        for place, vm in enumerate(members)
    ]
    return tuple(vm for _, _, vm in sorted(placed, key=lambda item: item[:2]))


@dataclass(frozen=True)
class PlannedBatch:
    """One batch: the blue VMs that go, and how many green VMs come for them. ``number`` is 1-based."""

    number: int
    blue: tuple[Vm, ...]
    green: int


@dataclass(frozen=True)
class Plan:
    """What a deployment will do. ``kept`` already run the image and are healthy, so they stay."""

    target_size: int
    kept: tuple[Vm, ...]
    batches: tuple[PlannedBatch, ...]

    @property
    def blue(self) -> int:
        """How many VMs go."""
        return sum(len(batch.blue) for batch in self.batches)

    @property
    def green(self) -> int:
        """How many VMs come."""
        return sum(batch.green for batch in self.batches)


def plan(
    blue: Sequence[Vm], kept: Sequence[Vm], target_size: int, batch_size_percentage: int, idle: Sequence[Vm] = ()
) -> Plan:
    """Deal the blue VMs and the green ones that are needed out to batches.

    Usually as many come as go. After an unfinished deployment the set may hold more VMs than it is to have (its surge):
    then fewer come than go, and the set ends at ``target_size``. 10 blue, 2 kept, target 10, 20 %: five batches in each
    of which 2 go; 2, 2, 2, 1 and 1 come.

    The blue VMs that do not serve, ``idle``, go first: where more go than come, those that serve stay until there are
    as many green ones.
    """
    green = max(0, target_size - len(kept))
    batches = number_of_batches(max(len(blue), green), batch_size_percentage)
    first = {vm.vm_id for vm in idle}
    ordered = (*across_zones(idle), *across_zones([vm for vm in blue if vm.vm_id not in first]))
    planned: list[PlannedBatch] = []
    taken = 0
    for number, (going, coming) in enumerate(
        zip(batch_sizes(len(blue), batches), batch_sizes(green, batches), strict=True), start=1
    ):
        planned.append(PlannedBatch(number, ordered[taken : taken + going], coming))
        taken += going
    return Plan(target_size, tuple(kept), tuple(planned))
