"""Plan a deployment, under the lock."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta

from activities.health import with_health
from activities.rows import deployment_of
from activities.traffic import out_of_traffic
from rollout.batches import Plan, plan
from rollout.codec import encode
from rollout.deployment import Batch, Deployment, VmRecord
from rollout.findings import Finding, first_error, refuses
from rollout.group import Group
from rollout.health import serves
from rollout.order import Order, Progress, again, done, failed
from rollout.pacing import before_next_step
from rollout.ports import Ports
from rollout.preflight import check_start, check_vms, describe
from rollout.scale_set import ImageReference, ScaleSet, Vm, VmList
from rollout.status import Color, VmStatus
from rollout.threshold import Threshold
from rollout.words import counted


async def prepare_deployment(ports: Ports, order: Order) -> Progress:
    """Look at the set once more, refuse or plan, and write the plan's rows: VMs first, batches last.

    Run again after the batches are there: the same answer. A scale set that somebody is changing is waited for, for one
    grace period.
    """
    deployment = await deployment_of(ports, order)
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    if planned := await ports.store.batches.list(deployment.id):
        kept = await ports.store.vms.list(deployment.id, batch=0)
        return _answer(deployment, planned, len(kept), scale_set)
    if scale_set is not None and not scale_set.settled and order.waited < deployment.parameters.grace_period:
        return again(order.poll_interval, f"Waiting for another change of {scale_set.name} to end")
    version = await ports.images.read(_version_id(deployment))
    findings = check_start(scale_set, version, _version_id(deployment), deployment.parameters, _snapshot(deployment))
    if scale_set is None or refuses(findings):
        return _refused(findings)
    listed = await ports.scale_sets.list_vms(order.scale_set_id)
    findings = check_vms(scale_set, listed.vms)
    if refuses(findings):
        return _refused(findings)
    listed = await with_health(ports, order, deployment.parameters, listed, listed.by_id())
    aside = await out_of_traffic(ports, scale_set, _doubtful(deployment, listed))
    decided = _plan(deployment, listed, aside)
    rows = _rows(deployment, decided)
    if await _differs_from_an_earlier_plan(ports, deployment, rows):
        return failed("planInterrupted", "Writing the plan failed midway, and the set has changed since. Start again")
    batches = await _write(ports, deployment, decided, rows)
    return _answer(deployment, batches, len(decided.kept), scale_set, before_next_step(listed))


def _version_id(deployment: Deployment) -> str:
    return deployment.image.pinned.id or ""


def _refused(findings: Sequence[Finding]) -> Progress:
    worst = first_error(findings)
    return failed(worst.code if worst else "refused", describe(findings))


def _snapshot(deployment: Deployment) -> Group:
    """The group as it was when the deployment was accepted: a later PUT of the group does not reach it."""
    return Group(
        deployment.group_id, deployment.scale_set_id, health_check_types=deployment.parameters.health_check_types
    )


def _doubtful(deployment: Deployment, listed: VmList) -> list[Vm]:
    """The VMs that may be out of their pools: an unfinished deployment may have left any so, else those to be kept."""
    standing = [vm for vm in listed.vms if not vm.leaving]
    return [vm for vm in standing if deployment.target_size or vm.image.matches(deployment.image.pinned)]


def _plan(deployment: Deployment, listed: VmList, aside: Collection[str]) -> Plan:
    """The target size is the number of VMs that the set has, unless an unfinished deployment left it another.

    That is a Uniform set's capacity, or the preflight refuses. A Flexible set's may be another number: Azure does not
    make up for VMs that were deleted one by one, and Teal does not either. VMs ``aside`` are out of their pools: they
    serve nobody, whatever their health.
    """
    standing = [vm for vm in listed.vms if not vm.leaving]
    sources = deployment.parameters.health_check_types
    serving = {vm.vm_id for vm in standing if vm.vm_id not in aside and serves(vm, sources)}
    kept = [vm for vm in standing if vm.image.matches(deployment.image.pinned) and vm.vm_id in serving]
    blue = [vm for vm in standing if vm not in kept]
    idle = [vm for vm in blue if vm.vm_id not in serving]
    target = deployment.target_size or len(standing)
    return plan(blue, kept, target, deployment.parameters.batch_size_percentage, idle)


def _rows(deployment: Deployment, decided: Plan) -> list[VmRecord]:
    at = deployment.created_at
    kept = [
        VmRecord(vm.vm_id, vm.name, Color.GREEN, 0, VmStatus.HEALTHY, "Ran the image already", vm.zone, updated_at=at)
        for vm in decided.kept
    ]
    blue = [
        VmRecord(vm.vm_id, vm.name, Color.BLUE, batch.number, VmStatus.RUNNING, "", vm.zone, updated_at=at)
        for batch in decided.batches
        for vm in batch.blue
    ]
    return kept + blue


async def _differs_from_an_earlier_plan(ports: Ports, deployment: Deployment, rows: Sequence[VmRecord]) -> bool:
    """Whether an earlier run wrote VMs, but no batches, otherwise: then a VM would be in two batches."""
    earlier = await ports.store.vms.list(deployment.id)
    return not {(row.vm_id, row.batch) for row in earlier} <= {(row.vm_id, row.batch) for row in rows}


async def _write(ports: Ports, deployment: Deployment, decided: Plan, rows: Sequence[VmRecord]) -> tuple[Batch, ...]:
    await ports.store.vms.put(deployment.id, rows)
    batches = tuple(Batch(batch.number, len(batch.blue), batch.green) for batch in decided.batches)
    await ports.store.batches.put(deployment.id, batches)
    return batches


def _answer(
    deployment: Deployment,
    batches: Sequence[Batch],
    kept: int,
    scale_set: ScaleSet | None,
    after: timedelta = timedelta(0),
) -> Progress:
    present = scale_set.image if scale_set is not None and scale_set.image is not None else ImageReference()
    previous = deployment.image.previous or present
    pinned = deployment.image.pinned.label
    blue = sum(batch.blue for batch in batches)
    reason = (
        f"{counted(blue, 'VM')} to move from {previous.label} to {pinned} in {counted(len(batches), 'batch')}"
        if batches
        else f"All {kept} VMs run {pinned} already"
    )
    if deployment.parameters.tolerate_unhealthy and batches:
        reason += f"; {_floor(deployment, batches)}"
    return done(
        reason,
        after,
        batches=len(batches),
        blue=blue,
        kept=kept,
        inherited=not deployment.settled,
        gated=deployment.parameters.max_unhealthy_percentage < 100,
        otherImage=not present.matches(deployment.image.pinned),
        targetSize=kept + sum(batch.green for batch in batches),
        previous=encode(previous),
    )


def _floor(deployment: Deployment, batches: Sequence[Batch]) -> str:
    threshold = Threshold.of(deployment.parameters)
    green = sum(batch.green for batch in batches)
    sick = sum(threshold.sick_allowed(batch.green) for batch in batches)
    return f"unhealthy green VMs are tolerated: as few as {green - sick} of {green} may serve"
