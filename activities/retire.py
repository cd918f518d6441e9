"""Delete what is to go: detached blue VMs, sick green ones, and the green ones of a batch that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from activities.intents import write_down
from activities.reattach import reattach_blue
from activities.rights import obstacle
from activities.rows import batch_of, deployment_of
from activities.signals import waits_of
from rollout.deployment import IntentKind, Parameters, VmRecord
from rollout.group import SignalType
from rollout.launch import newcomers
from rollout.order import Order, Progress, again, done, failed
from rollout.pacing import before_next_step
from rollout.ports import Ports
from rollout.retirement import DELETED, Remaining, remaining, to_delete, to_replace
from rollout.scale_set import ScaleSet, Vm, VmList
from rollout.signals import Wait, rule_of
from rollout.status import Color, VmStatus
from rollout.traffic import draining_time
from rollout.words import counted

#: How long VMs may take to disappear before somebody has to look.
DELETE_LIMIT = timedelta(hours=1)

#: How long somebody else's change of the set may keep VMs from being deleted: the longest draining, and an hour.
BUSY_LIMIT = timedelta(hours=3)


async def terminate_blue(ports: Ports, order: Order) -> Progress:
    """Delete the batch's detached blue VMs, each when its wait has ended, and its sick green ones with the first."""
    deployment = await deployment_of(ports, order)
    records = await ports.store.vms.list(order.deployment_id, order.batch)
    leaving = to_delete(records, deployment.parameters.tolerate_unhealthy)
    if not leaving:
        return done("Nothing to delete", deleted=0, discarded=0)
    blue = [record for record in leaving if record.color is Color.BLUE]
    # What a VM that is gone said is forgotten, so it must not be waited for again.
    present = [record for record in blue if record.reason != DELETED]
    gateways = (await batch_of(ports, order)).gateway_draining
    draining = draining_time(deployment.parameters.draining_timeout, gateways)
    parameters = replace(deployment.parameters, draining_timeout=draining)
    waits = await waits_of(ports, order, parameters, present)
    waiting = {vm_id: wait for vm_id, wait in waits.items() if not wait.ended}
    if waiting:
        return await _terminate_first(ports, order, parameters, leaving, waiting)
    progress = await _delete_once_settled(ports, order, leaving)
    if not progress.done:
        return progress
    return replace(progress, data={"deleted": len(blue), "discarded": len(leaving) - len(blue)})


async def _terminate_first(
    ports: Ports, order: Order, parameters: Parameters, leaving: Sequence[VmRecord], waiting: Mapping[str, Wait]
) -> Progress:
    """Delete in one call those whose wait has ended, while others are waited for; look again as soon as a wait may end.

    A signal may end a wait at any time; the draining timeout ends all waits at once.
    """
    due = [record for record in leaving if record.vm_id not in waiting and record.reason != DELETED]
    after = timedelta(0)
    if any(record.color is Color.BLUE for record in due):
        progress = await _delete_once_settled(ports, order, due)
        if not progress.done:
            return progress
        after = progress.after
    look = min(wait.remaining for wait in waiting.values())
    if rule_of(parameters.signals, SignalType.VM_READY_TO_SHUTDOWN):
        look = min(look, order.poll_interval)
    reason = next(iter(waiting.values())).reason
    return again(max(look, after), f"{reason} {counted(len(waiting), 'blue VM')}")


async def discard_sick(ports: Ports, order: Order) -> Progress:
    """Delete the sick green VMs of a batch that passed, so that others can take their places."""
    batch = await batch_of(ports, order)
    records = to_replace(await ports.store.vms.list(order.deployment_id, order.batch))
    if batch.round >= order.round or not records:
        return done("The sick green VMs were discarded before", discarded=len(records))
    await ports.store.vms.put(order.deployment_id, [replace(record, replaced=True) for record in records])
    progress = await _delete_once_settled(ports, order, [replace(record, replaced=True) for record in records])
    if not progress.done:
        return progress
    reason = f"{counted(len(records), 'sick green VM')} discarded, to be replaced once"
    return replace(progress, reason=reason, data={"discarded": len(records)})


async def discard_green(ports: Ports, order: Order) -> Progress:
    """Delete the green VMs of a failed batch, unless they were judged healthy: those serve, and stay.

    Where they were, blue VMs may be out of traffic already; those that are still there come back.

    VMs that a launch made, but no run of it lived to adopt, are the batch's too. ``surplus``: healthy green VMs stay
    beside the blue ones that they were to replace, so the set has more VMs than it is to have.
    """
    deployment = await deployment_of(ports, order)
    batch = await batch_of(ports, order)
    if batch.healthy_at is not None:
        back = await reattach_blue(ports, order)
        reason = "The green VMs were judged healthy, and stay" + (f"; {back.reason}" if back.reason else "")
        return done(reason, discarded=0, surplus=True) if back.done else back
    records = await ports.store.vms.list(order.deployment_id)
    green = [record for record in records if record.color is Color.GREEN and record.batch == batch.number]
    intents = await ports.store.intents.list(order.deployment_id, batch.number)
    if not green and not any(intent.kind is IntentKind.LAUNCH for intent in intents):
        return done("No green VM was launched", discarded=0)
    scale_set = await _settled(ports, order, green)
    if isinstance(scale_set, Progress):
        progress = scale_set
    else:
        listed = await ports.scale_sets.list_vms(order.scale_set_id)
        orphans = newcomers(scale_set, listed.vms, [record.vm_id for record in records], batch.image(deployment.image))
        adopted = [_orphan(vm, order) for vm in orphans]
        await ports.store.vms.put(order.deployment_id, adopted)
        green += adopted
        progress = await _delete(ports, order, scale_set, listed, green)
    return replace(progress, data={"discarded": len(green)}) if progress.done else progress


def _orphan(vm: Vm, order: Order) -> VmRecord:
    return VmRecord(
        vm.vm_id, vm.name, Color.GREEN, order.batch, VmStatus.UNHEALTHY, "Never judged", vm.zone, updated_at=order.at
    )


async def _delete_once_settled(ports: Ports, order: Order, records: Sequence[VmRecord]) -> Progress:
    """One step towards these VMs being gone; done where the whole set is."""
    scale_set = await _settled(ports, order, records)
    if isinstance(scale_set, Progress):
        return scale_set
    return await _delete(ports, order, scale_set, await ports.scale_sets.list_vms(order.scale_set_id), records)


async def _settled(ports: Ports, order: Order, records: Sequence[VmRecord]) -> ScaleSet | Progress:
    """The set once no write is in flight, and its VMs may be deleted and are worth reading; or how this wait stands.

    What counts is when the deletion of those of ``records`` that are still there was first asked for: before that the
    deployment may have been suspended, or the VMs may have been waited for.
    """
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    if scale_set is None:
        return done("The scale set and its VMs are gone")
    intents = await ports.store.intents.list(order.deployment_id, order.batch)
    present = {record.vm_id for record in records if record.reason != DELETED}
    asked = [
        intent.at
        for intent in intents
        if intent.kind is IntentKind.DELETE and intent.at >= order.since and not present.isdisjoint(intent.vm_ids)
    ]
    if asked and order.at - min(asked) > DELETE_LIMIT:
        return failed("vmsNotDeleted", f"VMs were still there {DELETE_LIMIT} after their deletion was asked for")
    if scale_set.settled:
        return scale_set
    if not asked and order.waited > BUSY_LIMIT:
        return failed("scaleSetBusy", f"{scale_set.name} was being changed by somebody else for too long")
    return again(order.poll_interval, "deleting VMs")


async def _delete(
    ports: Ports, order: Order, scale_set: ScaleSet, listed: VmList, records: Sequence[VmRecord]
) -> Progress:
    """One delete call for all that are still there; done once they are gone."""
    vm_ids = tuple(record.vm_id for record in records)
    left = remaining(vm_ids, listed.vms)
    await _record_gone(ports, order, records, left)
    if left.gone:
        return done(f"{counted(len(records), 'VM')} deleted", before_next_step(listed))
    if left.ask:
        if refusal := await obstacle(ports, order):
            return refusal
        await write_down(ports, order, IntentKind.DELETE, scale_set, vm_ids=tuple(vm.vm_id for vm in left.ask))
        await ports.scale_sets.delete_vms(scale_set, [vm.instance_id for vm in left.ask])
    return again(max(order.poll_interval, before_next_step(listed)), f"deleting {counted(len(records), 'VM')}")


async def _record_gone(ports: Ports, order: Order, records: Sequence[VmRecord], left: Remaining) -> None:
    """Write down which VMs are gone and forget what they said; at the end all of it, in case an earlier run died."""
    present = {vm.vm_id for vm in (*left.ask, *left.leaving)}
    gone = [record for record in records if record.vm_id not in present]
    fresh = [
        replace(
            record,
            status=VmStatus.DETACHED if record.color is Color.BLUE else record.status,
            reason=DELETED,
            updated_at=order.at,
        )
        for record in gone
        if record.reason != DELETED
    ]
    await ports.store.vms.put(order.deployment_id, fresh)
    if fresh or left.gone:
        await ports.store.signals.delete(order.scale_set_id, [record.vm_id for record in gone])
