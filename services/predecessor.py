"""End the deployments before a new one, and find the one that it follows."""

from __future__ import annotations

from rollout.lifecycle.succession import latest_first, lost, took_part
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.handover import Handover
from rollout.model.rows.unreadable import readable
from rollout.planning.inheritance import Predecessor
from rollout.ports.durable import InstanceState
from rollout.ports.ports import Ports
from services.claim import LockHolder
from services.group_states import note_deployment
from services.heed import end_commands
from services.queue import leave

#: How many of the group's newest deployments are looked at, besides the one that the lock names.
PREDECESSORS_MAX = 100


async def end_predecessors(ports: Ports, row: Deployment, last_owner: str) -> Deployment | LockHolder | None:
    """Write the end of every deployment that looks live but runs no more; return the one that ``row``'s follows.

    To be called where no other deployment of the scale set can be under way: by the lock's holder, or by whoever is
    about to swap the lock as it was seen before. ``last_owner`` is the one that had the lock before, which may belong
    to a group of another name. Every other one is looked at too, because a start may have died between taking a lock
    over and writing its former holder's end.

    ``LockHolder``: one has given its lock back but is still writing its end. Whether it left the set in order, which
    decides what the next one inherits, is not known before that.
    """
    ended: list[Deployment] = []
    for one in await _earlier(ports, row.group_id, row.scale_set_id, last_owner):
        if one.id == row.id:
            continue
        end = await _end(ports, one)
        if isinstance(end, LockHolder):
            return end
        ended.append(end)
    return ended[0] if ended else None


async def predecessor_of(ports: Ports, group_id: str, scale_set_id: str) -> Deployment | None:
    """The last deployment that had the scale set's lock, as it is now: whom a deployment would follow."""
    lock = await ports.store.locks.get(scale_set_id)
    last_owner = lock.owner or lock.last_owner if lock is not None else ""
    return next(iter(await _earlier(ports, group_id, scale_set_id, last_owner)), None)


async def former_of(ports: Ports, handed: Handover) -> Predecessor | None:
    """The deployment that another one continues, with the rows of its VMs; ``None`` where there is none any more."""
    row = await ports.store.deployments.get(handed.continues) if handed.continues else None
    return Predecessor(row, tuple(await ports.store.vms.list(row.id))) if row is not None else None


async def _earlier(ports: Ports, group_id: str, scale_set_id: str, last_owner: str) -> tuple[Deployment, ...]:
    """Those that had the scale set's lock, the last one first. ``Unreadable``: nothing is known of the last one."""
    found = {row.id: row for row in readable(await ports.store.deployments.listed(group_id, PREDECESSORS_MAX))}
    if last_owner and last_owner not in found and (last := await ports.store.deployments.get(last_owner)) is not None:
        found[last.id] = last
    return latest_first((row for row in found.values() if took_part(row, scale_set_id)), last_owner)


async def _end(ports: Ports, row: Deployment) -> Deployment | LockHolder:
    if row.status.ended:
        return row
    if await ports.instances.state(row.id) in (InstanceState.RUNNING, InstanceState.SUSPENDED):
        return LockHolder(row.id, f"Deployment {row.id} has freed the scale set and is writing its end")
    now = ports.clock.now()
    ended = await ports.store.deployments.change(row.id, lambda current: lost(current, now))
    await leave(ports, ended)
    await note_deployment(ports, ended)
    await end_commands(ports, ended, now)
    return ended
