"""What a wait is for, and whether it is over: pure decisions over what the API says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from teal_cli.exits import OF_STATUS, Exit

if TYPE_CHECKING:
    from teal_cli.api.models import Batch, Deployment

_GATE = "awaitingApproval"


class AtGate(StrEnum):
    """What a wait does at a gate, where a person must approve."""

    FAIL = "fail"
    SUCCEED = "succeed"
    WAIT = "wait"


class OnCancel(StrEnum):
    """What becomes of the deployment when the command is interrupted."""

    LEAVE = "leave"
    PAUSE = "pause"
    STOP = "stop"


@dataclass(frozen=True)
class Goal:
    """``finished``, ``awaitingApproval``, ``batch`` with its number, or ``canary``."""

    kind: str = "finished"
    batch: int = 0

    @property
    def needs_batches(self) -> bool:
        """Whether the batches have to be read to know."""
        return self.kind in ("batch", "canary")

    def __str__(self) -> str:
        return f"batch={self.batch}" if self.kind == "batch" else self.kind


def parse_goal(text: str) -> Goal:
    """``ValueError`` says what would be understood."""
    if text in ("finished", _GATE, "canary"):
        return Goal(text)
    found = re.fullmatch(r"batch=([1-9]\d{0,3})", text, re.ASCII)
    if found is None:
        raise ValueError(f"{text!r} is none of finished, awaitingApproval, batch=2, canary")
    return Goal("batch", int(found[1]))


def over(goal: Goal, at_gate: AtGate, deployment: Deployment, batches: Sequence[Batch] = ()) -> Exit | None:
    """The code with which the wait is over, or ``None`` while it goes on.

    A deployment that has finished has passed every gate and batch. One that ended otherwise never will.
    """
    ended = OF_STATUS.get(deployment["status"])
    if ended is not None:
        return Exit.FINISHED if _reached(goal, batches) else ended
    at_a_gate = deployment["status"] == _GATE
    if _reached(goal, batches) or (goal.kind == _GATE and at_a_gate):
        return Exit.FINISHED
    if at_a_gate and at_gate is not AtGate.WAIT:
        return Exit.WAITS if at_gate is AtGate.FAIL else Exit.FINISHED
    return None


def _reached(goal: Goal, batches: Sequence[Batch]) -> bool:
    done = [batch for batch in batches if batch["phase"] == "terminated" and not batch["back"]]
    if goal.kind == "batch":
        return any(batch["number"] == goal.batch for batch in done)
    return goal.kind == "canary" and any(batch["canary"] for batch in done)
