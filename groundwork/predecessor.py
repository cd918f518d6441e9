"""What a new deployment finds of those before it: their ends are written, and the last one is what it follows."""

from __future__ import annotations

from groundwork.claim import Held
from groundwork.heed import end_commands
from rollout.deployment import Deployment
from rollout.ports import InstanceState, Ports
from rollout.succession import lost, took_part

#: How many of the group's newest deployments are looked at.
PREDECESSORS_MAX = 100


async def end_predecessors(ports: Ports, row: Deployment, taken_over: str) -> Deployment | Held | None:
    """Write the end of every deployment that looks live but runs no more; return the one that ``row``'s follows.

    To be called where no other deployment of the scale set can be under way: by the lock's holder, or by whoever is
    about to swap the lock as it was seen before. ``taken_over`` is the one whose lock it was, which may belong to a
    group of another name. Every other one is looked at too, because a start may have died between taking a lock over
    and writing its former holder's end.

    ``Held``: one has given its lock back but is still writing its end. Whether it left the set in order, which decides
    what the next one inherits, is not known before that.
    """
    newest = await ports.store.deployments.newest(row.group_id, PREDECESSORS_MAX)
    rows = tuple(one for one in newest if one.id != row.id and took_part(one, row.scale_set_id))
    if taken_over and all(one.id != taken_over for one in rows):
        former = await ports.store.deployments.get(taken_over)
        rows = (former, *rows) if former is not None else rows
    ended: list[Deployment] = []
    for one in rows:
        end = await _end(ports, one)
        if isinstance(end, Held):
            return end
        ended.append(end)
    return ended[0] if ended else None


async def predecessor_of(ports: Ports, group_id: str, scale_set_id: str) -> Deployment | None:
    """The last deployment that had the scale set's lock, as it is now: whom a deployment would follow."""
    newest = await ports.store.deployments.newest(group_id, PREDECESSORS_MAX)
    return next((one for one in newest if took_part(one, scale_set_id)), None)


async def _end(ports: Ports, row: Deployment) -> Deployment | Held:
    if row.status.ended:
        return row
    if await ports.instances.state(row.id) in (InstanceState.RUNNING, InstanceState.SUSPENDED):
        return Held(row.id, f"Deployment {row.id} has freed the scale set and is writing its end")
    now = ports.clock.now()
    ended = await ports.store.deployments.change(row.id, lambda current: lost(current, now))
    await end_commands(ports, ended, now)
    return ended
