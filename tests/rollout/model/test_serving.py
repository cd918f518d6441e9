"""How many VMs serve, by their image, as events tell it; and how few while a batch is replaced."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.codec import encode
from rollout.model.events import EventType, apply, with_serving
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Event, Image
from rollout.model.serving import Serving
from rollout.model.status import Status
from rollout.planning.batches import plan
from rollout.planning.floors import floors, serving_at_start

AT = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
OLD, NEW = ImageReference(id="/images/web/versions/1.0.0"), ImageReference(id="/images/web/versions/1.1.0")
ROW = Deployment("web-20261123T081500Z-1a2b3c", "web", "/web", Parameters("1.1.0"), Image("1.1.0", NEW, OLD), AT)
PLANNED = {"batches": 2, "blue": 4, "targetSize": 4, "previous": encode(OLD)}


def vms(number: int) -> list[Vm]:
    return [Vm(f"id-{n}", f"web_{n}", str(n), OLD, "Succeeded", "running", "healthy") for n in range(number)]


def told(row: Deployment, *facts: tuple[EventType, dict[str, Any]]) -> tuple[Deployment, list[Any]]:
    """The row after these facts of batch 1, and what each says of the VMs that serve."""
    said = []
    for fact, data in facts:
        number = row.sequence + 1
        batch = 1 if fact.startswith("Batch") else None
        event = with_serving(row, Event(number, AT + timedelta(minutes=number), fact, str(fact), batch, data))
        row = apply(row, event)
        said.append(event.data.get("serving"))
    return row, said


def test_each_event_that_changes_it_says_how_many_serve() -> None:
    row, said = told(
        replace(ROW, serving=Serving(4, 0)),
        (EventType.PLANNED, PLANNED),
        (EventType.BATCH_STARTED, {}),
        (EventType.BATCH_LAUNCHED, {"launched": 2}),
        (EventType.BATCH_HEALTHY, {"healthy": 1, "replace": True}),
        (EventType.SICK_DISCARDED, {"discarded": 1}),
        (EventType.BATCH_LAUNCHED, {"launched": 1}),
        (EventType.BATCH_HEALTHY, {"healthy": 2}),
        (EventType.BATCH_DETACHED, {"detached": 2, "remaining": 0}),
        (EventType.BATCH_TERMINATED, {"deleted": 2, "discarded": 0}),
    )
    known = [pair and (pair["previousImage"], pair["newImage"]) for pair in said]
    assert known == [(4, 0), None, None, (4, 1), None, None, (4, 2), (2, 2), None]
    assert (row.serving and row.serving.previous_image, row.serving and row.serving.new_image) == (2, 2)


def test_going_back_the_image_before_comes() -> None:
    _, said = told(
        replace(ROW, status=Status.ROLLING_BACK, serving=Serving(2, 2), number_of_batches=3),
        (EventType.BATCH_STARTED, {}),
        (EventType.BATCH_HEALTHY, {"healthy": 2}),
        (EventType.BATCH_DETACHED, {"detached": 2, "remaining": 0}),
    )
    assert said[1:] == [{"previousImage": 4, "newImage": 2}, {"previousImage": 4, "newImage": 0}]


def test_vms_that_served_nobody_go_first_and_are_not_missed() -> None:
    _, said = told(
        replace(ROW, status=Status.IN_PROGRESS, serving=Serving(3, 0, idle=1)),
        (EventType.BATCH_STARTED, {}),
        (EventType.BATCH_HEALTHY, {"healthy": 2}),
        (EventType.BATCH_DETACHED, {"detached": 2, "remaining": 0}),
    )
    assert said[-1] == {"previousImage": 2, "newImage": 2}


def test_a_deployment_of_an_earlier_release_says_nothing_of_it() -> None:
    _, said = told(ROW, (EventType.PLANNED, PLANNED), (EventType.BATCH_HEALTHY, {"healthy": 2}))
    assert said == [None, None]


def test_a_roll_back_says_when_it_began_why_and_who_said_so() -> None:
    row, _ = told(
        replace(ROW, status=Status.IN_PROGRESS, progress=33),
        (EventType.ROLLING_BACK, {"heard": 1, "by": "alice"}),
    )
    began = row.roll_back
    assert began is not None
    assert (began.at, began.percent, began.by) == (AT + timedelta(minutes=1), 33, "alice")
    failed, _ = told(
        replace(ROW, status=Status.IN_PROGRESS), (EventType.ROLLING_BACK, {"heard": 0, "code": "x", "cause": "0 of 2"})
    )
    assert failed.roll_back is not None
    assert (failed.roll_back.reason, failed.roll_back.by) == ("0 of 2", "")


@pytest.mark.parametrize(
    ("count", "target", "idle", "tolerate", "expected"),
    [
        (10, 10, 0, False, (10, 10, 10, 10, 10)),
        (10, 8, 0, False, (10, 10, 10, 9, 8)),
        (10, 10, 2, False, (8, 10, 10, 10, 10)),
        (10, 10, 0, True, (9, 8, 7, 6, 5)),
    ],
)
def test_as_few_vms_serve_in_a_batch(
    count: int, target: int, idle: int, tolerate: bool, expected: tuple[int, ...]
) -> None:
    blue = vms(count)
    planned = plan(blue, [], target, 20, blue[:idle])
    serving = {vm.vm_id for vm in blue[idle:]}
    assert floors(planned, Parameters("1.1.0", tolerate_unhealthy=tolerate), serving) == expected
    start = serving_at_start(planned, serving)
    assert (start.previous_image, start.new_image, start.idle) == (count - idle, 0, idle)
