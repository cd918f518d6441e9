"""One look at green VMs: what every source says of each, and what of that is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from activities.batch.balancers import observe_traffic
from activities.batch.health import health_of
from activities.batch.signals import observe_all
from rollout.model.azure.health import Observation, VmHealth, worst
from rollout.model.azure.scale_set import VmList
from rollout.model.order import Order, Parts, Progress
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Batch, Reading, VmRecord
from rollout.model.status import VmStatus
from rollout.ports.ports import Ports


@dataclass(frozen=True)
class Look:
    """One look at green VMs: the list it was read from, their rows, and what each source says of each.

    ``parts``: what to read before the next look.
    """

    listed: VmList
    records: Sequence[VmRecord]
    seen: Mapping[str, Sequence[Observation]]
    has_pools: bool
    checked: bool = True
    parts: Parts | None = None

    def steady(self, order: Order) -> timedelta:
        """How long no reading of any VM has changed; what is seen for the first time now changed now."""
        changes = [reading.at for one in self.records for reading in _readings(one, self.seen[one.vm_id], order.at)]
        return order.watched(max(changes, default=order.at))

    def changed(self, over: bool, at: datetime) -> list[VmRecord]:
        """The rows of which something new is known; ``over``: what is not healthy now counts as unhealthy."""
        updated = [_observed(record, self, over, at) for record in self.records]
        return [new for new, old in zip(updated, self.records, strict=True) if new != old]

    def sick_for(self, order: Order) -> list[tuple[str, timedelta]]:
        """The VMs that are not healthy, by name, and how long they have not been. Two may have had one name."""
        found: list[tuple[str, timedelta]] = []
        for record in self.records:
            readings = _readings(record, self.seen[record.vm_id], order.at)
            bad = [reading.at for reading in readings if reading.health != VmHealth.HEALTHY]
            if bad:
                found.append((record.name, order.watched(min(bad))))
        return found


async def look_at(
    ports: Ports, order: Order, batch: Batch, parameters: Parameters, records: Sequence[VmRecord], part: str
) -> Look | Progress:
    """Read the whole set once, and what signals and balancers say of these VMs; ``batch`` keeps the open questions.

    ``part``: the activity that reads the health of a part of these VMs. How the step stands, where parts are to be read
    first.
    """
    listed = await ports.scale_sets.list_vms(order.scale_set_id)
    green = [record.vm_id for record in records]
    health = await health_of(ports, order, parameters, listed, records, part)
    if health.missing:
        return health.missing
    listed, vms = health.listed, health.listed.by_id()
    said = await observe_all(ports, order, parameters, green, vms)
    traffic = await observe_traffic(ports, order, batch, parameters.health_check_types, records, vms, said)
    return Look(listed, records, traffic.observations, traffic.has_pools, parameters.checked, health.parts)


def _observed(record: VmRecord, look: Look, over: bool, at: datetime) -> VmRecord:
    """The record with what was observed; unchanged readings keep the time at which they were first made."""
    observations = look.seen[record.vm_id]
    readings = _readings(record, observations, at)
    decisive = worst(observations)
    status = _status(decisive, observations, over)
    passed = record.passed
    if status is VmStatus.HEALTHY and not look.checked:
        # It runs. Nothing tells whether it works.
        status, passed = VmStatus.RUNNING, passed or over
    reason = f"{decisive.source}: {decisive.detail}"
    if (record.status, record.reason, record.readings, record.passed) == (status, reason, readings, passed):
        return record
    return replace(record, status=status, reason=reason, readings=readings, passed=passed, updated_at=at)


def _readings(record: VmRecord, observations: Sequence[Observation], at: datetime) -> tuple[Reading, ...]:
    before = {reading.source: reading for reading in record.readings}
    return tuple(
        earlier
        if (earlier := before.get(seen.source)) and (earlier.health, earlier.detail) == (seen.health, seen.detail)
        else Reading(seen.source, seen.health, seen.detail, at)
        for seen in observations
    )


def _status(decisive: Observation, observations: Sequence[Observation], over: bool) -> VmStatus:
    """A VM is unhealthy only once the batch is judged: until then it may still come round."""
    if decisive.health is VmHealth.HEALTHY:
        return VmStatus.HEALTHY
    if over:
        return VmStatus.UNHEALTHY
    return VmStatus.RUNNING if observations[0].health is VmHealth.HEALTHY else VmStatus.PENDING
