"""When the timers ran, and which of them is late."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

#: How often each timer runs.
EVERY: Mapping[str, timedelta] = {
    "schedules": timedelta(minutes=1),
    "groupStates": timedelta(minutes=1),
    "watchdog": timedelta(minutes=5),
    "purge": timedelta(days=1),
}

#: A run begins late on a host that has just started, and takes a while.
_LEEWAY = timedelta(minutes=1)


@dataclass(frozen=True)
class TimerRun:
    """One row of the timers table: when the timer ``name`` last ran to its end; ``left`` is for its next run."""

    name: str
    at: datetime
    left: tuple[str, ...] = ()
    schema_version: int = 1


def late(every: timedelta, last: datetime, now: datetime) -> bool:
    """Whether a timer that runs so often has missed a run. ``last``: when it ran, or could first have.

    >>> day = datetime(2026, 11, 23)
    >>> late(timedelta(minutes=5), day, day + timedelta(minutes=11)), late(timedelta(minutes=5), day, day)
    (False, False)
    """
    return now - last > 2 * every + _LEEWAY
