"""When a command makes sense, and which one a deployment acts on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rollout.model.rows.commands import (
    Action,
    Command,
    CommandEnd,
    CommandKind,
    CommandOutcome,
    CommandStanding,
    PendingDecision,
    resumed_to,
)
from rollout.model.status import Status

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

#: What a command makes of a deployment; a resume leads back to what was paused.
_LEADS_TO: Mapping[CommandKind, Status] = {
    CommandKind.PAUSE: Status.PAUSED,
    CommandKind.APPROVE: Status.IN_PROGRESS,
    CommandKind.STOP: Status.STOPPING,
    CommandKind.ROLL_BACK: Status.ROLLING_BACK,
}


def objection(kind: CommandKind, standing: CommandStanding, commands: Iterable[Command]) -> str:
    """Why the command makes no sense now; empty where it does.

    What the deployment was told before and has still to act on counts: a resume makes sense after a pause that is still
    to take effect. After such a pause nothing stands against a stop.

    >>> objection(CommandKind.RESUME, Standing(Status.IN_PROGRESS), ())
    'The deployment is inProgress, and only one that is paused can be given resume'
    """
    expected, ahead = _followed(standing, commands)
    if expected.status in _SENSE[kind]:
        return ""
    allowed = " or ".join(one for one in Status if one in _SENSE[kind])
    told = f"The deployment is {standing.status}"
    if ahead and expected.status is not standing.status:
        told += f" and about to heed {ahead[-1].kind}"
    return f"{told}, and only one that is {allowed} can be given {kind}"


def due(standing: CommandStanding, commands: Iterable[Command]) -> Command | None:
    """The first command that the deployment is to act on; those that make no sense any more are passed over."""
    return next(iter(_followed(standing, commands)[1]), None)


def to_heed(standing: CommandStanding, commands: Iterable[Command]) -> Command | None:
    """The first command that a deployment on its way must act on."""
    on_its_way = (CommandKind.PAUSE, CommandKind.STOP, CommandKind.ROLL_BACK)
    later = (command for command in _unheard(standing, commands) if command.kind in on_its_way)
    return next((command for command in later if _acts_on(standing, command)), None)


def heedings(standing: CommandStanding, commands: Sequence[Command], at: datetime) -> tuple[Command, ...]:
    """The rows of those commands that have ended by now, each with how.

    Done is the last one that the deployment acted on. Overtaken are those before it, and those that it will not act on.
    """
    ahead = {command.number for command in _followed(standing, commands)[1]}
    open_ones = (command for command in commands if command.heeded is None and command.number not in ahead)
    return tuple(
        replace(
            one,
            heeded=CommandEnd(at, CommandOutcome.DONE if one.number == standing.heard else CommandOutcome.OVERTAKEN),
        )
        for one in open_ones
    )


def _followed(standing: CommandStanding, commands: Iterable[Command]) -> tuple[CommandStanding, tuple[Command, ...]]:
    """Where the commands lead that the deployment will act on, one after the other, and which these are."""
    ahead: list[Command] = []
    for command in _unheard(standing, commands):
        if _acts_on(standing, command):
            ahead.append(command)
            standing = _after(standing, command.kind)
    return standing, tuple(ahead)


def _unheard(standing: CommandStanding, commands: Iterable[Command]) -> Iterator[Command]:
    return (command for command in commands if command.number > standing.heard and not command.overtaken)


def _acts_on(standing: CommandStanding, command: Command) -> bool:
    """Whether it makes sense where the deployment stands.

    A pause that was accepted before a gate opened is heeded at the gate, which then opens anew. An approval is of the
    gate that was open when it was given, and of no later one.
    """
    if standing.status is Status.AWAITING_APPROVAL and command.accepted_after is not None:
        before = command.accepted_after < standing.gate
        if command.kind in (CommandKind.PAUSE, CommandKind.APPROVE):
            return before is (command.kind is CommandKind.PAUSE)
    return standing.status in _SENSE[command.kind]


def _after(standing: CommandStanding, kind: CommandKind) -> CommandStanding:
    if kind is CommandKind.RESUME:
        return replace(standing, status=standing.paused_from)
    if kind is CommandKind.PAUSE:
        return replace(standing, status=Status.PAUSED, paused_from=resumed_to(standing.status))
    return replace(standing, status=_LEADS_TO[kind])


@dataclass(frozen=True)
class WaitEnd:
    """What ends a wait for a person: ``action``, why, and the number of the last command that was heard."""

    action: Action
    reason: str
    heard: int
    all_gates: bool = False


def answer(
    standing: CommandStanding,
    commands: Iterable[Command],
    decision: PendingDecision,
    over: bool,
    unwatched: timedelta = timedelta(0),
) -> WaitEnd | None:
    """What a person, or else the deadline, has decided; ``None``: nothing yet.

    What is asked for, stop and roll back end the wait. A pause that was accepted before the gate is no answer.
    ``over``: the deadline has passed; for so long of the wait it was ``unwatched``, as Teal did not run.
    """
    ends = {decision.asked: Action.APPROVE, CommandKind.STOP: Action.STOP, CommandKind.ROLL_BACK: Action.ROLL_BACK}
    command = due(standing, commands)
    if command is not None and command.kind in ends:
        return WaitEnd(ends[command.kind], f"{command.kind} {command.words}", command.number, command.all_gates)
    if command is None and over:
        waited = _hours(decision.deadline - decision.since)
        away = f" (Teal itself was away for {_hours(unwatched)})" if unwatched else ""
        return WaitEnd(decision.action, f"nobody answered within {waited}{away}: {decision.action}", standing.heard)
    return None


def _hours(duration: timedelta) -> str:
    seconds = round(duration.total_seconds())
    return f"{seconds // 3600} h" if seconds % 3600 == 0 and seconds else f"{seconds} s"
