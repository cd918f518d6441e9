"""Take the lock for a deployment whose orchestration is gone, so that nothing older than this may write any more."""

from __future__ import annotations

from rollout.lifecycle.lock import reclaimed
from rollout.lifecycle.watchdog import last_words
from rollout.model.order import Order, Progress, again, done, lock_lost
from rollout.model.rows.deployment import Batch, Deployment
from rollout.model.rows.holds import Hold
from rollout.model.status import Phase
from rollout.ports.ports import Ports


async def reclaim(ports: Ports, order: Order) -> Progress:
    """Have the lock in the epoch after the order's; whoever is late finds the earlier one gone.

    Answers the new ``epoch``, the ``sequence`` of the last event, whether the deployment has ``ended``, whether its
    batch is ``open``, and which of its ``batches`` is the one whose green VMs are to go now that they were kept long
    enough (``discard``, else 0).
    """
    lock = await ports.store.locks.get(order.scale_set_id)
    if lock is None or (lock.owner, lock.epoch) != (order.deployment_id, order.epoch + 1):
        taken = reclaimed(lock, order.deployment_id, order.epoch, order.at)
        if taken is None:
            return lock_lost("Another deployment has taken the scale set over")
        if not await ports.store.locks.swap(lock, taken):
            return again(order.poll_interval, "Another writer changed the lock")
    row = await ports.store.deployments.get(order.deployment_id)
    batch = await ports.store.batches.get(order.deployment_id, row.current_batch) if row is not None else None
    hold = await ports.store.holds.get(order.scale_set_id)
    return done(
        last_words(row),
        epoch=order.epoch + 1,
        sequence=row.sequence if row is not None else 0,
        ended=row is None or row.status.ended,
        planned=row is not None and row.number_of_batches > 0,
        open=_is_open(row, batch),
        discard=_due(hold, order) if row is not None else 0,
        batches=row.number_of_batches if row is not None else 0,
    )


def _is_open(row: Deployment | None, batch: Batch | None) -> bool:
    live = row is not None and not row.status.ended
    return live and batch is not None and batch.phase not in (Phase.TERMINATED, Phase.FAILED)


def _due(hold: Hold | None, order: Order) -> int:
    """The batch of this deployment whose green VMs were kept to be looked at until now."""
    if hold is None or hold.deployment_id != order.deployment_id or hold.keep_until is None:
        return 0
    return hold.discard_batch if hold.keep_until <= order.at else 0
