"""Waiting: an activity is repeated until it is done, in generations, and setbacks are counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrators.steps import backoff
from orchestrators.wait import CRASHES_MAX, LOOKS_PER_GENERATION, SETBACKS_MAX
from rollout.model.order import SETBACK, Progress, again, done, failed

pytestmark = pytest.mark.slow

Make = Callable[..., Any]

POLL = timedelta(seconds=15)
NOT_YET = again(POLL, "not yet")
SET_BACK = replace(again(POLL, "Azure is busy"), code=SETBACK)


def watch(first_run: Make, activity: str = "launch_green") -> dict[str, Any]:
    """The input of ``wait_until_done``."""
    return {"activity": activity, "run": first_run(batch=1, batches=2)}


def test_wait_looks_again_when_the_activity_says(stand: Make, first_run: Make) -> None:
    pauses = [15, 40, 15, 300, 15, 15, 0]
    made = stand(launch_green=[*(again(timedelta(seconds=pause), "not yet") for pause in pauses), done("there")])
    status = made.run("wait_until_done", watch(first_run))
    assert made.waits() == [15, 40, 15, 300, 15, 15, 1]
    assert (status.output["state"], status.output["reason"]) == ("done", "there")


def test_wait_continues_as_new_after_a_few_looks_and_keeps_when_it_began(stand: Make, first_run: Make) -> None:
    looks = 4 * LOOKS_PER_GENERATION
    made = stand(launch_green=[*[NOT_YET] * looks, done("there")])
    made.run("wait_until_done", watch(first_run))
    assert len(made.trace) == looks + 1
    executions = made.durable.executions
    assert max(execution.generation for execution in executions) == 5
    assert max(execution.events for execution in executions) < 50


@pytest.mark.parametrize(
    ("raised", "limit"), [(SET_BACK, SETBACKS_MAX), (ValueError("no such row"), CRASHES_MAX)], ids=["busy", "raises"]
)
def test_setbacks_in_a_row_back_off_and_then_fail_the_step(
    stand: Make, first_run: Make, raised: Progress | Exception, limit: int
) -> None:
    made = stand(launch_green=[raised])
    status = made.run("wait_until_done", watch(first_run))
    assert made.waits() == [15, 30, 60, 120, 240, *[300] * (limit - 5)]
    assert (status.output["state"], status.output["code"]) == ("failed", "stepFailed")
    assert f"launch_green did not work {limit} times in a row" in status.output["reason"]
    assert status.output["setbacks"] == limit


def test_azure_may_be_out_of_order_for_more_than_an_hour() -> None:
    assert 15 + 30 + 60 + 120 + 240 + 300 * (SETBACKS_MAX - 5) > 3600


def test_however_often_a_step_was_tried_again_it_is_one_fact(stand: Make) -> None:
    busy = replace(SET_BACK, reason="Azure is busy: Too many requests")
    made = stand(batches=1, launch_green=[*[busy] * 3, done("there")], discard_sick=[done("never")])
    made.run()
    (retried,) = [event for event in made.events if event["type"] == "StepRetried"]
    assert retried["message"] == (
        "Batch 1 of 1: launch_green was tried again 3 times; at last because: Azure is busy: Too many requests"
    )
    assert retried["data"] == {"activity": "launch_green", "setbacks": 3}
    assert [event["sequence"] for event in made.events] == list(range(1, len(made.events) + 1))


def test_setback_that_names_a_longer_wait_gets_it(stand: Make, first_run: Make) -> None:
    throttled = replace(SET_BACK, after=timedelta(minutes=20))
    made = stand(launch_green=[throttled, throttled, done("there")])
    made.run("wait_until_done", watch(first_run))
    assert made.waits() == [1200, 1200]


def test_answer_between_setbacks_begins_the_count_anew(stand: Make, first_run: Make) -> None:
    made = stand(launch_green=[*([SET_BACK] * SETBACKS_MAX + [NOT_YET]) * 3, done("there")])
    status = made.run("wait_until_done", watch(first_run))
    assert status.output["state"] == "done"
    assert len(made.trace) == 3 * (SETBACKS_MAX + 1) + 1


def test_failure_is_answered_at_once(stand: Make, first_run: Make) -> None:
    made = stand(launch_green=[failed("scaleSetGone", "it is gone", healthy=0)])
    status = made.run("wait_until_done", watch(first_run))
    assert (status.output["code"], status.output["data"], len(made.trace)) == ("scaleSetGone", {"healthy": 0}, 1)


def test_answer_that_is_no_progress_is_a_setback(stand: Make, first_run: Make) -> None:
    made = stand(launch_green=[Progress("bogus", "what?"), done("there")])  # type: ignore[arg-type]
    status = made.run("wait_until_done", watch(first_run))
    assert status.output["state"] == "done"


def test_exception_of_an_activity_names_its_first_line_only(stand: Make, first_run: Make) -> None:
    made = stand(launch_green=[ValueError("no such row\nwith a stack")])
    status = made.run("wait_until_done", watch(first_run))
    assert "no such row" in status.output["reason"]
    assert "stack" not in status.output["reason"]


@pytest.mark.parametrize(("setbacks", "seconds"), [(0, 15), (1, 30), (4, 240), (5, 300), (10_000, 300)])
def test_backoff_doubles_up_to_five_minutes(setbacks: int, seconds: int) -> None:
    assert backoff(setbacks) == timedelta(seconds=seconds)


@pytest.mark.parametrize("part", ["d:batch-1", "d:batch-1:judge_batch-e1", "d:apply_image-e1"])
def test_part_that_is_ended_from_outside_fails_the_deployment_which_puts_things_back(stand: Make, part: str) -> None:
    made = stand(judge_batch=[NOT_YET], apply_image=[*[NOT_YET] * 4, done("applied")])
    made.at(
        timedelta(seconds=50 if part == "d:apply_image-e1" else 90), lambda durable: durable.terminate(part, "by hand")
    )
    status = made.run()
    assert status.output["status"] == "failed"
    assert status.output["reason"].endswith("by hand")
    assert "restore_image 0 in epoch 2" in made.trace
    assert [event["type"] for event in made.events if event["type"] == "BatchFailed"] == (
        [] if part == "d:apply_image-e1" else ["BatchFailed"]
    )
    numbers = [event["sequence"] for event in made.events]
    assert numbers == sorted(numbers)
