"""What is old enough to be forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rollout.retention import DAYS_AGAIN, LONG_AGO, spans_to_purge

NOW = datetime(2026, 1, 1, 3, 17, tzinfo=UTC)


@given(st.integers(1, 3650), st.datetimes(datetime(2026, 1, 1), datetime(2036, 1, 1)))
def test_the_spans_cover_everything_that_is_old_enough_and_nothing_younger(days: int, time: datetime) -> None:
    now = time.replace(tzinfo=UTC)
    spans = spans_to_purge(now, timedelta(days=days))
    assert spans[-1].end == now - timedelta(days=days)
    assert spans[0].start == spans[-1].end - LONG_AGO
    assert all(earlier.end == later.start for earlier, later in pairwise(spans))


def test_the_last_days_are_purged_one_by_one_and_all_before_them_at_once() -> None:
    oldest, *days = spans_to_purge(NOW, timedelta(days=30))
    assert len(days) == DAYS_AGAIN
    assert {span.end - span.start for span in days} == {timedelta(days=1)}
    assert oldest.end == days[0].start
