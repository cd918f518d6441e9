"""VMs that others made in the middle of a deployment, from its image."""

from __future__ import annotations

from collections.abc import Sequence

from activities.batch.health import with_health
from activities.batch.signals import observe_all
from rollout.model.azure.health import Observation, VmHealth, worst
from rollout.model.azure.scale_set import Vm, VmList
from rollout.model.order import Order
from rollout.model.rows.deployment import Deployment, Reading, VmRecord
from rollout.model.status import Color, VmStatus
from rollout.ports.ports import Ports
from rollout.steps.launch import newcomers
from rollout.steps.outcome import goal

#: What the row of such a VM begins with, so that a later run knows it again.
ADOPTED = "Made by others, and adopted"


async def adopt(
    ports: Ports, order: Order, deployment: Deployment, listed: VmList, records: Sequence[VmRecord]
) -> list[VmRecord]:
    """Give each a row: a green VM of the last batch, with what is said of its health now. Twice: the same rows."""
    known = [record.vm_id for record in records if not record.reason.startswith(ADOPTED)]
    scale_set = await ports.scale_sets.read(order.scale_set_id)
    found = newcomers(scale_set, listed.vms, known, goal(deployment)) if scale_set is not None else ()
    if not found:
        return []
    ids = [vm.vm_id for vm in found]
    listed = await with_health(ports, order, deployment.parameters, listed, ids)
    seen = await observe_all(ports, order, deployment.parameters, ids, listed.by_id())
    adopted = [_record(vm, deployment, seen[vm.vm_id], order) for vm in found]
    await ports.store.vms.put(deployment.id, adopted)
    return adopted


def _record(vm: Vm, deployment: Deployment, observations: Sequence[Observation], order: Order) -> VmRecord:
    decisive = worst(observations)
    status = {VmHealth.HEALTHY: VmStatus.HEALTHY, VmHealth.WAITING: VmStatus.RUNNING}.get(
        decisive.health, VmStatus.UNHEALTHY
    )
    runs = status is VmStatus.HEALTHY and not deployment.parameters.checked
    return VmRecord(
        vm.vm_id,
        vm.name,
        Color.GREEN,
        deployment.number_of_batches,
        VmStatus.RUNNING if runs else status,
        f"{ADOPTED}; {decisive.source}: {decisive.detail}",
        vm.zone,
        tuple(Reading(each.source, each.health, each.detail, order.at) for each in observations),
        order.at,
        passed=runs,
    )
