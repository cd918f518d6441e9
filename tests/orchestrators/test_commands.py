"""What recipes do about commands: pause and go on, ask and wait, stop, roll back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from local.clock import VIRTUAL_START
from rollout.model.codec import Json, encode
from rollout.model.order import BakePeriod, Progress, StepState, again, done, failed, interrupted
from rollout.model.rows.commands import Command, CommandKind

pytestmark = pytest.mark.slow

Make = Callable[..., Any]


def told(kind: CommandKind, number: int = 1) -> Progress:
    """The progress of a step that this command interrupts."""
    return interrupted(Command(number, kind, VIRTUAL_START, "alice"))


PAUSE, STOP, ROLL_BACK = told(CommandKind.PAUSE), told(CommandKind.STOP), told(CommandKind.ROLL_BACK)


def planned(batches: int = 2, **more: Any) -> list[Progress]:
    """The answer of ``prepare_deployment``."""
    return [done("planned", batches=batches, inherited=False, otherImage=True, **more)]


def baking(batch: int) -> Json:
    """What the plan says of a batch after which the green VMs are watched."""
    said: Json = encode(BakePeriod(batch, timedelta(minutes=5), "so it was asked for"))
    return said


def test_paused_step_is_taken_up_again_after_the_resume(stand: Make) -> None:
    made = stand(batches=1, judge_batch=[PAUSE, done("healthy")], await_resume=[done("resume by bob", heard=2)])
    status = made.run()
    where = made.trace.index("judge_batch 1")
    assert made.trace[where : where + 6] == [
        "judge_batch 1",
        "= 5 DeploymentPaused",
        "await_resume 1",
        "= 6 DeploymentResumed",
        "judge_batch 1",
        "= 7 BatchHealthy",
    ]
    assert status.output["status"] == "finished"
    assert made.heard["judge_batch"] == [0, 2]


def test_pause_may_come_again(stand: Make) -> None:
    made = stand(
        batches=1,
        judge_batch=[PAUSE, told(CommandKind.PAUSE, 3), done("healthy")],
        await_resume=[done("resume", heard=2), done("resume", heard=4)],
    )
    assert made.run().output["status"] == "finished"
    assert made.heard["judge_batch"] == [0, 2, 4]


@pytest.mark.parametrize("step", ["judge_batch", "bake", "await_approval"])
def test_however_often_a_step_is_paused_no_history_grows(stand: Make, step: str) -> None:
    pauses = range(1, 30, 2)
    answers = {
        "prepare_deployment": planned(bakes=[baking(1)], approvals=[1]),
        step: [*(told(CommandKind.PAUSE, number) for number in pauses), done("done")],
    }
    made = stand(**answers, await_resume=[done("resume", heard=number + 1) for number in pauses])
    assert made.run().output["status"] == "finished"
    assert sum("DeploymentResumed" in line for line in made.trace) == len(pauses)
    assert max(one.events for one in made.durable.executions) < 80


@pytest.mark.parametrize("step", ["prepare_deployment", "launch_green", "terminate_blue", "bake"])
def test_pause_is_possible_at_every_step(stand: Make, step: str) -> None:
    plan = planned(1, bakes=[baking(1)])
    answers = {"prepare_deployment": plan, step: [PAUSE, *(plan if step == "prepare_deployment" else [done("done")])]}
    made = stand(**answers, await_resume=[done("resume by bob", heard=2)])
    assert made.run().output["status"] == "finished"
    assert sum(line.startswith(step) for line in made.trace) == 2


@pytest.mark.parametrize(
    ("decided", "end"), [(CommandKind.STOP, "DeploymentStopped"), (CommandKind.ROLL_BACK, "DeploymentRolledBack")]
)
def test_paused_deployment_may_be_stopped_or_rolled_back(stand: Make, decided: CommandKind, end: str) -> None:
    made = stand(
        judge_batch=[PAUSE],
        await_resume=[told(decided, 2)],
        plan_roll_back=[done("nothing retired", batches=0, blue=0, first=0)],
    )
    made.run()
    assert made.trace[-1].endswith(end)
    assert not any("BatchFailed" in line for line in made.trace)


@pytest.mark.parametrize("step", ["launch_green", "judge_batch", "detach_blue", "terminate_blue"])
def test_stop_leaves_the_vms_and_puts_the_image_back(stand: Make, step: str) -> None:
    made = stand(**{step: [STOP]}, settle_vms=[done("stopped with 8 blue VMs and 2 green VMs")])
    made.run()
    after = made.trace[made.trace.index(f"{step} 1") + 1 :]
    assert [line for line in after if not line.startswith("=")] == [
        "raise_epoch 0",
        "settle_vms 0 in epoch 2",
        "restore_image 0 in epoch 2",
        "restore_processes 0 in epoch 2 keeping",
        "take_stock 0 in epoch 2 keeping",
        "release_group 0 in epoch 2 keeping",
    ]
    assert made.events[-1]["message"] == "stopped with 8 blue VMs and 2 green VMs (stop by alice)"
    assert made.events[-1]["data"] == {"settled": False}


@pytest.mark.parametrize("command", [CommandKind.STOP, CommandKind.ROLL_BACK])
def test_without_the_lock_the_end_says_what_was_changed(stand: Make, command: CommandKind) -> None:
    made = stand(
        terminate_blue=[told(command)],
        raise_epoch=[Progress(StepState.LOCK_LOST, "not held", "lockLost")],
        tell_changes=[done("web-2 has it; 2 VMs launched")],
    )
    made.run()
    asked = [line for line in made.trace if not line.startswith("=")]
    assert asked[asked.index("raise_epoch 0" if command is CommandKind.STOP else "raise_epoch 1") + 1 :] in (
        ["tell_changes 0"],
        ["release_group 0", "tell_changes 0"],
    )
    assert made.events[-1]["message"].endswith("; web-2 has it; 2 VMs launched")
    assert made.events[-1]["data"]["settled"] is False
    assert made.events[-1]["data"].get("code", "lockLost") == "lockLost"


def test_stop_before_anything_was_changed_leaves_nothing_to_put_back(stand: Make) -> None:
    made = stand(prepare_deployment=[STOP])
    made.run()
    assert made.trace == [
        "prepare_deployment 0",
        "= 1 DeploymentStopping",
        "raise_epoch 0",
        "release_group 0 in epoch 2",
        "= 2 DeploymentStopped",
    ]
    assert made.events[-1]["data"] == {"settled": True}


def test_queued_deployment_that_is_taken_back_ends_without_a_turn(stand: Make, first_run: Callable[..., Any]) -> None:
    made = stand(take_turn=[STOP], raise_epoch=[Progress(StepState.LOCK_LOST, "not held", "lockLost")])
    made.run(order={**first_run(), "epoch": 0})
    assert made.trace[-1].endswith("DeploymentStopped")
    assert not any(line.startswith(("prepare", "release", "restore")) for line in made.trace)


def test_queued_deployment_begins_when_it_has_its_turn(stand: Make, first_run: Callable[..., Any]) -> None:
    made = stand(batches=0, take_turn=[again(timedelta(seconds=15), "waiting"), done("its turn", epoch=7)])
    made.run(order={**first_run(), "epoch": 0})
    assert made.trace[:4] == ["take_turn 0", "take_turn 0", "= 1 TurnTaken", "prepare_deployment 0 in epoch 7"]


def test_roll_back_discards_the_batch_and_brings_the_others_back(stand: Make) -> None:
    made = stand(
        batches=3,
        judge_batch=[done("healthy"), ROLL_BACK, done("healthy")],
        plan_roll_back=[done("2 VMs to move back", batches=1, blue=2, first=4)],
    )
    status = made.run()
    where = made.trace.index("judge_batch 2")
    assert [line for line in made.trace[where + 1 :] if not line.startswith("=")] == [
        "raise_epoch 2",
        "check_way_back 2 in epoch 2",
        "save_evidence 2 in epoch 2",
        "discard_green 2 in epoch 2",
        "restore_image 0 in epoch 2",
        "plan_roll_back 0 in epoch 2",
        "launch_green 4 in epoch 2",
        "judge_batch 4 in epoch 2",
        "detach_blue 4 in epoch 2",
        "terminate_blue 4 in epoch 2",
        "verify_end 0 in epoch 2",
        "restore_processes 0 in epoch 2",
        "release_group 0 in epoch 2",
    ]
    assert status.output["status"] == "rolledBack"
    assert made.events[-1]["type"] == "DeploymentRolledBack"


def test_failure_rolls_back_where_that_was_asked_for(stand: Make) -> None:
    made = stand(
        prepare_deployment=planned(2, onFailure="rollBack"),
        judge_batch=[done("healthy"), failed("batchUnhealthy", "0 of 2"), done("healthy")],
        plan_roll_back=[done("2 VMs to move back", batches=1, blue=2, first=3)],
    )
    assert made.run().output["status"] == "rolledBack"
    begun = next(event for event in made.events if event["type"] == "DeploymentRollingBack")
    assert begun["data"] == {"heard": 0, "by": "", "code": "batchUnhealthy", "cause": "Batch 2 of 2: 0 of 2"}


def test_failed_roll_back_fails_and_does_not_begin_again(stand: Make) -> None:
    made = stand(
        prepare_deployment=planned(2, onFailure="rollBack"),
        judge_batch=[done("healthy"), failed("batchUnhealthy", "0 of 2")],
        plan_roll_back=[done("2 VMs to move back", batches=1, blue=2, first=3)],
        raise_epoch=[done("fenced", epoch=2, sequence=0), done("fenced", epoch=3, sequence=0)],
    )
    assert made.run().output["status"] == "failed"
    assert sum(line.startswith("plan_roll_back") for line in made.trace) == 1
    assert made.trace[-1].endswith("DeploymentFailed")
    assert "discard_green 3 in epoch 3" in made.trace
    assert made.events[-1]["data"]["settled"] is False


def test_roll_back_because_of_a_lost_batch_writes_over_none_of_its_events(stand: Make) -> None:
    made = stand(
        prepare_deployment=planned(2, onFailure="rollBack"),
        judge_batch=[again(timedelta(hours=1), "waiting")],
        plan_roll_back=[done("nothing retired", batches=0, blue=0, first=0)],
        # The lost batch had written up to event 9, and told of 3.
        raise_epoch=[done("fenced", epoch=2, sequence=9)],
    )
    made.at(timedelta(minutes=5), lambda durable: durable.terminate("d:batch-1", "by hand"))
    made.run()
    assert made.events[-1]["type"] == "DeploymentRolledBack"
    (back,) = [event for event in made.events if event["type"] == "DeploymentRollingBack"]
    assert back["sequence"] == 10
    assert made.trace.index("raise_epoch 1") < made.trace.index("= 10 DeploymentRollingBack")


@pytest.mark.parametrize(
    ("answers", "code", "words"),
    [
        ({"check_way_back": [failed("previousImageGone", "It is gone")]}, "previousImageGone", "It is gone (0 of 2)"),
        ({"restore_image": [failed("Refused", "Azure refused")]}, "Refused", "Azure refused (0 of 2)"),
    ],
)
def test_an_end_that_could_not_go_back_says_why(stand: Make, answers: Any, code: str, words: str) -> None:
    made = stand(
        prepare_deployment=planned(2, onFailure="rollBack"),
        judge_batch=[done("healthy"), failed("batchUnhealthy", "0 of 2")],
        **answers,
    )
    end = made.run().output
    assert (end["status"], end["reason"]) == ("failed", f"cannot be rolled back: {words}")
    assert end["error"]["code"] == code
    assert not any(line.startswith("plan_roll_back") for line in made.trace)


def test_roll_back_may_be_stopped(stand: Make) -> None:
    made = stand(
        judge_batch=[done("healthy"), ROLL_BACK, told(CommandKind.STOP, 2)],
        plan_roll_back=[done("2 VMs to move back", batches=1, blue=2, first=3)],
        raise_epoch=[done("fenced", epoch=2, sequence=0), done("fenced", epoch=3, sequence=0)],
    )
    assert made.run().output["status"] == "stopped"


def test_without_the_previous_image_nothing_is_rolled_back(stand: Make) -> None:
    made = stand(judge_batch=[ROLL_BACK], restore_image=[failed("scaleSetBusy", "busy")])
    assert made.run().output["status"] == "failed"
    assert not any(line.startswith(("plan_roll_back", "restore_processes")) for line in made.trace)


def asking(**script: list[Progress]) -> dict[str, list[Progress]]:
    """The answers of a deployment with a gate behind its first batch of two."""
    return {"prepare_deployment": planned(2, approvals=[1]), **script}


def gate_of(made: Any) -> list[str]:
    """What came between the first batch and the second."""
    facts = [event["type"] for event in made.events]
    return facts[facts.index("BatchTerminated") + 1 : facts.index("BatchStarted", 5)]


OPEN = ["ApprovalAwaited", "DeploymentApproved"]


def test_pause_before_a_gate_holds_the_gate_up(stand: Make) -> None:
    made = stand(
        **asking(
            heed_commands=[PAUSE, done("nothing")],
            await_resume=[done("resume", heard=2)],
            await_approval=[done("approve", heard=3)],
        )
    )
    assert made.run().output["status"] == "finished"
    assert gate_of(made) == ["DeploymentPaused", "DeploymentResumed", *OPEN]


def test_pause_that_came_while_the_gate_opened_opens_it_anew(stand: Make) -> None:
    made = stand(
        **asking(
            await_approval=[PAUSE, told(CommandKind.PAUSE, 3), done("approve", heard=5)],
            await_resume=[done("resume", heard=2), done("resume", heard=4)],
        )
    )
    assert made.run().output["status"] == "finished"
    paused = ["ApprovalAwaited", "DeploymentPaused", "DeploymentResumed"]
    assert gate_of(made) == [*paused, *paused, *OPEN]


@pytest.mark.parametrize(
    ("decided", "end"), [(CommandKind.STOP, "DeploymentStopped"), (CommandKind.ROLL_BACK, "DeploymentRolledBack")]
)
@pytest.mark.parametrize("step", ["heed_commands", "await_approval"])
def test_pause_at_a_gate_may_end_otherwise(stand: Make, step: str, decided: CommandKind, end: str) -> None:
    plan = [done("nothing retired", batches=0, blue=0, first=0)]
    made = stand(**asking(**{step: [PAUSE]}, await_resume=[told(decided, 2)], plan_roll_back=plan))
    made.run()
    assert made.trace[-1].endswith(end)


def test_failed_batch_is_kept_where_that_was_asked_for(stand: Make) -> None:
    made = stand(
        prepare_deployment=planned(2, onFailure="keep"),
        judge_batch=[failed("batchUnhealthy", "0 of 2")],
        keep_green=[done("2 green VMs stay", kept=2, surplus=True)],
    )
    made.run()
    assert "keep_green 1 in epoch 2" in made.trace
    assert "restore_processes 0 in epoch 2 keeping" in made.trace
    assert not any(line.startswith("discard_green") for line in made.trace)
    assert made.events[-1]["data"] == {"code": "batchUnhealthy", "settled": False}


def approvals(made: Any) -> list[str]:
    """Which batches had ended when approval was asked for."""
    return [line for line in made.trace if line.startswith(("await_approval", "bake"))]


@pytest.mark.parametrize(
    ("plan", "asked"),
    [
        ({"approvals": [1]}, ["await_approval 1"]),
        ({"approvals": [2]}, ["await_approval 2"]),
        ({"approvesEvery": True}, ["await_approval 1", "await_approval 2"]),
        ({"approvals": [3]}, []),
        ({"bakes": [baking(1)], "approvals": [1]}, ["bake 1", "await_approval 1"]),
        ({"bakes": [baking(3)]}, ["bake 3"]),
        ({"bakes": [baking(1), baking(3)]}, ["bake 1", "bake 3"]),
    ],
)
def test_gates_and_bakes_are_where_the_plan_has_them(stand: Make, plan: dict[str, Any], asked: list[str]) -> None:
    made = stand(prepare_deployment=planned(3, **plan))
    assert made.run().output["status"] == "finished"
    assert approvals(made) == asked


def test_approval_of_all_gates_asks_no_more(stand: Make) -> None:
    made = stand(
        prepare_deployment=planned(3, approvesEvery=True), await_approval=[done("approve by bob", heard=1, all=True)]
    )
    made.run()
    assert approvals(made) == ["await_approval 1"]


def test_gate_tells_until_when_it_waits_and_what_then(stand: Make) -> None:
    made = stand(prepare_deployment=planned(2, approvals=[1]))
    made.run()
    asked = next(event for event in made.events if event["type"] == "ApprovalAwaited")
    assert asked["data"]["action"] == "stop"
    assert asked["data"]["deadline"] > asked["at"]


def test_sick_bake_fails_the_deployment(stand: Make) -> None:
    made = stand(
        prepare_deployment=planned(2, bakes=[baking(1)]), bake=[failed("unhealthyWhileBaking", "0 of 1 healthy")]
    )
    made.run()
    assert made.events[-1]["data"]["code"] == "unhealthyWhileBaking"
    assert "launch_green 2" not in made.trace


def test_wait_that_listens_is_cut_short_by_the_event_of_its_look(stand: Make) -> None:
    listening = replace(again(timedelta(hours=1), "waiting"), listen=True)
    made = stand(batches=1, terminate_blue=[listening, done("gone")])
    made.at(
        timedelta(minutes=5), lambda durable: durable.raise_event("d:batch-1:terminate_blue-e1", "wake-0", '"hello"')
    )
    made.run()
    assert max(made.waits()) == 300


def test_wait_that_does_not_listen_is_not_cut_short(stand: Make) -> None:
    made = stand(batches=1, terminate_blue=[again(timedelta(hours=1), "waiting"), done("gone")])
    made.at(
        timedelta(minutes=5), lambda durable: durable.raise_event("d:batch-1:terminate_blue-e1", "wake-0", '"hello"')
    )
    made.run()
    assert max(made.waits()) == 3600
