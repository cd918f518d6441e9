"""Keep the evidence of sick green VMs, before they are deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from rollout.judging.evidence import evidence_of, sick
from rollout.model.azure.evidence import Inspection
from rollout.model.order import IN_PARTS, Order, Parts, Progress, StepState, done
from rollout.model.rows.deployment import VmRecord
from rollout.model.words import counted
from rollout.ports.errors import AzureError
from rollout.ports.ports import Ports
from rollout.steps.parts import numbers_of, part_of

#: How many VMs are inspected at most: their images are the same, and so is mostly what is wrong with them.
MOST_INSPECTED = 20

#: How many VMs one activity inspects, at a time; more are inspected each by one of its own.
INSPECTED_TOGETHER = 10


async def save_evidence(ports: Ports, order: Order) -> Progress:
    """Inspect the batch's sick green VMs that are still there, and keep what is found; a VM's first evidence stays.

    What cannot be read is noted in the evidence: it must not keep a deployment from ending. Of many VMs each is a part;
    of those that parts were lost of, the evidence is kept here.
    """
    records = sick(await ports.store.vms.list(order.deployment_id, order.batch))
    fresh = [record for record in records if not record.evidence]
    inspected, left_out = fresh[:MOST_INSPECTED], fresh[MOST_INSPECTED:]
    left = f"Not inspected: of {len(fresh)} sick VMs {MOST_INSPECTED} were"
    for record in left_out:
        await _keep(ports, order, record, Inspection(notes=(left,)))
    if order.asked is None and len(inspected) > min(INSPECTED_TOGETHER, ports.part_size):
        return _in_parts(records, inspected)
    for start in range(0, len(inspected), INSPECTED_TOGETHER):
        await _inspect_together(ports, order, inspected[start : start + INSPECTED_TOGETHER])
    more = f", {len(left_out)} of them without an inspection" if left_out else ""
    return done(f"Evidence of {counted(len(records), 'sick green VM')} kept{more}")


async def inspect_sick(ports: Ports, order: Order) -> Progress:
    """Inspect the one sick green VM that is the order's part, and keep what is found."""
    if order.part is None:
        raise ValueError("the order names no part")
    mine = part_of(sick(await ports.store.vms.list(order.deployment_id, order.batch)), order.part)
    await _inspect_together(ports, order, [record for record in mine if not record.evidence])
    return done(f"Evidence of {counted(len(mine), 'sick green VM')} kept")


def _in_parts(records: Sequence[VmRecord], inspected: Sequence[VmRecord]) -> Progress:
    numbers = numbers_of(records, {record.vm_id for record in inspected}, size=1)
    parts = Parts("inspect_sick", numbers, size=1, together=MOST_INSPECTED)
    reason = f"inspecting {len(inspected)} sick green VMs side by side"
    return Progress(StepState.AGAIN, reason, IN_PARTS, parts=parts)


async def _inspect_together(ports: Ports, order: Order, records: Sequence[VmRecord]) -> None:
    """Raises the first error of the store, once all are through."""
    answers = await asyncio.gather(*(_inspect(ports, order, record) for record in records), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer


async def _inspect(ports: Ports, order: Order, record: VmRecord) -> None:
    try:
        inspection = await ports.scale_sets.inspect_vm(order.scale_set_id, record.name, record.vm_id)
    except AzureError as error:
        inspection = Inspection(notes=(f"The VM could not be inspected: {error.code}: {error.message}",))
    if inspection is not None:
        await _keep(ports, order, record, inspection)


async def _keep(ports: Ports, order: Order, record: VmRecord, inspection: Inspection) -> None:
    await ports.store.evidence.put(order.deployment_id, evidence_of(record, inspection, order.at))
    await ports.store.vms.change(order.deployment_id, record, lambda row: replace(row, evidence=True))
