"""What a new deployment finds of those before it: their ends are written, and the last one is what it follows."""

from __future__ import annotations

from api.claim import in_progress
from rollout.deployment import Deployment
from rollout.group import Group
from rollout.ports import InstanceState, Ports
from rollout.status import Status
from rollout.succession import lost

#: How many of the group's newest deployments are looked at.
PREDECESSORS_MAX = 100


async def end_predecessors(ports: Ports, group: Group, taken_over: str) -> Deployment | None:
    """Write the end of every deployment of the scale set that looks live but runs no more; return the newest one.

    Only the lock's holder may call this: no other deployment of the set can be under way then. ``taken_over`` is the
    one whose lock it was, which may belong to a group of another name. Every other one is looked at too, because a
    start may have died between taking a lock over and writing its former holder's end.

    Raises ``deploymentInProgress`` where one has given its lock back but is still writing its end: whether it left the
    set in order, which decides what the next one inherits, is not known before that.
    """
    rows = await ports.store.deployments.newest(group.id, PREDECESSORS_MAX)
    rows = tuple(row for row in rows if _began(row) and row.scale_set_id.lower() == group.scale_set_id.lower())
    if taken_over and all(row.id != taken_over for row in rows):
        former = await ports.store.deployments.get(taken_over)
        rows = (former, *rows) if former is not None else rows
    ended = [await _end(ports, row) for row in rows]
    return ended[0] if ended else None


def _began(row: Deployment) -> bool:
    return row.status is not Status.QUEUED


async def _end(ports: Ports, row: Deployment) -> Deployment:
    if row.status.ended:
        return row
    if await ports.instances.state(row.id) in (InstanceState.RUNNING, InstanceState.SUSPENDED):
        raise in_progress(row.id, f"Deployment {row.id} has freed the scale set and is writing its end")
    now = ports.clock.now()
    return await ports.store.deployments.change(row.id, lambda current: lost(current, now))
