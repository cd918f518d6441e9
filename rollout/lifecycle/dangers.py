"""Dangers between a scale set and order: rows from their finding until they are cured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rollout.model.rows.danger import DangerRecord
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.holds import Hold
from rollout.model.rows.lock import Lock

#: What a deployment left, or kept for a while, could not be put in order.
NOT_RESTORED = "notRestored"

#: How long after a cure was begun for the first time it may be tried again; each time twice as long, up to a day.
TRY_AFTER = timedelta(minutes=10)
TRY_AFTER_MAX = timedelta(days=1)

#: How often a cure is tried: over some six days.
TRIES_MAX = 12

_AGAIN = (
    "Mend what the message names, and it works at the next try; or start a deployment, which takes over what is left"
)
_BY_HAND = (
    "Mend what the message names, then start a deployment, which takes over what is left; or put back by hand what "
    "TealHolds has of the scale set, and delete its rows in TealHolds and TealDangers"
)


@dataclass(frozen=True)
class CureCourse:
    """What to do about something that has to be cured: the row as it is from now on, and whether to try now."""

    danger: DangerRecord
    try_now: bool


def course(
    danger: DangerRecord | None, scale_set_id: str, deployment_id: str, attempt: str, failure: str, now: datetime
) -> CureCourse:
    """Whether the cure of what ``deployment_id`` left is tried now.

    ``danger`` is the row of earlier tries, ``failure`` why the last one came to nothing, empty while it is under way.
    ``attempt`` would be the orchestration that tries. What fails is tried more and more rarely, and not for ever.
    """
    if danger is None or danger.deployment_id != deployment_id:
        first = DangerRecord(scale_set_id.lower(), NOT_RESTORED, now, deployment_id)
        return CureCourse(_begun(first, attempt, now), True)
    if not failure:
        return CureCourse(danger, False)
    known = replace(danger, reason=f"What {deployment_id} left could not be put in order: {failure}", remedy=_AGAIN)
    if danger.next_try_at is None or danger.tries >= TRIES_MAX:
        return CureCourse(replace(known, next_try_at=None, remedy=_BY_HAND), False)
    return CureCourse(_begun(known, attempt, now), True) if danger.next_try_at <= now else CureCourse(known, False)


def _begun(danger: DangerRecord, attempt: str, now: datetime) -> DangerRecord:
    return replace(danger, tries=danger.tries + 1, attempt=attempt, next_try_at=now + _wait(danger.tries))


def _wait(tries: int) -> timedelta:
    """How long after a try the next one comes; ``tries``: how many there were before it.

    >>> [str(_wait(tries)) for tries in (0, 1, 2, 7, 8, 9)]
    ['0:10:00', '0:20:00', '0:40:00', '21:20:00', '1 day, 0:00:00', '1 day, 0:00:00']
    """
    return min(TRY_AFTER * (1 << tries), TRY_AFTER_MAX)


def cured(danger: DangerRecord, row: Deployment | None, lock: Lock | None, hold: Hold | None, now: datetime) -> str:
    """Why nothing is left to cure of what a deployment left, in words; empty: something is.

    ``row`` is the deployment's, ``lock`` and ``hold`` are the scale set's. As long as the journal names it, another
    deployment that only passes by has cured nothing.
    """
    if lock is not None and lock.owner == danger.deployment_id:
        return ""
    if hold is not None and hold.deployment_id == danger.deployment_id:
        still = hold.keep_until is not None and hold.keep_until <= now
        return "" if still else "What it keeps is not due"
    if row is not None and not row.status.ended:
        return ""
    return "Nothing is held for it any more"
