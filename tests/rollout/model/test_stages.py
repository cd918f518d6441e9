"""When each phase of a batch began and ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rollout.model.events import EventType, apply_to_batch
from rollout.model.rows.deployment import Batch, Event
from rollout.model.stages import begins_to_delete

AT = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)


def minutes(batch: Batch) -> list[tuple[str, int, int, int | None]]:
    def since(time: datetime | None) -> int | None:
        return None if time is None else (time - AT) // timedelta(minutes=1)

    return [(str(one.name), one.round, since(one.started_at) or 0, since(one.ended_at)) for one in batch.stages]


def after(batch: Batch, *facts: tuple[EventType, dict[str, Any]]) -> Batch:
    for fact, data in facts:
        number = batch.sequence + 1
        batch = apply_to_batch(batch, Event(number, AT + timedelta(minutes=number), fact, "", 1, data))
    return batch


def test_a_batch_with_a_second_round() -> None:
    batch = after(
        Batch(1, 2, 2),
        (EventType.BATCH_STARTED, {}),
        (EventType.BATCH_LAUNCHED, {}),
        (EventType.BATCH_HEALTHY, {"replace": True}),
        (EventType.SICK_DISCARDED, {}),
        (EventType.BATCH_LAUNCHED, {}),
        (EventType.BATCH_HEALTHY, {}),
        (EventType.BATCH_DETACHED, {}),
    )
    drained = replace(batch, stages=begins_to_delete(batch.stages, AT + timedelta(minutes=9)))
    again = replace(drained, stages=begins_to_delete(drained.stages, AT + timedelta(minutes=12)))
    assert again == drained
    assert drained.deleting_at == AT + timedelta(minutes=9)
    over = after(replace(drained, sequence=9), (EventType.BATCH_TERMINATED, {}))
    assert minutes(over) == [
        ("launch", 1, 1, 2),
        ("health", 1, 2, 3),
        ("discard", 1, 3, 4),
        ("launch", 2, 4, 5),
        ("health", 2, 5, 6),
        ("detach", 2, 6, 7),
        ("drain", 2, 7, 9),
        ("delete", 2, 9, 10),
    ]


def test_a_failure_ends_the_phase_that_is_under_way() -> None:
    batch = after(
        Batch(1, 2, 2), (EventType.BATCH_STARTED, {}), (EventType.BATCH_LAUNCHED, {}), (EventType.BATCH_FAILED, {})
    )
    assert minutes(batch) == [("launch", 1, 1, 2), ("health", 1, 2, 3)]
    assert begins_to_delete(batch.stages, AT) == batch.stages
