"""Decide on a schedule's last time: leave it, try it, or call it missed.

A time is decided once. Until then it is tried again and again, and the row of the schedule (``ScheduleRun``) says so;
a time that comes meanwhile takes the place of the one before, since both ask for the same.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rollout.lifecycle.succession import NOT_STARTED
from rollout.model.codec import encode_time
from rollout.model.names import parse_deployment_id
from rollout.model.rows.deployment import Deployment
from rollout.model.schedule import Schedule, ScheduleOutcome, ScheduleRun

#: A try whose answer was not written for so long has died: a start takes seconds.
TRY_LASTS = timedelta(minutes=2)


class ScheduleAct(StrEnum):
    """The kinds of things to do."""

    NOTHING = "nothing"
    """Nothing, until the schedule's next time comes or somebody changes the schedule."""
    LATER = "later"
    """Nothing now; look again."""
    TRY = "try"
    MISSED = "missed"


@dataclass(frozen=True)
class ScheduleDecision:
    """A thing to do, for a time of the schedule, and why."""

    act: ScheduleAct
    reason: str
    due: datetime | None = None


@dataclass(frozen=True)
class DueTimes:
    """The last time of a schedule that is not later than now, and the one before that; ``None``: there was none."""

    last: datetime | None
    before: datetime | None = None


def decide(schedule: Schedule, run: ScheduleRun | None, times: DueTimes, now: datetime) -> ScheduleDecision:
    """Decide what is due of the schedule at ``now``; ``run`` is the row of its last run."""
    if run is not None and run.trying and now - run.at < TRY_LASTS:
        return ScheduleDecision(ScheduleAct.LATER, f"It is being tried since {encode_time(run.at)}", run.due)
    due = _undecided(schedule, run, times.last)
    if due is None:
        return _given_up(schedule, run)
    late = now - due
    if late < timedelta(0):
        return ScheduleDecision(ScheduleAct.LATER, f"It is due at {encode_time(due)}", due)
    passed = _passed(schedule, run, times, due)
    if late <= schedule.max_lateness:
        return ScheduleDecision(ScheduleAct.TRY, f"Due {_ago(late)}{passed}", due)
    return ScheduleDecision(ScheduleAct.MISSED, f"{_why_missed(schedule, run, due, late)}{passed}", due)


def _undecided(schedule: Schedule, run: ScheduleRun | None, last: datetime | None) -> datetime | None:
    """The time that is to be decided; a later one goes before one that waits."""
    if not schedule.enabled:
        return None
    if last is not None and _is_own(schedule, last) and (run is None or last > run.due):
        return last
    return run.due if run is not None and _waits(run) and _is_own(schedule, run.due) else None


def _given_up(schedule: Schedule, run: ScheduleRun | None) -> ScheduleDecision:
    if run is None or not _waits(run):
        return ScheduleDecision(ScheduleAct.NOTHING, "No time of the schedule is undecided")
    changed = "changed" if schedule.enabled else "disabled"
    return ScheduleDecision(
        ScheduleAct.MISSED, f"The schedule was {changed} before this time could start. {run.reason}", run.due
    )


def _why_missed(schedule: Schedule, run: ScheduleRun | None, due: datetime, late: timedelta) -> str:
    allowed = _span(schedule.max_lateness)
    if run is not None and run.due == due:
        return f"Could not start within {allowed}. {run.reason}"
    return f"Nothing ran at that time: found {_span(late)} late, and {allowed} are allowed"


def _passed(schedule: Schedule, run: ScheduleRun | None, times: DueTimes, due: datetime) -> str:
    """Words for times before ``due`` that are not decided any more."""
    said = ""
    if run is not None and _waits(run) and run.due < due:
        said += f". The time {encode_time(run.due)} still waited, and is not tried again"
    if due == times.last and _slept_through(schedule, run, times.before):
        said += ". Times before it passed without a run too"
    return said


def _slept_through(schedule: Schedule, run: ScheduleRun | None, before: datetime | None) -> bool:
    """True if nothing ever ran for the time ``before`` the last one."""
    if before is None or not _is_own(schedule, before):
        return False
    return before > run.due if run is not None else schedule.since is not None


def _is_own(schedule: Schedule, time: datetime) -> bool:
    return schedule.since is None or time >= schedule.since


def _waits(run: ScheduleRun) -> bool:
    return run.outcome is ScheduleOutcome.WAITING


def _ago(late: timedelta) -> str:
    return f"{_span(late)} ago" if late >= timedelta(minutes=1) else "now"


def _span(duration: timedelta) -> str:
    """
    >>> _span(timedelta(seconds=59)), _span(timedelta(hours=26, minutes=5))
    ('0 min', '1 d 2 h 5 min')
    """
    minutes = int(duration.total_seconds()) // 60
    parts = ((minutes // 1440, "d"), (minutes // 60 % 24, "h"), (minutes % 60, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 min"


def starter(schedule_name: str) -> str:
    """Who has started a deployment that a schedule starts, as its ``started_by`` says.

    >>> starter("weekly")
    'schedule weekly'
    """
    return f"schedule {schedule_name}"


def try_token(group_id: str, schedule_name: str, due: datetime) -> str:
    """The last part of the id of every deployment that is started for this time; the time of the try is before it."""
    text = f"{group_id} {schedule_name} {encode_time(due)}"
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def is_try(row: Deployment, schedule_name: str, due: datetime) -> bool:
    """True if a try for this time has made the deployment, answered or not."""
    name = parse_deployment_id(row.id)
    if name is None or row.created_at < due or row.started_by != starter(schedule_name):
        return False
    never_ran = row.error is not None and row.error.code == NOT_STARTED
    return name.token == try_token(row.group_id, schedule_name, due) and not never_ran
