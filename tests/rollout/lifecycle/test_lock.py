"""Who may write to a scale set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rollout.lifecycle.lock import STARTING, free, permission, reclaimed, renewed, take
from rollout.model.rows.lock import Lock
from rollout.ports.durable import InstanceState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HELD = Lock("/set", "web-1", 4, NOW - STARTING)


def test_a_set_that_nobody_ever_deployed_to() -> None:
    assert take(None, "/Set", "web-1", InstanceState.ABSENT, NOW).lock == Lock("/set", "web-1", 1, NOW)


def test_a_free_lock_is_taken_in_the_next_epoch() -> None:
    assert take(Lock("/set", "", 4, NOW), "/set", "web-2", InstanceState.ABSENT, NOW).lock == Lock(
        "/set", "web-2", 5, NOW
    )


@pytest.mark.parametrize(
    ("holder", "age", "taken"),
    [
        (InstanceState.RUNNING, 3600, False),
        (InstanceState.SUSPENDED, 3600, False),
        (InstanceState.ENDED, 0, True),
        (InstanceState.ABSENT, 119, False),
        (InstanceState.ABSENT, 120, True),
    ],
)
def test_a_lock_is_taken_over_only_from_a_holder_that_ended(holder: InstanceState, age: int, taken: bool) -> None:
    lock = Lock("/set", "web-1", 4, NOW - timedelta(seconds=age))
    taking = take(lock, "/set", "web-2", holder, NOW)
    assert (taking.lock is not None) is taken
    assert taking.lock is None or taking.lock.last_owner == "web-1"
    assert "web-1" in taking.reason


@pytest.mark.parametrize(
    ("lock", "state", "may", "wait"),
    [
        (HELD, InstanceState.RUNNING, True, False),
        (HELD, InstanceState.SUSPENDED, False, True),
        (HELD, InstanceState.ENDED, False, False),
        (HELD, InstanceState.ABSENT, False, False),
        (renewed(HELD, NOW), InstanceState.RUNNING, False, False),
        (Lock("/set", "web-2", 4, NOW), InstanceState.RUNNING, False, False),
        (Lock("/set", "", 4, NOW), InstanceState.RUNNING, False, False),
        (None, InstanceState.RUNNING, False, False),
    ],
)
def test_only_the_holder_in_its_epoch_may_write_and_only_while_it_runs(
    lock: Lock | None, state: InstanceState, may: bool, wait: bool
) -> None:
    allowed = permission(lock, "web-1", 4, state)
    assert (allowed.may_write, allowed.wait) == (may, wait)
    assert bool(allowed.reason) is not may


def test_only_the_holder_frees_the_lock() -> None:
    assert free(HELD, "web-1", 4, NOW) == Lock("/set", "", 4, NOW, last_owner="web-1")
    assert free(HELD, "web-1", 3, NOW) is None
    assert free(HELD, "web-2", 4, NOW) is None
    assert free(None, "web-1", 4, NOW) is None


def test_the_lock_remembers_whose_it_was_last() -> None:
    freed = free(HELD, "web-1", 4, NOW)
    taken = take(freed, "/set", "web-2", InstanceState.ABSENT, NOW).lock
    assert taken == Lock("/set", "web-2", 5, NOW, last_owner="web-1")
    assert renewed(taken, NOW).last_owner == "web-1"
    # A start that comes to nothing, and whoever puts something in order, only borrow it.
    assert free(taken, "web-2", 5, NOW, lent=True) == Lock("/set", "", 5, NOW, last_owner="web-1")
    again = reclaimed(Lock("/set", "", 5, NOW, last_owner="web-2"), "web-1", 5, NOW)
    assert free(again, "web-1", 6, NOW, lent=True) == Lock("/set", "", 6, NOW, last_owner="web-2")
    lost = reclaimed(Lock("/set", "web-2", 5, NOW, last_owner="web-1"), "web-2", 5, NOW)
    assert free(lost, "web-2", 6, NOW, lent=True) == Lock("/set", "", 6, NOW, last_owner="web-2")
