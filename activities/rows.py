"""Reading the rows that an order names."""

from __future__ import annotations

from rollout.model.order import Order
from rollout.model.rows.deployment import Batch, Deployment
from rollout.ports.ports import Ports


async def deployment_of(ports: Ports, order: Order) -> Deployment:
    """The deployment's row, which was written before its orchestration was started."""
    deployment = await ports.store.deployments.get(order.deployment_id)
    if deployment is None:
        raise LookupError(f"deployment {order.deployment_id} has no row")
    return deployment


async def batch_of(ports: Ports, order: Order) -> Batch:
    """The batch's row, which the plan wrote."""
    batch = await ports.store.batches.get(order.deployment_id, order.batch)
    if batch is None:
        raise LookupError(f"deployment {order.deployment_id} has no batch {order.batch}")
    return batch
