"""When a command makes sense, which one is heeded, and what ends a wait for a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.commands import Action, Answer, Command, CommandKind, Decision, answer, objection, to_heed
from rollout.status import TRANSITIONS, Status

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
    objected = objection(kind, status, ())
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
    assert (objection(kind, status, said(*unheeded)) == "") == fine


def test_first_command_that_makes_sense_is_heeded_once() -> None:
    commands = said(RESUME, PAUSE, STOP)
    first = to_heed(commands, 0, Status.IN_PROGRESS)
    assert first is not None
    assert first.kind is PAUSE
    assert to_heed(commands, 3, Status.IN_PROGRESS) is None
    rolling = to_heed(commands, 0, Status.ROLLING_BACK)
    assert rolling is not None
    assert rolling.kind is STOP


@given(st.lists(st.sampled_from(list(CommandKind)), max_size=6), st.integers(0, 7), st.sampled_from(list(Status)))
def test_what_is_heeded_is_new_and_leads_to_a_status_that_may_follow(
    kinds: list[CommandKind], heard: int, status: Status
) -> None:
    found = to_heed(said(*kinds), heard, status)
    if found is not None:
        leads_to = {PAUSE: Status.PAUSED, STOP: Status.STOPPING, ROLL_BACK: Status.ROLLING_BACK}
        assert found.number > heard
        assert leads_to[found.kind] in TRANSITIONS[status]


DECISION = Decision(APPROVE, NOW, NOW + timedelta(hours=1), Action.ROLL_BACK)


@pytest.mark.parametrize(
    ("kinds", "heard", "after", "expected"),
    [
        ([], 0, 59, None),
        ([APPROVE], 0, 0, Answer(Action.APPROVE, "approve by alice", 1)),
        ([APPROVE], 1, 0, None),
        ([PAUSE, STOP], 0, 0, Answer(Action.STOP, "stop by alice", 2)),
        ([RESUME], 0, 0, None),
        ([], 0, 60, Answer(Action.ROLL_BACK, "nobody answered within 1 h: rollBack", 0)),
        ([ROLL_BACK], 0, 60, Answer(Action.ROLL_BACK, "rollBack by alice", 1)),
    ],
)
def test_wait_for_a_person_ends_by_a_command_or_by_its_deadline(
    kinds: list[CommandKind], heard: int, after: int, expected: Answer | None
) -> None:
    assert answer(APPROVE, said(*kinds), heard, DECISION, NOW + timedelta(minutes=after)) == expected


def test_reason_of_a_command_names_who_and_why() -> None:
    assert Command(1, STOP, NOW, "alice", "wrong config").words == "by alice: wrong config"
    assert Command(1, STOP, NOW).words == "by somebody"


def test_approval_of_all_gates_says_so() -> None:
    found = answer(APPROVE, [Command(1, APPROVE, NOW, "bob", all_gates=True)], 0, DECISION, NOW)
    assert found is not None
    assert found.all_gates
