"""Batches: how many, how large, and which blue VMs each takes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rollout.model.azure.scale_set import Vm


def number_of_batches(vms: int, batch_size_percentage: int, batch_size: int | None = None) -> int:
    """``ceil(100 / batch_size_percentage)``, and at most one batch a VM; or as few as hold ``batch_size`` at most.

    >>> number_of_batches(50, 20), number_of_batches(10, 30), number_of_batches(3, 25), number_of_batches(5, 100)
    (5, 4, 3, 1)
    >>> number_of_batches(10, 20, batch_size=4), number_of_batches(3, 20, batch_size=10)
    (3, 1)
    """
    if batch_size is not None:
        return math.ceil(vms / batch_size)
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
    canary: bool = False


@dataclass(frozen=True)
class BatchPlan:
    """What a deployment will do. ``kept`` already run the image and are healthy, so they stay; ``skipped`` are left as
    they are, because the request says so. ``idle``: by ``vm_id``, those of the batches that serve nobody.
    """

    target_size: int
    kept: tuple[Vm, ...]
    batches: tuple[PlannedBatch, ...]
    skipped: tuple[Vm, ...] = ()
    idle: frozenset[str] = frozenset()

    @property
    def blue(self) -> int:
        """How many VMs go."""
        return sum(len(batch.blue) for batch in self.batches)

    @property
    def green(self) -> int:
        """How many VMs come."""
        return sum(batch.green for batch in self.batches)

    @property
    def standing(self) -> int:
        """How many VMs there are before."""
        return self.blue + len(self.kept) + len(self.skipped)

    @property
    def surge(self) -> int:
        """How many VMs there are at most above those before: where as many come as go, the largest batch."""
        above, most = 0, 0
        for batch in self.batches:
            most = max(most, above + batch.green)
            above += batch.green - len(batch.blue)
        return most


def plan(
    blue: Sequence[Vm],
    kept: Sequence[Vm],
    target_size: int,
    batch_size_percentage: int,
    idle: Sequence[Vm] = (),
    *,
    batch_size: int | None = None,
    canary: int = 0,
    skipped: Sequence[Vm] = (),
) -> BatchPlan:
    """Deal the blue VMs and the green ones that are needed out to batches.

    Usually as many come as go. After an unfinished deployment the set may hold more VMs than it is to have (its surge):
    then fewer come than go, and the set ends at ``target_size``. 10 blue, 2 kept, target 10, 20 %: five batches in each
    of which 2 go; 2, 2, 2, 1 and 1 come.

    ``canary``: so many VMs go, and come, in a first batch; the rest is dealt out as if they were all. 10 blue, canary
    1, 20 %: 1, then 2, 2, 2, 2 and 1.

    The blue VMs that do not serve, ``idle``, go first: where more go than come, those that serve stay until there are
    as many green ones.
    """
    green = max(0, target_size - len(kept) - len(skipped))
    first = {vm.vm_id for vm in idle}
    ordered = (*across_zones(idle), *across_zones([vm for vm in blue if vm.vm_id not in first]))
    alone = (min(canary, len(blue)), min(canary, green))
    shares = [alone] if any(alone) else []
    going, coming = len(blue) - alone[0], green - alone[1]
    batches = number_of_batches(max(going, coming), batch_size_percentage, batch_size)
    shares += zip(batch_sizes(going, batches), batch_sizes(coming, batches), strict=True)
    planned: list[PlannedBatch] = []
    taken = 0
    for number, (leave, arrive) in enumerate(shares, start=1):
        is_canary = any(alone) and number == 1
        planned.append(PlannedBatch(number, ordered[taken : taken + leave], arrive, is_canary))
        taken += leave
    return BatchPlan(target_size, tuple(kept), tuple(planned), tuple(skipped), frozenset(first))
