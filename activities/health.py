"""Reading the health of those VMs that a decision needs it of."""

from __future__ import annotations

from collections.abc import Iterable

from rollout.deployment import Parameters
from rollout.group import HealthCheckType
from rollout.order import Order
from rollout.ports import Ports
from rollout.scale_set import VmList


async def with_health(
    ports: Ports, order: Order, parameters: Parameters, listed: VmList, vm_ids: Iterable[str]
) -> VmList:
    """The list with these VMs' health, if the deployment checks it: it may cost a request a VM."""
    if HealthCheckType.APPLICATION_HEALTH not in parameters.health_check_types:
        return listed
    return await ports.scale_sets.with_health(order.scale_set_id, listed, frozenset(vm_ids))
