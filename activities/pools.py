"""Changing which pools VMs are in: what a run sees of it, and what it asks Azure for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from activities.intents import write_down
from activities.rights import obstacle
from rollout.deployment import Intent, IntentKind
from rollout.errors import Busy, Refused, Stale
from rollout.order import Order, Progress, again
from rollout.pacing import before_next_step
from rollout.pools import AdminState, Change, Membership, PoolsOf
from rollout.ports import Ports
from rollout.scale_set import ScaleSet, Vm, VmList

#: How long VMs may take to leave their pools, or to come back, before somebody has to look.
DRAIN_LIMIT = timedelta(minutes=30)

#: One run asks for so many network configurations at most: it stays short, and within Resource Manager's bucket of 200
#: writes (https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling).
MOST_WRITES = 100

#: One row says of so many IP configurations what they are taken out of: a row of Table Storage holds a mebibyte.
MOST_PLACES = 100

Write = Callable[[], Awaitable[None]]


@dataclass
class PoolRefused(Exception):
    """A load balancer refuses a write of this pool."""

    pool: str
    cause: Refused


@dataclass(frozen=True)
class Scene:
    """What one run saw: the set, its VMs, and the pools that those of interest are in."""

    scale_set: ScaleSet
    listed: VmList
    members: tuple[Membership, ...]

    def of(self, vm_ids: Collection[str]) -> list[Membership]:
        """The memberships of these VMs."""
        return [member for member in self.members if member.vm_id in vm_ids]

    def idle(self, vm_ids: Collection[str]) -> list[Vm]:
        """Those of these VMs whose network configurations are not being written already."""
        return [vm for vm in self.listed.vms if vm.vm_id in vm_ids and vm.provisioning_state.lower() != "updating"]


async def look(ports: Ports, order: Order, vm_ids: Collection[str], intents: Sequence[Intent]) -> Scene | None:
    """The set and where these VMs stand. ``None``: it has no pools, and none was left by these drain ``intents``."""
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    if scale_set is None or not (scale_set.backend_pools or intents):
        return None
    return await scene_of(ports, scale_set, await ports.scale_sets.list_vms(order.scale_set_id), vm_ids)


async def scene_of(ports: Ports, scale_set: ScaleSet, listed: VmList, vm_ids: Collection[str]) -> Scene:
    """Where these VMs of a set stand.

    VMs that are gone, going or stopped get no traffic, and a write of a stopped VM's network may be refused.
    """
    vms = [vm for vm in listed.vms if vm.vm_id in vm_ids and not vm.leaving and not vm.stopped]
    return Scene(scale_set, listed, await ports.traffic.read(scale_set, vms) if vms else ())


async def drain_intents(ports: Ports, order: Order) -> list[Intent]:
    """What was meant to be done to the pools of the batch's VMs so far."""
    intents = await ports.store.intents.list(order.deployment_id, order.batch)
    return [intent for intent in intents if intent.kind is IntentKind.DRAIN]


def is_over(intents: Sequence[Intent], order: Order) -> bool:
    """Whether it takes too long since the first write: before that, the deployment may have been suspended."""
    return bool(intents) and order.at - min(intent.at for intent in intents) > DRAIN_LIMIT


async def carry_out(
    ports: Ports, order: Order, scene: Scene, change: Change, state: AdminState, words: str
) -> Progress:
    """Ask for all that is to change, one after the other without waiting.

    What Azure is too busy for, and what has changed since it was read, is decided anew at the next look; a setback only
    where nothing arrived. ``PoolRefused``: a load balancer will not have it.
    """
    vms = scene.idle({one.vm_id for one in change.networks})[:MOST_WRITES]
    writes = [_of_pool(ports, order, scene, pool, ones, state) for pool, ones in change.states_by_pool().items()]
    writes += [_of_vm(ports, scene, vm, change.networks_of(vm.vm_id), state) for vm in vms]
    if vms:
        if refusal := await obstacle(ports, order):
            return refusal
        await _write_down(ports, order, scene, [one for vm in vms for one in change.networks_of(vm.vm_id)], state)
    arrived, trouble = 0, None
    for write in writes:
        if refusal := await obstacle(ports, order):
            return refusal
        try:
            await write()
            arrived += 1
        except (Busy, Stale) as error:
            trouble = error
            if isinstance(error, Busy) and error.retry_after is not None:
                break
    if trouble is not None and not arrived:
        raise trouble
    return again(max(order.poll_interval, before_next_step(scene.listed)), words)


async def _write_down(
    ports: Ports, order: Order, scene: Scene, places: Sequence[PoolsOf], state: AdminState, pool: str = ""
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
    ports: Ports, order: Order, scene: Scene, pool: str, places: Sequence[PoolsOf], state: AdminState
) -> Write:
    async def write() -> None:
        await _write_down(ports, order, scene, places, state, pool)
        try:
            await ports.traffic.set_state(pool, {one.configuration for one in places}, state)
        except Refused as cause:
            raise PoolRefused(pool, cause) from cause

    return write


def _of_vm(ports: Ports, scene: Scene, vm: Vm, places: Sequence[PoolsOf], state: AdminState) -> Write:
    async def write() -> None:
        if state is AdminState.DOWN:
            await ports.traffic.leave(scene.scale_set, vm, places)
        else:
            await ports.traffic.join(scene.scale_set, vm, places)

    return write
