"""When a command makes sense, which one is heeded, and what ends a wait for a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given as given_
from hypothesis import strategies as st

from rollout.model.rows.commands import (
    Action,
    Command,
    CommandEnd,
    CommandKind,
    CommandOutcome,
    CommandStanding,
    PendingDecision,
)
from rollout.model.status import TRANSITIONS, Status
from rollout.steps.commands import WaitEnd, answer, due, heedings, objection, to_heed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PAUSE, RESUME, APPROVE, STOP, ROLL_BACK = CommandKind

SENSE = {
    Status.QUEUED: {STOP},
    Status.PENDING: {PAUSE, STOP},
    Status.IN_PROGRESS: {PAUSE, STOP, ROLL_BACK},
    Status.PAUSED: {RESUME, STOP, ROLL_BACK},
    Status.AWAITING_APPROVAL: {APPROVE, STOP, ROLL_BACK},
    Status.BAKING: {PAUSE, STOP, ROLL_BACK},
    Status.ROLLING_BACK: {STOP},
}


def said(*kinds: CommandKind, first: int = 1) -> list[Command]:
    return [Command(number, kind, NOW, "alice") for number, kind in enumerate(kinds, start=first)]


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("kind", list(CommandKind))
def test_each_command_makes_sense_in_some_statuses_only(status: Status, kind: CommandKind) -> None:
    objected = objection(kind, CommandStanding(status), ())
    assert (objected == "") == (kind in SENSE.get(status, set()))
    if objected:
        assert status in objected
        assert kind in objected


@pytest.mark.parametrize(
    ("status", "unheeded", "kind", "fine"),
    [
        (Status.IN_PROGRESS, [PAUSE], RESUME, True),
        (Status.IN_PROGRESS, [PAUSE], PAUSE, False),
        (Status.IN_PROGRESS, [PAUSE], STOP, True),
        (Status.IN_PROGRESS, [PAUSE, RESUME], PAUSE, True),
        (Status.IN_PROGRESS, [STOP], ROLL_BACK, False),
        (Status.IN_PROGRESS, [STOP], STOP, False),
        (Status.IN_PROGRESS, [ROLL_BACK], STOP, True),
        (Status.AWAITING_APPROVAL, [APPROVE], APPROVE, False),
        (Status.PAUSED, [PAUSE], RESUME, True),
    ],
)
def test_commands_that_are_still_to_be_heeded_count(
    status: Status, unheeded: list[CommandKind], kind: CommandKind, fine: bool
) -> None:
    assert (objection(kind, CommandStanding(status), said(*unheeded)) == "") == fine


def test_first_command_that_makes_sense_is_heeded_once() -> None:
    commands = said(RESUME, PAUSE, STOP)
    first = to_heed(CommandStanding(Status.IN_PROGRESS), commands)
    assert first is not None
    assert first.kind is PAUSE
    assert to_heed(CommandStanding(Status.IN_PROGRESS, heard=3), commands) is None
    rolling = to_heed(CommandStanding(Status.ROLLING_BACK), commands)
    assert rolling is not None
    assert rolling.kind is STOP


@given_(st.lists(st.sampled_from(list(CommandKind)), max_size=6), st.integers(0, 7), st.sampled_from(list(Status)))
def test_what_is_heeded_is_new_and_leads_to_a_status_that_may_follow(
    kinds: list[CommandKind], heard: int, status: Status
) -> None:
    found = to_heed(CommandStanding(status, heard), said(*kinds))
    if found is not None:
        leads_to = {PAUSE: Status.PAUSED, STOP: Status.STOPPING, ROLL_BACK: Status.ROLLING_BACK}
        assert found.number > heard
        assert leads_to[found.kind] in TRANSITIONS[status]


DECISION = PendingDecision(APPROVE, NOW, NOW + timedelta(hours=1), Action.ROLL_BACK)


@pytest.mark.parametrize(
    ("kinds", "heard", "after", "expected"),
    [
        ([], 0, 59, None),
        ([APPROVE], 0, 0, WaitEnd(Action.APPROVE, "approve by alice", 1)),
        ([APPROVE], 1, 0, None),
        ([PAUSE, STOP], 0, 0, WaitEnd(Action.STOP, "stop by alice", 2)),
        ([RESUME], 0, 0, None),
        ([], 0, 60, WaitEnd(Action.ROLL_BACK, "nobody answered within 1 h: rollBack", 0)),
        ([ROLL_BACK], 0, 60, WaitEnd(Action.ROLL_BACK, "rollBack by alice", 1)),
    ],
)
def test_wait_for_a_person_ends_by_a_command_or_by_its_deadline(
    kinds: list[CommandKind], heard: int, after: int, expected: WaitEnd | None
) -> None:
    standing = CommandStanding(Status.AWAITING_APPROVAL, heard)
    assert answer(standing, said(*kinds), DECISION, over=after >= 60) == expected


def test_a_wait_that_ran_out_while_nobody_was_there_says_so() -> None:
    found = answer(CommandStanding(Status.AWAITING_APPROVAL), (), DECISION, over=True, unwatched=timedelta(days=10))
    assert found is not None
    assert found.reason == "nobody answered within 1 h (Teal itself was away for 240 h): rollBack"


def test_reason_of_a_command_names_who_and_why() -> None:
    assert Command(1, STOP, NOW, "alice", "wrong config").words == "by alice: wrong config"
    assert Command(1, STOP, NOW).words == "by somebody"


def test_approval_of_all_gates_says_so() -> None:
    found = answer(
        CommandStanding(Status.AWAITING_APPROVAL),
        [Command(1, APPROVE, NOW, "bob", all_gates=True)],
        DECISION,
        over=False,
    )
    assert found is not None
    assert found.all_gates


#: A deployment at a gate that its event number 7 opened.
AT_GATE = CommandStanding(Status.AWAITING_APPROVAL, gate=7)
BEFORE, AFTER = 6, 7


def given(*commands: tuple[CommandKind, int]) -> list[Command]:
    """Commands, each accepted after the event of this number."""
    return [Command(number, kind, NOW, accepted_after=after) for number, (kind, after) in enumerate(commands, start=1)]


@pytest.mark.parametrize(
    ("commands", "first", "then"),
    [
        # A pause of before the gate goes first, and whatever was said after it follows.
        ([(PAUSE, BEFORE)], 1, {RESUME, STOP, ROLL_BACK}),
        ([(PAUSE, BEFORE), (RESUME, AFTER)], 1, {PAUSE, STOP, ROLL_BACK}),
        ([(PAUSE, BEFORE), (STOP, AFTER)], 1, set()),
        ([(STOP, BEFORE)], 1, set()),
        ([(ROLL_BACK, BEFORE)], 1, {STOP}),
        # A pause that was said at the gate is none; it can only have been accepted behind an approval.
        ([(PAUSE, AFTER)], None, {APPROVE, STOP, ROLL_BACK}),
        ([(APPROVE, AFTER), (PAUSE, AFTER)], 1, {RESUME, STOP, ROLL_BACK}),
        # An approval is of the gate that was open when it was given.
        ([(APPROVE, BEFORE)], None, {APPROVE, STOP, ROLL_BACK}),
        ([(APPROVE, BEFORE), (APPROVE, AFTER)], 2, {PAUSE, STOP, ROLL_BACK}),
    ],
)
def test_at_a_gate_what_was_said_before_it_goes_first(
    commands: list[tuple[CommandKind, int]], first: int | None, then: set[CommandKind]
) -> None:
    found = due(AT_GATE, given(*commands))
    assert (found.number if found is not None else None) == first
    assert {kind for kind in CommandKind if not objection(kind, AT_GATE, given(*commands))} == then


def test_pause_of_before_the_gate_is_no_answer_to_it_and_outlives_its_deadline() -> None:
    assert answer(AT_GATE, given((PAUSE, BEFORE), (STOP, AFTER)), DECISION, over=True) is None
    told = objection(APPROVE, AT_GATE, given((PAUSE, BEFORE)))
    assert told.startswith("The deployment is awaitingApproval and about to heed pause, and only")


def test_resume_leads_back_to_what_was_paused() -> None:
    """A deployment that is paused before it is planned cannot be rolled back after the resume either."""
    pending = CommandStanding(Status.PAUSED, heard=1, paused_from=Status.PENDING)
    assert objection(ROLL_BACK, pending, said(RESUME, first=2))
    assert not objection(STOP, pending, said(RESUME, first=2))


DONE, OVERTAKEN = CommandOutcome

#: By where a deployment stands and what it was told: how each command has ended, ``None``: not yet.
ENDED: list[tuple[str, CommandStanding, list[tuple[CommandKind, int]], list[CommandOutcome | None]]] = [
    ("still to be heeded", CommandStanding(Status.IN_PROGRESS), [(PAUSE, 3)], [None]),
    ("paused", CommandStanding(Status.PAUSED, 1), [(PAUSE, 3)], [DONE]),
    (
        "a pause taken back is heeded, and so is the resume",
        CommandStanding(Status.PAUSED, 1),
        [(PAUSE, 3), (RESUME, 3)],
        [DONE, None],
    ),
    (
        "resumed, and to be paused again",
        CommandStanding(Status.PAUSED, 1),
        [(PAUSE, 3), (RESUME, 4), (PAUSE, 4)],
        [DONE, None, None],
    ),
    ("a gate opened while a pause came", AT_GATE, [(PAUSE, BEFORE)], [None]),
    ("approved", CommandStanding(Status.IN_PROGRESS, 1, 7), [(APPROVE, AFTER)], [DONE]),
    (
        "approved at the deadline, a moment before",
        CommandStanding(Status.IN_PROGRESS, 0, 7),
        [(APPROVE, AFTER)],
        [OVERTAKEN],
    ),
    (
        "resumed at the deadline, a moment before",
        CommandStanding(Status.IN_PROGRESS, 1),
        [(PAUSE, 3), (RESUME, 4)],
        [DONE, OVERTAKEN],
    ),
    (
        "stopped at the deadline",
        CommandStanding(Status.STOPPING),
        [(APPROVE, AFTER), (PAUSE, AFTER)],
        [OVERTAKEN, OVERTAKEN],
    ),
    ("rolling back after a failure", CommandStanding(Status.ROLLING_BACK), [(PAUSE, 3), (STOP, 3)], [OVERTAKEN, None]),
    (
        "rolling back, pause first",
        CommandStanding(Status.ROLLING_BACK, 2),
        [(PAUSE, 3), (ROLL_BACK, 3)],
        [OVERTAKEN, DONE],
    ),
    (
        "stopping while it rolls back",
        CommandStanding(Status.STOPPING, 2),
        [(ROLL_BACK, 3), (STOP, 4)],
        [OVERTAKEN, DONE],
    ),
    ("its last steps", CommandStanding(Status.IN_PROGRESS), [(STOP, 9)], [None]),
    ("ended", CommandStanding(Status.FINISHED), [(STOP, 9)], [OVERTAKEN]),
    ("ended after a command", CommandStanding(Status.STOPPED, 1), [(STOP, 9), (ROLL_BACK, 9)], [DONE, OVERTAKEN]),
    ("taken back from the queue", CommandStanding(Status.QUEUED), [(STOP, 0)], [None]),
]


@pytest.mark.parametrize(
    ("standing", "commands", "ends"), [case[1:] for case in ENDED], ids=[case[0] for case in ENDED]
)
def test_each_command_ends_done_or_overtaken(
    standing: CommandStanding, commands: list[tuple[CommandKind, int]], ends: list[CommandOutcome | None]
) -> None:
    rows = given(*commands)
    changed = {one.number: one for one in heedings(standing, rows, NOW)}
    after = [changed.get(one.number, one) for one in rows]
    assert [one.heeded for one in after] == [end and CommandEnd(NOW, end) for end in ends]
    assert heedings(standing, after, NOW + timedelta(hours=1)) == ()


@pytest.mark.parametrize("status", [status for status in Status if status.ended])
@given_(st.lists(st.tuples(st.sampled_from(list(CommandKind)), st.integers(0, 9)), max_size=6), st.integers(0, 7))
def test_nothing_is_left_to_be_heeded_by_a_deployment_that_has_ended(
    status: Status, kinds: list[tuple[CommandKind, int]], heard: int
) -> None:
    commands = given(*kinds)
    assert len(heedings(CommandStanding(status, heard), commands, NOW)) == len(commands)


def test_overtaken_command_is_heeded_no_more() -> None:
    overtaken = Command(1, STOP, NOW, heeded=CommandEnd(NOW, OVERTAKEN))
    assert due(CommandStanding(Status.IN_PROGRESS), [overtaken]) is None
    assert not objection(PAUSE, CommandStanding(Status.IN_PROGRESS), [overtaken])
