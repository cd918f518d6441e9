"""The VMs that a deployment left, and what its history says when a later one deletes them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from rollout.model.codec import Json
from rollout.model.events import EventType
from rollout.model.order import Order
from rollout.model.rows.deployment import GONE, Event, Intent, IntentKind, VmRecord
from rollout.model.status import Color, Status
from rollout.model.words import counted
from rollout.steps.retirement import DELETED

#: How many VMs one event names at most. All are named, because nothing else says which were told of.
NAMED_TOGETHER = 100

#: How many of them its sentence names.
_NAMES_MAX = 10


def left_of(status: Status, records: Iterable[VmRecord], vm_ids: Collection[str]) -> tuple[VmRecord, ...]:
    """The rows of those of the VMs that the deployment left, and that nobody has told of yet.

    One that has finished left the blue VMs that it kept, and those that it skipped out of traffic: that its green ones
    are replaced one day is in order.
    """
    there = [one for one in records if one.vm_id in vm_ids and _stands(one)]
    if status is not Status.FINISHED:
        return tuple(there)
    return tuple(one for one in there if one.color is Color.BLUE and (one.batch or one.taken_out))


def found_by(records: Iterable[VmRecord], vm_ids: Collection[str]) -> frozenset[str]:
    """Those of the VMs that the deployment's plan found, so that one before it may have left them too."""
    return frozenset(one.vm_id for one in records if one.vm_id in vm_ids and (one.color is Color.BLUE or not one.batch))


def asked_for(gone: Iterable[VmRecord], intents: Iterable[Intent]) -> frozenset[str]:
    """Those of the VMs that are gone that the deployment was about to delete; the others went by themselves."""
    meant = {vm_id for intent in intents if intent.kind is IntentKind.DELETE for vm_id in intent.vm_ids}
    return frozenset(one.vm_id for one in gone if one.vm_id in meant)


def next_deletion(
    records: Sequence[VmRecord], left: Sequence[VmRecord], order: Order, written: Iterable[Event]
) -> Event | None:
    """The event that names those of ``left`` that none of those ``written`` names; ``None``: all are named.

    ``records``: all rows of the deployment that left them. ``order``: the later deployment's, which deleted them.
    """
    told = {vm_id for event in written if event.type == EventType.LEFT_DELETED for vm_id in event.data["vmIds"]}
    named = [one for one in left if one.vm_id not in told]
    if not named:
        return None
    by, batch = order.deployment_id, order.batch or None
    data = {"by": by, "batch": batch, "vmIds": [one.vm_id for one in named], "names": [one.name for one in named]}
    gone = told | {one.vm_id for one in named}
    words = f"{_counted(named)} deleted by {by}{f' in its batch {batch}' if batch else ''}: {_names(named)}"
    return Event(0, order.at, EventType.LEFT_DELETED, words, None, {**data, **_standing(records, gone)})


def _stands(record: VmRecord) -> bool:
    """Whether the row is the one that counts for its VM, and does not say that this was deleted."""
    return record.reason != DELETED and not record.moved_to


def _standing(records: Iterable[VmRecord], gone: Collection[str]) -> Json:
    """How many blue and green VMs of the deployment there are without those that are ``gone``."""
    there = [one for one in records if _stands(one) and one.trouble != GONE and one.vm_id not in gone]
    # Blue VMs of no batch were skipped.
    blue = sum(1 for one in there if one.color is Color.BLUE and one.batch)
    return {"blueVms": blue, "greenVms": sum(1 for one in there if one.color is Color.GREEN and not one.replaced)}


def _counted(records: Sequence[VmRecord]) -> str:
    by_color = [(color, sum(1 for one in records if one.color is color)) for color in Color]
    return " and ".join(counted(number, f"{color} VM") for color, number in by_color if number)


def _names(records: Sequence[VmRecord]) -> str:
    names = [one.name for one in records]
    more = f" and {len(names) - _NAMES_MAX} more" if len(names) > _NAMES_MAX else ""
    return f"{', '.join(names[:_NAMES_MAX])}{more}"
