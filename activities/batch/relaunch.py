"""Ask again for the places of green VMs that are lost before their batch is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from activities.batch.launch import delete_at_once, green_rows, note_failure, write_launch
from activities.rights import obstacle
from activities.rows import batch_of, keep_vms
from rollout.model.azure.scale_set import ScaleSet, Vm, VmList
from rollout.model.order import Order, Progress, StepState
from rollout.model.rows.deployment import Batch, Deployment, VmRecord
from rollout.model.status import Phase
from rollout.ports.ports import Ports
from rollout.steps.launch import decide_launch, newcomers, strays
from rollout.steps.relaunch import newly_lost, succeeded, waiting_places


@dataclass(frozen=True)
class Relaunch:
    """How it stands: the rows of the VMs ``in_place``, and how many are ``coming``. ``lost``: those that are so since
    this look. ``lock_lost``: nothing may be written any more.
    """

    in_place: tuple[VmRecord, ...]
    coming: int = 0
    lost: tuple[VmRecord, ...] = ()
    lock_lost: Progress | None = None


async def relaunch_lost(
    ports: Ports, order: Order, deployment: Deployment, records: Sequence[VmRecord], listed: VmList
) -> Relaunch:
    """One step towards the places of lost VMs being filled; ``records``: the rows of the VMs in place, as listed.

    The set is read before the batch's row, as for a launch; then its VMs once more, so that none counts as lost that
    one list left out.
    """
    vms = listed.by_id()
    if not newly_lost(records, vms, order.at) and not waiting_places(records, vms):
        return Relaunch(tuple(records))
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    batch = await batch_of(ports, order)
    if scale_set is None or batch.is_past(Phase.HEALTHY, order.round):
        return Relaunch(tuple(records))
    listed = await ports.scale_sets.list_vms(order.scale_set_id)
    lost = {one.vm_id: one for one in newly_lost(records, listed.by_id(), order.at)}
    await keep_vms(ports, order, list(lost.values()))
    records = tuple(lost.get(one.vm_id, one) for one in records)
    filled = await _filled(ports, order, deployment, batch, scale_set, listed, records)
    return replace(filled, lost=tuple(lost.values()))


async def _filled(
    ports: Ports,
    order: Order,
    deployment: Deployment,
    batch: Batch,
    scale_set: ScaleSet,
    listed: VmList,
    records: tuple[VmRecord, ...],
) -> Relaunch:
    vms = listed.by_id()
    waiting = waiting_places(records, vms)
    if not waiting:
        return Relaunch(records)
    since = max(one.relaunched_at or order.since for one in waiting)
    left = deployment.parameters.allocation_timeout - order.watched(since)
    if not scale_set.settled:
        return Relaunch(records, len(waiting) if left > timedelta(0) else 0)
    idle = [vms[one.vm_id] for one in waiting if one.vm_id in vms and not vms[one.vm_id].leaving]
    if idle:
        return await _deleted(ports, order, scale_set, idle, Relaunch(records, len(waiting)))
    known = [one.vm_id for one in await ports.store.vms.list(order.deployment_id)]
    image = batch.image(deployment.image)
    new = newcomers(scale_set, listed.vms, known, image)
    intents = await ports.store.intents.list(order.deployment_id, batch.number)
    launch = decide_launch(scale_set, new, replace(batch, green=len(waiting)), intents, order.at, left, since)
    if launch.intent is not None or launch.discard:
        asked = await write_launch(ports, order, scale_set, launch, listed, image, patient=True)
        if asked.state is StepState.LOCK_LOST:
            return Relaunch(records, lock_lost=asked)
        return Relaunch(records, len(waiting) if asked.state is StepState.AGAIN else 0)
    if launch.wait:
        return Relaunch(records, len(waiting))
    other = strays(scale_set, listed.vms, known, image, len(waiting) - len(launch.adopt))
    return await _adopted(ports, order, records, waiting, (*launch.adopt, *other), listed)


async def _deleted(ports: Ports, order: Order, scale_set: ScaleSet, idle: Sequence[Vm], after: Relaunch) -> Relaunch:
    """Without hardware they still take their places in the set."""
    if refusal := await obstacle(ports, order):
        return replace(after, lock_lost=refusal) if refusal.state is StepState.LOCK_LOST else after
    await delete_at_once(ports, order, scale_set, idle)
    return after


async def _adopted(
    ports: Ports,
    order: Order,
    records: tuple[VmRecord, ...],
    waiting: Sequence[VmRecord],
    came: Sequence[Vm],
    listed: VmList,
) -> Relaunch:
    """Those that came are green from now on, and are looked at the next time. The others never come."""
    await note_failure(ports, order, came)
    taken = succeeded(waiting, len(came), listed.by_id(), order.at)
    await ports.store.vms.put(order.deployment_id, [*green_rows(came, order, order.at), *taken])
    await ports.store.signals.delete(order.scale_set_id, [one.vm_id for one in taken])
    left = {one.vm_id for one in taken}
    return Relaunch(tuple(one for one in records if one.vm_id not in left), len(came))
