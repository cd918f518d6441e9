"""Put detached blue VMs back into traffic, where a deployment fails with them out of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from activities.batch.pools import (
    DRAIN_LIMIT,
    PoolRefused,
    PoolView,
    carry_out,
    drain_intents,
    is_over,
    look,
    writes_of,
)
from activities.rows import keep_vms
from rollout.model.azure.pools import AdminState, PoolMembership
from rollout.model.order import Order, Progress, done
from rollout.model.rows.deployment import Intent
from rollout.model.status import Color, VmStatus
from rollout.model.words import counted
from rollout.ports.ports import Ports
from rollout.steps.pools import cannot_be_had, returning_to_pools, taken_by_model


async def reattach_blue(ports: Ports, order: Order) -> Progress:
    """One step towards the batch's detached blue VMs being where they were, as far as they are still there.

    Each IP configuration comes back into the pools that the intents say it was taken out of. Done when all have, or
    when it took too long; the reason says which, and is empty where none had left its pools.
    """
    intents = await drain_intents(ports, order)
    drained = await _drained_blue(ports, order, intents)
    scene = await look(ports, order, drained, intents) if drained else None
    if scene is None or not scene.members:
        return done("")
    taken = _taken(intents, scene)
    absent = {pool for one in returning_to_pools(scene.members, taken).networks for pool in one.pools}
    missing = await ports.traffic.missing(absent)
    words = counted(len(scene.members), "blue VM")
    change = returning_to_pools(scene.members, taken, missing)
    if change.is_empty:
        await _record_return(ports, order, {member.vm_id for member in scene.members})
        gone = cannot_be_had(scene.members, taken, missing)
        return done(f"{words} put back into traffic" + (f", but not into what is gone: {gone}" if gone else ""))
    ours, said = [intent for intent in intents if intent.at >= order.since], f"putting {words} back into traffic"
    if is_over(ours, order, await writes_of(ports, order)):
        return done(f"{words} should be back in traffic; for {DRAIN_LIMIT} none came back into all its pools")
    try:
        return await carry_out(ports, order, scene, change, AdminState.NONE, said, ours)
    except PoolRefused as refusal:
        raise refusal.cause from refusal


async def _drained_blue(ports: Ports, order: Order, intents: Sequence[Intent]) -> set[str]:
    """The batch's blue VMs that were to leave their pools: the green ones that were are to go."""
    if not intents:
        return set()
    records = await ports.store.vms.list(order.deployment_id, order.batch)
    blue = {record.vm_id for record in records if record.color is Color.BLUE}
    return blue & {vm_id for intent in intents for vm_id in intent.vm_ids}


def _taken(intents: Sequence[Intent], scene: PoolView) -> list[PoolMembership]:
    """What the VMs were taken out of, by all writes together; by the set's model where a release wrote no more down."""
    untold = {vm_id for intent in intents if intent.taken is None for vm_id in intent.vm_ids}
    told = [one for intent in intents for one in intent.taken or ()]
    return told + list(taken_by_model(scene.of(untold), scene.scale_set))


async def _record_return(ports: Ports, order: Order, vm_ids: Collection[str]) -> None:
    records = await ports.store.vms.list(order.deployment_id, order.batch)
    back = [
        replace(record, status=VmStatus.RUNNING, reason="Back in traffic", detached_at=None, updated_at=order.at)
        for record in records
        if record.vm_id in vm_ids and record.status is VmStatus.DETACHED
    ]
    await keep_vms(ports, order, back)
