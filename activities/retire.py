"""Take blue VMs out of service, and delete what is to go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from activities.intents import write_down
from activities.rights import obstacle
from activities.rows import batch_of, deployment_of
from rollout.deployment import IntentKind, VmRecord
from rollout.launch import newcomers
from rollout.order import Order, Progress, again, done, failed
from rollout.pacing import before_next_step
from rollout.ports import Ports
from rollout.retirement import blue_to_detach, remaining, to_delete
from rollout.scale_set import ScaleSet, Vm, VmList
from rollout.status import Color, Phase, VmStatus
from rollout.words import counted

#: How long VMs may take to disappear before somebody has to look.
DELETE_LIMIT = timedelta(hours=1)

#: How long somebody else's change of the set may keep VMs from being deleted: the longest draining, and an hour.
BUSY_LIMIT = timedelta(hours=3)


async def detach_blue(ports: Ports, order: Order) -> Progress:
    """Choose the blue VMs that the healthy green ones replace; from now on they are on their way out."""
    batch = await batch_of(ports, order)
    records = await ports.store.vms.list(order.deployment_id, batch.number)
    blue = [record for record in records if record.color is Color.BLUE]
    if batch.phase.reached(Phase.DETACHED):
        leaving = [record for record in blue if record.status is VmStatus.DETACHED]
    else:
        leaving = list(blue_to_detach(records, batch))
        await ports.store.vms.put(order.deployment_id, _detached(blue, leaving, order))
    stay = len(blue) - len(leaving)
    reason = f"{counted(len(leaving), 'blue VM')} detached"
    if stay:
        reason += f"; {counted(stay, 'blue VM')} kept in service, because green ones were not healthy"
    return done(reason, detached=len(leaving), remaining=stay)


def _detached(blue: Sequence[VmRecord], leaving: Sequence[VmRecord], order: Order) -> list[VmRecord]:
    chosen = {record.vm_id for record in leaving}
    return [
        replace(record, status=VmStatus.DETACHED, reason="Draining", updated_at=order.at)
        if record.vm_id in chosen
        else replace(record, reason="Stays in service: its replacement was not healthy", updated_at=order.at)
        for record in blue
    ]


async def terminate_blue(ports: Ports, order: Order) -> Progress:
    """Once the draining timeout is over, delete the batch's detached blue VMs and its sick green ones."""
    deployment = await deployment_of(ports, order)
    records = await ports.store.vms.list(order.deployment_id, order.batch)
    leaving = to_delete(records)
    if not leaving:
        return done("Nothing to delete", deleted=0, discarded=0)
    blue = [record for record in leaving if record.color is Color.BLUE]
    left = deployment.parameters.draining_timeout - order.waited
    if blue and left > timedelta(0):
        return again(left, f"draining {counted(len(blue), 'blue VM')}")
    scale_set = await _settled(ports, order)
    if isinstance(scale_set, Progress):
        progress = scale_set
    else:
        progress = await _delete(ports, order, scale_set, await ports.scale_sets.list_vms(order.scale_set_id), leaving)
    if not progress.done:
        return progress
    return replace(progress, data={"deleted": len(blue), "discarded": len(leaving) - len(blue)})


async def discard_green(ports: Ports, order: Order) -> Progress:
    """Delete the green VMs of a failed batch, unless they were judged healthy: those serve, and stay.

    VMs that a launch made, but no run of it lived to adopt, are the batch's too. ``surplus``: healthy green VMs stay
    beside the blue ones that they were to replace, so the set has more VMs than it is to have.
    """
    deployment = await deployment_of(ports, order)
    batch = await batch_of(ports, order)
    if batch.healthy_at is not None:
        return done("The green VMs were judged healthy, and stay", discarded=0, surplus=True)
    records = await ports.store.vms.list(order.deployment_id)
    green = [record for record in records if record.color is Color.GREEN and record.batch == batch.number]
    intents = await ports.store.intents.list(order.deployment_id, batch.number)
    if not green and not any(intent.kind is IntentKind.LAUNCH for intent in intents):
        return done("No green VM was launched", discarded=0)
    scale_set = await _settled(ports, order)
    if isinstance(scale_set, Progress):
        progress = scale_set
    else:
        listed = await ports.scale_sets.list_vms(order.scale_set_id)
        orphans = newcomers(listed.vms, [record.vm_id for record in records], deployment.image.pinned)
        adopted = [_orphan(vm, order) for vm in orphans]
        await ports.store.vms.put(order.deployment_id, adopted)
        green += adopted
        progress = await _delete(ports, order, scale_set, listed, green)
    return replace(progress, data={"discarded": len(green)}) if progress.done else progress


def _orphan(vm: Vm, order: Order) -> VmRecord:
    return VmRecord(
        vm.vm_id, vm.name, Color.GREEN, order.batch, VmStatus.UNHEALTHY, "Never judged", vm.zone, updated_at=order.at
    )


async def _settled(ports: Ports, order: Order) -> ScaleSet | Progress:
    """The set once no write is in flight, and its VMs may be deleted and are worth reading; or how this wait stands.

    What counts is when the batch's deletion was first asked for: before that the deployment may have been suspended.
    """
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    if scale_set is None:
        return done("The scale set and its VMs are gone")
    intents = await ports.store.intents.list(order.deployment_id, order.batch)
    asked = [intent.at for intent in intents if intent.kind is IntentKind.DELETE and intent.at >= order.since]
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
    if left.gone:
        await _record_deleted(ports, order, records)
        return done(f"{counted(len(records), 'VM')} deleted", before_next_step(listed))
    if left.ask:
        if refusal := await obstacle(ports, order):
            return refusal
        await write_down(ports, order, IntentKind.DELETE, scale_set, vm_ids=tuple(vm.vm_id for vm in left.ask))
        await ports.scale_sets.delete_vms(scale_set, [vm.instance_id for vm in left.ask])
    return again(max(order.poll_interval, before_next_step(listed)), f"deleting {counted(len(records), 'VM')}")


async def _record_deleted(ports: Ports, order: Order, records: Sequence[VmRecord]) -> None:
    gone = [
        replace(
            record,
            status=VmStatus.DETACHED if record.color is Color.BLUE else record.status,
            reason="Deleted",
            updated_at=order.at,
        )
        for record in records
        if record.reason != "Deleted"
    ]
    await ports.store.vms.put(order.deployment_id, gone)
