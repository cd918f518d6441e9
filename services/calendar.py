"""When a cron expression is due: the one file that knows a cron library.

Expressions have five fields, as in Debian's cron, whose rules for daylight saving time they follow too: a time that the
clock jumps over is due right after the jump, and one that it shows twice is due the first time. Only expressions with
``*`` for the minute or the hour go by elapsed time (https://github.com/cuu508/cronsim#cronsim-and-daylight-saving-time).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from rollout.model.schedule import Schedule

FIELDS = 5

#: What the library takes beyond Debian's cron: the last day of a month, ``5L``, ``1#2``.
_OWN_WORDS = re.compile(r"#|(?:^|[\s,\d])LW?(?=[\s,]|$)", re.IGNORECASE)

#: How far to look back for the last time: what does not come within one of these comes seldom within the next.
_LOOK_BACK = tuple(timedelta(hours=hours) for hours in (3, 48, 24 * 32, 24 * 367, 24 * 366 * 8 + 24))


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
    # Where the clock is set back, the first may be one of before.
    return next((time for time in _times(expression, time_zone, after) if time > after), None)


def last_time(expression: str, time_zone: str, until: datetime) -> datetime | None:
    """The last time of the expression that is not later than ``until``, in UTC; ``None``: there was none in years.

    The library can count backwards too, but errs where a clock is set back by half an hour.
    """
    for before in _LOOK_BACK:
        times = _times(expression, time_zone, until - before)
        if found := list(takewhile(lambda time: time <= until, times)):
            return found[-1]
    return None


def _times(expression: str, time_zone: str, after: datetime) -> Iterator[datetime]:
    for time in CronSim(expression, after.astimezone(ZoneInfo(time_zone))):
        yield time.astimezone(UTC)


def following(schedule: Schedule, now: datetime) -> datetime | None:
    """When the schedule runs next; ``None``: it is disabled, or does not come again."""
    return next_time(schedule.cron, schedule.time_zone, now) if schedule.enabled else None
