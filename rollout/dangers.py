"""What stands between a scale set and order: a row from when it is found until somebody finds it cured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rollout.codec import encode_time
from rollout.deployment import Deployment, Lock
from rollout.holds import Hold
from rollout.scale_set import ImageReference
from rollout.words import counted

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
class Danger:
    """One row of the dangers table: one of each ``code`` a scale set. ``deployment_id``: the one that left it.

    ``reason`` says what is wrong; empty: as far as is known nothing is, a cure was begun. Where one is tried, ``tries``
    counts it, ``attempt`` is the orchestration of the last, and ``next_try_at`` when it is tried again, if it is.
    ``image``: the one in the set's model, where that is what is wrong (``rollout.bad_image``).
    """

    scale_set_id: str
    code: str
    since: datetime
    deployment_id: str = ""
    reason: str = ""
    remedy: str = ""
    tries: int = 0
    next_try_at: datetime | None = None
    attempt: str = ""
    image: ImageReference | None = None
    schema_version: int = 1

    @property
    def told(self) -> bool:
        """Whether there is anything to tell people."""
        return bool(self.reason)

    @property
    def message(self) -> str:
        """What is wrong and, where a cure is tried, what became of that."""
        if not self.tries:
            return self.reason
        next_try = f"the next time at {encode_time(self.next_try_at)}" if self.next_try_at else "and not again"
        return f"{self.reason}. Tried {counted(self.tries, 'time')}, {next_try}"


@dataclass(frozen=True)
class Course:
    """What to do about something that has to be cured: the row as it is from now on, and whether to try now."""

    danger: Danger
    try_now: bool


def course(
    danger: Danger | None, scale_set_id: str, deployment_id: str, attempt: str, failure: str, now: datetime
) -> Course:
    """Whether the cure of what ``deployment_id`` left is tried now.

    ``danger`` is the row of earlier tries, ``failure`` why the last one came to nothing, empty while it is under way.
    ``attempt`` would be the orchestration that tries. What fails is tried more and more rarely, and not for ever.
    """
    if danger is None or danger.deployment_id != deployment_id:
        first = Danger(scale_set_id.lower(), NOT_RESTORED, now, deployment_id)
        return Course(_begun(first, attempt, now), True)
    if not failure:
        return Course(danger, False)
    known = replace(danger, reason=f"What {deployment_id} left could not be put in order: {failure}", remedy=_AGAIN)
    if danger.next_try_at is None or danger.tries >= TRIES_MAX:
        return Course(replace(known, next_try_at=None, remedy=_BY_HAND), False)
    return Course(_begun(known, attempt, now), True) if danger.next_try_at <= now else Course(known, False)


def _begun(danger: Danger, attempt: str, now: datetime) -> Danger:
    return replace(danger, tries=danger.tries + 1, attempt=attempt, next_try_at=now + _wait(danger.tries))


def _wait(tries: int) -> timedelta:
    """How long after a try the next one comes; ``tries``: how many there were before it.

    >>> [str(_wait(tries)) for tries in (0, 1, 2, 7, 8, 9)]
    ['0:10:00', '0:20:00', '0:40:00', '21:20:00', '1 day, 0:00:00', '1 day, 0:00:00']
    """
    return min(TRY_AFTER * (1 << tries), TRY_AFTER_MAX)


def cured(danger: Danger, row: Deployment | None, lock: Lock | None, hold: Hold | None, now: datetime) -> str:
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
