"""How a look at many VMs is dealt out to parts, which are read side by side.

A part is a number. It stands for a range of the VMs in the order of their ids, so each part finds its own in the rows,
and no list of VMs passes through an orchestration.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from rollout.model.order import IN_PARTS, SETBACK, Order, PartOrder, Parts, Progress, StepState
from rollout.model.rows.deployment import VmRecord
from rollout.model.rows.health_part import HealthPart

T = TypeVar("T")

#: More parts would make an orchestration's history of one look longer than half of what it may have.
MOST_PARTS = 20

#: Views that come out of Resource Manager's full bucket of 250 reads, and how many it gives back a second
#: (https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling).
VIEWS_AT_ONCE = 200
VIEWS_PER_SECOND = 25

#: What was read longer ago than this is no part of a look any more: its parts are read anew.
ROUND_MAX = timedelta(minutes=2)


def part_size(vms: int, asked_for: int) -> int:
    """How many VMs each part has: as asked for, or more where there would be too many parts.

    >>> part_size(90, 100), part_size(1000, 100), part_size(1000, 10)
    (100, 100, 50)
    """
    return max(1, asked_for, -(-vms // MOST_PARTS))


def part_of(records: Sequence[VmRecord], part: PartOrder) -> Sequence[VmRecord]:
    """The VMs that a part stands for; none where there are fewer than when it was asked for."""
    start = part.number * part.size
    return _in_order(records)[start : start + part.size]


def numbers_of(records: Sequence[VmRecord], wanted: Collection[str], size: int) -> tuple[int, ...]:
    """The parts that have any of the ``wanted`` VMs."""
    ordered = _in_order(records)
    return tuple(sorted({place // size for place, record in enumerate(ordered) if record.vm_id in wanted}))


def health_parts(activity: str, numbers: tuple[int, ...], size: int, since: datetime | None = None) -> Parts:
    """Parts that read a view of each VM, as many at a time as Azure's bucket holds, and then at its pace.

    Of 100 VMs each: 2 at once, then one every 4 seconds.
    """
    together = max(1, min(MOST_PARTS, VIEWS_AT_ONCE // size))
    return Parts(activity, numbers, size, together, timedelta(seconds=size / VIEWS_PER_SECOND), since)


def words_of(parts: Sequence[HealthPart], order: Order) -> dict[str, str | None]:
    """What the order's parts, and no earlier ones, said of VMs, by ``vm_id``."""
    if order.asked is None:
        return {}
    since = max(order.asked, order.at - ROUND_MAX)
    return {word.vm_id: word.health for part in parts if part.at >= since for word in part.words}


def read_first(parts: Parts, vms: int) -> Progress:
    """The step has to be looked at in parts."""
    return Progress(StepState.AGAIN, f"reading the health of {vms} VMs in parts", IN_PARTS, parts=parts)


def read_again(order: Order, parts: Parts, missing: int) -> Progress:
    """Parts were lost, or Azure did not answer them: those are read again."""
    reason = f"the health of {missing} VMs could not be read"
    return Progress(StepState.AGAIN, reason, SETBACK, max(order.poll_interval, order.patience), parts=parts)


def _in_order(records: Sequence[VmRecord]) -> list[VmRecord]:
    return sorted(records, key=lambda record: record.vm_id)
