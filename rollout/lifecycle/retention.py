"""Decide which rows are old enough to be forgotten, and which are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollout.model.group import Group
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.holds import Hold
from rollout.model.rows.lock import Lock
from rollout.model.schedule import ScheduleRun

#: Purging many histories at once times out (https://github.com/Azure/azure-functions-durable-extension/issues/1145), so
#: it goes by days. This many days are looked at again each time, for runs that were missed.
DAYS_AGAIN = 14

#: Before Teal. The SDK cannot send ``datetime.min`` (https://github.com/Azure/azure-functions-durable-python/issues/370).
LONG_AGO = timedelta(days=3650)

#: A signal is asked for while its VM is launched, baked or drained, which takes days at most.
SIGNALS_KEPT = timedelta(days=30)

#: A request with an idempotency key is remembered for so long; one that started a deployment as long as that.
REQUESTS_KEPT = timedelta(days=2)

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """A span of time, from ``start`` to ``end``."""

    start: datetime
    end: datetime


def spans_to_purge(now: datetime, kept: timedelta) -> tuple[Span, ...]:
    """When the orchestrations were begun whose histories go: the oldest first, and all that is older as one span."""
    last = now - kept
    return tuple(_spans(last))


def _spans(last: datetime) -> Iterator[Span]:
    first_day = last - DAYS_AGAIN * _DAY
    yield Span(last - LONG_AGO, first_day)
    for number in range(DAYS_AGAIN):
        yield Span(first_day + number * _DAY, first_day + (number + 1) * _DAY)


@dataclass(frozen=True)
class Ties:
    """What may still need the row of a deployment: its group's ``newest``, and what there is of its scale set.

    ``last``: the id of the last deployment that had the set. The next one asks it what the set is to have. Of a group
    that was deleted there is no newest, and of a set that no group has any more no last.
    """

    newest: str = ""
    last: str = ""
    lock: Lock | None = None
    hold: Hold | None = None


def kept_by(row: Deployment, ties: Ties, now: datetime) -> str:
    """Why an old deployment's row is kept all the same, in words; empty: it can go.

    Whatever puts something in order later begins with the deployment that left it.
    """
    if ties.hold is not None and ties.hold.deployment_id == row.id:
        return "The journal of what is held of the scale set names it"
    if ties.lock is not None and ties.lock.owner == row.id:
        return "It has the lock of the scale set"
    if ties.last == row.id:
        return "The scale set's next deployment follows it"
    if row.ended_at is None or (not row.settled and now < row.ended_at + row.parameters.keep_for):
        return "What it left is kept for a while yet"
    return "It is its group's newest" if ties.newest == row.id else ""


@dataclass(frozen=True)
class InUse:
    """What the groups of today have, by which is known what deleted ones have left. ``held``: sets with a journal."""

    groups: frozenset[str]
    schedules: frozenset[tuple[str, str]]
    scale_sets: frozenset[str]
    held: frozenset[str]

    @classmethod
    def of(cls, groups: Sequence[Group], holds: Sequence[Hold]) -> InUse:
        """What these groups have."""
        return cls(
            frozenset(group.id for group in groups),
            frozenset((group.id, schedule.name) for group in groups for schedule in group.schedules),
            frozenset(group.scale_set_id.lower() for group in groups),
            frozenset(hold.scale_set_id.lower() for hold in holds),
        )

    def needs_run(self, run: ScheduleRun) -> bool:
        """Whether there is the schedule still."""
        return (run.group_id, run.name) in self.schedules

    def needs_set(self, scale_set_id: str) -> bool:
        """Whether a group has the set, or something of it is still held."""
        return scale_set_id.lower() in self.scale_sets | self.held

    def needs_lock(self, lock: Lock) -> bool:
        """Whether somebody has, or may come to want, the right to write to the set."""
        return bool(lock.owner) or self.needs_set(lock.scale_set_id)
