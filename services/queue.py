"""Who waits for a scale set, and who is to wait for whom."""

from __future__ import annotations

from dataclasses import dataclass

from rollout.lifecycle.lock import STARTING
from rollout.lifecycle.succession import in_queue
from rollout.model.rows.deployment import Deployment
from rollout.ports.durable import InstanceState
from rollout.ports.ports import Ports
from services.claim import LockHolder, held

#: How many of the group's newest deployments are looked at: more than ever wait.
ROWS_MAX = 100


async def queued(ports: Ports, group_id: str, scale_set_id: str) -> tuple[Deployment, ...]:
    """The deployments that wait for the scale set, in the order of their turns."""
    return in_queue(await ports.store.deployments.newest(group_id, ROWS_MAX), scale_set_id)


async def under_way(ports: Ports, group_id: str, scale_set_id: str, asker: str) -> LockHolder | None:
    """The deployment that has the scale set, else the one that waits first: who comes new comes after them."""
    holder = await held(ports, scale_set_id, asker)
    return holder or await _first(ports, await queued(ports, group_id, scale_set_id), asker)


@dataclass(frozen=True)
class QueuePlace:
    """How many deployments wait before one, and the first of them that is alive."""

    ahead: int
    first: LockHolder | None = None


async def place_of(ports: Ports, row: Deployment) -> QueuePlace:
    """Where ``row`` stands, which is queued itself."""
    waiting = await queued(ports, row.group_id, row.scale_set_id)
    earlier = [one.id for one in waiting].index(row.id) if any(one.id == row.id for one in waiting) else len(waiting)
    return QueuePlace(earlier, await _first(ports, waiting[:earlier], row.id))


async def _first(ports: Ports, waiting: tuple[Deployment, ...], asker: str) -> LockHolder | None:
    """The first that is alive: a deployment whose orchestration is gone takes no turn."""
    for row in waiting:
        if row.id == asker:
            continue
        state = await ports.instances.state(row.id)
        starting = state is InstanceState.ABSENT and ports.clock.now() - row.created_at < STARTING
        if starting or state in (InstanceState.RUNNING, InstanceState.SUSPENDED):
            return LockHolder(row.id, f"Deployment {row.id} waits for the scale set and comes first")
    return None
