"""Promises about the queue for a set: its order, its end, and that nobody stays in it."""

from __future__ import annotations

from local.virtual.checkers.watched import WatchedSet
from rollout.lifecycle.lock import STARTING
from rollout.lifecycle.queue import QUEUE_MAX, entry_of
from rollout.model.rows.deployment import Deployment


async def queue_in_order(watched: WatchedSet) -> list[str]:
    """Deployments that waited began in the order of asking, and before those that came while they waited."""
    begun = [row for row in await watched.rows() if row.epoch]
    return [
        f"{late.id} began in epoch {late.epoch}, before {early.id}, which waited longer"
        for early in begun
        for late in begun
        if early.queued_at is not None and late.epoch < early.epoch and _came_later(late, early)
    ]


async def queue_has_an_end(watched: WatchedSet) -> list[str]:
    """No more than may wait are in the queue, and at the end of all nobody is."""
    entries = await watched.platform.store.queue.list(watched.scale_set_id)
    found = [f"{len(entries)} are in the queue"] if len(entries) > QUEUE_MAX else []
    rows = {row.id: row for row in await watched.rows()}
    left = (entry.deployment_id for entry in entries if entry.deployment_id in rows)
    return found + [f"{name} has ended, and is in the queue" for name in left if rows[name].status.ended]


def _came_later(late: Deployment, early: Deployment) -> bool:
    """Whether ``late`` was asked for when ``early`` waited already. Two starts at once may not see each other."""
    if late.queued_at is None:
        return late.created_at - entry_of(early).queued_at > STARTING
    one, other = entry_of(early), entry_of(late)
    return (one.queued_at, one.deployment_id) < (other.queued_at, other.deployment_id)
