"""Balancers' words about green VMs, for those who judge them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rollout.judging.balancers import observe_pools, observe_servers
from rollout.model.azure.balancers import TRAFFIC_SOURCES, BackendServer, PendingAnswer, Probe
from rollout.model.azure.health import Observation, VmHealth, worst
from rollout.model.azure.pools import pools_of, source_of
from rollout.model.azure.scale_set import Vm
from rollout.model.choices import HealthCheckType
from rollout.model.order import Order
from rollout.model.rows.deployment import Batch, VmRecord
from rollout.ports.ports import Ports
from services.pool_members import members_of


@dataclass(frozen=True)
class BalancerReadings:
    """All observations of each VM by ``vm_id``, and whether the set ``has_pools``, as far as was asked."""

    observations: dict[str, tuple[Observation, ...]]
    has_pools: bool


async def observe_traffic(
    ports: Ports,
    order: Order,
    batch: Batch,
    sources: Sequence[HealthCheckType],
    records: Sequence[VmRecord],
    vms: Mapping[str, Vm],
    seen: Mapping[str, tuple[Observation, ...]],
) -> BalancerReadings:
    """Add to what was ``seen`` of the VMs what balancers say, and correct it for running VMs that miss a pool.

    Balancers are asked only where the deployment checks them, and not before a VM runs. That each VM that is healthy
    otherwise is in its pools counts always: before that it does not serve. Questions that take their time are noted in
    the batch's row, and answered at the next look.
    """
    checked = [source for source in sources if source in TRAFFIC_SOURCES]
    running = [
        vms[record.vm_id]
        for record in records
        if (seen[record.vm_id][0] if checked else worst(seen[record.vm_id])).health is VmHealth.HEALTHY
    ]
    scale_set = await ports.scale_sets.read(order.scale_set_id) if running else None
    pools = scale_set.backend_pools if scale_set is not None else ()
    asked_of = {vm.vm_id for vm in running}
    members = await members_of(ports, scale_set, running)
    probes = {source: await _probe(ports, source, pools, batch.asked) for source in checked} if pools else {}
    await _note(ports, order, batch, probes)
    observations = {
        record.vm_id: (
            observe_pools(seen[record.vm_id][0], members.get(record.vm_id), pools if record.vm_id in asked_of else ()),
            *seen[record.vm_id][1:],
            *(
                observe_servers(source, members.get(record.vm_id), _servers(probes, source), _earlier(record, source))
                for source in checked
            ),
        )
        for record in records
    }
    return BalancerReadings(observations, bool(pools))


async def _probe(ports: Ports, source: HealthCheckType, pools: Sequence[str], asked: Sequence[PendingAnswer]) -> Probe:
    mine = [question for question in asked if source_of(question.subject) is source]
    return await ports.traffic.probe(source, pools_of(pools, source), mine)


async def _note(ports: Ports, order: Order, batch: Batch, probes: Mapping[HealthCheckType, Probe]) -> None:
    asked = tuple(question for probe in probes.values() for question in probe.asked)
    if asked != batch.asked:
        await ports.store.batches.change(order.deployment_id, batch.number, lambda row: replace(row, asked=asked))


def _servers(probes: Mapping[HealthCheckType, Probe], source: HealthCheckType) -> Sequence[BackendServer] | None:
    return probes[source].servers if source in probes else ()


def _earlier(record: VmRecord, source: HealthCheckType) -> Observation | None:
    """What the source said at the last look that had an answer."""
    readings = [reading for reading in record.readings if reading.source is source]
    return Observation(source, VmHealth(readings[0].health), readings[0].detail) if readings else None
