"""Launch the green VMs of a batch."""

from __future__ import annotations

from collections.abc import Sequence

from activities.rights import obstacle
from activities.rows import batch_of, deployment_of
from rollout.deployment import Batch, IntentKind, VmRecord
from rollout.launch import decide_launch, newcomers
from rollout.order import Order, Progress, again, done, failed
from rollout.pacing import before_another_look, before_next_step
from rollout.ports import Ports
from rollout.scale_set import Vm
from rollout.status import Color, Phase, VmStatus
from rollout.words import counted


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
    if batch.phase.reached(Phase.LAUNCHED):
        return await _launched_before(ports, order)
    if scale_set is None:
        return failed("scaleSetGone", "The scale set does not exist any more")
    intents = await ports.store.intents.list(deployment.id, batch=batch.number)
    # A launch that takes longer than a batch may take to become healthy is judged by what it made.
    asked_at = max((intent.at for intent in intents if intent.kind is IntentKind.LAUNCH), default=order.since)
    if not scale_set.settled and order.at - asked_at < deployment.parameters.grace_period:
        return again(order.poll_interval, f"launching {counted(batch.green, 'green VM')}")
    listed = await ports.scale_sets.list_vms(order.scale_set_id)
    records = await ports.store.vms.list(deployment.id)
    # What an earlier run of this launch adopted is counted again: its answer may have been lost.
    known = [r.vm_id for r in records if r.color is Color.BLUE or r.batch != batch.number]
    new = newcomers(listed.vms, known, deployment.image.pinned)
    launch = decide_launch(scale_set, new, batch, intents, order.at)
    if launch.intent is None:
        await ports.store.vms.put(deployment.id, _records(launch.adopt, batch, order))
        wait = before_another_look(order.poll_interval, listed)
        return done(launch.reason, wait, launched=len(launch.adopt))
    if scale_set.image is None or not scale_set.image.matches(deployment.image.pinned):
        label = scale_set.image.label if scale_set.image else "no image"
        return failed(
            "imageChanged", f"Somebody changed the set's model to {label}: its new VMs would be made from that"
        )
    if refusal := await obstacle(ports, order):
        return refusal
    await ports.store.intents.put(deployment.id, launch.intent)
    await ports.scale_sets.raise_capacity(scale_set, launch.intent.target)
    wait = before_next_step(listed, more_vms=launch.intent.target - scale_set.capacity)
    return again(max(order.poll_interval, wait), f"launching {counted(batch.green, 'green VM')}")


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
