"""Judge the green VMs of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from activities.batch.green import judged_of
from activities.batch.look import Look, look_at
from activities.batch.relaunch import relaunch_lost
from activities.rows import batch_of, deployment_of, keep_vms
from rollout.judging.verdict import Judgement, Verdict, judge
from rollout.model.azure.health import on_image
from rollout.model.azure.scale_set import ImageReference, VmList
from rollout.model.events import EventType
from rollout.model.order import Order, Progress, again, done, failed, noted
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Batch, Image, VmRecord
from rollout.model.rows.signals import certain_wait
from rollout.model.status import Phase
from rollout.model.threshold import Threshold
from rollout.planning.roll_back import named
from rollout.ports.ports import Ports
from rollout.steps.pacing import before_next_step, until_next_look
from rollout.steps.relaunch import NOTES_MAX, lost_words, spent, time_of, waiting_words


async def judge_batch(ports: Ports, order: Order) -> Progress:
    """Read the whole set once, record what each green VM is like, and judge the batch. ``order.since``: its launch."""
    deployment = await deployment_of(ports, order)
    batch = await batch_of(ports, order)
    if batch.is_past(Phase.HEALTHY, order.round):
        return done(batch.reason)
    image = batch.image(deployment.image)
    rows = await ports.store.vms.list(deployment.id, batch.number)
    look = await _look(ports, order, batch, deployment.parameters, image, rows)
    if isinstance(look, Progress):
        return look
    places = await relaunch_lost(ports, order, deployment, look.records, look.listed)
    if places.lock_lost is not None:
        return places.lock_lost
    if untold := _untold(order, batch, [*rows, *places.lost], look.listed):
        return untold
    look = replace(look, records=places.in_place)
    judgement = _judge(look, batch, order, deployment.parameters, image, places.coming)
    await _record(ports, order, look, _named(judgement, batch, deployment.image))
    if judgement.verdict is Verdict.NOT_YET:
        after = until_next_look(order.poll_interval, look.listed)
        return replace(again(after, judgement.reason), parts=look.parts)
    replaceable = order.round == 1 and not deployment.parameters.tolerate_unhealthy
    counts = {
        **_healthy(judgement, deployment.parameters),
        "sick": judgement.sick,
        "replace": replaceable and judgement.sick > spent(look.records, look.seen),
    }
    if judgement.verdict is Verdict.UNHEALTHY:
        return failed("batchUnhealthy", judgement.reason, before_next_step(look.listed), **counts)
    after = _before_retiring(look, batch, judgement, deployment.parameters)
    return done(judgement.reason, after, **counts)


async def _look(
    ports: Ports, order: Order, batch: Batch, parameters: Parameters, image: ImageReference, rows: Sequence[VmRecord]
) -> Look | Progress:
    """One look at the VMs in place; one that runs another image than the batch's is not healthy, whatever it says."""
    look = await look_at(ports, order, batch, parameters, judged_of(rows), "read_batch_health")
    if isinstance(look, Progress):
        return look
    vms = look.listed.by_id()
    seen = {vm_id: on_image(vms.get(vm_id), image, observations) for vm_id, observations in look.seen.items()}
    return replace(look, seen=seen)


def _judge(
    look: Look, batch: Batch, order: Order, parameters: Parameters, image: ImageReference, coming: int
) -> Judgement:
    vms = look.listed.by_id()
    time = time_of(look.records, look.seen, vms, image, order.since, order.watched, coming, parameters.checked)
    judgement = judge(
        [(record.name, look.seen[record.vm_id]) for record in look.records],
        batch.green,
        time.waited,
        parameters.grace_period,
        Threshold.of(parameters),
        checked=parameters.checked,
        stable_for=parameters.stable_for,
        steady=look.steady(order),
        certain=time.certain,
        why_missing=batch.failure,
    )
    waits = coming and judgement.verdict is Verdict.NOT_YET
    return replace(judgement, reason=waiting_words(coming)) if waits else judgement


def _untold(order: Order, batch: Batch, rows: Sequence[VmRecord], listed: VmList) -> Progress | None:
    """The lost VMs of which the history does not tell yet, before anything else is said of the batch."""
    told = set(batch.relaunched)
    lost = {one.vm_id: one for one in rows if one.relaunched_at is not None and one.vm_id not in told}
    if not lost or batch.notes >= NOTES_MAX:
        return None
    said = {"vmIds": list(lost), "names": [one.name for one in lost.values()]}
    words, after = lost_words(list(lost.values()), listed.by_id()), until_next_look(order.poll_interval, listed)
    return noted(EventType.VM_RELAUNCHED, words, after, order.since, said)


def _healthy(judgement: Judgement, parameters: Parameters) -> dict[str, int | bool]:
    """How many were found healthy; where nothing tells that, how many run."""
    return {"healthy": judgement.healthy} if parameters.checked else {"judged": False, "running": judgement.healthy}


def _named(judgement: Judgement, batch: Batch, image: Image) -> Judgement:
    return replace(judgement, reason=named(judgement.reason, image)) if batch.back else judgement


async def _record(ports: Ports, order: Order, look: Look, judgement: Judgement) -> None:
    """The rows of the VMs of which something new is known, and what the batch waits for."""
    over = judgement.verdict is not Verdict.NOT_YET
    await keep_vms(ports, order, look.changed(over, order.at))
    await ports.store.batches.change(
        order.deployment_id, order.batch, lambda row: replace(row, reason=judgement.reason)
    )


def _before_retiring(look: Look, batch: Batch, judgement: Judgement, parameters: Parameters) -> timedelta:
    """The set is read next when blue VMs have drained or, where it has pools, to take them out of those."""
    wait = certain_wait(parameters.draining_timeout, parameters.signals)
    draining = wait if batch.blue > judgement.sick and not look.has_pools else timedelta(0)
    return max(before_next_step(look.listed) - draining, timedelta(0))
