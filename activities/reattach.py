"""Put detached blue VMs back into traffic, where a deployment fails with them out of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from activities.pools import DRAIN_LIMIT, PoolRefused, carry_out, drain_intents, is_over, look
from rollout.order import Order, Progress, done
from rollout.ports import Ports
from rollout.status import VmStatus
from rollout.traffic import AdminState, returning_to_pools
from rollout.words import counted


async def reattach_blue(ports: Ports, order: Order) -> Progress:
    """One step towards the batch's detached blue VMs serving again, as far as they are still there.

    Done when they do, or when it took too long; the reason says which, and is empty where none had left its pools.
    """
    intents = await drain_intents(ports, order)
    drained = {vm_id for intent in intents for vm_id in intent.vm_ids}
    scene = await look(ports, order, drained) if drained else None
    if scene is None or not scene.members:
        return done("")
    words = counted(len(scene.members), "blue VM")
    change = returning_to_pools(scene.members, scene.scale_set.backend_pools)
    if change.is_empty:
        await _record_return(ports, order, {member.vm_id for member in scene.members})
        return done(f"{words} put back into traffic")
    if is_over([intent for intent in intents if intent.at >= order.since], order):
        return done(f"{words} should be back in traffic, but are not in all their pools after {DRAIN_LIMIT}")
    try:
        return await carry_out(ports, order, scene, change, AdminState.NONE, f"putting {words} back into traffic")
    except PoolRefused as refusal:
        raise refusal.cause from refusal


async def _record_return(ports: Ports, order: Order, vm_ids: Collection[str]) -> None:
    records = await ports.store.vms.list(order.deployment_id, order.batch)
    back = [
        replace(record, status=VmStatus.RUNNING, reason="Back in traffic", detached_at=None, updated_at=order.at)
        for record in records
        if record.vm_id in vm_ids and record.status is VmStatus.DETACHED
    ]
    await ports.store.vms.put(order.deployment_id, back)
