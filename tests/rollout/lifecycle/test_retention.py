"""What is old enough to be forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.lifecycle.retention import DAYS_AGAIN, LONG_AGO, Ties, kept_by, spans_to_purge
from rollout.model.azure.scale_set import ImageReference
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Image
from rollout.model.rows.holds import Hold
from rollout.model.rows.lock import Lock
from rollout.model.status import Status

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


ID = "web-20260101T000000Z-1a2b3c"
OLD = NOW - timedelta(days=9)
ROW = Deployment(
    ID,
    "web",
    "/set",
    Parameters("1.1.0", keep_for=timedelta(days=14)),
    Image("1.1.0", ImageReference(id="i")),
    OLD,
    status=Status.STOPPED,
    ended_at=OLD,
)
UNSETTLED = replace(ROW, settled=False)
CASES = [
    ("nothing", ROW, Ties("web-2", "web-2", Lock("/set", "", 2, OLD), Hold("/set", "web-2", (), OLD)), ""),
    ("no group", ROW, Ties(), ""),
    ("newest", ROW, Ties(newest=ID), "newest"),
    ("journal", ROW, Ties(hold=Hold("/set", ID, (), OLD)), "journal"),
    ("lock", ROW, Ties(lock=Lock("/set", ID, 2, OLD)), "lock"),
    ("last", ROW, Ties(newest="web-3", last=ID), "follows"),
    ("kept", UNSETTLED, Ties(), "a while yet"),
    ("kept long enough", replace(UNSETTLED, ended_at=NOW - timedelta(days=14)), Ties(), ""),
    ("live", replace(ROW, ended_at=None), Ties(), "a while yet"),
]


@pytest.mark.parametrize(("row", "ties", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_row_that_something_still_needs_is_kept(row: Deployment, ties: Ties, words: str) -> None:
    reason = kept_by(row, ties, NOW)
    assert (words in reason) if words else reason == ""
