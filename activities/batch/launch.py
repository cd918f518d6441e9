"""Launch the green VMs of a batch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from activities.batch.evidence import MOST_INSPECTED, inspect_all
from activities.intents import write_down
from activities.rights import obstacle
from activities.rows import batch_of, deployment_of
from rollout.model.azure.allocation import ALLOCATION_CODES
from rollout.model.azure.scale_set import ImageReference, ScaleSet, Vm, VmList
from rollout.model.order import Order, Progress, again, done, failed
from rollout.model.rows.deployment import Intent, IntentKind, VmRecord
from rollout.model.status import Color, Phase, VmStatus
from rollout.model.words import counted, told_reason
from rollout.ports.errors import Refused
from rollout.ports.ports import Ports
from rollout.steps.launch import (
    Launch,
    decide_launch,
    failed_to_be_made,
    launched_words,
    newcomers,
    places_of,
    strays,
)
from rollout.steps.pacing import before_another_look, before_next_step
from rollout.steps.retirement import gone


async def launch_green(ports: Ports, order: Order) -> Progress:
    """Raise the set's capacity to what the batch needs, wait until it has settled, and adopt the new VMs as green.

    The set is read before the batch's row: a run that comes late, when the batch has moved on, either sees that in the
    row, or holds an ETag that Azure refuses.
    """
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    deployment = await deployment_of(ports, order)
    batch = await batch_of(ports, order)
    if batch.green == 0:
        return done("No green VM needed", launched=0, failed=0)
    if batch.is_past(Phase.LAUNCHED, order.round):
        return await _launched_before(ports, order)
    if scale_set is None:
        return failed("scaleSetGone", "The scale set does not exist any more")
    intents = await ports.store.intents.list(deployment.id, batch=batch.number)
    left = deployment.parameters.allocation_timeout - order.watched(_asked_at(intents, order))
    if not scale_set.settled and left > timedelta(0):
        return again(order.poll_interval, f"launching {counted(batch.green, 'green VM')}")
    listed = await ports.scale_sets.list_vms(order.scale_set_id)
    records = await ports.store.vms.list(deployment.id)
    places = places_of(records, batch)
    image = batch.image(deployment.image)
    new = newcomers(scale_set, listed.vms, places.known, image)
    launch = decide_launch(scale_set, new, places.open, intents, order.at, left, order.since)
    if launch.intent is not None or launch.discard:
        return await write_launch(ports, order, scale_set, launch, listed, image)
    if launch.wait:
        return again(launch.wait, launch.reason)
    other = strays(scale_set, listed.vms, places.known, image, places.open.green - len(launch.adopt))
    adopted = (*launch.adopt, *other)
    lost = gone([one for one in records if one.unmade or one.relaunched_at], listed.vms, order.at)
    rows = green_rows(adopted, order, order.at if order.round > 1 else None)
    await ports.store.vms.put(deployment.id, [*rows, *lost])
    told = failed_to_be_made(intents, adopted, order.since)
    why = await note_failure(ports, order, adopted) or batch.failure
    words = launched_words(len(adopted), places.open.green, told, why, [vm.image.label for vm in other])
    return done(words, before_another_look(order.poll_interval, listed), launched=len(adopted), failed=told)


def _asked_at(intents: Sequence[Intent], order: Order) -> datetime:
    """When this launch was first asked for: before that, the deployment may have been suspended."""
    asked = [intent.at for intent in intents if intent.kind is IntentKind.LAUNCH and intent.at >= order.since]
    return min(asked, default=order.since)


async def write_launch(
    ports: Ports,
    order: Order,
    scale_set: ScaleSet,
    launch: Launch,
    listed: VmList,
    image: ImageReference,
    patient: bool = False,
) -> Progress:
    """Write down what is meant, then ask Azure for it: VMs that failed are deleted before others are made.

    ``patient``: whatever Azure refuses is asked for again later; else only what it has no room for.
    """
    if scale_set.image is None or not scale_set.image.matches(image):
        label = scale_set.image.label if scale_set.image else "no image"
        return failed(
            "imageChanged", f"Somebody changed the set's model to {label}: its new VMs would be made from that"
        )
    if refusal := await obstacle(ports, order):
        return refusal
    if launch.intent is None:
        await _keep_failed(ports, order, launch.discard)
        await delete_at_once(ports, order, scale_set, launch.discard)
        return again(order.poll_interval, launch.reason)
    await ports.store.intents.put(order.deployment_id, launch.intent)
    try:
        await ports.scale_sets.raise_capacity(scale_set, launch.intent.target)
    except Refused as refused:
        if not patient and refused.code.lower() not in ALLOCATION_CODES:
            raise
        return await _not_taken(ports, order, launch.intent, told_reason(refused.code, refused.message))
    wait = before_next_step(listed, more_vms=launch.intent.target - scale_set.capacity)
    return again(max(order.poll_interval, wait), launch.reason)


async def delete_at_once(ports: Ports, order: Order, scale_set: ScaleSet, vms: Sequence[Vm]) -> None:
    """Delete VMs that serve nobody and can not, so that others can be made in their places."""
    vm_ids = tuple(vm.vm_id for vm in vms)
    await write_down(ports, order, IntentKind.DELETE, scale_set, vm_ids=vm_ids)
    await ports.scale_sets.delete_vms(scale_set, [vm.instance_id for vm in vms])
    await ports.store.signals.delete(order.scale_set_id, vm_ids)


async def _not_taken(ports: Ports, order: Order, intent: Intent, why: str) -> Progress:
    """Azure is asked again later, and later, as long as there is time."""
    await ports.store.intents.put(order.deployment_id, replace(intent, refused=why))
    await ports.store.batches.change(order.deployment_id, order.batch, lambda row: replace(row, failure=why))
    return again(order.poll_interval, f"Azure is asked again later: {why}")


async def _keep_failed(ports: Ports, order: Order, vms: Sequence[Vm]) -> None:
    """Keep why Azure failed to make VMs, with rows and evidence of the first few, before they are deleted."""
    await note_failure(ports, order, vms)
    rows = await ports.store.vms.list(order.deployment_id, order.batch)
    kept = {row.vm_id: row for row in rows if row.unmade}
    room = max(0, MOST_INSPECTED - len(kept))
    fresh = green_rows([vm for vm in vms if vm.vm_id not in kept][:room], order)
    why = {vm.vm_id: vm.failure or "Azure could not make it" for vm in vms}
    records = [
        replace(one, status=VmStatus.UNHEALTHY, reason=why[one.vm_id], replaced=True, unmade=True) for one in fresh
    ]
    await ports.store.vms.put(order.deployment_id, records)
    again_asked = [kept[vm.vm_id] for vm in vms if vm.vm_id in kept and not kept[vm.vm_id].evidence]
    await inspect_all(ports, order, [*again_asked, *records])


async def note_failure(ports: Ports, order: Order, vms: Collection[Vm]) -> str:
    """Write down Azure's own reason, the first of those that failed; empty where it gave none."""
    why = next((vm.failure for vm in vms if vm.failed and vm.failure), "")
    if why:
        await ports.store.batches.change(order.deployment_id, order.batch, lambda row: replace(row, failure=why))
    return why


async def _launched_before(ports: Ports, order: Order) -> Progress:
    records = await ports.store.vms.list(order.deployment_id, order.batch)
    green = sum(1 for record in records if record.color is Color.GREEN and not record.replaced)
    return done(f"{counted(green, 'green VM')} launched", launched=green, failed=0)


def green_rows(vms: Sequence[Vm], order: Order, launched_at: datetime | None = None) -> list[VmRecord]:
    """The rows of VMs that a launch of the batch brought."""
    return [
        VmRecord(
            vm.vm_id,
            vm.name,
            Color.GREEN,
            order.batch,
            VmStatus.PENDING,
            "Launched",
            vm.zone,
            updated_at=order.at,
            launched_at=launched_at,
        )
        for vm in vms
    ]
