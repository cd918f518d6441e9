"""Judge the green VMs of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from activities.rows import batch_of, deployment_of
from rollout.deployment import Reading, VmRecord
from rollout.health import Health, Observation, observe, worst
from rollout.order import Order, Progress, again, done, failed
from rollout.pacing import before_next_step, until_next_look
from rollout.ports import Ports
from rollout.status import Color, Phase, VmStatus
from rollout.verdict import Verdict, judge


async def judge_batch(ports: Ports, order: Order) -> Progress:
    """Read the whole set once, record what each green VM is like, and judge the batch. ``order.since``: its launch."""
    deployment = await deployment_of(ports, order)
    batch = await batch_of(ports, order)
    if batch.phase.reached(Phase.HEALTHY):
        return done(batch.reason)
    listed = await ports.scale_sets.list_vms(order.scale_set_id)
    vms = listed.by_id()
    records = [r for r in await ports.store.vms.list(deployment.id, batch.number) if r.color is Color.GREEN]
    parameters = deployment.parameters
    seen = {record.vm_id: observe(vms.get(record.vm_id), parameters.health_check_types) for record in records}
    judgement = judge(
        {record.name: seen[record.vm_id] for record in records},
        batch.green,
        order.waited,
        parameters.grace_period,
        parameters.batch_min_healthy_percentage,
        checked=bool(parameters.health_check_types),
    )
    over = judgement.verdict is not Verdict.NOT_YET
    updated = [_observed(record, seen[record.vm_id], over, order.at) for record in records]
    changed = [new for new, old in zip(updated, records, strict=True) if new != old]
    await ports.store.vms.put(deployment.id, changed)
    await ports.store.batches.change(deployment.id, batch.number, lambda row: replace(row, reason=judgement.reason))
    if judgement.verdict is Verdict.NOT_YET:
        return again(until_next_look(order.poll_interval, listed), judgement.reason)
    counts = {"healthy": judgement.healthy, "sick": judgement.sick}
    if judgement.verdict is Verdict.HEALTHY:
        # The set is read next when the blue VMs have drained.
        draining = parameters.draining_timeout if batch.blue > judgement.sick else timedelta(0)
        return done(judgement.reason, max(before_next_step(listed) - draining, timedelta(0)), **counts)
    return failed("batchUnhealthy", judgement.reason, **counts)


def _observed(record: VmRecord, observations: Sequence[Observation], over: bool, at: datetime) -> VmRecord:
    """The record with what was observed; unchanged readings keep the time at which they were first made."""
    before = {reading.source: reading for reading in record.readings}
    readings = tuple(
        earlier
        if (earlier := before.get(seen.source)) and (earlier.health, earlier.detail) == (seen.health, seen.detail)
        else Reading(seen.source, seen.health, seen.detail, at)
        for seen in observations
    )
    decisive = worst(observations)
    status = _status(decisive, observations, over)
    reason = f"{decisive.source}: {decisive.detail}"
    if (record.status, record.reason, record.readings) == (status, reason, readings):
        return record
    return replace(record, status=status, reason=reason, readings=readings, updated_at=at)


def _status(decisive: Observation, observations: Sequence[Observation], over: bool) -> VmStatus:
    """A VM is unhealthy only once the batch is judged: until then it may still come round."""
    if decisive.health is Health.HEALTHY:
        return VmStatus.HEALTHY
    if over:
        return VmStatus.UNHEALTHY
    return VmStatus.RUNNING if observations[0].health is Health.HEALTHY else VmStatus.PENDING
