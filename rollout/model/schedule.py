"""When a group deploys by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from rollout.model.request import StartRequest

#: How many schedules a group has at most.
SCHEDULES_MAX = 20

MAX_LATENESS_MIN = timedelta(seconds=60)
MAX_LATENESS_MAX = timedelta(days=7)


@dataclass(frozen=True)
class Schedule:
    """One of a group's schedules: deploy as ``deployment`` asks, at the times of ``cron`` in ``time_zone``.

    ``name`` is unique in the group. ``cron`` has five fields (``services.calendar``). ``max_lateness``: how long after
    its time a deployment may still start. ``since`` is when somebody said for the first time that the schedule's times
    are these: no earlier one is its own.
    """

    name: str
    cron: str
    time_zone: str = "UTC"
    enabled: bool = True
    max_lateness: timedelta = timedelta(hours=1)
    deployment: StartRequest = field(default_factory=StartRequest)
    since: datetime | None = None


def as_put(put: Iterable[Schedule], existing: Iterable[Schedule], now: datetime) -> tuple[Schedule, ...]:
    """The schedules that somebody puts at ``now`` in the place of those that exist, each with its ``since``.

    Only what says *when* begins anew: a time that is waited for is still due after another field was changed, and is
    then carried out as the schedule says by then.
    """
    known = {_when(schedule): schedule.since for schedule in existing}
    return tuple(replace(schedule, since=known.get(_when(schedule), now)) for schedule in put)


def _when(schedule: Schedule) -> tuple[str, str, str, bool]:
    return (schedule.name, schedule.cron, schedule.time_zone, schedule.enabled)


class ScheduleOutcome(StrEnum):
    """What became of one time of a schedule."""

    STARTED = "started"
    WAITING = "waiting"
    NOTHING_TO_DO = "nothingToDo"
    MISSED = "missed"
    FAILED = "failed"


@dataclass(frozen=True)
class ScheduleRun:
    """One row of the schedule runs table: the last time of a schedule that was due, and what became of it.

    ``due`` is that time. ``at`` is when it was last tried, which names the deployment that the try starts
    (``deployment_id``). ``waiting`` is no end: it is tried again until it is later than the schedule allows.
    ``trying``: what became of the last try is not known yet; whoever makes it writes the row before and after.
    """

    group_id: str
    name: str
    due: datetime
    at: datetime
    outcome: ScheduleOutcome
    reason: str
    deployment_id: str | None = None
    trying: bool = False
    schema_version: int = 1
