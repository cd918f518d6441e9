"""What a deployment carries out and writes down, in which order, on every path."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.clock import VIRTUAL_START
from rollout.model.codec import encode
from rollout.model.order import BakePeriod, Progress, StepState, done, failed, interrupted, lock_lost
from rollout.model.rows.commands import Command, CommandKind
from rollout.model.rows.deployment import StockAtEnd

pytestmark = pytest.mark.slow

Make = Callable[..., Any]

#: The plan of a deployment that bakes after its first batch, and would be rolled back.
BAKES_AND_ROLLS_BACK = done(
    "planned",
    batches=2,
    otherImage=True,
    bakes=encode([BakePeriod(1, timedelta(minutes=5), "after the canary")]),
    onFailure="rollBack",
)

PREPARED = [
    "prepare_deployment 0",
    "= 1 DeploymentPlanned",
    "hold_processes 0",
    "apply_image 0",
    "= 2 ImageApplied",
]


def batch(number: int, first: int) -> list[str]:
    """The trace of a good batch; ``first`` is the number of its first event."""
    return [
        f"= {first} BatchStarted",
        f"launch_green {number}",
        f"= {first + 1} BatchLaunched",
        f"judge_batch {number}",
        f"= {first + 2} BatchHealthy",
        f"detach_blue {number}",
        f"= {first + 3} BatchDetached",
        f"terminate_blue {number}",
        f"= {first + 4} BatchTerminated",
    ]


def put_back(number: int, first: int) -> list[str]:
    """The trace of a failure in a batch, from its ``BatchFailed`` on."""
    return [
        f"= {first} BatchFailed",
        "raise_epoch 1",
        "save_evidence 1 in epoch 2",
        "discard_green 1 in epoch 2",
        f"= {first + 1} GreenDiscarded",
        "restore_image 0 in epoch 2",
        f"= {first + 2} ImageRestored",
        "restore_processes 0 in epoch 2",
        "release_group 0 in epoch 2",
        f"= {first + 3} DeploymentFailed",
    ]


def test_good_deployment_goes_batch_by_batch(stand: Make) -> None:
    made = stand()
    status = made.run()
    assert made.trace == [
        *PREPARED,
        *batch(1, 3),
        *batch(2, 8),
        "verify_end 0",
        "restore_processes 0",
        "release_group 0",
        "= 13 DeploymentFinished",
    ]
    assert status.output == {"status": "finished", "reason": "done", "error": None}


def test_nothing_to_do_applies_no_image(stand: Make) -> None:
    made = stand(batches=0)
    made.run()
    assert made.trace == [
        *PREPARED[:2],
        "verify_end 0",
        "restore_processes 0",
        "release_group 0",
        "= 2 DeploymentFinished",
    ]


def test_another_image_in_the_model_is_applied_though_no_vm_is_to_be_replaced(stand: Make) -> None:
    made = stand(prepare_deployment=[done("planned", batches=0, inherited=False, otherImage=True)])
    made.run()
    assert made.trace == [*PREPARED, "verify_end 0", "restore_processes 0", "release_group 0", "= 3 DeploymentFinished"]


def test_image_that_could_not_be_applied_is_put_back_though_there_is_no_batch(stand: Make) -> None:
    made = stand(
        prepare_deployment=[done("planned", batches=0, inherited=False, otherImage=True)],
        apply_image=[failed("no", "no")],
    )
    made.run()
    assert made.trace == [
        *PREPARED[:4],
        "raise_epoch 0",
        "restore_image 0 in epoch 2",
        "= 2 ImageRestored",
        "restore_processes 0 in epoch 2",
        "release_group 0 in epoch 2",
        "= 3 DeploymentFailed",
    ]
    assert made.events[-1]["data"] == {"code": "no", "settled": True}


def test_refused_plan_changes_nothing_and_frees_the_group(stand: Make) -> None:
    made = stand(prepare_deployment=[failed("protectedVms", "web_1 is protected")])
    status = made.run()
    assert made.trace == [
        "prepare_deployment 0",
        "raise_epoch 0",
        "restore_processes 0 in epoch 2",
        "release_group 0 in epoch 2",
        "= 1 DeploymentFailed",
    ]
    assert made.events[-1]["data"] == {"code": "protectedVms", "settled": False}
    assert status.output == {
        "status": "failed",
        "reason": "web_1 is protected",
        "error": {"code": "protectedVms", "message": "web_1 is protected"},
    }


@pytest.mark.parametrize(
    ("activity", "events"), [("launch_green", 1), ("judge_batch", 2), ("detach_blue", 3), ("terminate_blue", 4)]
)
def test_failure_in_a_batch_raises_the_epoch_then_discards_restores_and_frees(
    stand: Make, activity: str, events: int
) -> None:
    made = stand(**{activity: [failed("why", "because")]})
    made.run()
    good = batch(1, 3)
    assert made.trace == [*PREPARED, *good[: good.index(f"{activity} 1") + 1], *put_back(1, 3 + events)]
    assert made.events[-1]["message"] == "Batch 1 of 2: because"
    assert made.events[-1]["data"] == {"code": "why", "settled": True}


def test_failure_that_leaves_more_vms_than_there_are_to_be_is_not_settled(stand: Make) -> None:
    made = stand(
        terminate_blue=[failed("why", "because")], discard_green=[done("they stay", discarded=0, surplus=True)]
    )
    made.run()
    assert made.events[-1]["data"] == {"code": "why", "settled": False}


def test_failure_on_a_set_that_was_not_in_order_before_is_not_settled(stand: Make) -> None:
    made = stand(
        prepare_deployment=[done("planned", batches=2, inherited=True, otherImage=True)],
        judge_batch=[failed("why", "because")],
    )
    made.run()
    assert made.events[-1]["data"] == {"code": "why", "settled": False}


def test_failure_that_cannot_be_put_back_says_so_and_still_frees_the_group(stand: Make) -> None:
    made = stand(
        judge_batch=[failed("why", "because")],
        discard_green=[failed("vmsNotDeleted", "they stay")],
        restore_image=[failed("scaleSetGone", "it is gone")],
    )
    made.run()
    assert made.trace[-8:] == [
        "raise_epoch 1",
        "save_evidence 1 in epoch 2",
        "discard_green 1 in epoch 2",
        "restore_image 0 in epoch 2",
        "= 6 ImageNotRestored",
        "take_stock 0 in epoch 2",
        "release_group 0 in epoch 2",
        "= 7 DeploymentFailed",
    ]
    assert made.events[-1]["data"] == {"code": "why", "settled": False}


TOLD = done("web-2 has it; 2 VMs launched")


@pytest.mark.parametrize("activity", ["launch_green", "terminate_blue", "apply_image"])
def test_lost_lock_ends_the_deployment_without_another_change(stand: Make, activity: str) -> None:
    made = stand(**{activity: [lock_lost("somebody else deploys")], "tell_changes": [TOLD]})
    made.run()
    after = made.trace[[line.split()[0] for line in made.trace].index(activity) + 1 :]
    assert [line.split()[-1] for line in after] == (
        ["0", "DeploymentFailed"] if activity == "apply_image" else ["BatchFailed", "0", "DeploymentFailed"]
    )
    assert made.events[-1]["message"].endswith("somebody else deploys; web-2 has it; 2 VMs launched")
    assert made.events[-1]["data"] == {"code": "lockLost", "settled": False}


def test_lock_lost_on_the_way_back_ends_there(stand: Make) -> None:
    made = stand(judge_batch=[failed("why", "because")], raise_epoch=[lock_lost("gone")])
    made.run()
    assert made.trace[-5:] == [
        "= 5 BatchFailed",
        "raise_epoch 1",
        "release_group 0",
        "tell_changes 0",
        "= 6 DeploymentFailed",
    ]
    assert made.events[-1]["data"] == {"code": "why", "settled": False}


def test_lock_that_is_lost_at_the_very_end_leaves_the_set_unsettled(stand: Make) -> None:
    made = stand(batches=1, restore_processes=[lock_lost("somebody else deploys")], tell_changes=[TOLD])
    assert made.run().output["status"] == "finished"
    assert made.events[-1]["data"]["settled"] is False
    assert made.events[-1]["message"].endswith(TOLD.reason)


def test_an_end_out_of_order_says_how_the_set_is_left(stand: Make) -> None:
    left = encode(StockAtEnd(5, 1, None, "one", VIRTUAL_START))
    script = {"judge_batch": [failed("why", "because")], "restore_image": [failed("scaleSetBusy", "busy")]}
    made = stand(**script, take_stock=[done("5 VMs left", left=left)])
    made.run()
    assert made.events[-1]["data"] == {"code": "why", "settled": False, "left": left}


def test_end_state_that_cannot_be_verified_restores_the_image_and_discards_nothing(stand: Make) -> None:
    made = stand(batches=1, verify_end=[failed("scaleSetGone", "it is gone")])
    made.run()
    assert made.trace[-7:] == [
        "verify_end 0",
        "raise_epoch 0",
        "restore_image 0 in epoch 2",
        "= 8 ImageRestored",
        "restore_processes 0 in epoch 2",
        "release_group 0 in epoch 2",
        "= 9 DeploymentFailed",
    ]


def test_events_go_on_from_the_last_that_the_rows_hold(stand: Make) -> None:
    made = stand(judge_batch=[failed("why", "because")], raise_epoch=[done("fenced", epoch=2, sequence=40)])
    made.run()
    assert [event["sequence"] for event in made.events[-3:]] == [41, 42, 43]


def test_step_that_is_done_may_ask_for_a_wait_before_the_next(stand: Make) -> None:
    made = stand(batches=1, launch_green=[Progress(StepState.DONE, "launched", after=timedelta(seconds=120))])
    made.run()
    assert made.waits() == [0, 0, 0, 120, 0, 0, 0, 0, 0]


def test_sick_green_vms_are_replaced_in_a_second_round_and_no_third(stand: Make) -> None:
    made = stand(batches=1, judge_batch=[done("half", replace=True), done("half again", replace=False)])
    made.run()
    assert made.trace[len(PREPARED) :] == [
        *batch(1, 3)[:5],
        "discard_sick 1 round 2",
        "= 6 SickGreenDiscarded",
        "launch_green 1 round 2",
        "= 7 BatchLaunched",
        "judge_batch 1 round 2",
        "= 8 BatchHealthy",
        "detach_blue 1 round 2",
        "= 9 BatchDetached",
        "terminate_blue 1 round 2",
        "= 10 BatchTerminated",
        "verify_end 0",
        "restore_processes 0",
        "release_group 0",
        "= 11 DeploymentFinished",
    ]


def test_gate_is_asked_before_each_batch_where_the_plan_says_so(stand: Make) -> None:
    plan = done("planned", batches=2, inherited=False, otherImage=True, gated=True)
    made = stand(prepare_deployment=[plan], check_group=[done("well"), failed("groupUnhealthy", "too many")])
    made.run()
    assert made.trace[len(PREPARED) :] == [
        "= 3 BatchStarted",
        "check_group 1",
        *batch(1, 3)[1:],
        "= 8 BatchStarted",
        "check_group 2",
        "= 9 BatchFailed",
        "raise_epoch 2",
        "save_evidence 2 in epoch 2",
        "discard_green 2 in epoch 2",
        "= 10 GreenDiscarded",
        "restore_image 0 in epoch 2",
        "= 11 ImageRestored",
        "restore_processes 0 in epoch 2",
        "release_group 0 in epoch 2",
        "= 12 DeploymentFailed",
    ]


def test_evidence_of_sick_vms_is_kept_before_they_are_replaced_and_before_they_are_retired(stand: Make) -> None:
    made = stand(batches=1, judge_batch=[done("half", sick=1, replace=True), done("half again", sick=1, replace=False)])
    made.run()
    assert [line for line in made.trace if not line.startswith("=")][3:] == [
        "launch_green 1",
        "judge_batch 1",
        "save_evidence 1",
        "discard_sick 1 round 2",
        "launch_green 1 round 2",
        "judge_batch 1 round 2",
        "save_evidence 1 round 2",
        "detach_blue 1 round 2",
        "terminate_blue 1 round 2",
        "verify_end 0",
        "restore_processes 0",
        "release_group 0",
    ]


def test_batch_without_sick_vms_is_asked_for_no_evidence(stand: Make) -> None:
    made = stand(judge_batch=[done("all healthy", healthy=2, sick=0, replace=False)])
    made.run()
    assert not [line for line in made.trace if line.startswith("save_evidence")]


def test_evidence_that_cannot_be_kept_stops_neither_a_good_batch_nor_the_way_back(stand: Make) -> None:
    lost = failed("stepFailed", "storage does not answer")
    good = stand(batches=1, judge_batch=[done("most", sick=1)], save_evidence=[lost])
    assert good.run().output == {"status": "finished", "reason": "done", "error": None}
    bad = stand(judge_batch=[failed("why", "because", sick=1)], save_evidence=[lost])
    bad.run()
    assert bad.events[-1]["data"] == {"code": "why", "settled": True}


def test_illegal_event_ends_the_deployment_once_in_order(stand: Make) -> None:
    made = stand(prepare_deployment=[BAKES_AND_ROLLS_BACK], illegal=frozenset({"BakeStarted"}))
    assert made.run().output["status"] == "failed"
    assert made.trace[made.trace.index("= 8 BakeStarted") + 1 :] == [
        "raise_epoch 1",
        "save_evidence 1 in epoch 2",
        "discard_green 1 in epoch 2",
        "= 9 GreenDiscarded",
        "restore_image 0 in epoch 2",
        "= 10 ImageRestored",
        "restore_processes 0 in epoch 2",
        "release_group 0 in epoch 2",
        "= 11 DeploymentFailed",
    ]
    assert made.events[-1]["data"]["code"] == "internalError"
    assert "a deployment that is queued cannot become baking (BakeStarted)" in made.events[-1]["message"]


def test_second_illegal_event_on_the_way_frees_the_group_and_writes_the_end_without_a_check(stand: Make) -> None:
    made = stand(prepare_deployment=[BAKES_AND_ROLLS_BACK], illegal=frozenset({"BakeStarted", "ImageRestored"}))
    assert made.run().output["status"] == "failed"
    assert made.trace[made.trace.index("= 10 ImageRestored") + 1 :] == [
        "release_group 0 in epoch 2",
        "= 11 DeploymentFailed unchecked",
    ]
    assert made.events[-1]["data"] == {"code": "internalError", "settled": False}


def test_end_that_does_not_follow_is_written_without_a_check(stand: Make) -> None:
    made = stand(illegal=frozenset({"DeploymentFinished", "DeploymentFailed"}))
    assert made.run().output["status"] == "failed"
    assert made.trace[-3:] == [
        "= 15 DeploymentFailed",
        "release_group 0 in epoch 2",
        "= 16 DeploymentFailed unchecked",
    ]
    assert [event["sequence"] for event in made.events] == list(range(1, 17))


def test_illegal_event_in_a_batch_is_handed_up_and_ends_the_deployment(stand: Make) -> None:
    pause = interrupted(Command(1, CommandKind.PAUSE, VIRTUAL_START, "alice"))
    made = stand(judge_batch=[pause], illegal=frozenset({"DeploymentPaused"}))
    made.run()
    assert made.trace[made.trace.index("= 5 DeploymentPaused") + 1 :] == put_back(1, 6)
    assert made.events[-1]["data"] == {"code": "internalError", "settled": True}


@pytest.mark.parametrize("broken", ["BatchStarted", "BatchLaunched"])
def test_event_that_cannot_be_written_at_all_ends_the_deployment_in_order(stand: Make, broken: str) -> None:
    made = stand(unwritable={broken: 12})
    made.run()
    assert made.events[-1]["type"] == "DeploymentFailed"
    assert made.events[-1]["data"] == {"code": "internalError", "settled": True}
    assert f"{broken} could not be written down: " in made.events[-1]["message"]
    assert [event["sequence"] for event in made.events] == list(range(1, len(made.events) + 1))


def test_recipe_that_fails_itself_puts_back_what_may_have_been_changed(stand: Make) -> None:
    made = stand(prepare_deployment=[done("planned", otherImage=True)], raise_epoch=[done("", epoch=2, sequence=1)])
    assert made.run().output["status"] == "failed"
    assert made.trace[-6:] == [
        "raise_epoch 0",
        "restore_image 0 in epoch 2",
        "= 2 ImageRestored",
        "restore_processes 0 in epoch 2",
        "release_group 0 in epoch 2",
        "= 3 DeploymentFailed",
    ]
    assert made.events[-1]["message"] == "A fault of Teal's own: KeyError: 'batches'"


SHOWN = ("status", "batch", "batches", "percent")
STOP = interrupted(Command(1, CommandKind.STOP, VIRTUAL_START, "alice"))


@pytest.mark.parametrize(
    ("script", "shown", "problem"),
    [
        ({}, ("finished", 4, 4, 100), None),
        ({"judge_batch": [done("healthy"), done("healthy"), failed("no", "x")]}, ("failed", 3, 4, 50), "no"),
        ({"judge_batch": [done("healthy"), STOP]}, ("stopped", 2, 4, 25), None),
    ],
)
def test_the_orchestration_s_own_status_stays_at_the_last_batch(
    stand: Make, script: dict[str, Any], shown: tuple[Any, ...], problem: str | None
) -> None:
    status = stand(batches=4, **script).run()
    assert tuple(status.custom_status[name] for name in SHOWN) == shown
    assert status.output["status"] == shown[0]
    assert (status.output["error"] or {}).get("code") == problem


def test_what_a_deployment_failed_of_is_told_when_it_is_rolled_back(stand: Make) -> None:
    made = stand(
        batches=4,
        prepare_deployment=[done("planned", batches=4, inherited=False, otherImage=True, onFailure="rollBack")],
        judge_batch=[done("healthy"), failed("tooFewHealthy", "1 of 2 is"), done("healthy")],
        plan_roll_back=[done("2 VMs to move back", batches=1, blue=2, first=5)],
    )
    status = made.run()
    assert tuple(status.custom_status[name] for name in SHOWN) == ("rolledBack", 5, 5, 100)
    assert status.output["error"] == {"code": "tooFewHealthy", "message": "Batch 2 of 4: 1 of 2 is"}
