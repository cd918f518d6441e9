"""When cron expressions are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.calendar import cron_fault, last_time, next_time, time_zone_fault

BERLIN = "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(expression: str, zone: str, after: str, count: int) -> list[str]:
    found, time = [], utc(after)
    for _ in range(count):
        following = next_time(expression, zone, time)
        assert following is not None
        time = following
        found.append(time.strftime("%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("expression", "zone", "after", "due"),
    [
        ("0 3 * * SUN", "UTC", "2026-11-26T00:00", ["11-29 03:00", "12-06 03:00"]),
        ("*/20 9-10 * * *", "UTC", "2026-11-26T09:30", ["11-26 09:40", "11-26 10:00", "11-26 10:20"]),
        # Summer time begins on 29 March 2026 at 01:00 UTC: there is no 02:30, and it is due right after the jump.
        ("30 2 * * *", BERLIN, "2026-03-28T00:00", ["03-28 01:30", "03-29 01:00", "03-30 00:30"]),
        ("0 3 * * *", BERLIN, "2026-03-28T00:00", ["03-28 02:00", "03-29 01:00", "03-30 01:00"]),
        # It ends on 25 October 2026 at 01:00 UTC: 02:30 comes twice, and is due the first time.
        ("30 2 * * *", BERLIN, "2026-10-24T00:00", ["10-24 00:30", "10-25 00:30", "10-26 01:30"]),
        ("30 2 * * *", BERLIN, "2026-10-25T01:10", ["10-26 01:30"]),
        ("0 3 * * *", BERLIN, "2026-10-24T00:00", ["10-24 01:00", "10-25 02:00", "10-26 02:00"]),
        # A range of one value is that value, in whatever steps.
        ("30 12-12/2 * * *", "UTC", "2026-10-25T00:00", ["10-25 12:30", "10-26 12:30"]),
        ("30 12 * * MON-mon/2", "UTC", "2026-10-25T00:00", ["10-26 12:30", "11-02 12:30"]),
        # Where the clock is changed by half an hour, on 5 April 2026 at 15:00 UTC of the day before, nothing is lost.
        ("0 */6 * * *", "Australia/Lord_Howe", "2026-04-04T12:00", ["04-04 13:00", "04-04 19:30", "04-05 01:30"]),
        ("30 * * * *", "Australia/Lord_Howe", "2026-04-04T14:00", ["04-04 14:30", "04-04 15:00", "04-04 16:00"]),
        # Every hour is every hour.
        ("30 * * * *", BERLIN, "2026-10-25T00:00", ["10-25 00:30", "10-25 01:30", "10-25 02:30"]),
    ],
)
def test_due_times(expression: str, zone: str, after: str, due: list[str]) -> None:
    assert times(expression, zone, after, len(due)) == due


@pytest.mark.parametrize(
    ("expression", "zone", "until", "last"),
    [
        ("0 3 * * *", "UTC", "2026-11-26T03:00", "2026-11-26T03:00"),
        ("0 3 * * *", "UTC", "2026-11-26T02:59", "2026-11-25T03:00"),
        ("30 2 * * *", BERLIN, "2026-03-29T01:00", "2026-03-29T01:00"),
        # Between the two times at which a clock shows 02:30.
        ("30 2 * * *", BERLIN, "2026-10-25T01:10", "2026-10-25T00:30"),
        ("30 2 * * *", BERLIN, "2026-10-25T00:10", "2026-10-24T00:30"),
        ("0 0 29 2 *", "UTC", "2026-11-26T00:00", "2024-02-29T00:00"),
    ],
)
def test_the_last_time(expression: str, zone: str, until: str, last: str) -> None:
    assert last_time(expression, zone, utc(until)) == utc(last)


expressions = st.builds(
    "{} {} * * {}".format,
    st.sampled_from(["0", "30", "*/15", "5,50"]),
    st.sampled_from(["*", "2", "3", "*/6", "1-3"]),
    st.sampled_from(["*", "SUN", "1-5"]),
)
moments = st.datetimes(datetime(2026, 3, 20), datetime(2026, 4, 3)) | st.datetimes(
    datetime(2026, 10, 20), datetime(2026, 10, 30)
)


@given(expressions, st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe"]), moments)
def test_no_time_lies_between_the_last_and_the_next(expression: str, zone: str, moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)
    before, after = last_time(expression, zone, now), next_time(expression, zone, now)
    assert before is not None
    assert after is not None
    assert before <= now < after
    assert next_time(expression, zone, before) == after
    assert last_time(expression, zone, after) == after
    assert last_time(expression, zone, after - timedelta(seconds=1)) == before


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("0 3 * * *", ""),
        ("0 3 * * MON-FRI", ""),
        ("0 3 * JUL *", ""),
        ("0 3 L * *", "L and #"),
        ("0 3 l * *", "L and #"),
        ("0 3 1,L * *", "L and #"),
        ("0 3 LW * *", "L and #"),
        ("0 3 * * 5L", "L and #"),
        ("0 3 * * 1#2", "L and #"),
        ("0 3 * *", "five fields"),
        ("0 0 3 * * *", "five fields"),
        ("", "five fields"),
        ("@daily", "five fields"),
        ("60 * * * *", "Bad minute"),
        ("0 24 * * *", "Bad hour"),
        ("0 0 31 2 *", "Bad day-of-month"),
        ("0 0 30 2 MON#5", "L and #"),
    ],
)
def test_what_is_wrong_with_an_expression(expression: str, fault: str) -> None:
    assert fault in cron_fault(expression)
    assert bool(cron_fault(expression)) == bool(fault)


@given(st.text(max_size=30) | st.lists(st.text("0123456789*/,-L#AMON ", max_size=6), min_size=5).map(" ".join))
def test_no_text_is_too_odd_to_be_an_expression(text: str) -> None:
    if not cron_fault(text):
        assert next_time(text, "UTC", utc("2026-11-26T00:00")) is not None


@pytest.mark.parametrize("name", ["UTC", BERLIN, "Etc/GMT+5"])
def test_time_zones(name: str) -> None:
    assert time_zone_fault(name) == ""


@given(st.text(max_size=40) | st.sampled_from(["", ".", "Europe", "../x", "/etc/localtime", "CEST", "a\0b", "é"]))
def test_no_text_is_too_odd_to_be_a_time_zone(name: str) -> None:
    assert time_zone_fault(name) == "" or "IANA" in time_zone_fault(name)
