"""Plan a deployment, under the lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from activities.rows import deployment_of
from rollout.model.azure.scale_set import ImageReference, ScaleSet, Vm
from rollout.model.codec import encode
from rollout.model.findings import Finding, describe, first_error, refuses
from rollout.model.group import Group
from rollout.model.order import Order, Progress, again, done, failed
from rollout.model.rows.deployment import Batch, Deployment, VmRecord
from rollout.model.rows.handover import handed_on_to
from rollout.model.status import Color, VmStatus
from rollout.model.threshold import Threshold
from rollout.model.words import counted
from rollout.planning.bakes import bakings
from rollout.planning.batches import BatchPlan
from rollout.planning.floors import floors, serving_at_start
from rollout.planning.forecast import each_batch
from rollout.planning.inheritance import Chain, Inheritance, marked
from rollout.planning.plan import approvals, approves_every, policies, serving_floor
from rollout.ports.ports import Ports
from rollout.steps.known import trouble_of
from rollout.steps.pacing import before_next_step
from services.forecast import past_batches
from services.group_states import note_vms
from services.images.bad_image import seen_afresh
from services.scopes import objection_to
from services.survey import Survey, survey

#: After so many setbacks in a row only what a plan needs is read. What is around the set was read at the start.
BRIEF_AFTER = 3


async def prepare_deployment(ports: Ports, order: Order) -> Progress:
    """Look at the set once more, refuse or plan, and write the plan's rows: VMs first, batches last.

    Run again after the batches are there: the same answer. A scale set that somebody is changing is waited for, for one
    grace period.
    """
    deployment = await deployment_of(ports, order)
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    if planned := await ports.store.batches.list(deployment.id):
        kept = await ports.store.vms.list(deployment.id, batch=0)
        return await _answer(ports, deployment, planned, kept, scale_set)
    if refusal := objection_to(ports.rules.scopes, deployment):
        return failed("scopeNotAllowed", refusal)
    if scale_set is not None:
        await seen_afresh(ports, scale_set)
    if scale_set is not None and not scale_set.settled and order.waited < deployment.parameters.grace_period:
        return again(order.poll_interval, f"Waiting for another change of {scale_set.name} to end")
    seen = await _survey(ports, deployment, scale_set, brief=order.setbacks >= BRIEF_AFTER)
    if seen.scale_set is not None and seen.listed is not None:
        await note_vms(ports, deployment, seen.scale_set, seen.listed.vms, order.at)
    if seen.plan is None or refuses(seen.findings):
        return await _refused(ports, deployment, seen.findings)
    rows = _rows(deployment, seen.plan, seen.inherited)
    if await _differs_from_an_earlier_plan(ports, deployment, rows):
        return failed("planInterrupted", "Writing the plan failed midway, and the set has changed since. Start again")
    deployment, batches = await _write(ports, deployment, seen, seen.plan, rows)
    wait = before_next_step(seen.listed) if seen.listed else timedelta(0)
    return await _answer(ports, deployment, batches, [row for row in rows if row.batch == 0], scale_set, wait)


async def _survey(ports: Ports, deployment: Deployment, scale_set: ScaleSet | None, brief: bool) -> Survey:
    """The same look as at the start, with the group as it was then: a later PUT of the group does not reach it."""
    group = Group(
        deployment.group_id, deployment.scale_set_id, health_check_types=deployment.parameters.health_check_types
    )
    return await survey(
        ports,
        group,
        deployment.parameters,
        handed_on_to(deployment),
        pinned=deployment.image.pinned,
        scale_set=scale_set,
        thorough=True,
        brief=brief,
    )


async def _refused(ports: Ports, deployment: Deployment, findings: Sequence[Finding]) -> Progress:
    """Why it is not planned, and whether the set is as a lost deployment left it (``leftOpen``).

    Who has the lock now is the one to put that back. What a stopped one keeps for a while has a time of its own.
    """
    worst = first_error(findings)
    hold = await ports.store.holds.get(deployment.scale_set_id)
    kept = hold is not None and hold.keep_until is not None
    return failed(worst.code if worst else "refused", describe(findings), leftOpen=not (deployment.settled or kept))


def _rows(deployment: Deployment, decided: BatchPlan, counts: Inheritance | None) -> list[VmRecord]:
    at = deployment.created_at
    judged = VmStatus.HEALTHY if deployment.parameters.health_check_types else VmStatus.RUNNING
    kept = [
        VmRecord(
            vm.vm_id, vm.name, Color.GREEN, 0, judged, "Ran the image already", vm.zone, updated_at=at, passed=True
        )
        for vm in decided.kept
    ]
    skipped = [
        VmRecord(vm.vm_id, vm.name, Color.BLUE, 0, VmStatus.RUNNING, _why(deployment, vm), vm.zone, updated_at=at)
        for vm in decided.skipped
    ]
    blue = [
        replace(
            VmRecord(vm.vm_id, vm.name, Color.BLUE, batch.number, VmStatus.RUNNING, "", vm.zone, updated_at=at),
            idle=vm.vm_id in decided.idle,
        )
        for batch in decided.batches
        for vm in batch.blue
    ]
    going = [vm for batch in decided.batches for vm in batch.blue]
    trouble = {vm.vm_id: trouble_of(vm) for vm in (*decided.skipped, *going)}
    known = [replace(record, trouble=trouble.get(record.vm_id, "")) for record in (*kept, *skipped, *blue)]
    return [marked(record, counts.chain if counts else Chain()) for record in known]


def _why(deployment: Deployment, vm: Vm) -> str:
    return f"Skipped: {'; '.join(policies(vm, deployment.parameters))}"


async def _differs_from_an_earlier_plan(ports: Ports, deployment: Deployment, rows: Sequence[VmRecord]) -> bool:
    """Whether an earlier run wrote VMs, but no batches, otherwise: then a VM would be in two batches."""
    earlier = await ports.store.vms.list(deployment.id)
    return not {(row.vm_id, row.batch) for row in earlier} <= {(row.vm_id, row.batch) for row in rows}


async def _write(
    ports: Ports, deployment: Deployment, seen: Survey, decided: BatchPlan, rows: Sequence[VmRecord]
) -> tuple[Deployment, tuple[Batch, ...]]:
    await ports.store.vms.put(deployment.id, rows)
    # A later run answers by this, when the set may show something else.
    deployment = await ports.store.deployments.change(deployment.id, lambda row: _counting(row, seen, decided))
    lows = floors(decided, deployment.parameters, seen.serving)
    batches = tuple(
        Batch(batch.number, len(batch.blue), batch.green, canary=batch.canary, floor=low)
        for batch, low in zip(decided.batches, lows, strict=True)
    )
    await ports.store.batches.put(deployment.id, batches)
    return deployment, batches


def _counting(row: Deployment, seen: Survey, decided: BatchPlan) -> Deployment:
    """The row with the image before it, how many VMs serve, and what counts of that which it was handed on."""
    words = "; ".join(seen.inherited.words) if seen.inherited is not None else ""
    image = replace(row.image, previous=seen.previous, unknown=seen.unknown, bad=seen.bad, given_up=seen.given_up)
    floor, serving = serving_floor(decided, row.parameters, seen.serving), serving_at_start(decided, seen.serving)
    known = replace(row, serving_floor=floor, serving=serving)
    return replace(known, image=image, settled=seen.settled, inheritance=words)


async def _answer(
    ports: Ports,
    deployment: Deployment,
    batches: Sequence[Batch],
    staying: Sequence[VmRecord],
    scale_set: ScaleSet | None,
    after: timedelta = timedelta(0),
) -> Progress:
    """What the recipes and the deployment's row need to know. ``staying``: the rows of the VMs that are in no batch."""
    parameters = deployment.parameters
    present = scale_set.image if scale_set is not None and scale_set.image is not None else ImageReference()
    previous = deployment.image.previous or present
    blue = sum(batch.blue for batch in batches)
    kept = sum(1 for row in staying if row.color is Color.GREEN)
    skipped = len(staying) - kept
    each, _ = each_batch(parameters, await past_batches(ports, deployment.group_id) if batches else ())
    return done(
        _reason(deployment, batches, kept, skipped, previous),
        after,
        batches=len(batches),
        batchSeconds=round(each.total_seconds()),
        blue=blue,
        kept=kept,
        skipped=skipped,
        inherited=not deployment.settled,
        gated=parameters.max_unhealthy_percentage < 100,
        otherImage=not present.matches(deployment.image.pinned),
        targetSize=len(staying) + sum(batch.green for batch in batches),
        servingFloor=deployment.serving_floor,
        previous=encode(previous),
        approvals=list(approvals(parameters)),
        approvesEvery=approves_every(parameters),
        bakes=encode(bakings(len(batches), parameters)),
        onFailure=str(parameters.on_failure),
    )


def _reason(deployment: Deployment, batches: Sequence[Batch], kept: int, skipped: int, previous: ImageReference) -> str:
    pinned = deployment.image.pinned.label
    blue = sum(batch.blue for batch in batches)
    if not batches:
        # Nothing to replace: every VM is one that stays.
        reason = _nothing_to_replace(kept, skipped, pinned)
    elif previous.matches(deployment.image.pinned):
        reason = f"{counted(blue, 'VM')} to move to {pinned} in {counted(len(batches), 'batch')}"
    else:
        reason = f"{counted(blue, 'VM')} to move from {previous.label} to {pinned} in {counted(len(batches), 'batch')}"
    if batches and batches[0].canary:
        reason += f", a canary of {batches[0].green} first"
    if skipped:
        reason += f"; {counted(skipped, 'VM')} skipped"
    if deployment.inheritance:
        reason += f"; {deployment.continues} did not finish: {deployment.inheritance}"
    if deployment.parameters.tolerate_unhealthy and any(batch.green for batch in batches):
        reason += f"; {_floor(deployment, batches)}"
    return reason


def _nothing_to_replace(kept: int, skipped: int, pinned: str) -> str:
    """Every VM is one that stays.

    >>> _nothing_to_replace(3, 0, "1.1.0"), _nothing_to_replace(1, 2, "1.1.0"), _nothing_to_replace(0, 0, "1.1.0")
    ('All 3 VMs run 1.1.0 already', '1 VM runs 1.1.0 already', 'There is no VM to replace')
    """
    if not kept:
        return "There is no VM to replace" + (" but those that are skipped" if skipped else "")
    if kept == 1:
        return f"1 VM runs {pinned} already"
    return f"All {kept} VMs run {pinned} already" if not skipped else f"{kept} VMs run {pinned} already"


def _floor(deployment: Deployment, batches: Sequence[Batch]) -> str:
    threshold = Threshold.of(deployment.parameters)
    green = sum(batch.green for batch in batches)
    sick = sum(threshold.sick_allowed(batch.green) for batch in batches)
    return f"unhealthy green VMs are tolerated: as few as {green - sick} of {green} may serve"
