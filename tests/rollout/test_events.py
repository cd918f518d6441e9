"""Rows fold from events; an event that comes twice, or late, changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rollout.deployment import Batch, Deployment, Event, Image, Parameters
from rollout.events import EventType, apply, apply_to_batch
from rollout.scale_set import ImageReference
from rollout.status import Phase, Status

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = Deployment("web-1", "web", "/set", Parameters("1.1.0"), Image("1.1.0", ImageReference(id="new")), NOW)

STORY: list[tuple[EventType, int | None, dict[str, Any]]] = [
    (EventType.PLANNED, None, {"batches": 2, "blue": 4, "kept": 0, "targetSize": 4, "previous": {"id": "old"}}),
    (EventType.IMAGE_APPLIED, None, {}),
    (EventType.BATCH_STARTED, 1, {}),
    (EventType.BATCH_LAUNCHED, 1, {"launched": 2}),
    (EventType.BATCH_HEALTHY, 1, {"healthy": 1, "sick": 1}),
    (EventType.BATCH_DETACHED, 1, {"detached": 1, "remaining": 1}),
    (EventType.BATCH_TERMINATED, 1, {"deleted": 1, "discarded": 1}),
]


def events(story: list[tuple[EventType, int | None, dict[str, Any]]]) -> list[Event]:
    return [Event(n, NOW, kind, f"message {n}", batch, data) for n, (kind, batch, data) in enumerate(story, start=1)]


def fold(row: Deployment, story: list[Event]) -> Deployment:
    for event in story:
        row = apply(row, event)
    return row


def test_the_row_after_a_batch() -> None:
    row = fold(FIRST, events(STORY))
    assert (row.status, row.current_batch, row.progress, row.reason) == (Status.IN_PROGRESS, 1, 50, "message 7")
    assert (row.blue_vms, row.green_vms, row.remaining_blue, row.settled) == (3, 1, 1, False)
    assert row.image.previous == ImageReference(id="old")


@pytest.mark.parametrize("late", range(len(STORY)))
def test_a_late_or_repeated_event_changes_nothing(late: int) -> None:
    story = events(STORY)
    row = fold(FIRST, story)
    assert apply(row, story[late]) == row


def test_a_finished_row_takes_no_more_events() -> None:
    finished = fold(FIRST, events([*STORY, (EventType.FINISHED, None, {})]))
    assert (finished.status, finished.progress, finished.settled, finished.ended_at) == (
        Status.FINISHED,
        100,
        True,
        NOW,
    )
    late = Event(99, NOW, EventType.FAILED, "late", None, {"code": "x", "settled": False})
    assert apply(finished, late) == finished


@pytest.mark.parametrize(
    ("before", "restored", "after"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_a_failure_leaves_the_set_settled_only_if_it_was_put_back(before: bool, restored: bool, after: bool) -> None:
    row = apply(
        fold(FIRST, [] if before else events(STORY)),
        Event(50, NOW, EventType.FAILED, "why", None, {"code": "batchUnhealthy", "settled": restored}),
    )
    assert (row.status, row.settled) == (Status.FAILED, after)
    assert row.error is not None
    assert (row.error.code, row.error.message) == ("batchUnhealthy", "why")


def test_an_illegal_transition_is_an_error() -> None:
    baking = fold(FIRST, events(STORY))
    paused = Deployment(**{**baking.__dict__, "status": Status.STOPPING})
    with pytest.raises(ValueError, match="cannot become finished"):
        apply(paused, Event(60, NOW, EventType.FINISHED, "", None, {}))


def test_a_batch_s_row_follows_its_events() -> None:
    batch = Batch(1, 2, 2)
    phases = []
    for event in events(STORY)[2:]:
        batch = apply_to_batch(batch, event)
        phases.append(batch.phase)
    assert phases == [Phase.PLANNED, Phase.LAUNCHED, Phase.HEALTHY, Phase.DETACHED, Phase.TERMINATED]
    assert apply_to_batch(batch, events(STORY)[3]) == batch


def test_every_type_has_a_name_in_the_past_tense() -> None:
    assert all(kind.value.endswith("ed") or kind is EventType.BATCH_HEALTHY for kind in EventType)
