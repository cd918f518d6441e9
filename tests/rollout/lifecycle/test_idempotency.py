"""How a request with a key stands that was sent before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rollout.lifecycle.idempotency import TRY_LASTS, KeyStanding, answered, refused, standing, tried_again, uncertain
from rollout.model.rows.keyed_request import KeyedRequest

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
ROW = KeyedRequest("POST /x", "k", "f", "abcdef", NOW, since=NOW)


@pytest.mark.parametrize(
    ("row", "after", "expected"),
    [
        (ROW, timedelta(0), KeyStanding.UNDER_WAY),
        (ROW, TRY_LASTS - timedelta(seconds=1), KeyStanding.UNDER_WAY),
        (ROW, TRY_LASTS, KeyStanding.AGAIN),
        (refused(ROW), timedelta(0), KeyStanding.AGAIN),
        (uncertain(ROW), timedelta(0), KeyStanding.AGAIN),
        (answered(ROW, 202, {}, {}), timedelta(days=9), KeyStanding.ANSWERED),
    ],
)
def test_how_the_same_request_stands(row: KeyedRequest, after: timedelta, expected: KeyStanding) -> None:
    assert standing(row, "f", NOW + after) is expected
    assert standing(row, "g", NOW + after) is KeyStanding.REUSED


def test_a_try_after_one_that_died_makes_the_same() -> None:
    later = NOW + TRY_LASTS
    for row in (ROW, uncertain(ROW)):
        assert tried_again(row, "123456", later) == replace(ROW, since=later, tries=2)


def test_a_try_after_a_refusal_makes_something_new() -> None:
    later = NOW + timedelta(seconds=5)
    refusal = refused(tried_again(ROW, "1", NOW))
    assert tried_again(refusal, "123456", later) == replace(ROW, token="123456", at=later, since=later)


def test_an_answer_is_kept_whole() -> None:
    row = answered(ROW, 202, {"id": "x"}, {"Location": "y"})
    assert (row.status, row.body, row.headers, row.since, row.token) == (
        202,
        {"id": "x"},
        {"Location": "y"},
        None,
        "abcdef",
    )
