"""Leave a deployment's VMs as they are, and know them all: for a stop, and for a batch that is kept to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from activities.batch.pools import drain_intents, scene_of
from activities.batch.reattach import reattach_blue
from activities.former import tell_of_gone
from activities.rights import obstacle
from activities.rows import batch_of, deployment_of, keep_vms
from rollout.model.azure.scale_set import Vm, VmList
from rollout.model.codec import encode
from rollout.model.order import Order, Progress, again, done
from rollout.model.rows.deployment import Batch, Deployment, IntentKind, VmRecord
from rollout.model.rows.holds import Hold
from rollout.model.status import Color, VmStatus
from rollout.model.words import counted
from rollout.planning.inheritance import left_behind
from rollout.ports.ports import Ports
from rollout.steps.draining import out_unnoted
from rollout.steps.launch import newcomers, orphans
from rollout.steps.remains import remains
from rollout.steps.retirement import gone
from services.images.bad_image import note_model

#: How long a change of the set that is still under way is waited for.
SETTLE_LIMIT = timedelta(minutes=30)


async def settle_vms(ports: Ports, order: Order) -> Progress:
    """Wait until no change of the set is under way, give every VM of the deployment a row, and say what remains."""
    listed = await _settled(ports, order)
    if isinstance(listed, Progress):
        return listed
    deployment = await deployment_of(ports, order)
    records = await _with_orphans(ports, order, deployment, listed)
    out = await _out_of_traffic(ports, order, deployment, listed, records)
    if isinstance(out, Progress):
        return out
    noted = {record.vm_id: record for record in out}
    records = [noted.get(record.vm_id, record) for record in records]
    missing = gone(records, listed.vms, order.at)
    await tell_of_gone(ports, order, deployment, missing)
    await keep_vms(ports, order, [*out, *missing])
    return done(remains(listed.vms, records))


async def keep_green(ports: Ports, order: Order) -> Progress:
    """Leave the green VMs of a failed batch to be looked at, and put detached blue ones back into traffic.

    The journal remembers the batch, so that its green VMs go once ``keepFor`` is over.
    """
    batch = await batch_of(ports, order)
    back = await reattach_blue(ports, order)
    if not back.done:
        return back
    listed = await _settled(ports, order)
    if isinstance(listed, Progress):
        return listed
    deployment = await deployment_of(ports, order)
    records = await _with_orphans(ports, order, deployment, listed)
    present = listed.by_id()
    green = [one for one in records if one.batch == batch.number and one.color is Color.GREEN and one.vm_id in present]
    if green and batch.healthy_at is None:
        await _remember(ports, order, deployment, batch)
    stay = "stays" if len(green) == 1 else "stay"
    kept = f"{counted(len(green), 'green VM')} {stay} to be looked at for {deployment.parameters.keep_for}"
    return done(kept + (f"; {back.reason}" if back.reason else ""), kept=len(green), surplus=bool(green))


async def take_stock(ports: Ports, order: Order) -> Progress:
    """Answer how the set is ``left``, so that the next deployment can tell what others have changed since."""
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    if scale_set is None:
        return done("The scale set and its VMs are gone")
    listed = await ports.scale_sets.list_vms(order.scale_set_id)
    records = await ports.store.vms.list(order.deployment_id)
    if refusal := await obstacle(ports, order):
        return refusal
    await note_model(ports, await deployment_of(ports, order), scale_set, order.at)
    left = left_behind(order.deployment_id, records, scale_set, listed.vms, order.at)
    return done(f"{counted(left.vms, 'VM')} left", left=encode(left))


async def _settled(ports: Ports, order: Order) -> VmList | Progress:
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    if scale_set is None:
        return done("The scale set and its VMs are gone")
    if not scale_set.settled and order.waited < SETTLE_LIMIT:
        return again(order.poll_interval, f"waiting for a change of {scale_set.name} to end")
    return await ports.scale_sets.list_vms(order.scale_set_id)


async def _with_orphans(ports: Ports, order: Order, deployment: Deployment, listed: VmList) -> list[VmRecord]:
    """Every row, those of VMs included that a launch made and no run of it lived to adopt."""
    records = list(await ports.store.vms.list(order.deployment_id))
    batch = await ports.store.batches.get(order.deployment_id, deployment.current_batch)
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    if batch is None or scale_set is None:
        return records
    found = newcomers(scale_set, listed.vms, [record.vm_id for record in records], batch.image(deployment.image))
    intents = await ports.store.intents.list(order.deployment_id, batch.number)
    if any(intent.kind is IntentKind.LAUNCH for intent in intents):
        found = orphans(scale_set, listed.vms, records, batch, batch.image(deployment.image))
    adopted = [_orphan(vm, batch, order) for vm in found]
    await ports.store.vms.put(order.deployment_id, adopted)
    return records + adopted


async def _out_of_traffic(
    ports: Ports, order: Order, deployment: Deployment, listed: VmList, records: Sequence[VmRecord]
) -> Sequence[VmRecord] | Progress:
    """The rows of blue VMs that the batch took out of their pools and no look noted; waits for writes under way."""
    intents = await drain_intents(ports, replace(order, batch=deployment.current_batch))
    taken = [one for intent in intents for one in intent.taken or ()]
    asked = {one.vm_id for one in taken}
    scale_set = await ports.scale_sets.read(order.scale_set_id) if asked else None
    if scale_set is None:
        return ()
    scene = await scene_of(ports, scale_set, listed, asked)
    idle = {vm.vm_id for vm in scene.idle(asked)}
    if any(member.vm_id not in idle for member in scene.members) and order.waited < SETTLE_LIMIT:
        return again(order.poll_interval, f"waiting for changes of the networks of {scale_set.name}'s VMs to end")
    return out_unnoted(records, scene.members, taken, order.at)


def _orphan(vm: Vm, batch: Batch, order: Order) -> VmRecord:
    status, reason = VmStatus.PENDING, "Launched; never judged"
    return VmRecord(vm.vm_id, vm.name, Color.GREEN, batch.number, status, reason, vm.zone, updated_at=order.at)


async def _remember(ports: Ports, order: Order, deployment: Deployment, batch: Batch) -> None:
    journal = await ports.store.holds.get(order.scale_set_id)
    base = journal or Hold(order.scale_set_id, order.deployment_id, (), order.at)
    until = order.at + deployment.parameters.keep_for
    kept = replace(base, deployment_id=order.deployment_id, keep_until=until, discard_batch=batch.number)
    await ports.store.holds.put(kept)
