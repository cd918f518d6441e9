"""Commands of a person or a pipeline to a running deployment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rollout.model.status import Status
from rollout.model.words import plain


class CommandKind(StrEnum):
    """The verbs of the API."""

    PAUSE = "pause"
    RESUME = "resume"
    APPROVE = "approve"
    STOP = "stop"
    ROLL_BACK = "rollBack"


class Action(StrEnum):
    """What becomes of a deployment that waits for a person in vain."""

    APPROVE = "approve"
    STOP = "stop"
    ROLL_BACK = "rollBack"


class CommandOutcome(StrEnum):
    """How a command ended: it was acted on, or the deployment had gone on, or ended, before that."""

    DONE = "done"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True)
class CommandEnd:
    """When a command ended, and how."""

    at: datetime
    as_: CommandOutcome


@dataclass(frozen=True)
class Command:
    """One row of the commands table. ``number`` counts the deployment's commands from 1.

    ``all_gates``: an approval of this gate and of all that follow. ``accepted_after``: the number of the deployment's
    last event when the command was accepted, so that one for a gate is told from one that came before it. ``heeded``:
    what became of it; ``None``, it is still to be acted on.
    """

    number: int
    kind: CommandKind
    at: datetime
    by: str = ""
    comment: str = ""
    all_gates: bool = False
    accepted_after: int | None = None
    heeded: CommandEnd | None = None
    schema_version: int = 1

    @property
    def overtaken(self) -> bool:
        """Whether nobody will act on it any more."""
        return self.heeded is not None and self.heeded.as_ is CommandOutcome.OVERTAKEN

    @property
    def words(self) -> str:
        """Who said it, and why: ``by alice: wrong config``."""
        return plain(f"by {self.by or 'somebody'}" + (f": {self.comment}" if self.comment else ""))


@dataclass(frozen=True)
class PendingDecision:
    """What the deployment waits for a person to say: until ``deadline``, then ``action`` is taken.

    ``asked`` is ``approve`` at a gate and ``resume`` in a pause.
    """

    asked: CommandKind
    since: datetime
    deadline: datetime
    action: Action


@dataclass(frozen=True)
class CommandStanding:
    """Where a deployment stands, as far as commands go.

    ``heard``: the number of the last command that it acted on. ``gate``: the number of the event that opened the gate
    at which it waits. ``paused_from``: what it goes back to after a pause.
    """

    status: Status
    heard: int = 0
    gate: int = 0
    paused_from: Status = Status.IN_PROGRESS


def resumed_to(status: Status) -> Status:
    """What a deployment that is paused where it is ``status`` goes back to: the gate before it opened."""
    return Status.IN_PROGRESS if status is Status.AWAITING_APPROVAL else status
