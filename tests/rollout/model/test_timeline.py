"""Time as recipes count it: standstills count for nothing, and it never runs backwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.model.codec import decode, encode
from rollout.model.timeline import MOST_REMEMBERED, TOLERANCE, Standstill, Timeline, watched

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
POLL = 15 * SECOND


def looks(time: Timeline, *gaps: timedelta) -> Timeline:
    """The timeline after looks that were planned a poll apart, and came so long after each other."""
    for gap in gaps:
        time = time.looked().moved(time.clock + gap, POLL)
    return time


@pytest.mark.parametrize(
    ("gaps", "passed"),
    [
        ((POLL, POLL, POLL), 3 * POLL),
        ((POLL, POLL + TOLERANCE), 2 * POLL + TOLERANCE),
        ((POLL, HOUR), POLL),
        ((POLL, HOUR, POLL), 2 * POLL),
        ((POLL, timedelta(days=10), POLL), 2 * POLL),
        # One look between two standstills: an app that is always late comes to an end, too.
        ((POLL, HOUR, HOUR, HOUR), 3 * POLL),
        # The clock is set back.
        ((POLL, -HOUR, POLL), 3 * POLL),
        # Ahead, and right again.
        ((POLL, HOUR, -HOUR, POLL), 3 * POLL),
    ],
)
def test_time_counts_as_far_as_somebody_looked(gaps: tuple[timedelta, ...], passed: timedelta) -> None:
    time = looks(Timeline.begin(NOON), *gaps)
    assert watched(NOON, time.at, time.standstills) == passed


def test_the_first_look_after_a_standstill_finds_the_time_that_the_one_before_it_found() -> None:
    before = looks(Timeline.begin(NOON), POLL, POLL).looked()
    after = before.moved(before.clock + HOUR, POLL)
    assert (before.resumed, after.resumed, after.looked().resumed) == (False, True, False)
    assert watched(NOON, after.at, after.standstills) == watched(NOON, before.at, before.standstills)


def test_what_began_after_a_standstill_has_lost_nothing() -> None:
    resumed = looks(Timeline.begin(NOON), POLL, HOUR)
    later = looks(resumed, POLL, POLL)
    assert watched(resumed.at, later.at, later.standstills) == 2 * POLL


def test_what_nobody_meant_to_look_at_counts_for_nothing_and_is_one_standstill() -> None:
    time = Timeline.begin(NOON)
    for minute in range(1, 4):
        time = time.blind(NOON + minute * MINUTE)
    assert time.standstills == (Standstill(NOON, NOON + 3 * MINUTE),)
    assert watched(NOON, time.at, time.standstills) == timedelta(0)


GAPS = st.lists(
    st.one_of(
        st.just(POLL), st.timedeltas(-20 * HOUR, 300 * HOUR).map(lambda gap: timedelta(seconds=int(gap.seconds)))
    ),
    max_size=40,
)


@given(GAPS, st.integers(0, 5))
def test_shown_time_never_runs_backwards_and_no_more_is_watched_than_was_planned(
    gaps: list[timedelta], every: int
) -> None:
    time = Timeline.begin(NOON)
    for number, gap in enumerate(gaps):
        signed = -gap if every and number % every == 0 else gap
        following = time.looked().moved(time.clock + signed, POLL)
        assert following.at >= time.at
        assert following.at >= following.clock
        grown = watched(NOON, following.at, following.standstills) - watched(NOON, time.at, time.standstills)
        assert timedelta(0) <= grown <= POLL + TOLERANCE
        assert decode(Timeline, encode(following)) == following
        assert len(following.standstills) <= MOST_REMEMBERED
        time = following
