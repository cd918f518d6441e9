"""Reading the health of those VMs that a decision needs it of."""

from __future__ import annotations

from collections.abc import Iterable

from rollout.model.azure.scale_set import VmList
from rollout.model.choices import HealthCheckType
from rollout.model.order import Order
from rollout.model.parameters import Parameters
from rollout.ports.ports import Ports


async def with_health(
    ports: Ports, order: Order, parameters: Parameters, listed: VmList, vm_ids: Iterable[str]
) -> VmList:
    """The list with these VMs' health, if the deployment checks it: it may cost a request a VM."""
    if HealthCheckType.APPLICATION_HEALTH not in parameters.health_check_types:
        return listed
    return await ports.scale_sets.with_health(order.scale_set_id, listed, frozenset(vm_ids))
