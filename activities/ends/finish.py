"""Steps at the end of a deployment, whichever end it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from activities.ends.adopt import adopt
from activities.rights import obstacle
from activities.rows import deployment_of
from rollout.lifecycle import lock as locks
from rollout.model.azure.ownership import told_apart
from rollout.model.azure.scale_set import ScaleSet, Vm
from rollout.model.order import Order, Progress, again, done, failed, lock_lost
from rollout.model.rows.deployment import Deployment, VmRecord
from rollout.model.status import Color, Status
from rollout.model.words import counted
from rollout.planning.roll_back import going_back, planned_rows
from rollout.ports.ports import Ports
from rollout.steps.outcome import outcome, still_on
from rollout.steps.remains import without_lock
from services.group_states import note_vms
from services.images.bad_image import judged_good
from services.pool_members import out_of_traffic

#: How many of the VMs that stay on an image that is rolled back the history names.
STAYED_MAX = 100


async def raise_epoch(ports: Ports, order: Order) -> Progress:
    """Take the lock anew in the next epoch, so that nothing still under way from before may write any more.

    Answers the new ``epoch`` and the ``sequence`` of the last event, which whoever failed may not have told. The order
    of a deployment that was queued is in no epoch: its turn may have come without its knowing, and nothing of it is
    under way then.
    """
    deployment = await deployment_of(ports, order)
    lock = await ports.store.locks.get(order.scale_set_id)
    if order.epoch == 0 and lock is not None and lock.owner == order.deployment_id:
        return done("The turn had come", epoch=lock.epoch, sequence=deployment.sequence)
    if lock is None or lock.owner != order.deployment_id or lock.epoch not in (order.epoch, order.epoch + 1):
        lost = lock_lost(f"The scale set's lock is no longer held by {order.deployment_id}")
        return replace(lost, data={"sequence": deployment.sequence})
    if lock.epoch == order.epoch:
        swapped = await ports.store.locks.swap(lock, locks.renewed(lock, order.at))
        if not swapped:
            return again(order.poll_interval, "Another writer changed the lock")
    return done("Only the failure path may write now", epoch=order.epoch + 1, sequence=deployment.sequence)


async def tell_changes(ports: Ports, order: Order) -> Progress:
    """Say who has the scale set now, and what the deployment had changed of it. Azure is neither read nor written."""
    deployment = await deployment_of(ports, order)
    lock = await ports.store.locks.get(order.scale_set_id)
    records = await ports.store.vms.list(deployment.id)
    intents = await ports.store.intents.list(deployment.id)
    return done(without_lock(deployment, lock, records, intents))


async def verify_end(ports: Ports, order: Order) -> Progress:
    """Look at the set and its VMs once more, and say in words where they are not what the plan said they would be.

    VMs on the image that others made in the middle, autoscale or repairs, and that took no green place are adopted.
    Where the lock was lost in a long wait, another deployment changes the set, and nothing can be said of it.
    After a roll back: which VMs ``stayed`` on the image, and whether the set is ``settled``, with nothing left to go
    and nothing out of traffic.
    """
    deployment = await deployment_of(ports, order)
    if deployment.number_of_batches == 0:
        return await obstacle(ports, order) or await _nothing_replaced(ports, order, deployment)
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    if scale_set is None:
        return failed("scaleSetGone", "The scale set does not exist any more")
    listed = await ports.scale_sets.list_vms(order.scale_set_id)
    if refusal := await obstacle(ports, order):
        return refusal
    await note_vms(ports, deployment, scale_set, listed.vms, order.at)
    records = await ports.store.vms.list(deployment.id)
    if deployment.status is not Status.ROLLING_BACK:
        await judged_good(ports, order.scale_set_id, deployment.image.pinned)
    adopted = await adopt(ports, order, deployment, listed, records)
    skipped = [record.vm_id for record in records if record.batch == 0 and record.color is Color.BLUE]
    before = planned_rows(deployment, records)
    planned = [record.vm_id for record in before]
    reason = "; ".join(outcome(deployment, scale_set, listed.vms, skipped, len(adopted), planned))
    if deployment.status is not Status.ROLLING_BACK:
        return _with(await _left_out(ports, scale_set, listed.vms, records), done(reason, adopted=len(adopted)))
    staying = still_on(deployment, listed.vms)
    # What an earlier deployment left out of traffic is in no batch of a roll back that came before its turn.
    standing = [vm for vm in listed.vms if not vm.leaving]
    aside = await out_of_traffic(ports, scale_set, standing) if deployment.continues else ()
    left = going_back(told_apart(scale_set, listed).vms, (), deployment, before).going
    return done(reason, stayed=len(staying), stayedVms=list(staying[:STAYED_MAX]), settled=not (left or aside))


async def _nothing_replaced(ports: Ports, order: Order, deployment: Deployment) -> Progress:
    told = done(f"No VM to replace: {deployment.reason}")
    records = await ports.store.vms.list(deployment.id) if deployment.continues else ()
    if not any(record.taken_out for record in records):
        return told
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    listed = await ports.scale_sets.list_vms(order.scale_set_id)
    return _with(await _left_out(ports, scale_set, listed.vms, records) if scale_set else (), told)


async def _left_out(ports: Ports, scale_set: ScaleSet, vms: Sequence[Vm], records: Sequence[VmRecord]) -> Sequence[str]:
    """The names of skipped VMs that an earlier deployment took out of their pools and did not live to replace."""
    left = {record.vm_id for record in records if record.batch == 0 and record.taken_out}
    standing = [vm for vm in vms if vm.vm_id in left and not vm.leaving]
    out = await out_of_traffic(ports, scale_set, standing) if standing else ()
    return sorted(vm.name for vm in standing if vm.vm_id in out)


def _with(left_out: Sequence[str], told: Progress) -> Progress:
    """The end with those named, and counted for the next deployment, which is handed them on."""
    if not left_out:
        return told
    names = ", ".join(left_out[:STAYED_MAX])
    words = f"{counted(len(left_out), 'VM')} still out of traffic since an earlier deployment: {names}"
    return replace(told, reason=f"{told.reason}; {words}", data={**told.data, "leftOut": len(left_out)})


async def release_group(ports: Ports, order: Order) -> Progress:
    """Free the scale set for the next deployment, and forget the journal where nothing is held any more."""
    lock = await ports.store.locks.get(order.scale_set_id)
    freed = locks.free(lock, order.deployment_id, order.epoch, order.at, lent=bool(order.acting))
    if freed is None:
        return done("The lock was not held any more")
    journal = await ports.store.holds.get(order.scale_set_id)
    if journal is not None and journal.over:
        await ports.store.holds.delete(order.scale_set_id)
    if not await ports.store.locks.swap(lock, freed):
        return again(order.poll_interval, "Another writer changed the lock")
    return done("The group is free")
