"""The order of the queue, who may enter it, and who is in it no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rollout.lifecycle.lock import STARTING
from rollout.lifecycle.queue import QUEUE_MAX, QueueAdmission, QueueDecision, admit, entry_of, in_turn, waits
from rollout.model.azure.scale_set import ImageReference
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Image
from rollout.model.rows.queue_entry import QueueEntry
from rollout.model.status import Status

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def entry(number: int, after: timedelta | None = None) -> QueueEntry:
    return QueueEntry("/set", f"web-{number:03}", NOW + (after if after is not None else number * SECOND))


def row(status: Status) -> Deployment:
    image = Image("1.1.0", ImageReference(id="/i"))
    return Deployment("web-001", "web", "/set", Parameters("1.1.0"), image, NOW, status=status, queued_at=NOW + SECOND)


def test_turns_come_in_the_order_of_asking_and_of_ids_where_that_is_the_same() -> None:
    late, early, twin = entry(0, 9 * SECOND), entry(5, SECOND), entry(4, SECOND)
    assert in_turn([late, early, twin]) == (twin, early, late)


def test_a_deployment_is_entered_by_when_it_began_to_wait() -> None:
    assert entry_of(row(Status.QUEUED)) == QueueEntry("/set", "web-001", NOW + SECOND)


@pytest.mark.parametrize(
    ("status", "later", "is_waiting"),
    [
        (Status.QUEUED, timedelta(days=9), True),
        (Status.PENDING, timedelta(0), False),
        (Status.STOPPED, timedelta(0), False),
        (None, STARTING - SECOND, True),
        (None, STARTING, False),
    ],
)
def test_its_own_row_says_whether_a_deployment_waits(status: Status | None, later: timedelta, is_waiting: bool) -> None:
    found = row(status) if status is not None else None
    assert waits(entry(1, timedelta(0)), found, NOW + later) is is_waiting


@pytest.mark.parametrize(
    ("waiting", "place", "decision"),
    [
        (1, 0, QueueDecision.ADMITTED),
        (QUEUE_MAX, QUEUE_MAX - 1, QueueDecision.ADMITTED),
        (QUEUE_MAX, 0, QueueDecision.ADMITTED),
        (QUEUE_MAX + 1, QUEUE_MAX, QueueDecision.FULL),
        (QUEUE_MAX + 1, QUEUE_MAX - 1, QueueDecision.LOOK_AGAIN),
        (QUEUE_MAX + 9, 3, QueueDecision.LOOK_AGAIN),
    ],
)
def test_who_comes_after_the_last_place_is_not_admitted(waiting: int, place: int, decision: QueueDecision) -> None:
    entries = [entry(number) for number in range(waiting)]
    assert admit(entries, entries[place].deployment_id) == QueueAdmission(decision, place)
