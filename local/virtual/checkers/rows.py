"""Promises about Teal's rows: they are in order, agree with each other, and with the set."""

from __future__ import annotations

from local.azure.arm.resources import VmInstance
from local.virtual.checkers.watched import WatchedSet
from rollout.model.azure.scale_set import ImageReference
from rollout.model.codec import decode
from rollout.model.rows.deployment import Deployment, IntentKind, VmRecord
from rollout.model.status import Color, Phase, Status, VmStatus


async def events_numbered(watched: WatchedSet) -> list[str]:
    """Each deployment's events are numbered from 1 without gaps, in the order of their times, and its row has them."""
    found = []
    for deployment in await watched.deployments():
        events, row = await watched.platform.events(deployment), await watched.platform.row(deployment)
        numbers = [event.sequence for event in events]
        if numbers != list(range(1, len(numbers) + 1)):
            found.append(f"{deployment}: events are numbered {numbers}")
        if row.sequence != len(numbers):
            found.append(f"{deployment}: the row holds event {row.sequence} of {len(numbers)}")
        times = [event.at for event in events]
        if times != sorted(times):
            found.append(f"{deployment}: the times of the events are out of order")
    return found


async def rows_as_the_set(watched: WatchedSet) -> list[str]:
    """The VM rows of the last deployment that began say of each VM that it is there, or deleted, as it is in truth.

    A VM that somebody attached in the middle has none.
    """
    last = await watched.last_begun()
    if last is None:
        return []
    records = await watched.platform.store.vms.list(last.id)
    active = watched.platform.cloud.scale_set(watched.scale_set_id).active()
    there = {vm.vm_id for vm in active}
    found = [
        f"{record.name} of batch {record.batch} is {record.status} ({record.reason}); there: {record.vm_id in there}"
        for record in records
        if (record.reason == "Deleted") == (record.vm_id in there) and not record.moved_to
    ]
    expected = {vm.vm_id for vm in active if not vm.is_attached}
    unknown = expected - {record.vm_id for record in records} if records else set()
    return found + [f"no row names {vm}" for vm in sorted(unknown)]


async def rows_agree(watched: WatchedSet) -> list[str]:
    """A finished deployment's rows show nothing unfinished, and count what the batches' rows hold."""
    found = []
    for deployment in await watched.deployments():
        row = await watched.platform.row(deployment)
        if row.status != "finished":
            continue
        batches = await watched.platform.store.batches.list(deployment)
        records = await watched.platform.store.vms.list(deployment)
        found += [f"{deployment}: batch {b.number} is {b.phase}" for b in batches if b.phase is not Phase.TERMINATED]
        found += [f"{deployment}: {r.name} is {r.status}" for r in records if r.status is VmStatus.PENDING]
        standing = [record for record in records if record.reason != "Deleted"]
        # Blue VMs of no batch were skipped, green ones were kept.
        blue = sum(1 for record in standing if record.color is Color.BLUE and record.batch)
        green = sum(1 for record in standing if record.color is Color.GREEN)
        if (row.blue_vms, row.green_vms) != (blue, green):
            found.append(f"{deployment}: the row counts {row.blue_vms} + {row.green_vms}, the VMs {blue} + {green}")
    return found


async def skipped_vms_stand(watched: WatchedSet) -> list[str]:
    """No deployment deletes a VM that its plan skipped."""
    found = []
    for deployment in await watched.deployments():
        records = await watched.platform.store.vms.list(deployment, 0)
        skipped = {record.vm_id: record.name for record in records if record.color is Color.BLUE}
        intents = await watched.platform.store.intents.list(deployment)
        meant = {vm for intent in intents if intent.kind is IntentKind.DELETE for vm in intent.vm_ids}
        found += [f"{deployment}: {name} was skipped and deleted" for vm, name in skipped.items() if vm in meant]
    return found


async def rolled_back_is_explained(watched: WatchedSet) -> list[str]:
    """After a roll back each VM that does not run the previous image has a row that says why.

    One that runs a third image, as it did before it all, was planned to go, and stays: its row in a batch says enough.
    VMs that came after the end are somebody else's.
    """
    last = await watched.last_begun()
    if last is None or last.status is not Status.ROLLED_BACK or last.image.previous is None:
        return []
    records = {record.vm_id: record for record in await watched.platform.store.vms.list(last.id)}
    return [
        f"{last.id} was rolled back, and {vm.name} does not run {last.image.previous.label}"
        for vm in _on_another(watched, last, last.image.previous)
        if vm.vm_id not in records or not (_says_why(records[vm.vm_id]) or _ran_it_before(vm, last, records[vm.vm_id]))
    ]


async def finished_is_on_the_image(watched: WatchedSet) -> list[str]:
    """A finished deployment's VMs run its image, but for those that were skipped, and those that it says it kept."""
    last = await watched.last_begun()
    if last is None or last.status is not Status.FINISHED or not watched.left_alone:
        return []
    skipped = {record.vm_id for record in await watched.platform.store.vms.list(last.id, 0)}
    left = [vm.name for vm in _on_another(watched, last, last.image.pinned) if vm.vm_id not in skipped]
    if len(left) <= last.remaining_blue:
        return []
    return [f"{last.id} has finished and kept {last.remaining_blue}, but {', '.join(left)} run another image"]


def _on_another(watched: WatchedSet, row: Deployment, image: ImageReference) -> list[VmInstance]:
    """The set's VMs that were there when the deployment ended, and run another image."""
    ended_at = row.ended_at or row.created_at
    return [
        vm
        for vm in watched.vms()
        if not vm.is_attached and vm.created_at < ended_at and not decode(ImageReference, vm.image).matches(image)
    ]


def _ran_it_before(vm: VmInstance, row: Deployment, record: VmRecord) -> bool:
    return record.color is Color.BLUE and not decode(ImageReference, vm.image).matches(row.image.pinned)


def _says_why(record: VmRecord) -> bool:
    """Whether a row's reason is more than what becomes of every VM."""
    return bool(record.reason) and record.reason != "Launched" and (record.batch == 0 or record.color is Color.BLUE)
