"""The queue for a scale set: its order, its end, and who is in it no more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rollout.lifecycle.lock import STARTING
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.queue_entry import QueueEntry
from rollout.model.status import Status

#: How many may wait for one scale set. Each costs a look at every poll, and nobody oversees more.
QUEUE_MAX = 50


def in_turn(entries: Iterable[QueueEntry]) -> tuple[QueueEntry, ...]:
    """The entries in the order of their turns."""
    return tuple(sorted(entries, key=lambda entry: (entry.queued_at, entry.deployment_id)))


def entry_of(row: Deployment) -> QueueEntry:
    """The entry of a deployment that waits."""
    return QueueEntry(row.scale_set_id, row.id, row.queued_at or row.created_at)


def waits(entry: QueueEntry, row: Deployment | None, now: datetime) -> bool:
    """Whether the entry's deployment waits, by its own ``row``. One that has none is only just starting, or died."""
    if row is None:
        return now - entry.queued_at < STARTING
    return row.status is Status.QUEUED


class QueueDecision(StrEnum):
    """Whether a newcomer may wait. ``lookAgain``: others came at the same moment, and some of them are to leave."""

    ADMITTED = "admitted"
    FULL = "full"
    LOOK_AGAIN = "lookAgain"


@dataclass(frozen=True)
class QueueAdmission:
    """The decision, and how many wait before the newcomer."""

    decision: QueueDecision
    ahead: int


def admit(entries: Sequence[QueueEntry], deployment_id: str) -> QueueAdmission:
    """Decide about a newcomer whose entry is among the ``entries``, which are in the order of their turns.

    Each writes its entry before it counts, so of several at once, none overlooks another. Those that come too late in
    the order leave; who stands before them waits until they have.
    """
    ahead = [entry.deployment_id for entry in entries].index(deployment_id)
    if len(entries) <= QUEUE_MAX:
        return QueueAdmission(QueueDecision.ADMITTED, ahead)
    return QueueAdmission(QueueDecision.FULL if ahead >= QUEUE_MAX else QueueDecision.LOOK_AGAIN, ahead)
