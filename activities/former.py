"""Tell in earlier deployments' histories which of their remains a later one deletes or gives back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial

from rollout.holds.inherited import given_back
from rollout.model.events import EventType
from rollout.model.order import Order
from rollout.model.rows.deployment import Deployment, Event, VmRecord
from rollout.model.rows.holds import ProcessHold
from rollout.ports.ports import Ports
from rollout.steps.leftovers import NAMED_TOGETHER, asked_for, found_by, left_of, next_deletion
from rollout.steps.retirement import DELETED
from services.after_end import follow, unless_said, write_on
from services.revision import revise

#: How many deployments in a row that left VMs are told of what one after them deletes.
CHAIN_MAX = 20


async def tell_of_deleted(ports: Ports, order: Order, deployment: Deployment, vm_ids: Collection[str]) -> None:
    """Tell of these VMs, which the deployment has deleted, where earlier ones left them. Twice: once.

    It is called before the deployment's own rows say that they are gone, so that a run that dies is made up for by the
    next. Where no earlier one left anything, nothing is read.
    """
    former = deployment.former
    for _ in range(CHAIN_MAX):
        row = await ports.store.deployments.get(former) if former and vm_ids else None
        if row is None or not row.status.ended:
            return
        records = await ports.store.vms.list(row.id)
        await _tell(ports, order, row, records, left_of(row.status, records, vm_ids))
        former, vm_ids = row.former, found_by(records, vm_ids)


async def tell_of_gone(ports: Ports, order: Order, deployment: Deployment, gone: Sequence[VmRecord]) -> None:
    """As ``tell_of_deleted``, of VMs that a later step finds to be gone: those that it was about to delete."""
    if deployment.former and gone:
        intents = await ports.store.intents.list(deployment.id)
        await tell_of_deleted(ports, order, deployment, asked_for(gone, intents))


async def _tell(
    ports: Ports, order: Order, row: Deployment, records: Sequence[VmRecord], left: Sequence[VmRecord]
) -> None:
    """The row follows before the VMs say that they are gone: by those a run knows what is still to be done."""
    for start in range(0, len(left), NAMED_TOGETHER):
        some = left[start : start + NAMED_TOGETHER]
        written = await write_on(ports, row, partial(next_deletion, records, some, order))
        await follow(ports, row, written)
        at = written[-1].at if written else order.at
        await ports.store.vms.put(row.id, [replace(one, reason=DELETED, updated_at=at) for one in some])
        await revise(ports, row.id)


async def tell_of_given_back(ports: Ports, order: Order, items: Iterable[ProcessHold]) -> None:
    """Tell of what earlier deployments had left held, and this one has brought back. Twice: once."""
    for back in given_back(items, order.deployment_id):
        row = await ports.store.deployments.get(back.left_by)
        if row is not None and row.status.ended:
            event = Event(0, order.at, EventType.KEPT_RESTORED, back.words, None, back.data)
            await follow(ports, row, await write_on(ports, row, partial(unless_said, event)))
