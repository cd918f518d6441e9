"""Write a fact into a deployment's history."""

from __future__ import annotations

from dataclasses import dataclass

from rollout.deployment import Event
from rollout.events import apply, apply_to_batch
from rollout.ports import Ports


@dataclass(frozen=True)
class Entry:
    """The event, numbered and dated by the recipe, so that writing it twice writes the same."""

    deployment_id: str
    event: Event


async def record_event(ports: Ports, entry: Entry) -> None:
    """The event's row first, then the rows that follow from it; each holds it once, however often this runs.

    An end is for ever: what a recipe still has to say of a deployment whose end was written for it is dropped.
    """
    event = entry.event
    row = await ports.store.deployments.get(entry.deployment_id)
    if row is not None and row.status.ended and row.sequence < event.sequence:
        return
    await ports.store.events.put(entry.deployment_id, event)
    await ports.store.deployments.change(entry.deployment_id, lambda row: apply(row, event))
    if event.batch is not None:
        await ports.store.batches.change(entry.deployment_id, event.batch, lambda row: apply_to_batch(row, event))
