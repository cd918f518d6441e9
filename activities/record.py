"""Write a fact into a deployment's history."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from rollout.model.events import AFTER_END, ENDS_COMMANDS, EventResult, apply, apply_to_batch, illegal, with_serving
from rollout.model.rows.deployment import Deployment, Event
from rollout.ports.errors import Busy
from rollout.ports.ports import Ports
from services.after_end import follow, unless_said, write_on
from services.group_states import note_deployment
from services.heed import end_commands
from services.queue import leave
from services.revision import revise


@dataclass(frozen=True)
class Entry:
    """The event, numbered and dated by the recipe, so that writing it twice writes the same.

    Not ``checked``: the deployment's row follows it, whether or not it may. ``epoch``: of the lock, of an event after
    the end.
    """

    deployment_id: str
    event: Event
    checked: bool = True
    epoch: int = 0


async def attempt_to_record(ports: Ports, entry: Entry) -> EventResult:
    """Record the event; where storage does not answer, that is said and not raised, for the recipe to try again."""
    try:
        return await record_event(ports, entry)
    except Busy as busy:
        return EventResult(busy=str(busy))


async def record_event(ports: Ports, entry: Entry) -> EventResult:
    """The event's row first, then the rows that follow from it; each holds it once, however often this runs.

    The deployment's own comes last: whoever reads that first sees the others as they are after it.

    Commands that the event acts on, or that nobody will act on after it, end with it. An event that is no legal
    transition is written and told, and the deployment's status stays. An end is for ever: what a recipe still has to
    say of a deployment whose end was written for it is dropped, unless it is of what happens after an end; so is what
    is said of one whose row is forgotten.
    """
    event, store = entry.event, ports.store
    row = await store.deployments.get(entry.deployment_id)
    if event.type in AFTER_END:
        if row is not None and row.status.ended:
            await _go_on(ports, entry, row)
        return EventResult()
    if row is None or (row.status.ended and row.sequence < event.sequence):
        return EventResult()
    if row.sequence >= event.sequence and await _is_late(ports, entry):
        return EventResult()
    refused = illegal(row, event) if entry.checked else None
    if row.sequence < event.sequence:
        await store.events.put(entry.deployment_id, with_serving(row, event))
    if event.batch is not None:
        await store.batches.change(entry.deployment_id, event.batch, lambda row: apply_to_batch(row, event))
    row = await store.deployments.change(entry.deployment_id, lambda row: apply(row, event, checked=entry.checked))
    await note_deployment(ports, row)
    if row.status.ended and row.queued_at is not None:
        await leave(ports, row)
    if event.type in ENDS_COMMANDS and await end_commands(ports, row, event.at):
        await revise(ports, entry.deployment_id)
    return EventResult(refused)


async def _go_on(ports: Ports, entry: Entry, row: Deployment) -> None:
    """Write what happens after the end of a deployment, once, under the number after the last.

    Only who acts for the deployment in its last epoch writes such an event here. Another deployment that has taken the
    lock over does not keep what was done before from being told.
    """
    lock = await ports.store.locks.get(row.scale_set_id)
    if lock is not None and lock.owner == row.id and lock.epoch != entry.epoch:
        return
    # An earlier run may have written it, and died before the row followed, or before it answered.
    await follow(ports, row, await write_on(ports, row, partial(unless_said, entry.event)))


async def _is_late(ports: Ports, entry: Entry) -> bool:
    """Whether a later event has the number: a batch that was ended by hand still said something as it went."""
    there = await ports.store.events.list(entry.deployment_id, after=entry.event.sequence - 1, limit=1)
    return any(one.sequence == entry.event.sequence and one.at > entry.event.at for one in there)
