"""Which rows are those of the green VMs that a step is about."""

from __future__ import annotations

from rollout.model.order import Order
from rollout.model.rows.deployment import VmRecord
from rollout.model.status import Color, VmStatus
from rollout.ports.ports import Ports
from rollout.steps.retirement import DELETED


async def judged_vms(ports: Ports, order: Order) -> list[VmRecord]:
    """The green VMs of the batch, but for those whose places others have taken."""
    rows = await ports.store.vms.list(order.deployment_id, order.batch)
    return [row for row in rows if row.color is Color.GREEN and not row.replaced]


async def baking_vms(ports: Ports, order: Order) -> list[VmRecord]:
    """The green VMs of all batches so far that stand."""
    rows = await ports.store.vms.list(order.deployment_id)
    green = [row for row in rows if row.color is Color.GREEN and row.batch and row.status is not VmStatus.PENDING]
    return [row for row in green if not row.replaced and not row.moved_to and row.reason != DELETED]
