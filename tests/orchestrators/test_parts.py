"""Fan out: parts are read side by side, collected whatever becomes of them, and asked for again by the look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rollout.model.order import IN_PARTS, SETBACK, Parts, Progress, StepState, again, done, failed

pytestmark = pytest.mark.slow

Make = Callable[..., Any]

POLL = timedelta(seconds=15)
PART = "read_batch_health"
THREE = Parts(PART, (0, 1, 4), 50, together=4, pause=timedelta(seconds=8))
FIRST = Progress(StepState.AGAIN, "in parts", IN_PARTS, parts=THREE)
BUSY = replace(again(timedelta(minutes=2), "Azure is busy"), code=SETBACK)


def run(make: Make, first_run: Make, **script: Any) -> Any:
    """The stand after ``wait_until_done`` of a batch's judgement."""
    made = make(**script)
    made.status = made.run("wait_until_done", {"activity": "judge_batch", "run": first_run(batch=1, batches=2)})
    return made


def parts_of(made: Any) -> list[int]:
    """The numbers of the parts that were read."""
    return [order["part"]["number"] for name, order in made.orders if name == PART]


def looks_of(made: Any) -> list[Any]:
    """What each look was told."""
    return [order for name, order in made.orders if name == "judge_batch"]


def test_parts_are_read_at_once_and_the_look_collects_them(stand: Make, first_run: Make) -> None:
    made = run(stand, first_run, judge_batch=[FIRST, done("healthy")])
    assert made.status.output["state"] == "done"
    assert parts_of(made) == [0, 1, 4]
    assert made.waits() == [0, 0, 0, 0]
    first, second = looks_of(made)
    assert first["asked"] is None
    assert second["asked"] is not None
    assert all(order["part"]["size"] == 50 for name, order in made.orders if name == PART)


def test_parts_of_the_next_look_are_read_after_its_wait_and_belong_to_no_later_one(
    stand: Make, first_run: Make
) -> None:
    then = replace(again(POLL, "not yet"), parts=THREE)
    made = run(stand, first_run, judge_batch=[then, again(POLL, "not yet"), done("healthy")])
    assert made.waits() == [15, 0, 0, 0, 15]
    assert [order["asked"] is None for order in looks_of(made)] == [True, False, True]


def test_part_that_raises_is_not_waited_for_and_the_others_are(stand: Make, first_run: Make) -> None:
    again_ = replace(BUSY, parts=replace(THREE, numbers=(1,)), after=POLL)
    answers = [done("read"), ValueError("a fault"), done("read"), done("read")]
    made = run(stand, first_run, judge_batch=[FIRST, again_, done("healthy")], **{PART: answers})
    assert made.status.output["state"] == "done"
    assert parts_of(made) == [0, 1, 4, 1]


def test_every_part_may_raise_and_the_look_is_taken_all_the_same(stand: Make, first_run: Make) -> None:
    made = run(stand, first_run, judge_batch=[FIRST, done("healthy")], **{PART: [ValueError("a fault")]})
    assert (made.status.output["state"], len(parts_of(made))) == ("done", 3)


def test_look_hears_how_long_azure_wants_to_be_left_alone(stand: Make, first_run: Make) -> None:
    made = run(stand, first_run, judge_batch=[FIRST, done("healthy")], **{PART: [done("read"), BUSY, done("read")]})
    assert [order["patience"] for order in looks_of(made)] == [0, 120]


def test_part_that_azure_refuses_fails_the_step(stand: Make, first_run: Make) -> None:
    refused = failed("AuthorizationFailed", "Azure refused: no role")
    made = run(stand, first_run, judge_batch=[FIRST, done("healthy")], **{PART: [done("read"), refused]})
    assert (made.status.output["state"], made.status.output["code"]) == ("failed", "AuthorizationFailed")
    assert len(looks_of(made)) == 1


@pytest.mark.parametrize(("answer", "read"), [(done("read"), 5), (BUSY, 2)], ids=["answered", "busy"])
def test_parts_follow_each_other_at_azures_pace_and_none_where_it_is_busy(
    stand: Make, first_run: Make, answer: Progress, read: int
) -> None:
    five = replace(FIRST, parts=replace(THREE, numbers=(0, 1, 2, 3, 4), together=2))
    made = run(stand, first_run, judge_batch=[five, done("healthy")], **{PART: [answer]})
    assert parts_of(made) == [0, 1, 2, 3, 4][:read]
    assert made.waits() == ([0, 0, 8, 8, 8, 0] if read == 5 else [0, 0, 0])


@pytest.mark.parametrize(("numbers", "together"), [(20, 4), (20, 20), (18, 4), (10, 2), (2, 2)])
def test_no_history_passes_200_events_however_many_parts_and_looks(
    stand: Make, first_run: Make, numbers: int, together: int
) -> None:
    parts = replace(THREE, numbers=tuple(range(numbers)), together=together)
    looks = [replace(again(POLL, "not yet"), parts=parts, listen=True)] * 7
    made = run(stand, first_run, judge_batch=[replace(FIRST, parts=parts), *looks, done("healthy")])
    assert len(parts_of(made)) == 8 * numbers
    assert max(execution.events for execution in made.durable.executions) <= 200


def test_look_that_only_asks_for_parts_does_not_end_a_row_of_setbacks(stand: Make, first_run: Make) -> None:
    made = run(stand, first_run, judge_batch=[FIRST, BUSY, FIRST, BUSY, done("healthy")])
    assert made.status.output["setbacks"] == 2
    assert [order["setbacks"] for order in looks_of(made)] == [0, 0, 1, 1, 2]


def test_wait_that_a_command_cuts_short_reads_no_parts(stand: Make, first_run: Make) -> None:
    listening = replace(again(POLL * 20, "not yet"), parts=THREE, listen=True)
    made = stand(judge_batch=[listening, done("healthy")])
    made.at(timedelta(seconds=5), lambda durable: durable.raise_event("d", "wake-0"))
    made.run("wait_until_done", {"activity": "judge_batch", "run": first_run(batch=1, batches=2)})
    assert (parts_of(made), made.waits()) == ([], [5])
