"""The calendar against a clock on the wall that is watched minute by minute, in every time zone, over ten years."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from services.calendar import last_time, next_time

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BEGIN, END = datetime(2021, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)

#: Either side of a change of the clock.
AROUND = timedelta(hours=7)


@dataclass(frozen=True)
class Field:
    """One field of an expression: its text, and what it is meant to match."""

    text: str
    values: frozenset[int]


@dataclass(frozen=True)
class Form:
    """An expression: minute, hour, day of the month, month, day of the week (Sunday is 0)."""

    fields: tuple[Field, ...]

    def __str__(self) -> str:
        return " ".join(field.text for field in self.fields)

    @property
    def often(self) -> bool:
        return any(field.text.startswith("*") for field in self.fields[:2])

    def matches(self, shown: datetime) -> bool:
        minute, hour, day, month, weekday = self.fields
        if shown.minute not in minute.values or shown.hour not in hour.values or shown.month not in month.values:
            return False
        days = [shown.day in day.values, shown.isoweekday() % 7 in weekday.values]
        return all(days) if "*" in (day.text[0], weekday.text[0]) else any(days)


def field(low: int, high: int) -> st.SearchStrategy[Field]:
    """A field of every form: ``*``, ``*/n``, a number, a list, a range, a range in steps."""
    every = range(low, high + 1)
    numbers, steps = st.integers(low, high), st.integers(1, high)
    ranges = st.tuples(numbers, numbers).map(sorted)
    return st.one_of(
        st.just(Field("*", frozenset(every))),
        steps.map(lambda step: Field(f"*/{step}", frozenset(every[::step]))),
        numbers.map(lambda one: Field(str(one), frozenset([one]))),
        st.sets(numbers, min_size=2, max_size=4).map(lambda s: Field(",".join(map(str, sorted(s))), frozenset(s))),
        ranges.map(lambda pair: Field(f"{pair[0]}-{pair[1]}", frozenset(range(pair[0], pair[1] + 1)))),
        st.tuples(ranges, st.integers(1, 7)).map(
            lambda it: Field(f"{it[0][0]}-{it[0][1]}/{it[1]}", frozenset(range(it[0][0], it[0][1] + 1)[:: it[1]]))
        ),
    )


#: Most days and months, so that an expression comes near to a change at all.
ANY_DAY = st.just(Field("*", frozenset(range(32)))) | field(1, 31)
forms = st.tuples(
    field(0, 59),
    field(0, 23),
    ANY_DAY,
    st.just(Field("*", frozenset(range(13)))),
    ANY_DAY.flatmap(lambda _: field(0, 6)),
).map(Form)


@cache
def changes(name: str) -> tuple[datetime, ...]:
    """When the clock of a zone is changed within the ten years, to the minute."""
    return tuple(_changes(ZoneInfo(name)))


def _changes(zone: ZoneInfo) -> Iterator[datetime]:
    moment = BEGIN
    while moment < END:
        low, high = moment, moment + 6 * HOUR
        if low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset():
            while high - low > MINUTE:
                middle = low + (high - low) // MINUTE // 2 * MINUTE
                same = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            yield high
        moment += 6 * HOUR


def watched(form: Form, zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Each minute in which the expression is due, by looking at the clock from a day before on.

    One that comes often is due whenever it is shown. Another is due when the clock comes to it or past it for the
    first time.
    """
    reached = (begin - DAY).astimezone(zone).replace(tzinfo=None)
    moment = begin - DAY + MINUTE
    while moment <= end:
        shown = moment.astimezone(zone).replace(tzinfo=None)
        new = [reached + number * MINUTE for number in range(1, (shown - reached) // MINUTE + 1)]
        if moment > begin and any(map(form.matches, [shown] if form.often else new)):
            yield moment
        reached = max(reached, shown)
        moment += MINUTE


def told(form: Form, name: str, begin: datetime, end: datetime) -> list[datetime]:
    found, time = [], begin
    while (following := next_time(str(form), name, time)) is not None and following <= end:
        found.append(time := following)
    return found


def agree(form: Form, name: str, change: datetime) -> None:
    begin, end = change - AROUND, change + AROUND
    expected = list(watched(form, ZoneInfo(name), begin, end))
    assert told(form, name, begin, end) == expected, f"{form} in {name} around {change}"
    near = [time for time in expected if abs(time - change) < 3 * HOUR][-6:]
    for before, time in pairwise(near):
        assert last_time(str(form), name, time) == time, f"{form} in {name} around {change}"
        assert last_time(str(form), name, time - MINUTE) == before, f"{form} in {name} around {change}"


ZONES = sorted(available_timezones())
CHANGING = ["Australia/Lord_Howe", "Europe/Berlin", "America/Havana", "Antarctica/Troll", "Africa/Casablanca"]
moments = st.sampled_from(CHANGING).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(changes(name))))


#: Explaining a failure traces every line, which makes the search ten times as long.
QUICK = [phase for phase in Phase if phase is not Phase.explain]


@settings(max_examples=40, phases=QUICK)
@given(forms, moments)
def test_every_form_is_due_as_the_clock_on_the_wall_says(form: Form, moment: tuple[str, datetime]) -> None:
    agree(form, *moment)


def fixed(*texts: tuple[str, range | list[int]]) -> Form:
    return Form(tuple(Field(text, frozenset(values)) for text, values in texts))


DAILY = (("*", range(32)), ("*", range(13)), ("*", range(7)))
FORMS = [
    fixed(("0", [0]), ("*/6", range(0, 24, 6)), *DAILY),
    fixed(("30", [30]), ("*", range(24)), *DAILY),
    fixed(("*/7", range(0, 60, 7)), ("*", range(24)), *DAILY),
    fixed(("*/20", range(0, 60, 20)), ("1-3", range(1, 4)), *DAILY),
    fixed(("10,40", [10, 40]), ("0-4", range(5)), *DAILY),
    fixed(("0", [0]), ("0,3,12", [0, 3, 12]), *DAILY),
    fixed(("15", [15]), ("2", [2]), ("*", range(32)), ("*", range(13)), ("0,6", [0, 6])),
]


@pytest.mark.nightly
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_every_zone_over_ten_years(form: Form) -> None:
    seen = set()
    for name in ZONES:
        for change in changes(name):
            zone = ZoneInfo(name)
            kind = (change, (change - MINUTE).astimezone(zone).utcoffset(), change.astimezone(zone).utcoffset())
            if kind not in seen:
                seen.add(kind)
                agree(form, name, change)
    assert len(seen) > 100
    for name in ZONES:  # where the clock is never changed
        if not changes(name):
            agree(form, name, BEGIN + 100 * DAY)
