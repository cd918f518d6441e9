"""Watch the green VMs for a while after they are in service."""

from __future__ import annotations

from datetime import timedelta

from activities.batch.look import look_at
from activities.rows import batch_of, deployment_of
from rollout.judging.bake import judge_bake
from rollout.model.order import BakePeriod, Order, Progress, again, done, failed
from rollout.model.rows.deployment import Deployment
from rollout.model.status import Color, Status, VmStatus
from rollout.planning.bakes import bakes_after
from rollout.ports.ports import Ports
from rollout.steps.pacing import until_next_look
from rollout.steps.retirement import DELETED


async def bake(ports: Ports, order: Order) -> Progress:
    """Judge the green VMs of all batches so far at every look, until the time to watch them is over.

    What the balancers are still asked is noted in the row of the order's batch, the last one that was replaced.
    """
    deployment = await deployment_of(ports, order)
    baking = _baking(deployment, order.batch)
    if not baking.time:
        return done(f"not watched: {baking.reason}", healthy=0, sick=0)
    batch = await batch_of(ports, order)
    rows = await ports.store.vms.list(order.deployment_id)
    green = [row for row in rows if row.color is Color.GREEN and row.batch and row.status is not VmStatus.PENDING]
    standing = [row for row in green if not row.replaced and not row.moved_to and row.reason != DELETED]
    look = await look_at(ports, order, batch, deployment.parameters, standing)
    await ports.store.vms.put(order.deployment_id, look.changed(over=True, at=order.at))
    judged = judge_bake(look.sick_for(order), len(standing), order.poll_interval, deployment.parameters)
    if not judged.passes:
        return failed("unhealthyWhileBaking", judged.reason, healthy=judged.healthy, sick=judged.sick)
    left = baking.time - order.waited
    if left <= timedelta(0):
        return done(judged.reason, healthy=judged.healthy, sick=judged.sick)
    return again(min(left, until_next_look(order.poll_interval, look.listed)), f"baking: {judged.reason}")


def _baking(deployment: Deployment, batch: int) -> BakePeriod:
    asked, back = deployment.parameters, deployment.status is Status.ROLLING_BACK
    return bakes_after(batch, deployment.number_of_batches, back, asked.canary, asked.bake_time)
