"""Take blue VMs out of traffic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from activities.batch.drain import drain
from activities.batch.pools import drain_intents, look
from activities.rows import batch_of, deployment_of, keep_vms
from rollout.model.order import Order, Progress, done
from rollout.model.rows.deployment import Batch, VmRecord
from rollout.model.rows.signals import certain_wait
from rollout.model.status import Color, Phase, VmStatus
from rollout.model.words import counted
from rollout.ports.ports import Ports
from rollout.steps.retirement import DELETED, blue_to_detach, sick_ones


async def detach_blue(ports: Ports, order: Order) -> Progress:
    """Take the blue VMs that the healthy green ones replace out of every pool; then they are on their way out.

    The sick green ones that are to be deleted with them leave their pools too: they may serve as well.
    """
    batch = await batch_of(ports, order)
    records = await ports.store.vms.list(order.deployment_id, batch.number)
    blue = [record for record in records if record.color is Color.BLUE]
    if batch.phase.reached(Phase.DETACHED):
        return _detached([record for record in blue if record.status is VmStatus.DETACHED], blue, batch)
    deployment = await deployment_of(ports, order)
    leaving = blue_to_detach(records, batch, deployment.parameters.tolerate_unhealthy)
    going = [*leaving, *sick_ones(records, deployment.parameters.tolerate_unhealthy)]
    intents = await drain_intents(ports, order)
    scene = await look(ports, order, [record.vm_id for record in going], intents) if going else None
    progress = await drain(ports, order, scene, going)
    if not progress.done:
        return progress
    await keep_vms(ports, order, _out_of_traffic(blue, leaving, order))
    wait = certain_wait(deployment.parameters.draining_timeout, deployment.parameters.signals)
    after = max(progress.after - wait, timedelta(0)) if leaving else progress.after
    return replace(_detached(leaving, blue, await batch_of(ports, order)), after=after)


def _detached(leaving: Sequence[VmRecord], blue: Sequence[VmRecord], batch: Batch) -> Progress:
    stay = len(blue) - len(leaving)
    reason = f"{counted(len(leaving), 'blue VM')} detached"
    if stay:
        reason += f"; {counted(stay, 'blue VM')} kept in service, because green ones were not healthy"
    gateways = round(batch.gateway_draining.total_seconds())
    return done(reason, detached=len(leaving), remaining=stay, gatewayDraining=gateways)


def _out_of_traffic(blue: Sequence[VmRecord], leaving: Sequence[VmRecord], order: Order) -> list[VmRecord]:
    chosen = {record.vm_id for record in leaving}
    return [
        replace(
            record,
            status=VmStatus.DETACHED,
            reason="Draining",
            updated_at=order.at,
            detached_at=record.detached_at or order.at,
        )
        if record.vm_id in chosen and record.reason != DELETED
        else record
        if record.vm_id in chosen
        else replace(record, reason="Stays in service: its replacement was not healthy", updated_at=order.at)
        for record in blue
    ]
