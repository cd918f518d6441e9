"""Delete VMs that are to go: each once its connections had their time, all in one call, until none is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from activities.batch.pools import DRAIN_LIMIT
from activities.batch.signals import waits_of
from activities.former import tell_of_deleted
from activities.intents import write_down
from activities.rights import obstacle
from activities.rows import batch_of
from rollout.judging.balancers import draining_time
from rollout.judging.signals import DrainWait
from rollout.model.azure.scale_set import ScaleSet, VmList
from rollout.model.group import SignalType
from rollout.model.order import Order, Progress, again, done, failed
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, IntentKind, VmRecord
from rollout.model.rows.signals import longest_wait, rule_of
from rollout.model.stages import begins_to_delete
from rollout.model.status import Color, VmStatus
from rollout.model.words import counted
from rollout.ports.ports import Ports
from rollout.steps.draining import undrained, waiting_ones, was_drained
from rollout.steps.pacing import before_next_step
from rollout.steps.retirement import DELETED, Remaining, remaining

#: How long VMs may take to disappear before somebody has to look.
DELETE_LIMIT = timedelta(hours=1)

#: How long somebody else's change of the set may keep VMs from being deleted, besides their draining.
BUSY_LIMIT = timedelta(hours=3)


async def delete_as_due(ports: Ports, order: Order, deployment: Deployment, records: Sequence[VmRecord]) -> Progress:
    """One step towards these VMs being gone, each of them that was drained once its wait has ended."""
    if progress := await until_due(ports, order, deployment, records):
        return progress
    return await _delete_once_settled(ports, order, deployment, records)


async def until_due(ports: Ports, order: Order, deployment: Deployment, records: Sequence[VmRecord]) -> Progress | None:
    """While some are still waited for, how that stands, with the others deleted in one call; ``None``: nobody is.

    Those that were not drained go with the first of those that were. A signal may end a wait at any time; the draining
    timeout ends all waits at once.
    """
    parameters = await _with_gateways(ports, order, deployment.parameters)
    waits = await waits_of(ports, order, parameters, waiting_ones(records))
    waiting = {vm_id: wait for vm_id, wait in waits.items() if not wait.ended}
    if not waiting:
        return None
    due = [record for record in records if record.vm_id not in waiting and record.reason != DELETED]
    after = timedelta(0)
    if any(was_drained(record) for record in due):
        progress = await _delete_once_settled(ports, order, replace(deployment, parameters=parameters), due)
        if not progress.done:
            return progress
        after = progress.after
    look = min(wait.remaining for wait in waiting.values())
    if rule_of(parameters.signals, SignalType.VM_READY_TO_SHUTDOWN):
        look = min(look, order.poll_interval)
    return again(max(look, after), _words(waiting, records))


def _words(waiting: dict[str, DrainWait], records: Sequence[VmRecord]) -> str:
    """``draining 2 blue VMs``; ``draining 3 VMs`` where they are of both colours."""
    colors = {record.color for record in records if record.vm_id in waiting}
    noun = f"{next(iter(colors))} VM" if len(colors) == 1 else "VM"
    return f"{next(iter(waiting.values())).reason} {counted(len(waiting), noun)}"


async def _with_gateways(ports: Ports, order: Order, parameters: Parameters) -> Parameters:
    gateways = (await batch_of(ports, order)).gateway_draining
    return replace(parameters, draining_timeout=draining_time(parameters.draining_timeout, gateways))


async def _delete_once_settled(
    ports: Ports, order: Order, deployment: Deployment, records: Sequence[VmRecord]
) -> Progress:
    scale_set = await settled(ports, order, deployment.parameters, records)
    if isinstance(scale_set, Progress):
        return scale_set
    listed = await ports.scale_sets.list_vms(order.scale_set_id)
    return await delete(ports, order, deployment, scale_set, listed, records)


async def settled(
    ports: Ports, order: Order, parameters: Parameters, records: Sequence[VmRecord]
) -> ScaleSet | Progress:
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
    if asked and order.watched(min(asked)) > DELETE_LIMIT:
        return failed("vmsNotDeleted", f"VMs were still there {DELETE_LIMIT} after their deletion was asked for")
    if scale_set.settled:
        return scale_set
    if not asked and order.waited > BUSY_LIMIT + longest_wait(parameters.draining_timeout, parameters.signals):
        return failed("scaleSetBusy", f"{scale_set.name} was being changed by somebody else for too long")
    return again(order.poll_interval, "deleting VMs")


async def delete(
    ports: Ports,
    order: Order,
    deployment: Deployment,
    scale_set: ScaleSet,
    listed: VmList,
    records: Sequence[VmRecord],
) -> Progress:
    """One delete call for all that are still there; done once they are gone."""
    vm_ids = tuple(record.vm_id for record in records)
    left = remaining(vm_ids, listed.vms)
    await _record_gone(ports, order, deployment, records, left)
    if left.gone:
        return done(await _told(ports, order, records), before_next_step(listed))
    if left.ask:
        if refusal := await obstacle(ports, order):
            return refusal
        await write_down(ports, order, IntentKind.DELETE, scale_set, vm_ids=tuple(vm.vm_id for vm in left.ask))
        # Before the call: its answer may be lost, and the VMs gone at the next look.
        await _began(ports, order)
        await ports.scale_sets.delete_vms(scale_set, [vm.instance_id for vm in left.ask])
    return again(max(order.poll_interval, before_next_step(listed)), f"deleting {counted(len(records), 'VM')}")


async def _began(ports: Ports, order: Order) -> None:
    """Write down when the batch's first blue VM was asked to be deleted."""
    if order.batch:
        await ports.store.batches.change(
            order.deployment_id, order.batch, lambda row: replace(row, stages=begins_to_delete(row.stages, order.at))
        )


async def _told(ports: Ports, order: Order, records: Sequence[VmRecord]) -> str:
    cut = undrained(records, await ports.store.intents.list(order.deployment_id, order.batch))
    words = f"{counted(len(records), 'VM')} deleted"
    return words + (f"; {cut} of them undrained: still in their pools after {DRAIN_LIMIT}" if cut else "")


async def _record_gone(
    ports: Ports, order: Order, deployment: Deployment, records: Sequence[VmRecord], left: Remaining
) -> None:
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
    await tell_of_deleted(ports, order, deployment, {record.vm_id for record in fresh})
    await ports.store.vms.put(order.deployment_id, fresh)
    if fresh or left.gone:
        await ports.store.signals.delete(order.scale_set_id, [record.vm_id for record in gone])
