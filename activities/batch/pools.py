"""Changing which pools VMs are in: what a run sees of it, and what it asks Azure for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from activities.intents import write_down
from activities.rights import obstacle
from rollout.model.azure.pools import AdminState, Membership, PoolMembership
from rollout.model.azure.scale_set import ScaleSet, Vm, VmList
from rollout.model.azure.vm_writes import VmWrites
from rollout.model.order import Order, Progress, again
from rollout.model.rows.deployment import Batch, Intent, IntentKind
from rollout.ports.errors import MODELS_EXHAUSTED, Busy, Refused, Stale
from rollout.ports.ports import Ports
from rollout.steps.pacing import before_next_step
from rollout.steps.pools import PoolChange

#: How long it may go on that no VM leaves its pools, or comes back into them, before somebody has to look.
DRAIN_LIMIT = timedelta(minutes=30)

#: One row says of so many IP configurations what they are taken out of: a row of Table Storage holds a mebibyte.
MOST_PLACES = 100

Write = Callable[[], Awaitable[None]]


@dataclass
class PoolRefused(Exception):
    """A load balancer refuses a write of this pool."""

    pool: str
    cause: Refused


@dataclass(frozen=True)
class PoolView:
    """The sight of one run: the set, its VMs, and the pools that those of interest are in."""

    scale_set: ScaleSet
    listed: VmList
    members: tuple[Membership, ...]

    def of(self, vm_ids: Collection[str]) -> list[Membership]:
        """The memberships of these VMs."""
        return [member for member in self.members if member.vm_id in vm_ids]

    def idle(self, vm_ids: Collection[str]) -> list[Vm]:
        """Those of these VMs whose network configurations are not being written already."""
        return [vm for vm in self.listed.vms if vm.vm_id in vm_ids and not _is_updating(vm)]

    def written_to(self, vm_ids: Collection[str]) -> list[Vm]:
        """Those of these VMs that are being written to."""
        return [vm for vm in self.listed.vms if vm.vm_id in vm_ids and _is_updating(vm)]


def _is_updating(vm: Vm) -> bool:
    return vm.provisioning_state.lower() == "updating"


async def look(ports: Ports, order: Order, vm_ids: Collection[str], intents: Sequence[Intent]) -> PoolView | None:
    """The set and where these VMs stand. ``None``: it has no pools, and none was left by these drain ``intents``."""
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    if scale_set is None or not (scale_set.backend_pools or intents):
        return None
    return await scene_of(ports, scale_set, await ports.scale_sets.list_vms(order.scale_set_id), vm_ids)


async def scene_of(ports: Ports, scale_set: ScaleSet, listed: VmList, vm_ids: Collection[str]) -> PoolView:
    """Where these VMs of a set stand.

    VMs that are gone, going or stopped get no traffic, and a write of a stopped VM's network may be refused.
    """
    vms = [vm for vm in listed.vms if vm.vm_id in vm_ids and not vm.leaving and not vm.stopped]
    return PoolView(scale_set, listed, await ports.traffic.read(scale_set, vms) if vms else ())


async def drain_intents(ports: Ports, order: Order) -> list[Intent]:
    """The intents about the pools of the batch's VMs so far."""
    intents = await ports.store.intents.list(order.deployment_id, order.batch)
    return [intent for intent in intents if intent.kind is IntentKind.DRAIN]


def is_over(intents: Sequence[Intent], order: Order, writes: VmWrites) -> bool:
    """True if nothing moved for too long since the first write: before that, the deployment may have been suspended."""
    if not intents:
        return False
    begun = min(intent.at for intent in intents)
    return order.watched(max(begun, writes.moved_at or begun)) > DRAIN_LIMIT


async def carry_out(
    ports: Ports,
    order: Order,
    scene: PoolView,
    change: PoolChange,
    state: AdminState,
    words: str,
    intents: Sequence[Intent],
) -> Progress:
    """Ask for all that is to change, one after the other without waiting; of VMs as many at once as Azure takes.

    What Azure is too busy for, and what has changed since it was read, is decided anew at the next look; a setback only
    where nothing arrived. So is what to do where a VM may not leave because the set's VMs run too many models.
    ``intents``: what was asked for before. ``PoolRefused``: a load balancer will not have it.
    """
    vms = await _next_vms(ports, order, scene, change, intents)
    writes = [_of_pool(ports, order, scene, pool, ones, state) for pool, ones in change.states_by_pool().items()]
    pools = len(writes)
    writes += [_of_vm(ports, scene, vm, change.networks_of(vm.vm_id), state) for vm in vms]
    if vms:
        if refusal := await obstacle(ports, order):
            return refusal
        await _write_down(ports, order, scene, [one for vm in vms for one in change.networks_of(vm.vm_id)], state)
    arrived, taken, refused, trouble = 0, 0, False, None
    for number, write in enumerate(writes):
        if refusal := await obstacle(ports, order):
            return refusal
        try:
            await write()
            arrived += 1
            taken += number >= pools
        except (Busy, Stale) as error:
            trouble = error
            refused = isinstance(error, Busy) and number >= pools and error.retry_after is None
            if refused or (isinstance(error, Busy) and error.retry_after is not None):
                break
        except Refused as error:
            if error.code != MODELS_EXHAUSTED or state is not AdminState.DOWN:
                raise
            await _note_exhausted(ports, order, error)
            break
    await _note_sent(ports, order, taken, refused)
    if trouble is not None and not arrived and not refused:
        raise trouble
    return again(max(order.poll_interval, before_next_step(scene.listed)), words)


async def writes_of(ports: Ports, order: Order) -> VmWrites:
    """How Azure took the writes of the batch's VMs so far."""
    batch = await ports.store.batches.get(order.deployment_id, order.batch)
    return batch.vm_writes if batch is not None else VmWrites()


async def note_gateways(ports: Ports, order: Order, scene: PoolView, intents: Sequence[Intent]) -> None:
    """Write down in the batch's row how long the gateways let connections of the VMs that left end."""
    taken = {pool for intent in intents for one in intent.taken or () for pool in one.pools}
    draining = await ports.traffic.draining_time({*scene.scale_set.backend_pools, *taken})
    await ports.store.batches.change(
        order.deployment_id, order.batch, lambda row: replace(row, gateway_draining=draining)
    )


async def _next_vms(
    ports: Ports, order: Order, scene: PoolView, change: PoolChange, intents: Sequence[Intent]
) -> Sequence[Vm]:
    """The VMs to write to now: those that were asked least often first, so that one that is busy holds up no other."""
    wanted = {one.vm_id for one in change.networks}
    if not wanted:
        return ()
    writes = (await writes_of(ports, order)).looked(len(wanted), order.at)
    await note(ports, order, lambda _: writes)
    tries = Counter(vm_id for intent in intents if not intent.pool for vm_id in intent.vm_ids)
    # One that is out of its pools already may still be written to.
    under_way = len(scene.written_to({*wanted, *tries}))
    return sorted(scene.idle(wanted), key=lambda vm: tries[vm.vm_id])[: writes.room(under_way)]


async def _note_sent(ports: Ports, order: Order, taken: int, refused: bool) -> None:
    if taken or refused:
        await note(ports, order, lambda writes: writes.sent(taken, refused=refused))


async def _note_exhausted(ports: Ports, order: Order, refusal: Refused) -> None:
    await note(ports, order, lambda writes: replace(writes, exhausted=refusal.message))


async def note(ports: Ports, order: Order, change: Callable[[VmWrites], VmWrites]) -> None:
    """Write down in the batch's row how Azure takes the writes of its VMs."""

    def changed(row: Batch) -> Batch:
        return replace(row, vm_writes=change(row.vm_writes))

    await ports.store.batches.change(order.deployment_id, order.batch, changed)


async def _write_down(
    ports: Ports, order: Order, scene: PoolView, places: Sequence[PoolMembership], state: AdminState, pool: str = ""
) -> None:
    """Before VMs leave: what each of their IP configurations is taken out of, as that is where it comes back.

    In several rows where they are many: a row holds a mebibyte.
    """
    for start in range(0, len(places), MOST_PLACES):
        some = tuple(places[start : start + MOST_PLACES])
        vm_ids = tuple(sorted({one.vm_id for one in some}))
        taken = some if state is AdminState.DOWN else ()
        await write_down(ports, order, IntentKind.DRAIN, scene.scale_set, vm_ids=vm_ids, pool=pool, taken=taken)


def _of_pool(
    ports: Ports, order: Order, scene: PoolView, pool: str, places: Sequence[PoolMembership], state: AdminState
) -> Write:
    async def write() -> None:
        await _write_down(ports, order, scene, places, state, pool)
        try:
            await ports.traffic.set_state(pool, {one.configuration for one in places}, state)
        except Refused as cause:
            raise PoolRefused(pool, cause) from cause

    return write


def _of_vm(ports: Ports, scene: PoolView, vm: Vm, places: Sequence[PoolMembership], state: AdminState) -> Write:
    async def write() -> None:
        if state is AdminState.DOWN:
            await ports.traffic.leave(scene.scale_set, vm, places)
        else:
            await ports.traffic.join(scene.scale_set, vm, places)

    return write
