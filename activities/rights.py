"""The right of a deployment to write to its scale set."""

from __future__ import annotations

from rollout.lifecycle.lock import permission
from rollout.model.order import Order, Progress, again, lock_lost
from rollout.ports.ports import Ports


async def obstacle(ports: Ports, order: Order) -> Progress | None:
    """What forbids writing to Azure now; ``None`` where nothing does.

    Asked after the set was read and just before it is written: a write carries the ETag of that reading, so whatever
    changes hands in between is refused by Azure.
    """
    lock = await ports.store.locks.get(order.scale_set_id)
    state = await ports.instances.state(order.actor)
    allowed = permission(lock, order.deployment_id, order.epoch, state)
    if allowed.may_write:
        return None
    return again(order.poll_interval, allowed.reason) if allowed.wait else lock_lost(allowed.reason)
