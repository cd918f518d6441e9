"""Launch the green VMs of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from activities.intents import write_down
from activities.rights import obstacle
from activities.rows import batch_of, deployment_of
from rollout.model.azure.scale_set import ImageReference, ScaleSet, Vm, VmList
from rollout.model.order import Order, Progress, again, done, failed
from rollout.model.rows.deployment import Batch, Intent, IntentKind, VmRecord
from rollout.model.status import Color, Phase, VmStatus
from rollout.model.words import counted
from rollout.ports.ports import Ports
from rollout.steps.launch import Launch, decide_launch, newcomers
from rollout.steps.pacing import before_another_look, before_next_step


async def launch_green(ports: Ports, order: Order) -> Progress:
    """Raise the set's capacity to what the batch needs, wait until it has settled, and adopt the new VMs as green.

    The set is read before the batch's row: a run that comes late, when the batch has moved on, either sees that in the
    row, or holds an ETag that Azure refuses.
    """
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    deployment = await deployment_of(ports, order)
    batch = await batch_of(ports, order)
    if batch.green == 0:
        return done("No green VM needed", launched=0)
    if batch.is_past(Phase.LAUNCHED, order.round):
        return await _launched_before(ports, order)
    if scale_set is None:
        return failed("scaleSetGone", "The scale set does not exist any more")
    intents = await ports.store.intents.list(deployment.id, batch=batch.number)
    over = order.watched(_asked_at(intents, order)) >= deployment.parameters.allocation_timeout
    if not scale_set.settled and not over:
        return again(order.poll_interval, f"launching {counted(batch.green, 'green VM')}")
    listed = await ports.scale_sets.list_vms(order.scale_set_id)
    records = await ports.store.vms.list(deployment.id)
    # What an earlier run of this launch adopted is counted again: its answer may have been lost.
    known = [r.vm_id for r in records if r.color is Color.BLUE or r.batch != batch.number or r.replaced]
    image = batch.image(deployment.image)
    new = newcomers(scale_set, listed.vms, known, image)
    launch = decide_launch(scale_set, new, batch, intents, order.at, over, order.since)
    if launch.intent is not None or launch.discard:
        return await _write(ports, order, scale_set, launch, listed, image)
    if launch.wait:
        return again(launch.wait, launch.reason)
    judged = {record.vm_id for record in records if record.is_good}
    adopted = [vm for vm in launch.adopt if vm.vm_id not in judged]
    await ports.store.vms.put(deployment.id, _records(adopted, batch, order))
    missing = batch.green - len(launch.adopt)
    reason = f"{counted(len(adopted), 'green VM')} launched" + (f"; Azure made {missing} fewer" if missing else "")
    return done(reason, before_another_look(order.poll_interval, listed), launched=len(adopted))


def _asked_at(intents: Sequence[Intent], order: Order) -> datetime:
    """When this launch was first asked for: before that, the deployment may have been suspended."""
    asked = [intent.at for intent in intents if intent.kind is IntentKind.LAUNCH and intent.at >= order.since]
    return min(asked, default=order.since)


async def _write(
    ports: Ports, order: Order, scale_set: ScaleSet, launch: Launch, listed: VmList, image: ImageReference
) -> Progress:
    """Write down what is meant, then ask Azure for it: VMs that failed are deleted before others are made."""
    if scale_set.image is None or not scale_set.image.matches(image):
        label = scale_set.image.label if scale_set.image else "no image"
        return failed(
            "imageChanged", f"Somebody changed the set's model to {label}: its new VMs would be made from that"
        )
    if refusal := await obstacle(ports, order):
        return refusal
    if launch.intent is None:
        vm_ids = tuple(vm.vm_id for vm in launch.discard)
        await write_down(ports, order, IntentKind.DELETE, scale_set, vm_ids=vm_ids)
        await ports.scale_sets.delete_vms(scale_set, [vm.instance_id for vm in launch.discard])
        await ports.store.signals.delete(order.scale_set_id, vm_ids)
        return again(order.poll_interval, launch.reason)
    await ports.store.intents.put(order.deployment_id, launch.intent)
    await ports.scale_sets.raise_capacity(scale_set, launch.intent.target)
    wait = before_next_step(listed, more_vms=launch.intent.target - scale_set.capacity)
    return again(max(order.poll_interval, wait), launch.reason)


async def _launched_before(ports: Ports, order: Order) -> Progress:
    records = await ports.store.vms.list(order.deployment_id, order.batch)
    green = sum(1 for record in records if record.color is Color.GREEN)
    return done(f"{counted(green, 'green VM')} launched", launched=green)


def _records(vms: Sequence[Vm], batch: Batch, order: Order) -> list[VmRecord]:
    return [
        VmRecord(
            vm.vm_id, vm.name, Color.GREEN, batch.number, VmStatus.PENDING, "Launched", vm.zone, updated_at=order.at
        )
        for vm in vms
    ]
