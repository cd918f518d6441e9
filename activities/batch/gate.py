"""The gate before each batch: how the whole group is."""

from __future__ import annotations

from activities.batch.health import with_health
from activities.rows import batch_of, deployment_of
from rollout.judging.gate import judge_group
from rollout.model.order import Order, Progress, done
from rollout.model.status import Phase
from rollout.ports.ports import Ports
from rollout.steps.pacing import before_another_look


async def check_group(ports: Ports, order: Order) -> Progress:
    """Fail the deployment before its next batch where too many of all the set's VMs are unhealthy."""
    deployment = await deployment_of(ports, order)
    batch = await batch_of(ports, order)
    if batch.phase.reached(Phase.LAUNCHED):
        return done("The batch has passed the gate")
    listed = await ports.scale_sets.list_vms(order.scale_set_id)
    listed = await with_health(ports, order, deployment.parameters, listed, listed.by_id())
    return judge_group(listed.vms, deployment.parameters, before_another_look(order.poll_interval, listed))
