"""The recipe that puts in order what a deployment left: its steps in their order, and what it does not do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rollout.model.order import Progress, done, failed, lock_lost
from rollout.model.status import Status

Stands = Callable[..., Any]
FirstRun = Callable[..., Any]


def reclaimed(**data: Any) -> Progress:
    """What ``reclaim`` answers of a live deployment in the middle of a batch."""
    known = {"ended": False, "planned": True, "open": True, "discard": 0, "batches": 3}
    return done("it was inProgress", epoch=5, sequence=7, **(known | data))


def restore(made: Any, first_run: FirstRun, **changes: Any) -> Any:
    """Run the recipe; its output."""
    run = first_run(**({"batch": 2, "batches": 3, "changed": True, "steered": False} | changes))
    status = made.run("restore_group", run)
    assert status.status == "Completed"
    return status.output


def test_everything_is_put_in_order_in_the_next_epoch_and_the_end_comes_before_the_release(
    stand: Stands, first_run: FirstRun
) -> None:
    made = stand(reclaim=[reclaimed()], settle_vms=[done("2 VMs remain")])
    assert restore(made, first_run)["status"] == Status.FAILED
    assert made.trace == [
        "reclaim 2",
        "= 8 BatchFailed",
        "restore_image 0 in epoch 5",
        "= 9 ImageRestored",
        "restore_processes 0 in epoch 5",
        "settle_vms 0 in epoch 5",
        "take_stock 0 in epoch 5",
        "= 10 DeploymentFailed",
        "release_group 0 in epoch 5",
    ]
    assert made.events[-1]["message"] == "it was inProgress; 2 VMs remain"
    assert made.events[-1]["data"] == {"code": "orchestratorLost", "settled": False}


def test_an_image_that_cannot_be_put_back_keeps_everything_held(stand: Stands, first_run: FirstRun) -> None:
    made = stand(reclaim=[reclaimed()], restore_image=[failed("AuthorizationFailed", "no right")])
    restore(made, first_run)
    assert not [step for step in made.trace if step.startswith("restore_processes")]
    assert [event["type"] for event in made.events] == ["BatchFailed", "ImageNotRestored", "DeploymentFailed"]
    assert made.trace[-1] == "release_group 0 in epoch 5"


def test_what_was_held_of_a_set_that_is_gone_is_forgotten(stand: Stands, first_run: FirstRun) -> None:
    made = stand(reclaim=[reclaimed()], restore_image=[failed("scaleSetGone", "no such set")])
    restore(made, first_run)
    assert "restore_processes 0 in epoch 5" in made.trace


def test_what_was_never_planned_has_no_image_to_restore_and_no_vms(stand: Stands, first_run: FirstRun) -> None:
    made = stand(reclaim=[reclaimed(planned=False, open=False)])
    restore(made, first_run, batch=0, batches=0, changed=False)
    assert made.trace == [
        "reclaim 0",
        "restore_processes 0 in epoch 5",
        "= 8 DeploymentFailed",
        "release_group 0 in epoch 5",
    ]


@pytest.mark.parametrize("step", ["reclaim", "restore_image", "restore_processes"])
def test_where_another_deployment_has_the_lock_nothing_more_is_done_or_told(
    stand: Stands, first_run: FirstRun, step: str
) -> None:
    script = {"reclaim": [reclaimed(open=False)], step: [lock_lost("taken over")]}
    made = stand(**script)
    assert restore(made, first_run)["reason"] == "taken over"
    assert made.trace[-1].startswith(step)
    assert "DeploymentFailed" not in [event["type"] for event in made.events]


def test_what_an_ended_deployment_kept_goes_before_what_was_held_comes_back(stand: Stands, first_run: FirstRun) -> None:
    made = stand(reclaim=[reclaimed(ended=True, open=False, discard=3)])
    assert restore(made, first_run, batch=0, changed=False)["status"] == Status.FINISHED
    assert made.trace == [
        "reclaim 0",
        "discard_green 3 in epoch 5",
        "= 8 KeptGreenDiscarded",
        "restore_processes 0 in epoch 5",
        "release_group 0 in epoch 5",
    ]


def test_vms_that_do_not_go_leave_the_journal_as_it_is(stand: Stands, first_run: FirstRun) -> None:
    kept = reclaimed(ended=True, open=False, discard=3)
    made = stand(reclaim=[kept], discard_green=[failed("vmsNotDeleted", "still there")])
    assert restore(made, first_run, batch=0, changed=False)["reason"] == "still there"
    assert [step.split()[0] for step in made.trace] == ["reclaim", "discard_green", "release_group"]


def test_what_goes_after_the_end_is_told_in_the_epoch_of_who_acts(stand: Stands, first_run: FirstRun) -> None:
    answers = {
        "discard_green": [done("2 VMs deleted", discarded=2)],
        "restore_processes": [done("Restored: autoscale")],
    }
    made = stand(reclaim=[reclaimed(ended=True, open=False, discard=3)], **answers)
    restore(made, first_run, batch=0, batches=0, changed=False)
    said = [(event["type"], event["batch"], event["message"]) for event in made.events]
    assert said == [
        ("KeptGreenDiscarded", 3, "Batch 3 of 3: 2 VMs deleted"),
        ("KeptProcessesRestored", None, "Restored: autoscale"),
    ]


def test_every_order_says_who_acts(stand: Stands, first_run: FirstRun) -> None:
    made = stand(reclaim=[reclaimed()])
    restore(made, first_run, acting="d:restore-1")
    assert set(made.actors) == {"d:restore-1"}


def test_end_that_does_not_follow_is_written_without_a_check(stand: Stands, first_run: FirstRun) -> None:
    made = stand(reclaim=[reclaimed()], illegal=frozenset({"DeploymentFailed"}))
    assert restore(made, first_run)["status"] == Status.FAILED
    assert made.trace[-3:] == [
        "= 10 DeploymentFailed",
        "release_group 0 in epoch 5",
        "= 11 DeploymentFailed unchecked",
    ]
