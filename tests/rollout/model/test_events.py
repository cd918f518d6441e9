"""Rows fold from events; an event that comes twice, or late, changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rollout.model.azure.scale_set import ImageReference
from rollout.model.events import EventType, IllegalTransition, apply, apply_to_batch, illegal
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Batch, Deployment, Event, Image
from rollout.model.status import Phase, Status

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


def test_an_illegal_transition_is_told_and_leaves_the_status() -> None:
    stopping = replace(fold(FIRST, events(STORY)), status=Status.STOPPING)
    finished = Event(60, NOW, EventType.FINISHED, "all done", None, {})
    assert illegal(stopping, finished) == IllegalTransition(Status.STOPPING, Status.FINISHED)
    assert apply(stopping, finished) == replace(stopping, sequence=60)
    assert apply(stopping, finished, checked=False).status is Status.FINISHED


#: What events need to be folded.
DATA = {
    "previous": {},
    "batches": 2,
    "first": 1,
    "blue": 2,
    "targetSize": 2,
    "epoch": 2,
    "heard": 1,
    "launched": 1,
    "remaining": 0,
    "deleted": 1,
    "discarded": 0,
    "code": "why",
    "cause": "why",
    "settled": True,
    "deadline": "2026-01-01T00:00:00Z",
    "action": "stop",
}


@pytest.mark.parametrize("kind", EventType)
@pytest.mark.parametrize("status", Status)
def test_no_event_is_an_error_and_one_that_is_written_twice_is_told_alike(status: Status, kind: EventType) -> None:
    row = replace(fold(FIRST, events(STORY)), status=status)
    event = Event(60, NOW, kind, "so it was", 1, DATA)
    told = illegal(row, event)
    after = apply(row, event)
    assert illegal(after, event) == told
    assert apply(after, event) == after
    if told is not None:
        assert (after.status, told.current, after.sequence) == (status, status, 60)
        assert told.following is not status


def test_a_batch_s_row_follows_its_events() -> None:
    batch = Batch(1, 2, 2)
    phases = []
    for event in events(STORY)[2:]:
        batch = apply_to_batch(batch, event)
        phases.append(batch.phase)
    assert phases == [Phase.PLANNED, Phase.LAUNCHED, Phase.HEALTHY, Phase.DETACHED, Phase.TERMINATED]
    assert apply_to_batch(batch, events(STORY)[3]) == batch


def test_every_type_has_a_name_in_the_past_tense() -> None:
    going_on = {EventType.BATCH_HEALTHY, EventType.STOPPING, EventType.ROLLING_BACK}
    others = {
        EventType.TURN_TAKEN,
        EventType.VMS_GONE,
        EventType.GREEN_KEPT,
        EventType.PROCESSES_HELD,
        EventType.ROLLED_BACK,
    }
    assert all(kind.value.endswith("ed") or kind in going_on | others for kind in EventType)


UNTIL = {"deadline": "2026-01-02T00:00:00.000Z", "action": "stop"}


def test_pause_goes_back_to_what_was_paused() -> None:
    baking = fold(FIRST, events([*STORY, (EventType.BAKE_STARTED, None, {})]))
    paused = apply(baking, Event(20, NOW, EventType.PAUSED, "by alice", None, {"heard": 1, **UNTIL}))
    assert (paused.status, paused.heard) == (Status.PAUSED, 1)
    assert paused.decision is not None
    assert (paused.decision.asked, paused.decision.deadline.day) == ("resume", 2)
    resumed = apply(paused, Event(21, NOW, EventType.RESUMED, "by bob", None, {"heard": 2}))
    assert (resumed.status, resumed.heard, resumed.decision) == (Status.BAKING, 2, None)


def test_gate_and_its_approval() -> None:
    asked = fold(FIRST, events([*STORY, (EventType.APPROVAL_AWAITED, 1, UNTIL)]))
    assert asked.status is Status.AWAITING_APPROVAL
    given = apply(asked, Event(20, NOW, EventType.APPROVED, "by bob", 1, {"heard": 3, "all": False}))
    assert (given.status, given.heard, given.decision) == (Status.IN_PROGRESS, 3, None)


def test_pause_of_before_a_gate_closes_it_again() -> None:
    asked = fold(FIRST, events([*STORY, (EventType.APPROVAL_AWAITED, 1, UNTIL)]))
    assert asked.gate == asked.sequence
    paused = apply(asked, Event(20, NOW, EventType.PAUSED, "by alice", None, {"heard": 1, **UNTIL}))
    assert (paused.status, paused.paused_from) == (Status.PAUSED, Status.IN_PROGRESS)
    resumed = apply(paused, Event(21, NOW, EventType.RESUMED, "by bob", None, {"heard": 2}))
    again = apply(resumed, Event(22, NOW, EventType.APPROVAL_AWAITED, "asked", 1, UNTIL))
    assert (resumed.status, again.status, again.gate) == (Status.IN_PROGRESS, Status.AWAITING_APPROVAL, 22)


@pytest.mark.parametrize("found", [True, False])
def test_stop_before_the_plan_leaves_the_set_as_it_was_found(found: bool) -> None:
    stopped = fold(replace(FIRST, settled=found), events([(EventType.STOPPED, None, {"settled": True})]))
    assert stopped.settled is found


def test_deployment_that_ends_without_the_lock_is_not_settled() -> None:
    row = fold(FIRST, events([*STORY, (EventType.FINISHED, None, {"adopted": 0, "settled": False})]))
    assert (row.status, row.settled) == (Status.FINISHED, False)


def test_stop_leaves_the_set_unsettled() -> None:
    story = [*STORY, (EventType.STOPPING, None, {"heard": 1}), (EventType.STOPPED, None, {"settled": False})]
    row = fold(FIRST, events(story))
    assert (row.status, row.settled, row.heard, row.ended_at, row.error) == (Status.STOPPED, False, 1, NOW, None)


def test_queued_deployment_takes_its_turn_in_an_epoch() -> None:
    queued = Deployment(**{**FIRST.__dict__, "status": Status.QUEUED, "epoch": 0})
    row = apply(queued, Event(1, NOW, EventType.TURN_TAKEN, "its turn", None, {"epoch": 7}))
    assert (row.status, row.epoch) == (Status.PENDING, 7)


def test_roll_back_counts_its_batches_and_remembers_the_failure_that_it_answers() -> None:
    story = [
        *STORY,
        (EventType.ROLLING_BACK, 2, {"heard": 0, "code": "batchUnhealthy", "cause": "Batch 2 of 2: 0 of 2"}),
        (EventType.GREEN_DISCARDED, 2, {"discarded": 1}),
        (EventType.ROLL_BACK_PLANNED, None, {"batches": 1, "blue": 2, "first": 3}),
        (EventType.BATCH_STARTED, 3, {}),
        (EventType.BATCH_LAUNCHED, 3, {"launched": 2}),
        (EventType.BATCH_DETACHED, 3, {"detached": 2, "remaining": 0}),
        (EventType.BATCH_TERMINATED, 3, {"deleted": 2, "discarded": 0}),
    ]
    row = fold(FIRST, events(story))
    assert (row.status, row.number_of_batches, row.rollback_batches) == (Status.ROLLING_BACK, 3, 1)
    assert (row.blue_vms, row.green_vms, row.progress) == (0, 2, 100)
    end = apply(row, Event(90, NOW, EventType.ROLLED_BACK, "done", None, {"settled": True}))
    assert (end.status, end.settled) == (Status.ROLLED_BACK, True)
    assert end.error is not None
    assert (end.error.code, end.error.message) == ("batchUnhealthy", "Batch 2 of 2: 0 of 2")
