"""Look at the way back, and plan how to bring back what a deployment has retired already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from activities.batch.health import with_health
from activities.former import tell_of_gone
from activities.rows import deployment_of
from rollout.model.azure.ownership import told_apart
from rollout.model.azure.scale_set import ScaleSet, Vm, VmList
from rollout.model.order import Order, Progress, again, done, failed
from rollout.model.rows.deployment import Batch, Deployment, VmRecord
from rollout.model.status import Color, VmStatus
from rollout.model.words import counted
from rollout.planning.batches import BatchPlan, plan
from rollout.planning.inheritance import Chain, chain_of
from rollout.planning.roll_back import going_back, planned_rows
from rollout.planning.way_back import PREVIOUS_IMAGE_GONE
from rollout.ports.errors import AzureError, Refused
from rollout.ports.ports import Ports
from rollout.steps.pacing import before_next_step
from rollout.steps.retirement import gone
from services.images.way_back import look_back
from services.pool_members import out_of_traffic

#: How often in a row the image before is tried to be read.
LOOKS_BACK_MAX = 5


async def check_way_back(ports: Ports, order: Order) -> Progress:
    """Look whether the image before is still there to be gone back to, before anything goes for it.

    Where it cannot be read nobody knows, and the roll back goes on.
    """
    image = (await deployment_of(ports, order)).image
    try:
        scale_set = await ports.scale_sets.read(order.scale_set_id)
        gone = await look_back(ports.images, image, scale_set.place if scale_set is not None else None)
    except AzureError as error:
        if not isinstance(error, Refused) and order.setbacks < LOOKS_BACK_MAX:
            raise
        return done(f"The image before could not be read: {error}")
    return failed(PREVIOUS_IMAGE_GONE, gone) if gone else done("The image before is there")


async def plan_roll_back(ports: Ports, order: Order) -> Progress:
    """Deal the VMs that came since out to further batches, in which VMs of the previous image come.

    The rows of those VMs move: they are blue from here on. Run again after the batches are there: the same answer.
    """
    deployment = await deployment_of(ports, order)
    batches = await ports.store.batches.list(deployment.id)
    if planned := [batch for batch in batches if batch.back]:
        return _answer(deployment, planned)
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    if scale_set is None:
        return failed("scaleSetGone", "The scale set does not exist any more")
    if not scale_set.settled and order.waited < deployment.parameters.grace_period:
        return again(order.poll_interval, f"waiting for a change of {scale_set.name} to end")
    listed = told_apart(scale_set, await ports.scale_sets.list_vms(order.scale_set_id))
    records = await ports.store.vms.list(deployment.id)
    decided = await _plan(ports, order, deployment, scale_set, listed, records)
    first = 1 + max((batch.number for batch in batches), default=0)
    await _write(ports, order, deployment, listed, records, decided, first)
    low = deployment.serving_floor
    rows = [Batch(b.number + first - 1, len(b.blue), b.green, back=True, floor=low) for b in decided.batches]
    await ports.store.batches.put(deployment.id, rows)
    return replace(_answer(deployment, rows), after=before_next_step(listed))


async def _plan(
    ports: Ports,
    order: Order,
    deployment: Deployment,
    scale_set: ScaleSet,
    listed: VmList,
    records: Sequence[VmRecord],
) -> BatchPlan:
    listed = await with_health(ports, order, deployment.parameters, listed, listed.by_id())
    aside = await out_of_traffic(ports, scale_set, [vm for vm in listed.vms if not vm.leaving])
    parts = going_back(listed.vms, aside, deployment, planned_rows(deployment, records))
    asked = deployment.parameters
    return plan(
        parts.going,
        parts.kept,
        parts.target,
        asked.batch_size_percentage,
        parts.idle,
        batch_size=asked.batch_size,
    )


async def _write(
    ports: Ports,
    order: Order,
    deployment: Deployment,
    listed: VmList,
    records: Sequence[VmRecord],
    decided: BatchPlan,
    first: int,
) -> None:
    """The rows of the VMs that go: blue in their new batch, and a note in the row where they were green.

    And the rows of those that are gone already, which a step that was interrupted did not live to write.

    A VM that an earlier run of this gave a row in another batch, before it died, stays in one only: that run wrote no
    batches, so its rows are overwritten or say that they moved.
    """
    numbers = {vm.vm_id: batch.number + first - 1 for batch in decided.batches for vm in batch.blue}
    moved = [
        replace(record, moved_to=numbers[record.vm_id], reason=f"Goes in batch {numbers[record.vm_id]}")
        for record in records
        if record.vm_id in numbers and record.batch != numbers[record.vm_id]
    ]
    chain = chain_of(planned_rows(deployment, records), deployment.id)
    blue = [
        replace(_blue(vm, batch.number + first - 1, deployment, chain, order), idle=vm.vm_id in decided.idle)
        for batch in decided.batches
        for vm in batch.blue
    ]
    left = gone(records, listed.vms, order.at)
    await tell_of_gone(ports, order, deployment, left)
    stay = _staying(deployment, records, decided, order)
    await ports.store.vms.put(order.deployment_id, [*moved, *blue, *stay, *left])


def _blue(vm: Vm, number: int, deployment: Deployment, chain: Chain, order: Order) -> VmRecord:
    """VMs that others made from the image count as the deployment's, and nobody judged them."""
    return VmRecord(
        vm.vm_id,
        vm.name,
        Color.BLUE,
        number,
        VmStatus.RUNNING,
        zone=vm.zone,
        updated_at=order.at,
        launched_by=chain.launched.get(vm.vm_id, deployment.id),
        unjudged=vm.vm_id in chain.unjudged or vm.vm_id not in chain.launched,
    )


def _staying(deployment: Deployment, records: Sequence[VmRecord], decided: BatchPlan, order: Order) -> list[VmRecord]:
    """The rows of VMs that were to go and now stay on the deployment's image, because they ran it before."""
    on_it = {vm.vm_id for vm in decided.kept if vm.image.matches(deployment.image.pinned)}
    return [
        replace(record, reason=f"Ran {deployment.image.pinned.label} before, and stays", updated_at=order.at)
        for record in records
        if record.vm_id in on_it and record.batch and not record.reason
    ]


def _answer(deployment: Deployment, batches: Sequence[Batch]) -> Progress:
    blue = sum(batch.blue for batch in batches)
    previous = deployment.image.previous.label if deployment.image.previous else "the previous image"
    if not batches:
        return done(f"no VM to move back to {previous}", batches=0, blue=0, first=0)
    reason = f"{counted(blue, 'VM')} to move back to {previous} in {counted(len(batches), 'batch')}"
    return done(reason, batches=len(batches), blue=blue, first=min(batch.number for batch in batches))
