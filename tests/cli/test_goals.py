"""When a wait is over, and with which code."""

from __future__ import annotations

from typing import Any

import pytest

from teal_cli.exits import Exit
from teal_cli.wait.goals import AtGate, Goal, over, parse_goal
from tests.cli.builders import batch, deployment

FINISHED, GATE, BATCH_2, CANARY = (parse_goal(text) for text in ("finished", "awaitingApproval", "batch=2", "canary"))
DONE_2 = [batch(1, "terminated"), batch(2, "terminated"), batch(3, "launched")]
BACK_2 = [batch(2, "terminated", back=True)]
CANARY_DONE = [batch(1, "terminated", canary=True)]

TABLE = [
    (FINISHED, AtGate.FAIL, "inProgress", [], None),
    (FINISHED, AtGate.FAIL, "paused", [], None),
    (FINISHED, AtGate.FAIL, "finished", [], Exit.FINISHED),
    (FINISHED, AtGate.FAIL, "failed", [], Exit.FAILED),
    (FINISHED, AtGate.FAIL, "stopped", [], Exit.STOPPED),
    (FINISHED, AtGate.FAIL, "rolledBack", [], Exit.ROLLED_BACK),
    (FINISHED, AtGate.FAIL, "awaitingApproval", [], Exit.WAITS),
    (FINISHED, AtGate.SUCCEED, "awaitingApproval", [], Exit.FINISHED),
    (FINISHED, AtGate.WAIT, "awaitingApproval", [], None),
    (GATE, AtGate.FAIL, "awaitingApproval", [], Exit.FINISHED),
    (GATE, AtGate.FAIL, "inProgress", [], None),
    (GATE, AtGate.FAIL, "finished", [], Exit.FINISHED),
    (GATE, AtGate.FAIL, "failed", [], Exit.FAILED),
    (BATCH_2, AtGate.FAIL, "inProgress", DONE_2, Exit.FINISHED),
    (BATCH_2, AtGate.FAIL, "inProgress", DONE_2[:1], None),
    (BATCH_2, AtGate.FAIL, "rollingBack", BACK_2, None),
    (BATCH_2, AtGate.FAIL, "failed", DONE_2, Exit.FINISHED),
    (BATCH_2, AtGate.FAIL, "failed", DONE_2[:1], Exit.FAILED),
    (BATCH_2, AtGate.FAIL, "awaitingApproval", DONE_2[:1], Exit.WAITS),
    (CANARY, AtGate.FAIL, "awaitingApproval", CANARY_DONE, Exit.FINISHED),
    (CANARY, AtGate.FAIL, "inProgress", DONE_2, None),
]


@pytest.mark.parametrize(("goal", "at_gate", "status", "batches", "code"), TABLE)
def test_a_wait_is_over(goal: Goal, at_gate: AtGate, status: str, batches: list[Any], code: Exit | None) -> None:
    assert over(goal, at_gate, deployment(status=status), batches) is code


@pytest.mark.parametrize("text", ["", "batch", "batch=0", "batch=x", "batch=12345", "done", "Finished"])
def test_other_goals_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is none of"):
        parse_goal(text)


def test_a_goal_is_shown_as_it_is_given() -> None:
    assert [str(goal) for goal in (FINISHED, GATE, BATCH_2, CANARY)] == [
        *("finished", "awaitingApproval", "batch=2", "canary")
    ]
