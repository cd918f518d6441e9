"""Promises about what a deployment left: what becomes of it later is told in its history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from local.virtual.checkers.watched import WatchedSet
from rollout.model.events import AFTER_END, EventType
from rollout.model.rows.deployment import GONE, Deployment, Event, IntentKind, VmRecord
from rollout.model.status import Color, Status


async def told_after_the_end(watched: WatchedSet) -> list[str]:
    """Of VMs that went after a deployment's end its history says so, each once, and its end stays as it is."""
    found = []
    for row in await watched.rows():
        if row.ended_at is None:
            continue
        records = await watched.platform.store.vms.list(row.id)
        events = [event for event in await watched.platform.events(row.id) if _is_after(event, row)]
        found += [
            f"{row.id}: {words}" for words in (*_untold(row, records, events), *_miscounted(row, records, events))
        ]
        strange = {str(event.type) for event in events} - AFTER_END
        found += [f"{row.id}: {kind} came after its end" for kind in sorted(strange)]
    return found


async def deletions_are_told(watched: WatchedSet) -> list[str]:
    """No deployment shows a VM as there that it left, and that one after it has deleted."""
    found = []
    for row in await watched.rows():
        deleted = await _deleted_by(watched, row) if row.former else frozenset[str]()
        former = row
        while deleted and former.former:
            next_one = await watched.platform.store.deployments.get(former.former)
            if next_one is None:
                break
            former = next_one
            records = await watched.platform.store.vms.list(former.id)
            shown = [one.name for one in records if one.vm_id in deleted and _is_left(one, former)]
            found += [f"{former.id} shows {name}, which {row.id} has deleted" for name in shown]
    return found


async def _deleted_by(watched: WatchedSet, row: Deployment) -> frozenset[str]:
    """The VMs that the deployment meant to delete, and says to be deleted."""
    intents = await watched.platform.store.intents.list(row.id)
    meant = {vm_id for intent in intents if intent.kind is IntentKind.DELETE for vm_id in intent.vm_ids}
    records = await watched.platform.store.vms.list(row.id)
    return frozenset(one.vm_id for one in records if one.reason == "Deleted" and one.vm_id in meant)


def _untold(row: Deployment, records: Sequence[VmRecord], events: Sequence[Event]) -> list[str]:
    named = Counter(vm for event in events if event.type == EventType.LEFT_DELETED for vm in event.data["vmIds"])
    batches = {event.batch for event in events if event.type == EventType.KEPT_DISCARDED}
    gone = [one for one in records if _went_after(one, row) and not _is_told(one, named, batches)]
    found = [f"{', '.join(one.name for one in gone)} went after its end, and no event says so"] if gone else []
    twice = sorted(vm for vm, times in named.items() if times > 1)
    return found + ([f"{', '.join(twice)} went more than once"] if twice else [])


def _is_told(record: VmRecord, named: Collection[str], batches: Collection[int | None]) -> bool:
    return record.vm_id in named or (record.color is Color.GREEN and record.batch in batches)


def _miscounted(row: Deployment, records: Sequence[VmRecord], events: Sequence[Event]) -> list[str]:
    """Once a later deployment deleted some of its VMs, the row counts what the rows of its VMs hold."""
    if not events or events[-1].type != EventType.LEFT_DELETED:
        return []
    there = [one for one in records if _stands(one)]
    blue = sum(1 for one in there if one.color is Color.BLUE and one.batch)
    green = sum(1 for one in there if one.color is Color.GREEN and not one.replaced)
    counts = (row.blue_vms, row.green_vms)
    return [f"the row counts {counts}, the VMs {(blue, green)}"] if counts != (blue, green) else []


def _stands(record: VmRecord) -> bool:
    return record.reason != "Deleted" and record.trouble != GONE and not record.moved_to


def _is_left(record: VmRecord, row: Deployment) -> bool:
    """Green VMs of one that has finished, and such as it skipped, are replaced one day, and are not left."""
    meant = record.color is Color.GREEN or not (record.batch or record.taken_out)
    return _stands(record) and not (row.status is Status.FINISHED and meant)


def _is_after(event: Event, row: Deployment) -> bool:
    return event.type in AFTER_END or (row.ended_at is not None and event.at > row.ended_at)


def _went_after(record: VmRecord, row: Deployment) -> bool:
    late = record.updated_at is not None and row.ended_at is not None and record.updated_at > row.ended_at
    return late and record.reason == "Deleted"
