"""When a deployment will be over: what its events make of the plan's forecast."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rollout.model.azure.scale_set import ImageReference
from rollout.model.codec import encode
from rollout.model.events import EventType, apply
from rollout.model.expected import BEGINNING, DELETING, DETACHING, ENDING
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Event, Image

AT = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
IMAGE = ImageReference(id="/galleries/a/images/b/versions/1.1.0")
TEN = {"batch": 2, "time": 600, "reason": "before the end"}
ROW = Deployment("web-1", "web", "/set", Parameters("1.1.0"), Image("1.1.0", IMAGE), AT)


class Story:
    """A deployment of two batches, each of which is to take ten minutes."""

    def __init__(self, bakes: Any = ()) -> None:
        self.row, self.now = ROW, AT
        plan = {"batches": 2, "batchSeconds": 600, "blue": 4, "targetSize": 4, "previous": encode(IMAGE)}
        self.tell(EventType.PLANNED, 0, **plan, bakes=list(bakes))

    def tell(self, kind: EventType, minutes: float, batch: int | None = None, **data: Any) -> timedelta:
        """How long it will still take after the event."""
        self.now += minutes * MINUTE
        self.row = apply(self.row, Event(self.row.sequence + 1, self.now, kind, "", batch, data))
        return self.left()

    def left(self, later: timedelta = timedelta(0)) -> timedelta:
        assert self.row.expected is not None
        return self.row.expected.end(self.now + later) - self.now

    def batch(self, number: int, minutes: float) -> timedelta:
        """One batch, whole."""
        self.tell(EventType.BATCH_STARTED, 0, number)
        self.tell(EventType.BATCH_LAUNCHED, 1, number, launched=2)
        self.tell(EventType.BATCH_HEALTHY, 1, number, healthy=2, sick=0)
        self.tell(EventType.BATCH_DETACHED, 0, number, detached=2, remaining=0)
        return self.tell(EventType.BATCH_TERMINATED, minutes - 2, number, deleted=2, discarded=0)


def test_the_plan_s_forecast_counts_until_a_batch_is_done() -> None:
    story = Story([TEN])
    assert story.left() == BEGINNING + 30 * MINUTE + ENDING
    assert story.batch(1, minutes=4) == (4 + 10) * MINUTE + ENDING
    assert story.batch(2, minutes=6) == 10 * MINUTE + ENDING
    assert story.tell(EventType.BAKE_STARTED, 0, 2, seconds=600) == 10 * MINUTE + ENDING
    assert story.tell(EventType.BAKED, 10, 2) == ENDING


def test_it_is_never_in_the_past_and_what_is_still_to_come_is_counted() -> None:
    story = Story()
    story.tell(EventType.BATCH_STARTED, 0, 1)
    assert story.left() == story.left(later=2 * MINUTE) == 20 * MINUTE + ENDING
    rest = timedelta(seconds=120) + DETACHING + DELETING + 10 * MINUTE + ENDING
    assert story.left(later=60 * MINUTE) == 60 * MINUTE + rest


def test_waiting_for_people_is_no_time() -> None:
    story = Story()
    assert story.batch(1, minutes=4) == 4 * MINUTE + ENDING
    deadline = {"deadline": "2026-01-02T00:00:00.000Z", "action": "stop"}
    story.tell(EventType.APPROVAL_AWAITED, 0, 1, **deadline)
    assert story.left(later=60 * MINUTE) == 64 * MINUTE + ENDING
    assert story.tell(EventType.APPROVED, 60, 1, heard=1) == 4 * MINUTE + ENDING
    story.tell(EventType.BATCH_STARTED, 0, 2)
    story.tell(EventType.PAUSED, 1, 2, heard=2, **deadline)
    story.tell(EventType.RESUMED, 600, 2, heard=3)
    story.tell(EventType.BATCH_TERMINATED, 5, 2, deleted=2, discarded=0)
    assert story.row.expected is not None
    assert story.row.expected.each == 5 * MINUTE


@pytest.mark.parametrize(("batches", "left"), [(1, 4 * MINUTE + ENDING), (0, ENDING)])
def test_a_roll_back_takes_as_long_as_its_batches(batches: int, left: timedelta) -> None:
    story = Story([TEN])
    story.batch(1, minutes=4)
    assert story.tell(EventType.ROLLING_BACK, 0, None, heard=1) == 4 * MINUTE + DELETING + ENDING
    assert story.tell(EventType.ROLL_BACK_PLANNED, 0, None, batches=batches, first=3 * batches, blue=2) == left


def test_a_deployment_that_stops_or_fails_is_soon_over() -> None:
    for kind, data in ((EventType.STOPPING, {"heard": 1}), (EventType.BATCH_FAILED, {"code": "x"})):
        story = Story()
        story.tell(EventType.BATCH_STARTED, 0, 1)
        assert story.tell(kind, 1, 1, **data) == DELETING + ENDING
        assert story.left(later=9 * MINUTE) == 9 * MINUTE


def test_rows_of_plans_without_a_forecast_have_none() -> None:
    data = {"batches": 2, "blue": 4, "targetSize": 4, "previous": encode(IMAGE)}
    assert apply(ROW, Event(1, AT, EventType.PLANNED, "", None, data)).expected is None
