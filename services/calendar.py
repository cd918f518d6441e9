"""When a cron expression is due: the one file that knows a cron library.

Expressions have five fields, as in Debian's cron, whose rules for daylight saving time they follow too: a time that the
clock jumps over is due right after the jump, and one that it shows twice is due the first time. Only expressions whose
minute or hour begins with ``*`` are due as often as the clock on the wall shows them
(https://github.com/cuu508/cronsim#cronsim-and-daylight-saving-time).

The library is asked what a clock shows that nobody ever changes; when the clock of a time zone shows that is decided
here, for in time zones the library steps whole hours, and loses times where a clock is changed by half an hour.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from rollout.model.schedule import Schedule

FIELDS = 5

#: What the library takes beyond Debian's cron: the last day of a month, ``5L``, ``1#2``.
_OWN_WORDS = re.compile(r"#|(?:^|[\s,\d])LW?(?=[\s,]|$)", re.IGNORECASE)

#: A range of one value, in steps: the library takes it for all from that value on, as it does ``12/2``.
_RANGE_OF_ONE = re.compile(r"(?<![\w-])(\w+)-\1/\d+(?!\w)", re.IGNORECASE)

#: How far to look back for the last time: what does not come within one of these comes seldom within the next.
_LOOK_BACK = tuple(timedelta(hours=hours) for hours in (3, 48, 24 * 32, 24 * 367, 24 * 366 * 8 + 24))

_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)


def cron_fault(expression: str) -> str:
    """What is wrong with an expression; empty where nothing is."""
    if len(expression.split()) != FIELDS:
        return "must have five fields: minute, hour, day of the month, month, day of the week"
    if _OWN_WORDS.search(expression):
        return "must be as Debian's cron has it: L and # are the words of other crons"
    try:
        next(CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        return f"is no cron expression: {error}"
    except StopIteration:
        return "never comes"
    return ""


def time_zone_fault(name: str) -> str:
    """What is wrong with the name of a time zone; empty where nothing is."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "must be the name of a time zone of the IANA database, such as UTC or Europe/Berlin"
    return ""


def next_time(expression: str, time_zone: str, after: datetime) -> datetime | None:
    """The first time of the expression that is later than ``after``, in UTC; ``None``: it does not come again."""
    return next(_times(expression, ZoneInfo(time_zone), after), None)


def last_time(expression: str, time_zone: str, until: datetime) -> datetime | None:
    """The last time of the expression that is not later than ``until``, in UTC; ``None``: there was none in years."""
    for before in _LOOK_BACK:
        times = _times(expression, ZoneInfo(time_zone), until - before)
        if found := list(takewhile(lambda time: time <= until, times)):
            return found[-1]
    return None


def _times(expression: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The expression's times that are later than ``after``, in UTC and in order.

    What the clock shows for the second time waits until nothing earlier can come.
    """
    often = any(field.startswith("*") for field in expression.split()[:2])
    waiting: list[datetime] = []
    last = after
    for shown in CronSim(_RANGE_OF_ONE.sub(r"\1", expression), _earliest_shown(zone, after)):
        first, again = _moments(shown, zone)
        jumps = again < first
        due = _jump(zone, again, first) if jumps else first
        while waiting and waiting[0] < due:
            yield heappop(waiting)
        if due > last and not (often and jumps):
            yield due
            last = due
        if often and again > max(first, after):
            heappush(waiting, again)
    yield from sorted(waiting)


def _earliest_shown(zone: ZoneInfo, after: datetime) -> datetime:
    """The earliest that the clock may show after this moment: within a day it may be set back."""
    return min(_shown(zone, after), _shown(zone, after + _DAY) - _DAY)


def _shown(zone: ZoneInfo, moment: datetime) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _moments(shown: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When the clock shows this for the first and for the second time, mostly the same; in UTC.

    Where it jumps over it, the second lies before the jump, and the first after it (PEP 495).
    """
    return (
        shown.replace(tzinfo=zone).astimezone(UTC),
        shown.replace(tzinfo=zone, fold=1).astimezone(UTC),
    )


def _jump(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """When the clock jumps, which it does once between these two."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def following(schedule: Schedule, now: datetime) -> datetime | None:
    """When the schedule runs next; ``None``: it is disabled, or does not come again."""
    return next_time(schedule.cron, schedule.time_zone, now) if schedule.enabled else None
