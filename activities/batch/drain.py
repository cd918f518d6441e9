"""Take VMs that are to go out of traffic: blue ones, and green ones, which may serve as well."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from activities.batch.pools import (
    DRAIN_LIMIT,
    PoolRefused,
    PoolView,
    carry_out,
    is_over,
    note_gateways,
    writes_of,
)
from activities.batch.room import make_room
from activities.intents import write_down
from activities.rights import obstacle
from activities.rows import keep_vms
from rollout.model.azure.pools import AdminState
from rollout.model.azure.vm_writes import VmWrites
from rollout.model.order import Order, Progress, again, done, failed
from rollout.model.rows.deployment import Intent, IntentKind, VmRecord
from rollout.model.status import Color
from rollout.model.words import counted
from rollout.ports.errors import Refused
from rollout.ports.ports import Ports
from rollout.steps.draining import back_inside, is_willing, newly_out, of_this_wait, to_drain
from rollout.steps.pacing import before_next_step
from rollout.steps.pools import ADMIN_STATE_TRIES, MEMBER_FAILED, by_their_own_networks, leaving_pools
from rollout.steps.retirement import remaining

_AT_ONCE = timedelta(seconds=1)

#: How long it may be that nothing can even be asked for, because somebody else changes the VMs all the time.
NO_WRITE_LIMIT = timedelta(hours=3)


@dataclass(frozen=True)
class _Departure:
    """Who is to leave the pools, what one run saw of them, and what was asked for so far in this wait."""

    scene: PoolView
    leaving: Sequence[VmRecord]
    intents: Sequence[Intent]
    refused: Collection[str]
    writes: VmWrites

    @property
    def blue(self) -> list[VmRecord]:
        return [record for record in self.leaving if record.color is Color.BLUE]

    @property
    def green(self) -> set[str]:
        return {record.vm_id for record in self.leaving if record.color is Color.GREEN}

    @property
    def going(self) -> frozenset[str]:
        """Those that may have connections."""
        return to_drain(self.leaving, self.scene.listed.vms)

    @property
    def inside(self) -> set[str]:
        """Those that a pool still sends traffic to."""
        members = self.scene.of(self.going)
        return {member.vm_id for member in members if not leaving_pools([member], self.refused).is_empty}

    @property
    def went_first(self) -> list[str]:
        """The green VMs that Teal deletes already, so that a pool takes writes again."""
        asked = {vm_id for intent in self.intents if intent.kind is IntentKind.DELETE for vm_id in intent.vm_ids}
        return [vm.vm_id for vm in self.scene.listed.vms if vm.leaving and vm.vm_id in asked & self.green]

    def is_late(self, order: Order) -> bool:
        """Whether the VMs have had their time to leave."""
        drains = [intent for intent in self.intents if intent.kind is IntentKind.DRAIN]
        return is_over(drains, order, self.writes) or (not drains and order.waited > NO_WRITE_LIMIT)


async def drain(ports: Ports, order: Order, scene: PoolView | None, leaving: Sequence[VmRecord]) -> Progress:
    """One step towards these VMs being in no pool; done where they are not. Green ones' rows then say since when.

    Blue VMs of which none has left its pools for ``DRAIN_LIMIT`` fail the step. Green ones do not: they are to go all
    the same, because a deployment that fails must come to its end.
    """
    if scene is None or not leaving:
        return done("The set is behind no balancer")
    intents = await ports.store.intents.list(order.deployment_id, order.batch)
    ours = of_this_wait(intents, leaving, order.since)
    refused, writes = await _refused_pools(ports, order, ours), await writes_of(ports, order)
    departure = _Departure(scene, leaving, ours, refused, writes)
    inside, late = departure.inside, departure.is_late(order)
    if inside and writes.exhausted:
        return await make_room(ports, order, scene, leaving, inside, ours, writes)
    if late and any(record.vm_id in inside for record in departure.blue):
        return failed("vmsNotDetached", f"VMs are still in their pools, and for {DRAIN_LIMIT} none left them")
    await keep_vms(ports, order, back_inside(leaving, inside))
    if inside and not late:
        return await _leave(ports, order, departure)
    out = newly_out(leaving, inside, intents, scene.listed.vms, order.at)
    if out or departure.blue:
        await note_gateways(ports, order, scene, intents)
    await keep_vms(ports, order, out)
    return done("Out of every pool", before_next_step(scene.listed))


async def _refused_pools(ports: Ports, order: Order, intents: Sequence[Intent]) -> frozenset[str]:
    """The pools whose balancers refused ``adminState``, in any batch, or take it and do not keep it."""
    batches = await ports.store.batches.list(order.deployment_id)
    refused = {pool for batch in batches for pool in batch.refused_pools}
    # A write for many VMs has several intents, of one time.
    tried = [pool for pool, _ in {(intent.pool, intent.at) for intent in intents if intent.pool}]
    return frozenset(refused | {pool for pool in tried if tried.count(pool) >= ADMIN_STATE_TRIES})


async def _leave(ports: Ports, order: Order, departure: _Departure) -> Progress:
    """Ask for what takes them out. Where Azure refuses that for green VMs alone, it is asked until they are late."""
    words = f"taking {_counted(departure)} out of traffic"
    try:
        return await _ask(ports, order, departure, words)
    except Refused as refusal:
        if departure.blue:
            raise
        return again(order.poll_interval, f"{words}: Azure refused: {refusal.message}")


async def _ask(ports: Ports, order: Order, departure: _Departure, words: str) -> Progress:
    scene = departure.scene
    if departure.went_first:
        return await _go_first(ports, order, scene, departure.went_first)
    change = leaving_pools(scene.of(departure.going), departure.refused)
    try:
        return await carry_out(ports, order, scene, change, AdminState.DOWN, words, departure.intents)
    except PoolRefused as refusal:
        return await _without(ports, order, departure, refusal)


async def _without(ports: Ports, order: Order, departure: _Departure, refusal: PoolRefused) -> Progress:
    """The pool refuses ``adminState``: the VMs' own network configurations are changed instead, from now on.

    A pool takes no write while a network interface in it is Failed. Green VMs may be the reason, and are to go anyway,
    so they are out of it first; where none of them is in it, somebody else's VM is the reason.
    """
    if refusal.cause.code == MEMBER_FAILED and (progress := await _green_first(ports, order, departure, refusal.pool)):
        return progress
    await ports.store.batches.change(
        order.deployment_id,
        order.batch,
        lambda row: replace(row, refused_pools=tuple(sorted({*row.refused_pools, refusal.pool}))),
    )
    return again(_AT_ONCE, f"the load balancer sets no VM Down ({refusal.cause.code}): taking each out of its pool")


async def _green_first(ports: Ports, order: Order, departure: _Departure, pool: str) -> Progress | None:
    """One step towards no green VM being in this pool; ``None``: none is.

    Those that Azure could not make are deleted, and those that do not leave by their own network configurations.
    """
    scene = departure.scene
    broken = departure.green - departure.going
    inside = {member.vm_id for member in scene.of(departure.green - broken) if pool in member.pools}
    stubborn = {vm_id for vm_id in inside if not is_willing(vm_id, departure.intents)}
    if not remaining(broken | stubborn, scene.listed.vms).gone:
        return await _go_first(ports, order, scene, broken | stubborn)
    if not inside:
        return None
    words = f"taking {counted(len(inside), 'green VM')} out of a pool that takes no write while a member is failed"
    change = by_their_own_networks(scene.of(inside))
    return await carry_out(ports, order, scene, change, AdminState.DOWN, words, departure.intents)


async def _go_first(ports: Ports, order: Order, scene: PoolView, vm_ids: Collection[str]) -> Progress:
    left = remaining(vm_ids, scene.listed.vms)
    if left.ask and scene.scale_set.settled:
        if obstructed := await obstacle(ports, order):
            return obstructed
        asked = tuple(vm.vm_id for vm in left.ask)
        await write_down(ports, order, IntentKind.DELETE, scene.scale_set, vm_ids=asked)
        await ports.scale_sets.delete_vms(scene.scale_set, [vm.instance_id for vm in left.ask])
    words = f"deleting {counted(len(vm_ids), 'green VM')} first: the pool takes no write while a member is failed"
    return again(max(order.poll_interval, before_next_step(scene.listed)), words)


def _counted(departure: _Departure) -> str:
    numbers = {"blue VM": len(departure.blue), "green VM": len(departure.green)}
    return " and ".join(counted(number, noun) for noun, number in numbers.items() if number)
