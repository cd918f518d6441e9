"""Who waits for a scale set, and who is to wait for whom.

An entry is written before its deployment's row, and removed after the deployment has the lock or its end is written. A
run that dies in between leaves an entry whose deployment does not wait: whoever meets it removes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from rollout.lifecycle.lock import STARTING
from rollout.lifecycle.queue import QUEUE_MAX, QueueDecision, admit, entry_of, in_turn, waits
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.queue_entry import QueueEntry
from rollout.ports.durable import InstanceState
from rollout.ports.ports import Ports
from services.claim import LockHolder, held

#: How often a start that met others at the end of the queue looks again, until those have left that came too late.
LOOKS_MAX = 10


@dataclass(frozen=True)
class FullQueue:
    """No more deployments may wait for the scale set: ``count`` do."""

    count: int

    @property
    def reason(self) -> str:
        return f"{self.count} deployments wait for the scale set, and no more may"


async def queued(ports: Ports, scale_set_id: str) -> tuple[QueueEntry, ...]:
    """The deployments that wait for the scale set, in the order of their turns, each looked up in its own row."""
    return await _waiting(ports, await ports.store.queue.list(scale_set_id))


async def under_way(ports: Ports, scale_set_id: str, asker: str) -> LockHolder | None:
    """The deployment that has the scale set, else the one that waits first: who comes new comes after them."""
    holder = await held(ports, scale_set_id, asker)
    return holder or (await _first(ports, in_turn(await ports.store.queue.list(scale_set_id)), asker)).first


async def full_queue(ports: Ports, scale_set_id: str) -> FullQueue | None:
    """Whether the next one that asked to wait would be refused."""
    return FullQueue(count) if (count := len(await queued(ports, scale_set_id))) >= QUEUE_MAX else None


async def enter(ports: Ports, row: Deployment, *, limited: bool) -> int | FullQueue:
    """Enter a deployment that has no row yet; how many wait before it. ``limited``: it may be one too many."""
    others: tuple[QueueEntry, ...] = ()
    for _ in range(LOOKS_MAX):
        entries, own = await _with_own(ports, row)
        others = await _waiting(ports, [one for one in entries if one != own])
        admission = admit(in_turn((*others, own)), row.id)
        if not limited or admission.decision is QueueDecision.ADMITTED:
            return admission.ahead
        if admission.decision is QueueDecision.FULL:
            break
    await leave(ports, row)
    return FullQueue(len(others))


async def leave(ports: Ports, row: Deployment) -> None:
    """Remove the entry of a deployment that has the lock, or has ended, or was not started."""
    await ports.store.queue.delete(row.scale_set_id, row.id)


@dataclass(frozen=True)
class QueuePlace:
    """How many deployments wait before one, and the first of them that is alive."""

    ahead: int
    first: LockHolder | None = None


async def place_of(ports: Ports, row: Deployment) -> QueuePlace:
    """Where ``row`` stands, which is queued itself. It reads no more rows of others than it takes to find the first."""
    # The entry is missing where somebody took the start for one that had died, and the row came after all.
    entries, own = await _with_own(ports, row)
    return await _first(ports, entries[: entries.index(own)], row.id)


async def _with_own(ports: Ports, row: Deployment) -> tuple[tuple[QueueEntry, ...], QueueEntry]:
    """The entries in the order of their turns, and the deployment's own, which is added where there is none.

    All as they are read: a row keeps its times in milliseconds, which decides who of two comes first.
    """
    while True:
        entries = in_turn(await ports.store.queue.list(row.scale_set_id))
        for entry in entries:
            if entry.deployment_id == row.id:
                return entries, entry
        await ports.store.queue.add(entry_of(row))


async def _waiting(ports: Ports, entries: Sequence[QueueEntry]) -> tuple[QueueEntry, ...]:
    """Those whose deployments wait, in the order of their turns."""
    waiting = await asyncio.gather(*(_still_waits(ports, entry) for entry in entries))
    return in_turn(entry for entry, is_waiting in zip(entries, waiting, strict=True) if is_waiting)


async def _first(ports: Ports, entries: Sequence[QueueEntry], asker: str) -> QueuePlace:
    """The first that is alive: a deployment whose orchestration is gone takes no turn."""
    ahead = len(entries)
    for entry in entries:
        if entry.deployment_id == asker:
            continue
        if not await _still_waits(ports, entry):
            ahead -= 1
        elif await _is_alive(ports, entry):
            reason = f"Deployment {entry.deployment_id} waits for the scale set and comes first"
            return QueuePlace(ahead, LockHolder(entry.deployment_id, reason))
    return QueuePlace(ahead)


async def _still_waits(ports: Ports, entry: QueueEntry) -> bool:
    """Whether the entry's deployment waits; where not, the entry goes."""
    row = await ports.store.deployments.get(entry.deployment_id)
    if waits(entry, row, ports.clock.now()):
        return True
    await ports.store.queue.delete(entry.scale_set_id, entry.deployment_id)
    return False


async def _is_alive(ports: Ports, entry: QueueEntry) -> bool:
    state = await ports.instances.state(entry.deployment_id)
    starting = state is InstanceState.ABSENT and ports.clock.now() - entry.queued_at < STARTING
    return starting or state in (InstanceState.RUNNING, InstanceState.SUSPENDED)
