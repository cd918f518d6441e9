"""When a group deploys by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from rollout.asked import Asked

#: How many schedules a group has at most.
SCHEDULES_MAX = 20

MAX_LATENESS_MIN = timedelta(seconds=60)
MAX_LATENESS_MAX = timedelta(days=7)


@dataclass(frozen=True)
class Schedule:
    """One of a group's schedules: deploy as ``deployment`` asks, at the times of ``cron`` in ``time_zone``.

    ``name`` is unique in the group. ``cron`` has five fields (``api.calendar``). ``max_lateness``: how long after its
    time a deployment may still start.
    """

    name: str
    cron: str
    time_zone: str = "UTC"
    enabled: bool = True
    max_lateness: timedelta = timedelta(hours=1)
    deployment: Asked = field(default_factory=Asked)


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
    """

    group_id: str
    name: str
    due: datetime
    at: datetime
    outcome: ScheduleOutcome
    reason: str
    deployment_id: str | None = None
    schema_version: int = 1
