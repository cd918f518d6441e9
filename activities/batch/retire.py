"""Delete what is to go: detached blue VMs, sick green ones, and the green ones of a batch that failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from activities.batch.delete import delete, delete_as_due, settled, until_due
from activities.batch.drain import drain
from activities.batch.pools import drain_intents, scene_of
from activities.batch.reattach import reattach_blue
from activities.rows import batch_of, deployment_of
from rollout.model.azure.scale_set import ScaleSet, Vm, VmList
from rollout.model.codec import encode_time
from rollout.model.order import Order, Progress, StepState, done
from rollout.model.rows.deployment import Batch, Deployment, IntentKind, VmRecord
from rollout.model.status import Color, VmStatus
from rollout.ports.ports import Ports
from rollout.steps.launch import orphans
from rollout.steps.retirement import DELETED, in_place, to_delete, to_replace


async def terminate_blue(ports: Ports, order: Order) -> Progress:
    """Delete the batch's detached blue VMs and its sick green ones, each when its wait has ended."""
    deployment = await deployment_of(ports, order)
    records = await ports.store.vms.list(order.deployment_id, order.batch)
    leaving = to_delete(records, deployment.parameters.tolerate_unhealthy)
    if not leaving:
        return done("Nothing to delete", deleted=0, discarded=0)
    progress = await delete_as_due(ports, order, deployment, leaving)
    if not progress.done:
        return progress
    blue = sum(1 for record in leaving if record.color is Color.BLUE)
    began = (await batch_of(ports, order)).deleting_at
    since = {"deletingAt": encode_time(began)} if began is not None else {}
    return replace(progress, data={"deleted": blue, "discarded": in_place(leaving), **since})


async def discard_sick(ports: Ports, order: Order) -> Progress:
    """Drain and delete the sick green VMs of a batch that passed, so that others can take their places."""
    deployment = await deployment_of(ports, order)
    batch = await batch_of(ports, order)
    records = to_replace(await ports.store.vms.list(order.deployment_id, order.batch))
    if batch.round >= order.round or not records:
        return done("The sick green VMs were discarded before", discarded=len(records))
    chosen = [replace(record, replaced=True) for record in records]
    await ports.store.vms.put(order.deployment_id, chosen)
    if progress := await until_due(ports, order, deployment, chosen):
        return progress
    scale_set = await settled(ports, order, deployment.parameters, chosen)
    if isinstance(scale_set, Progress):
        return scale_set
    listed = await ports.scale_sets.list_vms(order.scale_set_id)
    progress = await _retire(ports, order, deployment, scale_set, listed, chosen)
    if not progress.done:
        return progress
    reason = f"{progress.reason}, to be replaced once"
    return replace(progress, reason=reason, data={"discarded": len(records)})


async def discard_green(ports: Ports, order: Order) -> Progress:
    """Drain and delete the green VMs of a failed batch, unless they were judged healthy: those stay.

    Where they were, blue VMs may be out of traffic already; those that are still there come back.

    VMs that a launch made, but no run of it lived to adopt, are the batch's too. ``surplus``: healthy green VMs stay
    beside the blue ones that they were to replace, so the set has more VMs than it is to have.
    """
    deployment = await deployment_of(ports, order)
    batch = await batch_of(ports, order)
    if batch.healthy_at is not None:
        return await _stay(ports, order, deployment, batch)
    records = await ports.store.vms.list(order.deployment_id)
    gone = [record.vm_id for record in records if record.replaced and record.reason == DELETED]
    green = [one for one in records if one.color is Color.GREEN and one.batch == batch.number and one.vm_id not in gone]
    intents = await ports.store.intents.list(order.deployment_id, batch.number)
    if not green and not any(intent.kind is IntentKind.LAUNCH for intent in intents):
        return done("No green VM was launched", discarded=0)
    if progress := await until_due(ports, order, deployment, green):
        return progress
    scale_set = await settled(ports, order, deployment.parameters, green)
    if isinstance(scale_set, Progress):
        progress = scale_set
    else:
        listed = await ports.scale_sets.list_vms(order.scale_set_id)
        found = orphans(scale_set, listed.vms, records, batch, batch.image(deployment.image))
        green += await _adopted(ports, order, found)
        progress = await _retire(ports, order, deployment, scale_set, listed, green)
    return replace(progress, data={"discarded": in_place(green)}) if progress.done else progress


async def _stay(ports: Ports, order: Order, deployment: Deployment, batch: Batch) -> Progress:
    """Put blue VMs back into traffic beside the green ones that were judged healthy.

    The batch may have been replacing sick ones: what it launched for them has a row then, as nobody judged it.
    """
    back = await reattach_blue(ports, order)
    if not back.done:
        return back
    scale_set = await settled(ports, order, deployment.parameters, ())
    if isinstance(scale_set, Progress) and scale_set.state is StepState.AGAIN:
        return scale_set
    records = await ports.store.vms.list(order.deployment_id)
    missing = batch.green - sum(1 for record in records if _is_in_place(record, batch))
    if missing > 0 and not isinstance(scale_set, Progress):
        listed = await ports.scale_sets.list_vms(order.scale_set_id)
        found = orphans(scale_set, listed.vms, records, batch, batch.image(deployment.image))
        # What others made meanwhile is theirs: no more than are missing can be the batch's.
        await _adopted(ports, order, found[:missing])
    passed = "were judged healthy" if batch.judged else "ran to the end of their time"
    reason = f"The green VMs {passed}, and stay" + (f"; {back.reason}" if back.reason else "")
    return done(reason, discarded=0, surplus=True)


def _is_in_place(record: VmRecord, batch: Batch) -> bool:
    return record.color is Color.GREEN and record.batch == batch.number and not record.replaced


async def _adopted(ports: Ports, order: Order, found: Sequence[Vm]) -> list[VmRecord]:
    adopted = [_orphan(vm, order) for vm in found]
    await ports.store.vms.put(order.deployment_id, adopted)
    return adopted


def _orphan(vm: Vm, order: Order) -> VmRecord:
    return VmRecord(
        vm.vm_id, vm.name, Color.GREEN, order.batch, VmStatus.UNHEALTHY, "Never judged", vm.zone, updated_at=order.at
    )


async def _retire(
    ports: Ports,
    order: Order,
    deployment: Deployment,
    scale_set: ScaleSet,
    listed: VmList,
    green: Sequence[VmRecord],
) -> Progress:
    """One step towards these green VMs being gone: out of their pools, then left alone for a while, then deleted."""
    vm_ids = [record.vm_id for record in green]
    behind = scale_set.backend_pools or await drain_intents(ports, order)
    scene = await scene_of(ports, scale_set, listed, vm_ids) if behind else None
    progress = await drain(ports, order, scene, green)
    if not progress.done:
        return progress
    rows = await ports.store.vms.list(order.deployment_id, order.batch)
    drained = [record for record in rows if record.vm_id in set(vm_ids) and record.color is Color.GREEN]
    waiting = await until_due(ports, order, deployment, drained)
    return waiting or await delete(ports, order, deployment, scale_set, listed, drained)
