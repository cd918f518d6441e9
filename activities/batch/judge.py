"""Judge the green VMs of a batch."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from activities.batch.green import judged_vms
from activities.batch.look import Look, look_at
from activities.rows import batch_of, deployment_of
from rollout.judging.verdict import Judgement, Verdict, judge
from rollout.model.order import Order, Progress, again, done, failed
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Batch, Image
from rollout.model.rows.signals import certain_wait
from rollout.model.status import Phase
from rollout.model.threshold import Threshold
from rollout.planning.roll_back import named
from rollout.ports.ports import Ports
from rollout.steps.pacing import before_next_step, until_next_look


async def judge_batch(ports: Ports, order: Order) -> Progress:
    """Read the whole set once, record what each green VM is like, and judge the batch. ``order.since``: its launch."""
    deployment = await deployment_of(ports, order)
    batch = await batch_of(ports, order)
    if batch.is_past(Phase.HEALTHY, order.round):
        return done(batch.reason)
    records = await judged_vms(ports, order)
    look = await look_at(ports, order, batch, deployment.parameters, records, "read_batch_health")
    if isinstance(look, Progress):
        return look
    judgement = _judge(look, batch, order, deployment.parameters)
    await _record(ports, order, look, _named(judgement, batch, deployment.image))
    if judgement.verdict is Verdict.NOT_YET:
        after = until_next_look(order.poll_interval, look.listed)
        return replace(again(after, judgement.reason), parts=look.parts)
    replaceable = order.round == 1 and not deployment.parameters.tolerate_unhealthy
    counts = {
        **_healthy(judgement, deployment.parameters),
        "sick": judgement.sick,
        "replace": replaceable and judgement.sick > 0,
    }
    if judgement.verdict is Verdict.UNHEALTHY:
        return failed("batchUnhealthy", judgement.reason, before_next_step(look.listed), **counts)
    after = _before_retiring(look, batch, judgement, deployment.parameters)
    return done(judgement.reason, after, **counts)


def _judge(look: Look, batch: Batch, order: Order, parameters: Parameters) -> Judgement:
    return judge(
        [(record.name, look.seen[record.vm_id]) for record in look.records],
        batch.green,
        order.waited,
        parameters.grace_period,
        Threshold.of(parameters),
        checked=parameters.checked,
        stable_for=parameters.stable_for,
        steady=look.steady(order),
    )


def _healthy(judgement: Judgement, parameters: Parameters) -> dict[str, int | bool]:
    """How many were found healthy; where nothing tells that, how many run."""
    return {"healthy": judgement.healthy} if parameters.checked else {"judged": False, "running": judgement.healthy}


def _named(judgement: Judgement, batch: Batch, image: Image) -> Judgement:
    return replace(judgement, reason=named(judgement.reason, image)) if batch.back else judgement


async def _record(ports: Ports, order: Order, look: Look, judgement: Judgement) -> None:
    """The rows of the VMs of which something new is known, and what the batch waits for."""
    over = judgement.verdict is not Verdict.NOT_YET
    await ports.store.vms.put(order.deployment_id, look.changed(over, order.at))
    await ports.store.batches.change(
        order.deployment_id, order.batch, lambda row: replace(row, reason=judgement.reason)
    )


def _before_retiring(look: Look, batch: Batch, judgement: Judgement, parameters: Parameters) -> timedelta:
    """The set is read next when blue VMs have drained or, where it has pools, to take them out of those."""
    wait = certain_wait(parameters.draining_timeout, parameters.signals)
    draining = wait if batch.blue > judgement.sick and not look.has_pools else timedelta(0)
    return max(before_next_step(look.listed) - draining, timedelta(0))
