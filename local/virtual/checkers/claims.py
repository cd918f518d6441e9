"""Promises about what Teal says of images: none that failed is called good."""

from __future__ import annotations

from collections.abc import Sequence

from local.virtual.checkers.watched import WatchedSet
from rollout.model.events import EventType
from rollout.model.rows.danger import MODEL_NAMES_BAD_IMAGE
from rollout.model.rows.deployment import Deployment, Event
from rollout.model.status import Status

#: The failures by which an image's VMs are judged.
_JUDGED = frozenset({"batchUnhealthy", "unhealthyWhileBaking"})


async def nothing_restored_that_failed(watched: WatchedSet) -> list[str]:
    """No image is said to be restored, or gone back to, that this deployment or an unfinished one before failed with.

    One that a deployment was to replace by itself served before: its VMs may fail, and it is no new image that did.
    """
    found, failed = [], set[str]()
    for row in reversed(await watched.rows()):
        events = await watched.platform.events(row.id)
        previous = row.image.previous
        if row.status is Status.FINISHED:
            failed.clear()
            continue
        if previous is None:
            continue
        if _judged(row, events) and not _same_again(row):
            failed.add(row.image.pinned.full_name.lower())
        restored = [event.message for event in events if event.type == EventType.IMAGE_RESTORED]
        claims = [message for message in restored if "restored" in message]
        claims += [row.reason] if row.status is Status.ROLLED_BACK and _changed(events) else []
        if claims and previous.full_name.lower() in failed:
            found.append(f"{row.id} says {claims[0]!r} of {previous.label}, which failed")
    return found


async def bad_image_is_told(watched: WatchedSet) -> list[str]:
    """What is told of a bad image in the model is so, and where the last deployment left one there it is told.

    Not while a watchdog has not looked: whoever asks does so after a while.
    """
    dangers = await watched.platform.store.dangers.list(watched.scale_set_id)
    told = next((one.image for one in dangers if one.code == MODEL_NAMES_BAD_IMAGE), None)
    if not watched.is_there:
        return ["a bad image is told of a set that is gone"] if told is not None else []
    model = watched.model
    if told is not None and not told.matches(model):
        return [f"{told.label} is told to be in the model, which names {model.label}"]
    last = await watched.last_begun()
    if last is None or not last.status.ended or told is not None or not watched.left_alone:
        return []
    types = [event.type for event in await watched.platform.events(last.id)]
    left = EventType.IMAGE_NOT_RESTORED in types and model.matches(last.image.pinned)
    return [f"{last.id} left {model.label} in the model, and nothing tells it"] if left else []


async def lost_vms_are_told(watched: WatchedSet) -> list[str]:
    """A finished deployment tells once of each green VM that was lost and whose place it asked for again."""
    found = []
    for row in await watched.rows():
        if row.status is not Status.FINISHED:
            continue
        events = await watched.platform.events(row.id)
        told = [vm for one in events if one.type == EventType.VM_RELAUNCHED for vm in one.data["vmIds"]]
        records = await watched.platform.store.vms.list(row.id)
        lost = {one.vm_id: one.name for one in records if one.relaunched_at is not None}
        found += [
            f"{row.id} asked for the place of {lost[vm]} again, and does not tell" for vm in lost.keys() - {*told}
        ]
        found += [f"{row.id} tells {told.count(vm)} times of {vm}" for vm in sorted({*told}) if told.count(vm) > 1]
        found += [f"{row.id} tells that {vm} was lost, which was not" for vm in sorted({*told} - lost.keys())]
    return found


async def failures_are_told(watched: WatchedSet) -> list[str]:
    """A batch that was launched tells of VMs that Azure failed to make; each that has a row says why."""
    found = []
    for row in await watched.rows():
        events = await watched.platform.events(row.id)
        launched = {one.batch: one.data["failed"] for one in events if one.type == EventType.BATCH_LAUNCHED}
        unmade = [one for one in await watched.platform.store.vms.list(row.id) if one.unmade]
        told = {batch for batch, failed in launched.items() if failed}
        twice = {one.batch for one in events if one.type == EventType.SICK_DISCARDED}
        silent = {one.batch for one in unmade} & launched.keys() - told - twice
        found += [
            f"{row.id}: Azure failed to make VMs of batch {batch}, and the launch does not tell" for batch in silent
        ]
        found += [f"{row.id}: nothing says why {one.name} could not be made" for one in unmade if not one.reason]
    return found


def _judged(row: Deployment, events: Sequence[Event]) -> bool:
    codes = {row.error.code if row.error is not None else ""}
    codes |= {str(event.data.get("code", "")) for event in events if event.type == EventType.ROLLING_BACK}
    return bool(codes & _JUDGED)


def _same_again(row: Deployment) -> bool:
    previous = row.image.previous
    return previous is not None and previous.matches(row.image.pinned) and not row.image.unknown


def _changed(events: Sequence[Event]) -> bool:
    return any(event.type == EventType.IMAGE_APPLIED for event in events)
