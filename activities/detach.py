"""Take blue VMs out of traffic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from activities.intents import write_down
from activities.pools import DRAIN_LIMIT, PoolRefused, Scene, carry_out, drain_intents, is_over, look
from activities.rights import obstacle
from activities.rows import batch_of, deployment_of
from rollout.deployment import Batch, Intent, IntentKind, VmRecord
from rollout.order import Order, Progress, again, done, failed
from rollout.pacing import before_next_step
from rollout.pools import ADMIN_STATE_TRIES, MEMBER_FAILED, AdminState, leaving_pools
from rollout.ports import Ports
from rollout.retirement import blue_to_detach, remaining
from rollout.signals import certain_wait
from rollout.status import Color, Phase, VmStatus
from rollout.words import counted

_AT_ONCE = timedelta(seconds=1)


async def detach_blue(ports: Ports, order: Order) -> Progress:
    """Take the blue VMs that the healthy green ones replace out of every pool; then they are on their way out."""
    batch = await batch_of(ports, order)
    records = await ports.store.vms.list(order.deployment_id, batch.number)
    blue = [record for record in records if record.color is Color.BLUE]
    if batch.phase.reached(Phase.DETACHED):
        return _detached([record for record in blue if record.status is VmStatus.DETACHED], blue, batch)
    deployment = await deployment_of(ports, order)
    leaving = blue_to_detach(records, batch, deployment.parameters.tolerate_unhealthy)
    progress = await _drain(ports, order, batch, records, [record.vm_id for record in leaving])
    if not progress.done:
        return progress
    await ports.store.vms.put(order.deployment_id, _out_of_traffic(blue, leaving, order))
    wait = certain_wait(deployment.parameters.draining_timeout, deployment.parameters.signals)
    after = max(progress.after - wait, timedelta(0)) if leaving else progress.after
    return replace(_detached(leaving, blue, await batch_of(ports, order)), after=after)


def _detached(leaving: Sequence[VmRecord], blue: Sequence[VmRecord], batch: Batch) -> Progress:
    stay = len(blue) - len(leaving)
    reason = f"{counted(len(leaving), 'blue VM')} detached"
    if stay:
        reason += f"; {counted(stay, 'blue VM')} kept in service, because green ones were not healthy"
    gateways = round(batch.gateway_draining.total_seconds())
    return done(reason, detached=len(leaving), remaining=stay, gatewayDraining=gateways)


def _out_of_traffic(blue: Sequence[VmRecord], leaving: Sequence[VmRecord], order: Order) -> list[VmRecord]:
    chosen = {record.vm_id for record in leaving}
    return [
        replace(
            record,
            status=VmStatus.DETACHED,
            reason="Draining",
            updated_at=order.at,
            detached_at=record.detached_at or order.at,
        )
        if record.vm_id in chosen
        else replace(record, reason="Stays in service: its replacement was not healthy", updated_at=order.at)
        for record in blue
    ]


async def _drain(
    ports: Ports, order: Order, batch: Batch, records: Sequence[VmRecord], leaving: Sequence[str]
) -> Progress:
    """One step towards these VMs being in no pool; done where they are not, or the set has none."""
    intents = await drain_intents(ports, order)
    scene = await look(ports, order, leaving, intents) if leaving else None
    if scene is None:
        return done("The set is behind no balancer")
    change = leaving_pools(scene.members, await _refused_pools(ports, order, intents))
    if change.is_empty:
        taken = {pool for intent in intents for one in intent.taken or () for pool in one.pools}
        draining = await ports.traffic.draining_time({*scene.scale_set.backend_pools, *taken})
        await ports.store.batches.change(
            order.deployment_id, batch.number, lambda row: replace(row, gateway_draining=draining)
        )
        return done("Out of every pool", before_next_step(scene.listed))
    if is_over(intents, order):
        return failed("vmsNotDetached", f"VMs were still in their pools {DRAIN_LIMIT} after they were to leave them")
    words = f"taking {counted(len(leaving), 'blue VM')} out of traffic"
    try:
        return await carry_out(ports, order, scene, change, AdminState.DOWN, words)
    except PoolRefused as refusal:
        return await _without(ports, order, scene, records, refusal)


async def _refused_pools(ports: Ports, order: Order, intents: Sequence[Intent]) -> frozenset[str]:
    """The pools whose balancers refused ``adminState``, in any batch, or take it and do not keep it."""
    batches = await ports.store.batches.list(order.deployment_id)
    refused = {pool for batch in batches for pool in batch.refused_pools}
    # A write for many VMs has several intents, of one time.
    tried = [pool for pool, _ in {(intent.pool, intent.at) for intent in intents if intent.pool}]
    return frozenset(refused | {pool for pool in tried if tried.count(pool) >= ADMIN_STATE_TRIES})


async def _without(
    ports: Ports, order: Order, scene: Scene, records: Sequence[VmRecord], refusal: PoolRefused
) -> Progress:
    """The pool refuses ``adminState``: the VMs' own network configurations are changed instead, from now on.

    A pool takes no write while an interface in it is Failed. Green VMs that are to be deleted anyway may be the reason,
    so they go first; where none is left, somebody else's VM is.
    """
    if refusal.cause.code == MEMBER_FAILED:
        sick = [one.vm_id for one in records if one.color is Color.GREEN and one.status is VmStatus.UNHEALTHY]
        tolerated = (await deployment_of(ports, order)).parameters.tolerate_unhealthy
        if sick and not tolerated and (progress := await _sick_go_first(ports, order, scene, sick)):
            return progress
    await ports.store.batches.change(
        order.deployment_id,
        order.batch,
        lambda row: replace(row, refused_pools=tuple(sorted({*row.refused_pools, refusal.pool}))),
    )
    return again(_AT_ONCE, f"the load balancer sets no VM Down ({refusal.cause.code}): taking each out of its pool")


async def _sick_go_first(ports: Ports, order: Order, scene: Scene, sick: Sequence[str]) -> Progress | None:
    left = remaining(sick, scene.listed.vms)
    if left.gone:
        return None
    words = f"deleting {counted(len(sick), 'sick green VM')} first: the pool takes no write while a member is failed"
    if left.ask and scene.scale_set.settled:
        if obstructed := await obstacle(ports, order):
            return obstructed
        vm_ids = tuple(vm.vm_id for vm in left.ask)
        await write_down(ports, order, IntentKind.DELETE, scene.scale_set, vm_ids=vm_ids)
        await ports.scale_sets.delete_vms(scene.scale_set, [vm.instance_id for vm in left.ask])
    return again(max(order.poll_interval, before_next_step(scene.listed)), words)
