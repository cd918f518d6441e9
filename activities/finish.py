"""What happens at the end of a deployment, whichever end it is."""

from __future__ import annotations

from activities.rows import deployment_of
from rollout import lock as locks
from rollout.order import Order, Progress, again, done, failed, lock_lost
from rollout.outcome import outcome
from rollout.ports import Ports


async def raise_epoch(ports: Ports, order: Order) -> Progress:
    """Take the lock anew in the next epoch, so that nothing still under way from before may write any more.

    Answers the new ``epoch`` and the ``sequence`` of the last event, which whoever failed may not have told.
    """
    deployment = await deployment_of(ports, order)
    lock = await ports.store.locks.get(order.scale_set_id)
    if lock is None or lock.owner != order.deployment_id or lock.epoch not in (order.epoch, order.epoch + 1):
        return lock_lost(f"The scale set's lock is no longer held by {order.deployment_id}")
    if lock.epoch == order.epoch:
        swapped = await ports.store.locks.swap(lock, locks.renewed(lock, order.at))
        if not swapped:
            return again(order.poll_interval, "Another writer changed the lock")
    return done("Only the failure path may write now", epoch=order.epoch + 1, sequence=deployment.sequence)


async def verify_end(ports: Ports, order: Order) -> Progress:
    """Look at the set and its VMs once more, and say in words where they are not what the plan said they would be."""
    deployment = await deployment_of(ports, order)
    if deployment.number_of_batches == 0:
        return done(f"No VM to replace: {deployment.reason}")
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    if scale_set is None:
        return failed("scaleSetGone", "The scale set does not exist any more")
    listed = await ports.scale_sets.list_vms(order.scale_set_id)
    return done("; ".join(outcome(deployment, scale_set, listed.vms)))


async def release_group(ports: Ports, order: Order) -> Progress:
    """Free the scale set for the next deployment."""
    lock = await ports.store.locks.get(order.scale_set_id)
    freed = locks.free(lock, order.deployment_id, order.epoch, order.at)
    if freed is None:
        return done("The lock was not held any more")
    if not await ports.store.locks.swap(lock, freed):
        return again(order.poll_interval, "Another writer changed the lock")
    return done("The group is free")
