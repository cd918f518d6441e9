"""What is said of a deployment: each change once, and something every five minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from teal_cli.show.narrating import Look, Narrator, end_lines, state_line, time_left
from tests.cli.builders import deployment

START = datetime(2026, 11, 23, 8, 15, 4, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def event(message: str) -> Any:
    return {"sequence": 1, "at": "2026-11-23T08:17:30.000Z", "type": "BatchLaunched", "message": message}


def test_each_event_is_one_line_and_is_said_once() -> None:
    narrator = Narrator("https://t/d")
    assert narrator.tell(Look(deployment(), [event("Batch 2 of 5: launched")]), at(2)) == [
        "08:17:30 Batch 2 of 5: launched"
    ]
    assert narrator.tell(Look(deployment()), at(3)) == []


def test_a_state_that_no_event_tells_is_said() -> None:
    narrator = Narrator("https://t/d")
    assert narrator.tell(Look(deployment(status="queued", progress=0, reason="Behind x")), at(0)) == [
        "08:15:04 queued, 0 %: Behind x"
    ]
    assert narrator.tell(Look(deployment(status="pending", progress=0, reason="")), at(1)) == ["08:16:04 pending, 0 %"]


def test_something_is_said_every_five_minutes() -> None:
    narrator = Narrator("https://t/d")
    narrator.tell(Look(deployment()), at(0))
    said = [narrator.tell(Look(deployment()), at(minutes / 4)) for minutes in range(1, 80)]
    spoken = [index / 4 for index, lines in enumerate(said, 1) if lines]
    assert spoken == [5, 10, 15]
    assert "waiting for 1 of 2 VMs (about 20 min left)" in said[19][0]


def test_a_gate_is_told_with_its_deadline_and_how_to_approve() -> None:
    decision = {
        "asked": "approve",
        "since": "2026-11-23T08:20:00.000Z",
        "deadline": "2026-11-24T08:20:00.000Z",
        "action": "stop",
    }
    waits = Look(deployment(status="awaitingApproval", decision=decision))
    narrator = Narrator("https://t/d")
    lines = narrator.tell(waits, at(6))
    assert lines == [
        "08:20:00 It waits for an approval, until 2026-11-24 08:20 UTC, then: stop",
        "         https://t/d or `teal approve web-20261123T081500Z-1a2b3c`",
    ]
    assert narrator.tell(waits, at(7)) == []


def test_the_time_left_is_that_of_the_percents_so_far() -> None:
    assert time_left(deployment(progress=20), at(10)) == timedelta(minutes=40)
    assert time_left(deployment(progress=0), at(10)) is None
    assert time_left(deployment(status="awaitingApproval"), at(10)) is None


def test_words_from_outside_give_no_commands() -> None:
    attack = "##vso[task.complete]\n::error::x"
    look = Look(deployment(reason=attack, status="failed", error={"code": attack, "message": attack}), [event(attack)])
    said = [*Narrator("u").tell(look, at(1)), state_line(look.deployment, at(1)), *end_lines(look.deployment, "u")]
    assert not [line for line in said if "##vso[" in line or "\n" in line or line.lstrip().startswith("::")]
