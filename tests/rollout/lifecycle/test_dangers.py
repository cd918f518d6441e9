"""How often a cure is tried, what people are told meanwhile, and when it is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from rollout.lifecycle.dangers import NOT_RESTORED, TRIES_MAX, TRY_AFTER, course, cured
from rollout.model.azure.scale_set import ImageReference
from rollout.model.parameters import Parameters
from rollout.model.rows.danger import DangerRecord
from rollout.model.rows.deployment import Deployment, Image
from rollout.model.rows.holds import Hold
from rollout.model.rows.lock import Lock
from rollout.model.status import Status

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
ID = "web-20260101T000000Z-1a2b3c"
BEGUN = DangerRecord("/set", NOT_RESTORED, NOW, ID, tries=1, next_try_at=NOW + TRY_AFTER, attempt="a-1")


def ask(danger: DangerRecord | None, failure: str = "", after: timedelta = timedelta(0)) -> tuple[DangerRecord, bool]:
    decided = course(danger, "/Set", ID, "a-2", failure, NOW + after)
    return decided.danger, decided.try_now


def test_a_cure_is_tried_at_once_and_nothing_is_told() -> None:
    begun, now = ask(None)
    assert now
    assert begun == replace(BEGUN, attempt="a-2")
    assert not begun.told


def test_while_it_is_under_way_nothing_is_done() -> None:
    assert ask(BEGUN, after=timedelta(days=1)) == (BEGUN, False)


def test_what_another_deployment_left_is_another_matter() -> None:
    begun, now = ask(replace(BEGUN, deployment_id="web-2", tries=9, reason="no"))
    assert (begun.deployment_id, begun.tries, begun.reason, now) == (ID, 1, "", True)


def test_a_failure_is_told_at_once_and_tried_again_when_it_is_time() -> None:
    known, now = ask(BEGUN, "Azure refused", TRY_AFTER - timedelta(seconds=1))
    assert (now, known.told, known.tries, known.since) == (False, True, 1, NOW)
    what = f"What {ID} left could not be put in order: Azure refused"
    assert known.message == f"{what}. Tried 1 time, the next time at 2026-11-23T08:25:00.000Z"
    assert known.remedy
    again, now = ask(known, "Azure refused", TRY_AFTER)
    assert (now, again.tries, again.attempt, again.next_try_at) == (True, 2, "a-2", NOW + 3 * TRY_AFTER)


def test_a_cure_that_always_fails_is_tried_more_and_more_rarely_and_then_given_up() -> None:
    danger, tried = None, []
    for look in range(30 * 24 * 12):
        at = look * timedelta(minutes=5)
        danger, now = ask(danger, "no", at)
        tried += [at] if now else []
    assert len(tried) == TRIES_MAX
    gaps = [later - earlier for earlier, later in pairwise(tried)]
    assert gaps == sorted(gaps)
    assert (gaps[0], gaps[-1]) == (TRY_AFTER, timedelta(days=1))
    assert timedelta(days=4) < tried[-1] < timedelta(days=7)
    assert danger is not None
    assert (danger.next_try_at, danger.since) == (None, NOW)
    assert danger.message.endswith(f"Tried {TRIES_MAX} times, and not again")
    assert "by hand" in danger.remedy


def row(status: Status) -> Deployment:
    return Deployment(ID, "web", "/set", Parameters("1"), Image("1", ImageReference(id="i")), NOW, status=status)


MINE, FREE, OTHERS = (Lock("/set", owner, 4, NOW) for owner in (ID, "", "web-2"))
DUE = Hold("/set", ID, (), NOW, keep_until=NOW)
CASES = [
    ("kept too long", Status.FAILED, FREE, DUE, False),
    ("kept too long, without a row", None, FREE, DUE, False),
    ("kept too long, while another passes by", Status.FAILED, OTHERS, DUE, False),
    ("not due", Status.FAILED, FREE, replace(DUE, keep_until=NOW + TRY_AFTER), True),
    ("held until a good end", Status.FAILED, FREE, replace(DUE, keep_until=None), True),
    ("has the lock", Status.FAILED, MINE, None, False),
    ("live", Status.IN_PROGRESS, FREE, None, False),
    ("inherited", Status.FAILED, OTHERS, replace(DUE, deployment_id="web-2"), True),
    ("in order", Status.STOPPED, FREE, None, True),
    ("forgotten", None, None, None, True),
]


@pytest.mark.parametrize(
    ("status", "lock", "hold", "over"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_it_is_cured_once_nothing_is_left(
    status: Status | None, lock: Lock | None, hold: Hold | None, over: bool
) -> None:
    assert bool(cured(BEGUN, row(status) if status else None, lock, hold, NOW)) is over


def test_what_is_not_cured_by_trying_says_only_what_is_wrong() -> None:
    assert DangerRecord("/set", "other", NOW, ID, "It is so").message == "It is so"
