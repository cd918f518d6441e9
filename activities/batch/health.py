"""Reading the health of those VMs that a decision needs it of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from activities.batch.green import baking_vms, judged_vms
from rollout.model.azure.scale_set import VmList
from rollout.model.choices import HealthCheckType
from rollout.model.order import Order, Parts, Progress, done
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import VmRecord
from rollout.model.rows.health_part import HealthPart, VmHealthWord
from rollout.model.words import counted
from rollout.ports.ports import Ports
from rollout.steps.parts import health_parts, numbers_of, part_of, part_size, read_again, read_first, words_of


@dataclass(frozen=True)
class HealthReading:
    """A list with the health of some VMs, and the ``parts`` to read it by before the next look, if it takes several.

    ``missing``: how the step stands instead, where the health is still to be read.
    """

    listed: VmList
    parts: Parts | None = None
    missing: Progress | None = None


async def with_health(
    ports: Ports, order: Order, parameters: Parameters, listed: VmList, vm_ids: Iterable[str]
) -> VmList:
    """The list with these VMs' health, if the deployment checks it: it may cost a request a VM."""
    if HealthCheckType.APPLICATION_HEALTH not in parameters.health_check_types:
        return listed
    return await ports.scale_sets.with_health(order.scale_set_id, listed, frozenset(vm_ids))


async def health_of(
    ports: Ports, order: Order, parameters: Parameters, listed: VmList, records: Sequence[VmRecord], activity: str
) -> HealthReading:
    """As ``with_health``, for any number of VMs: more than one part has are read by ``activity``, part by part.

    What the parts have brought is collected here. What they have not is read at once where it is no more than a part,
    and else asked for again.
    """
    green = {record.vm_id for record in records}
    size = part_size(len(records), ports.part_size)
    running = {vm.vm_id for vm in listed.vms if vm.vm_id in green and vm.running}
    checked = HealthCheckType.APPLICATION_HEALTH in parameters.health_check_types
    if not (checked and listed.by_view and len(running) > size):
        return HealthReading(await with_health(ports, order, parameters, listed, green))
    every = health_parts(activity, numbers_of(records, running, size), size)
    if order.asked is None:
        return HealthReading(listed, missing=read_first(every, len(running)))
    words = words_of(await ports.store.health_parts.list(order.deployment_id, order.batch), order)
    unread = running - words.keys()
    if len(unread) > size or (unread and order.patience):
        wanted = health_parts(activity, numbers_of(records, unread, size), size, order.asked)
        return HealthReading(listed, missing=read_again(order, wanted, len(unread)))
    vms = tuple(replace(vm, health=words.get(vm.vm_id, vm.health)) for vm in listed.vms)
    collected = replace(listed, vms=vms, views=listed.views + len(words))
    return HealthReading(await with_health(ports, order, parameters, collected, unread), every)


async def read_batch_health(ports: Ports, order: Order) -> Progress:
    """Read the health of one part of the green VMs that ``judge_batch`` judges."""
    return await _read_part(ports, order, await judged_vms(ports, order))


async def read_baking_health(ports: Ports, order: Order) -> Progress:
    """Read the health of one part of the green VMs that ``bake`` watches."""
    return await _read_part(ports, order, await baking_vms(ports, order))


async def _read_part(ports: Ports, order: Order, records: Sequence[VmRecord]) -> Progress:
    """A late run changes nothing: the row keeps what was asked for last."""
    if order.part is None:
        raise ValueError("the order names no part")
    mine = part_of(records, order.part)
    health = await ports.scale_sets.health_of(order.scale_set_id, [record.name for record in mine])
    words = tuple(VmHealthWord(record.vm_id, health.get(record.name)) for record in mine)
    part = HealthPart(order.batch, order.part.number, order.at, words)
    await ports.store.health_parts.keep(order.deployment_id, part)
    return done(f"the health of {counted(len(mine), 'VM')} was read")
