"""What a person or a pipeline says to a running deployment, and when it makes sense."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rollout.status import Status


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


@dataclass(frozen=True)
class Command:
    """One row of the commands table. ``number`` counts the deployment's commands from 1.

    ``all_gates``: an approval of this gate and of all that follow.
    """

    number: int
    kind: CommandKind
    at: datetime
    by: str = ""
    comment: str = ""
    all_gates: bool = False
    schema_version: int = 1

    @property
    def words(self) -> str:
        """Who said it, and why: ``by alice: wrong config``."""
        return f"by {self.by or 'somebody'}" + (f": {self.comment}" if self.comment else "")


@dataclass(frozen=True)
class Decision:
    """What the deployment waits for a person to say: until ``deadline``, then ``action`` is taken.

    ``asked`` is ``approve`` at a gate and ``resume`` in a pause.
    """

    asked: CommandKind
    since: datetime
    deadline: datetime
    action: Action


#: In which status a command makes sense.
_SENSE: Mapping[CommandKind, frozenset[Status]] = {
    CommandKind.PAUSE: frozenset({Status.PENDING, Status.IN_PROGRESS, Status.BAKING}),
    CommandKind.RESUME: frozenset({Status.PAUSED}),
    CommandKind.APPROVE: frozenset({Status.AWAITING_APPROVAL}),
    CommandKind.STOP: frozenset(
        {
            Status.QUEUED,
            Status.PENDING,
            Status.IN_PROGRESS,
            Status.PAUSED,
            Status.AWAITING_APPROVAL,
            Status.BAKING,
            Status.ROLLING_BACK,
        }
    ),
    CommandKind.ROLL_BACK: frozenset({Status.IN_PROGRESS, Status.PAUSED, Status.AWAITING_APPROVAL, Status.BAKING}),
}

#: What a command that is still to be heeded makes of a deployment, as far as the next one is concerned.
_LEADS_TO: Mapping[CommandKind, Status] = {
    CommandKind.PAUSE: Status.PAUSED,
    CommandKind.RESUME: Status.IN_PROGRESS,
    CommandKind.APPROVE: Status.IN_PROGRESS,
    CommandKind.STOP: Status.STOPPING,
    CommandKind.ROLL_BACK: Status.ROLLING_BACK,
}


def objection(kind: CommandKind, status: Status, unheeded: Sequence[Command]) -> str:
    """Why the command makes no sense now; empty where it does.

    ``unheeded`` are the commands that the deployment was given and has not acted on yet: a resume makes sense after a
    pause that is still to take effect. After such a pause nothing stands against a stop.

    >>> objection(CommandKind.RESUME, Status.IN_PROGRESS, ())
    'The deployment is inProgress, and only one that is paused can be given resume'
    """
    expected = status
    for command in unheeded:
        if expected in _SENSE[command.kind]:
            expected = _LEADS_TO[command.kind]
    if expected in _SENSE[kind]:
        return ""
    allowed = " or ".join(one for one in Status if one in _SENSE[kind])
    told = f"The deployment is {status}"
    if expected is not status and unheeded:
        told += f" and about to heed {unheeded[-1].kind}"
    return f"{told}, and only one that is {allowed} can be given {kind}"


def unheeded(commands: Iterable[Command], heard: int) -> tuple[Command, ...]:
    """The commands after number ``heard``, which the deployment has not acted on yet."""
    return tuple(command for command in commands if command.number > heard)


def to_heed(commands: Iterable[Command], heard: int, status: Status) -> Command | None:
    """The first command after number ``heard`` that a deployment on its way must act on.

    Those that make no sense any more, because an earlier one or the time came between, are passed over.
    """
    on_its_way = (CommandKind.PAUSE, CommandKind.STOP, CommandKind.ROLL_BACK)
    later = (command for command in commands if command.number > heard)
    return next((one for one in later if one.kind in on_its_way and status in _SENSE[one.kind]), None)


@dataclass(frozen=True)
class Answer:
    """What ends a wait for a person: ``action``, why, and the number of the last command that was heard."""

    action: Action
    reason: str
    heard: int
    all_gates: bool = False


def answer(
    asked: CommandKind, commands: Iterable[Command], heard: int, decision: Decision, now: datetime
) -> Answer | None:
    """What a person, or else the deadline, has decided; ``None``: nothing yet.

    Only commands after number ``heard`` count. ``asked`` itself, stop and roll back end the wait.
    """
    ends = {asked: Action.APPROVE, CommandKind.STOP: Action.STOP, CommandKind.ROLL_BACK: Action.ROLL_BACK}
    for command in commands:
        if command.number > heard and command.kind in ends:
            return Answer(ends[command.kind], f"{command.kind} {command.words}", command.number, command.all_gates)
    if now >= decision.deadline:
        waited = _hours(decision.deadline - decision.since)
        return Answer(decision.action, f"nobody answered within {waited}: {decision.action}", heard)
    return None


def _hours(duration: timedelta) -> str:
    seconds = round(duration.total_seconds())
    return f"{seconds // 3600} h" if seconds % 3600 == 0 and seconds else f"{seconds} s"
