"""When each schedule should have run, by looking at a clock on the wall minute by minute; it knows no cron library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rollout.model.schedule import ScheduleOutcome, ScheduleRun

MINUTE = timedelta(minutes=1)

_DAYS = {name: str(number) for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"])}

#: A host that comes back needs a moment until its timers run.
SLACK = timedelta(minutes=3)


@dataclass(frozen=True)
class Gap:
    """A span of the app's own time in which it did not run, or which its clock jumped over."""

    begin: datetime
    end: datetime

    def excuses(self, due: datetime) -> bool:
        """Whether a time that nobody decided lies in it: of several, only the last is decided."""
        return self.begin - SLACK <= due <= self.end + SLACK


def wall_times(cron: str, zone: str, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Each minute, from ``begin`` on and up to ``end``, at which the expression is due.

    ``begin`` is a time of its own: a schedule that is made at one of its times runs at once.

    One whose minute or hour begins with a star is due whenever the clock shows it; another when the clock comes to it
    or past it for the first time.
    """
    minute, hour, day, month, weekday = (_values(*one) for one in zip(cron.split(), _RANGES, strict=True))
    texts = cron.split()
    often, both = "*" in (texts[0][0], texts[1][0]), "*" in (texts[2][0], texts[4][0])

    def matches(shown: datetime) -> bool:
        if shown.minute not in minute or shown.hour not in hour or shown.month not in month:
            return False
        on_day, on_weekday = shown.day in day, shown.isoweekday() % 7 in weekday
        return (on_day and on_weekday) if both else (on_day or on_weekday)

    tz = ZoneInfo(zone)
    moment = begin.replace(second=0, microsecond=0) - timedelta(days=1)
    reached = moment.astimezone(tz).replace(tzinfo=None)
    while moment < end:
        moment += MINUTE
        shown = moment.astimezone(tz).replace(tzinfo=None)
        candidate = shown
        due = matches(shown) and (often or shown > reached)
        while not often and not due and (candidate := candidate - MINUTE) > reached:
            due = matches(candidate)
        if due and moment >= begin:
            yield moment
        reached = max(reached, shown)


_RANGES = (range(60), range(24), range(1, 32), range(1, 13), range(7))


def _values(text: str, allowed: range) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        low, _, high = (_DAYS.get(one, one) for one in span.partition("-"))
        ends = (allowed[0], allowed[-1]) if span == "*" else (int(low), int(high or low))
        found |= set(range(ends[0], ends[1] + 1, int(step or 1)))
    return frozenset(found)


def schedule_problems(
    name: str, expected: Iterable[datetime], runs: Iterable[ScheduleRun], gaps: list[Gap]
) -> list[str]:
    """What is wrong with the decisions of one schedule: a time that is none, is missing, or was started twice."""
    wanted, decided = set(expected), {run.due for run in runs}
    found = [f"{name} ran for {due}, which is none of its times" for due in sorted(decided - wanted)]
    for due in sorted(wanted - decided):
        if not any(gap.excuses(due) for gap in gaps):
            found.append(f"{name} did not run at {due}")
    for run in runs:
        # One that waited for another deployment says so.
        told = run.outcome is not ScheduleOutcome.MISSED or run.reason.startswith("Could not start within")
        if not told and not any(gap.excuses(run.due) for gap in gaps):
            found.append(f"{name} missed {run.due}: {run.reason}")
    started = Counter(run.due for run in {(r.due, r.deployment_id): r for r in runs if r.deployment_id}.values())
    return found + [f"{name} started {times} deployments for {due}" for due, times in started.items() if times > 1]
