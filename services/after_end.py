"""Writing on in the history of a deployment that has ended: the next number, once, whoever else writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import reduce

from rollout.model.events import AFTER_END, apply
from rollout.model.rows.deployment import Deployment, Event
from rollout.ports.errors import Busy
from rollout.ports.ports import Ports
from services.group_states import note_deployment

#: How many of the newest events are looked through: what an earlier run wrote, or others meanwhile, is among them.
NEWEST = 100

#: How often in a row others may take the number. Each time one of them has written what it had to say.
_LOST_RACES_MAX = 30


async def write_on(
    ports: Ports, row: Deployment, next_event: Callable[[Sequence[Event]], Event | None]
) -> Sequence[Event]:
    """Write an event under the number after the last; the events after the end, of which its row may lack some.

    ``next_event`` is given those that are there, and answers ``None`` where they say it already. The number is read
    here, as no recipe that is under way knows it. A number that another writer took meanwhile is not taken from it.
    """
    for _ in range(_LOST_RACES_MAX):
        newest = await ports.store.events.list(row.id, after=max(0, row.sequence - NEWEST))
        written = [one for one in newest if one.type in AFTER_END]
        event = next_event(written)
        if event is None:
            return written
        last = max((row.sequence, *(one.sequence for one in newest)))
        # The clock of whoever writes it may be behind that of the deployment.
        at = max((event.at, row.ended_at or row.created_at, *(one.at for one in newest)))
        numbered = replace(event, sequence=last + 1, at=at)
        if await ports.store.events.add(row.id, numbered):
            return [*written, numbered]
    raise Busy("TooManyWriters", f"Others wrote in the history of {row.id} {_LOST_RACES_MAX} times in a row", by="Teal")


async def follow(ports: Ports, row: Deployment, written: Sequence[Event]) -> None:
    """Let the deployment's row follow what was written after its end."""
    row = await ports.store.deployments.change(row.id, lambda found: reduce(apply, written, found))
    await note_deployment(ports, row)


def unless_said(event: Event, written: Sequence[Event]) -> Event | None:
    """The event, unless one of those ``written`` tells the same fact."""
    fact = (event.type, event.batch, event.data)
    return None if any((one.type, one.batch, one.data) == fact for one in written) else event
