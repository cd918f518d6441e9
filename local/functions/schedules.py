"""NCRONTAB schedules of timer triggers: second, minute, hour, day, month, day of the week.

Each field is ``*``, a number, a name (months, days), a range ``a-b``, a step ``*/n`` or ``a-b/n``, or a list of these.
Unlike in cron, day *and* day of the week must both match. Written here because the well-kept cron libraries put seconds
last and join the two day fields by *or*.
Source: https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
#: Name, least and greatest value of each field.
_FIELDS = (
    ("second", 0, 59),
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 6),
)
#: 29 February is at most eight years away.
_SEARCH = timedelta(days=8 * 366)


class ScheduleError(ValueError):
    """The text is no NCRONTAB expression, or one that never comes."""


@dataclass(frozen=True)
class TimerSchedule:
    """An expression, parsed: the values that each field admits."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    week_days: frozenset[int]

    def next_after(self, time: datetime) -> datetime:
        """The first time of the schedule that is later than ``time``, in its time zone."""
        limit = time + _SEARCH
        found = time.replace(microsecond=0) + timedelta(seconds=1)
        while found < limit:
            if not self._has_day(found):
                found = found.replace(hour=0, minute=0, second=0) + timedelta(days=1)
            elif found.hour not in self.hours:
                found = found.replace(minute=0, second=0) + timedelta(hours=1)
            elif found.minute not in self.minutes:
                found = found.replace(second=0) + timedelta(minutes=1)
            elif found.second not in self.seconds:
                found += timedelta(seconds=1)
            else:
                return found
        raise ScheduleError("the schedule never comes")

    def _has_day(self, time: datetime) -> bool:
        return time.month in self.months and time.day in self.days and time.isoweekday() % 7 in self.week_days


def parse_schedule(text: str) -> TimerSchedule:
    """The schedule of a six-field expression; of a five-field one at second zero."""
    parts = text.split()
    if len(parts) == len(_FIELDS) - 1:
        parts.insert(0, "0")
    if len(parts) != len(_FIELDS):
        raise ScheduleError(f"'{text}' is no NCRONTAB expression of six fields")
    values = [_parse_field(part, *field) for part, field in zip(parts, _FIELDS, strict=True)]
    return TimerSchedule(*values)


def _parse_field(text: str, name: str, least: int, greatest: int) -> frozenset[int]:
    values: set[int] = set()
    for part in text.casefold().split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        try:
            low, high = (least, greatest) if span == "*" else (_number(first), _number(last if dash else first))
            # "5/15" runs from 5 to the end, as in NCrontab.
            high = greatest if step and not dash else high
            stride = int(step or 1)
        except ValueError as error:
            raise ScheduleError(f"'{part}' is no {name}") from error
        if not least <= low <= high <= greatest or stride < 1:
            raise ScheduleError(f"'{part}' is no {name}")
        values.update(range(low, high + 1, stride))
    return frozenset(values)


def _number(text: str) -> int:
    if text in _MONTHS:
        return _MONTHS.index(text) + 1
    return _DAYS.index(text) if text in _DAYS else int(text)
