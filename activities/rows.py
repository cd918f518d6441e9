"""Reading and keeping the rows that an order names."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rollout.model.order import Order
from rollout.model.rows.deployment import Batch, Deployment, VmRecord
from rollout.ports.ports import Ports
from rollout.steps.retirement import unless_deleted

#: How many rows of VMs are changed side by side.
CHANGED_TOGETHER = 20


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


async def keep_vms(ports: Ports, order: Order, records: Sequence[VmRecord]) -> None:
    """Write what became of VMs that have rows; one that says meanwhile that its VM was deleted stays as it is.

    A run may be late by any time: others may have deleted the VM since it read the row. Raises the first error of the
    store, once all are through.
    """
    for start in range(0, len(records), CHANGED_TOGETHER):
        some = records[start : start + CHANGED_TOGETHER]
        answers = await asyncio.gather(*(_keep(ports, order, record) for record in some), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer


async def _keep(ports: Ports, order: Order, record: VmRecord) -> None:
    await ports.store.vms.change(order.deployment_id, record, lambda row: unless_deleted(row, record))
