"""Judge the green VMs of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from activities.health import with_health
from activities.rows import batch_of, deployment_of
from activities.signals import observe_all
from activities.traffic import observe_traffic
from rollout.deployment import Batch, Parameters, Reading, VmRecord
from rollout.health import Health, Observation, worst
from rollout.order import Order, Progress, again, done, failed
from rollout.pacing import before_next_step, until_next_look
from rollout.ports import Ports
from rollout.scale_set import VmList
from rollout.signals import certain_wait
from rollout.status import Color, Phase, VmStatus
from rollout.threshold import Threshold
from rollout.verdict import Judgement, Verdict, judge


@dataclass(frozen=True)
class Look:
    """One look at a batch's green VMs: the list it was read from, their rows, and what each source says of each."""

    listed: VmList
    records: Sequence[VmRecord]
    seen: Mapping[str, Sequence[Observation]]
    has_pools: bool


async def judge_batch(ports: Ports, order: Order) -> Progress:
    """Read the whole set once, record what each green VM is like, and judge the batch. ``order.since``: its launch."""
    deployment = await deployment_of(ports, order)
    batch = await batch_of(ports, order)
    if batch.is_past(Phase.HEALTHY, order.round):
        return done(batch.reason)
    look = await _look(ports, order, batch, deployment.parameters)
    judgement = _judge(look, batch, order, deployment.parameters)
    await _record(ports, order, look, judgement)
    if judgement.verdict is Verdict.NOT_YET:
        return again(until_next_look(order.poll_interval, look.listed), judgement.reason)
    replaceable = order.round == 1 and not deployment.parameters.tolerate_unhealthy
    counts = {
        "healthy": judgement.healthy,
        "sick": judgement.sick,
        "replace": replaceable and judgement.sick > 0,
    }
    if judgement.verdict is Verdict.UNHEALTHY:
        return failed("batchUnhealthy", judgement.reason, before_next_step(look.listed), **counts)
    after = _before_retiring(look, batch, judgement, deployment.parameters)
    return done(judgement.reason, after, **counts)


async def _look(ports: Ports, order: Order, batch: Batch, parameters: Parameters) -> Look:
    listed = await ports.scale_sets.list_vms(order.scale_set_id)
    rows = await ports.store.vms.list(order.deployment_id, batch.number)
    records = [row for row in rows if row.color is Color.GREEN and not row.replaced]
    green = [record.vm_id for record in records]
    listed = await with_health(ports, order, parameters, listed, green)
    vms = listed.by_id()
    said = await observe_all(ports, order, parameters, green, vms)
    traffic = await observe_traffic(ports, order, batch, parameters.health_check_types, records, vms, said)
    return Look(listed, records, traffic.observations, traffic.has_pools)


def _judge(look: Look, batch: Batch, order: Order, parameters: Parameters) -> Judgement:
    return judge(
        {record.name: look.seen[record.vm_id] for record in look.records},
        batch.green,
        order.waited,
        parameters.grace_period,
        Threshold.of(parameters),
        checked=parameters.checked,
        stable_for=parameters.stable_for,
        steady=_steady(look.records, look.seen, order.at),
    )


async def _record(ports: Ports, order: Order, look: Look, judgement: Judgement) -> None:
    """The rows of the VMs of which something new is known, and what the batch waits for."""
    over = judgement.verdict is not Verdict.NOT_YET
    updated = [_observed(record, look.seen[record.vm_id], over, order.at) for record in look.records]
    changed = [new for new, old in zip(updated, look.records, strict=True) if new != old]
    await ports.store.vms.put(order.deployment_id, changed)
    await ports.store.batches.change(
        order.deployment_id, order.batch, lambda row: replace(row, reason=judgement.reason)
    )


def _before_retiring(look: Look, batch: Batch, judgement: Judgement, parameters: Parameters) -> timedelta:
    """The set is read next when blue VMs have drained or, where it has pools, to take them out of those."""
    wait = certain_wait(parameters.draining_timeout, parameters.signals)
    draining = wait if batch.blue > judgement.sick and not look.has_pools else timedelta(0)
    return max(before_next_step(look.listed) - draining, timedelta(0))


def _steady(records: Sequence[VmRecord], seen: Mapping[str, Sequence[Observation]], at: datetime) -> timedelta:
    """How long no reading of any green VM has changed; what is seen for the first time now changed now."""
    changes = [reading.at for record in records for reading in _readings(record, seen[record.vm_id], at)]
    return at - max(changes, default=at)


def _observed(record: VmRecord, observations: Sequence[Observation], over: bool, at: datetime) -> VmRecord:
    """The record with what was observed; unchanged readings keep the time at which they were first made."""
    readings = _readings(record, observations, at)
    decisive = worst(observations)
    status = _status(decisive, observations, over)
    reason = f"{decisive.source}: {decisive.detail}"
    if (record.status, record.reason, record.readings) == (status, reason, readings):
        return record
    return replace(record, status=status, reason=reason, readings=readings, updated_at=at)


def _readings(record: VmRecord, observations: Sequence[Observation], at: datetime) -> tuple[Reading, ...]:
    before = {reading.source: reading for reading in record.readings}
    return tuple(
        earlier
        if (earlier := before.get(seen.source)) and (earlier.health, earlier.detail) == (seen.health, seen.detail)
        else Reading(seen.source, seen.health, seen.detail, at)
        for seen in observations
    )


def _status(decisive: Observation, observations: Sequence[Observation], over: bool) -> VmStatus:
    """A VM is unhealthy only once the batch is judged: until then it may still come round."""
    if decisive.health is Health.HEALTHY:
        return VmStatus.HEALTHY
    if over:
        return VmStatus.UNHEALTHY
    return VmStatus.RUNNING if observations[0].health is Health.HEALTHY else VmStatus.PENDING
