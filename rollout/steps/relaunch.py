"""Green VMs that are lost before their batch is judged: each place is asked for again once, and has time of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rollout.model.azure.health import Observation, VmHealth, worst
from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.rows.deployment import VmRecord
from rollout.model.status import VmStatus
from rollout.model.words import counted
from rollout.steps.retirement import DELETED

#: How many VMs a sentence names.
_NAMES_MAX = 5

#: How often in a batch the history tells of lost VMs: each time is an event, and a wait of its own.
NOTES_MAX = 12


def away(vm: Vm | None) -> bool:
    """Whether a VM is lost: gone, on its way out, or without hardware. One that is only stopped may be started."""
    return vm is None or vm.leaving or vm.deallocated


def newly_lost(records: Iterable[VmRecord], vms: Mapping[str, Vm], at: datetime) -> tuple[VmRecord, ...]:
    """The rows of the VMs in place that are lost, and whose places nobody asked for again yet, now saying so."""
    return tuple(
        replace(record, relaunched_at=at)
        for record in records
        if record.relaunched_at is None and record.launched_at is None and away(vms.get(record.vm_id))
    )


def waiting_places(records: Iterable[VmRecord], vms: Mapping[str, Vm]) -> tuple[VmRecord, ...]:
    """The lost VMs whose places were asked for again, and that nobody has taken."""
    return tuple(one for one in records if one.relaunched_at is not None and away(vms.get(one.vm_id)))


def succeeded(lost: Sequence[VmRecord], count: int, vms: Mapping[str, Vm], at: datetime) -> tuple[VmRecord, ...]:
    """The rows of the first ``count`` lost VMs, whose places others have taken."""
    taken = [replace(one, replaced=True, status=VmStatus.UNHEALTHY, updated_at=at) for one in lost[:count]]
    return tuple(replace(one, reason=DELETED) if _gone(vms.get(one.vm_id)) else one for one in taken)


def _gone(vm: Vm | None) -> bool:
    return vm is None or vm.leaving


def lost_words(lost: Sequence[VmRecord], vms: Mapping[str, Vm]) -> str:
    """``web_5 is gone: its place is asked for again``."""
    said = [
        f"{one.name} is {'gone' if _gone(vms.get(one.vm_id)) else 'deallocated'}"
        for one in sorted(lost, key=lambda one: one.name)
    ]
    more = f", and {len(said) - _NAMES_MAX} more" if len(said) > _NAMES_MAX else ""
    places = "its place is" if len(said) == 1 else "their places are"
    return f"{', '.join(said[:_NAMES_MAX])}{more}: {places} asked for again"


@dataclass(frozen=True)
class PlaceTime:
    """How long a batch has ``waited``: as long as the youngest of the places that count. ``certain``: none does,
    because each VM is healthy, or can not become so any more.
    """

    waited: timedelta
    certain: bool


def time_of(
    records: Iterable[VmRecord],
    seen: Mapping[str, Collection[Observation]],
    vms: Mapping[str, Vm],
    image: ImageReference,
    since: datetime,
    watched: Callable[[datetime], timedelta],
    coming: int,
    checked: bool,
) -> PlaceTime:
    """The time of the places of a batch that is judged ``since`` then; ``coming``: how many are asked for again.

    A VM that took the place of a lost one has its own time from when it came; a VM in a final state takes none.
    ``watched``: how long somebody has looked since a time.
    """
    if coming:
        return PlaceTime(timedelta(0), False)
    open_ = [
        watched(max(since, record.launched_at or since))
        for record in records
        if not (checked and worst(seen[record.vm_id]).health is VmHealth.HEALTHY)
        and not is_final(vms.get(record.vm_id), image)
    ]
    return PlaceTime(min(open_, default=watched(since)), not open_)


def is_final(vm: Vm | None, image: ImageReference) -> bool:
    """Whether a VM can not become healthy any more: it is lost, Azure failed to make it, or it runs another image."""
    return vm is None or away(vm) or vm.failed or not vm.image.matches(image)


def spent(records: Iterable[VmRecord], seen: Mapping[str, Collection[Observation]]) -> int:
    """How many places have no healthy VM and had their one replacement before the verdict."""
    return sum(
        1
        for one in records
        if (one.relaunched_at or one.launched_at) and worst(seen[one.vm_id]).health is not VmHealth.HEALTHY
    )


def waiting_words(coming: int) -> str:
    """``waiting for 1 green VM in the place of a lost one``."""
    return f"waiting for {counted(coming, 'green VM')} in the place of {'a lost one' if coming == 1 else 'lost ones'}"
