"""Watch the green VMs for a while after they are in service."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from activities.batch.green import baking_vms
from activities.batch.look import look_at
from activities.rows import batch_of, deployment_of, keep_vms
from rollout.judging.bake import judge_bake
from rollout.model.order import BakePeriod, Order, Progress, again, done, failed
from rollout.model.rows.deployment import Deployment
from rollout.model.status import Status
from rollout.planning.bakes import bakes_after
from rollout.ports.ports import Ports
from rollout.steps.pacing import until_next_look


async def bake(ports: Ports, order: Order) -> Progress:
    """Judge the green VMs of all batches so far at every look, until the time to watch them is over.

    What the balancers are still asked is noted in the row of the order's batch, the last one that was replaced.
    """
    deployment = await deployment_of(ports, order)
    baking = _baking(deployment, order.batch)
    if not baking.time:
        return done(f"not watched: {baking.reason}", healthy=0, sick=0)
    batch = await batch_of(ports, order)
    standing = await baking_vms(ports, order)
    look = await look_at(ports, order, batch, deployment.parameters, standing, "read_baking_health")
    if isinstance(look, Progress):
        return look
    await keep_vms(ports, order, look.changed(over=True, at=order.at))
    judged = judge_bake(look.sick_for(order), len(standing), order.poll_interval, deployment.parameters)
    if not judged.passes:
        return failed("unhealthyWhileBaking", judged.reason, healthy=judged.healthy, sick=judged.sick)
    left = baking.time - order.waited
    if left <= timedelta(0):
        return done(judged.reason, healthy=judged.healthy, sick=judged.sick)
    after = min(left, until_next_look(order.poll_interval, look.listed))
    return replace(again(after, f"baking: {judged.reason}"), parts=look.parts)


def _baking(deployment: Deployment, batch: int) -> BakePeriod:
    asked, back = deployment.parameters, deployment.status is Status.ROLLING_BACK
    return bakes_after(batch, deployment.number_of_batches, back, asked.canary, asked.bake_time)
