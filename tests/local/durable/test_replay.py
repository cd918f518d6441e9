"""The host's order: which sequence number each action gets, and what is new."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from local.clock import VIRTUAL_START
from local.durable.actions import Action, ActionType, extends, parse_failure
from local.durable.history import Event, History, HistoryEventType, format_time, new_event, parse_time
from local.durable.replay import NonDeterminism, Replay, UnsupportedAction

NOW = VIRTUAL_START


def call(name: str) -> Action:
    return {"actionType": 0, "functionName": name, "input": "1"}


def child(name: str) -> Action:
    return {"actionType": 2, "functionName": name, "input": "1", "instanceId": None, "version": None}


def timer(*, cancelled: bool = False) -> Action:
    return {"actionType": 5, "fireAt": format_time(NOW), "isCanceled": cancelled}


def event(name: str) -> Action:
    return {"actionType": 6, "externalEventName": name, "reason": "ExternalEvent"}


def retried(name: str, attempts: int) -> Action:
    options = {"firstRetryIntervalInMilliseconds": 5000, "maxNumberOfAttempts": attempts}
    return {"actionType": 1, "functionName": name, "input": "1", "retryOptions": options}


def when_all(*actions: Action) -> Action:
    return {"actionType": 12, "compoundActions": list(actions)}


def when_any(*actions: Action) -> Action:
    return {"actionType": 11, "compoundActions": list(actions)}


BEGIN = [new_event(HistoryEventType.ORCHESTRATOR_STARTED, NOW), new_event(HistoryEventType.EXECUTION_STARTED, NOW)]


def scheduled(task_id: int, name: str) -> Event:
    return new_event(HistoryEventType.TASK_SCHEDULED, NOW, task_id, Name=name)


def created(task_id: int) -> Event:
    return new_event(HistoryEventType.TIMER_CREATED, NOW, task_id)


def completed(task_id: int) -> Event:
    return new_event(HistoryEventType.TASK_COMPLETED, NOW, TaskScheduledId=task_id, Result="1")


def failed(task_id: int) -> Event:
    return new_event(HistoryEventType.TASK_FAILED, NOW, TaskScheduledId=task_id, Reason="r", Details="d")


def fired(task_id: int) -> Event:
    return new_event(HistoryEventType.TIMER_FIRED, NOW, TimerId=task_id)


def raised(name: str) -> Event:
    return new_event(HistoryEventType.EVENT_RAISED, NOW, Name=name, Input="1")


def walk(actions: list[Action], *events: Event) -> Replay:
    replay = Replay(actions)
    replay.run([*BEGIN, *events])
    return replay


def new_ids(replay: Replay) -> list[tuple[int, str]]:
    return [(start.task_id, start.kind.name) for start in replay.new]


def test_top_level_actions_start_one_after_the_other() -> None:
    actions = [call("a"), child("b"), timer()]
    assert new_ids(walk(actions)) == [(0, "TASK_SCHEDULED")]
    replay = walk(actions, scheduled(0, "A"), completed(0))
    assert new_ids(replay) == [(1, "SUB_ORCHESTRATION_CREATED")]
    assert not replay.is_finished


def test_the_children_of_a_compound_start_at_once_in_their_order() -> None:
    replay = walk([when_any(call("a"), when_all(timer(), event("e"), call("b")))])
    assert new_ids(replay) == [(0, "TASK_SCHEDULED"), (1, "TIMER_CREATED"), (2, "TASK_SCHEDULED")]
    assert (replay.open_ids, replay.waits) == ([0, 1, 2], ["e"])


def test_a_when_all_ends_with_its_last_child_even_after_a_failure() -> None:
    actions = [when_all(call("a"), call("b")), call("c")]
    both = [scheduled(0, "a"), scheduled(1, "b"), failed(0)]
    assert new_ids(walk(actions, *both)) == []
    assert new_ids(walk(actions, *both, completed(1))) == [(2, "TASK_SCHEDULED")]


def test_a_when_any_ends_with_its_first_child() -> None:
    actions = [when_any(call("a"), call("b")), call("c")]
    replay = walk(actions, scheduled(0, "a"), scheduled(1, "b"), completed(1))
    assert new_ids(replay) == [(2, "TASK_SCHEDULED")]
    assert replay.open_ids == [0, 2]


def test_an_empty_when_all_has_ended_and_an_empty_when_any_fails() -> None:
    assert walk([when_all()]).is_finished
    with pytest.raises(NonDeterminism, match="contains no tasks"):
        walk([when_any()])


def test_a_cancelled_timer_takes_a_number_and_is_not_awaited() -> None:
    replay = walk([timer(cancelled=True), call("a")])
    assert new_ids(replay) == [(0, "TIMER_CREATED"), (1, "TASK_SCHEDULED")]
    assert replay.open_ids == [1]
    later = walk([timer(cancelled=True), call("a")], created(0), scheduled(1, "a"), fired(0), completed(1))
    assert later.is_finished
    assert later.open_ids == []


def test_retries_number_their_timers_and_calls() -> None:
    actions = [retried("a", 2), call("b")]
    events = [scheduled(0, "a"), failed(0), created(1), fired(1), scheduled(2, "a"), failed(2)]
    first = walk(actions, *events[:2])
    assert (new_ids(first), first.new[0].fire_at) == ([(1, "TIMER_CREATED")], NOW + timedelta(seconds=5))
    last = walk(actions, *events)
    assert (new_ids(last), last.new[0].fire_at) == ([(3, "TIMER_CREATED")], NOW)
    assert new_ids(walk(actions, *events, created(3), fired(3))) == [(4, "TASK_SCHEDULED")]


def test_events_end_the_newest_wait_and_wait_for_the_next_one() -> None:
    actions = [when_any(event("Go"), event("go")), event("GO")]
    once, twice = walk(actions, raised("gO")), walk(actions, raised("gO"), raised("go"))
    # The second event ends the newest wait, which is the third; the first wait is still there.
    assert (once.is_finished, twice.is_finished) == (False, True)
    assert once.waits == twice.waits == ["go"]
    early = walk([event("go"), event("go")], raised("go"), raised("go"))
    assert early.is_finished


def test_a_duplicate_end_is_ignored() -> None:
    replay = walk([call("a"), call("b")], scheduled(0, "a"), completed(0), scheduled(1, "b"), completed(0), failed(0))
    assert replay.open_ids == [1]


@pytest.mark.parametrize(
    "recorded",
    [scheduled(0, "other"), created(0), scheduled(1, "a"), new_event(HistoryEventType.TIMER_CREATED, NOW, 7)],
)
def test_a_history_of_something_else_is_non_determinism(recorded: Event) -> None:
    with pytest.raises(NonDeterminism, match="Non-Deterministic workflow detected"):
        walk([call("a")], recorded)


def test_a_suspended_walk_holds_messages_and_starts_nothing() -> None:
    suspended = new_event(HistoryEventType.EXECUTION_SUSPENDED, NOW, Reason="why")
    resumed = new_event(HistoryEventType.EXECUTION_RESUMED, NOW, Reason="why")
    actions = [call("a"), call("b")]
    held = walk(actions, scheduled(0, "a"), suspended, completed(0))
    assert (held.is_suspended, held.new, held.open_ids) == (True, [], [0])
    assert new_ids(walk(actions, scheduled(0, "a"), suspended, completed(0), resumed)) == [(1, "TASK_SCHEDULED")]
    assert walk(actions, suspended).new == []


def test_events_after_a_continue_as_new_are_left_over() -> None:
    actions = [event("go"), {"actionType": 4, "input": "2"}]
    replay = walk(actions, raised("go"), raised("go"), raised("other"))
    assert (replay.is_finished, replay.continued_with) == (True, "2")
    assert [one["Name"] for one in replay.unconsumed] == ["go", "other"]


@pytest.mark.parametrize("kind", [ActionType.CALL_ENTITY, ActionType.CALL_HTTP, ActionType.SIGNAL_ENTITY])
def test_what_the_stand_in_does_not_do_is_said(kind: ActionType) -> None:
    with pytest.raises(UnsupportedAction, match=kind.name):
        walk([{"actionType": int(kind)}])


def test_ten_thousand_ended_actions_do_not_recurse() -> None:
    actions = [timer(cancelled=True) for _ in range(10_000)]
    assert walk(actions).is_finished


@pytest.mark.parametrize(
    ("earlier", "later", "expected"),
    [
        ([], [call("a")], True),
        ([call("a")], [call("a"), call("b")], True),
        ([call("a")], [], False),
        ([call("a")], [call("b")], False),
        ([timer()], [timer(cancelled=True)], True),
        ([when_any(call("a"), timer())], [when_any(call("a"), timer(cancelled=True))], True),
        ([when_any(call("a"))], [when_any(call("a"), call("b"))], False),
        ([call("a")], [{**call("a"), "input": "2"}], False),
    ],
)
def test_an_answer_extends_the_one_before(earlier: list[Action], later: list[Action], expected: bool) -> None:
    assert extends(earlier, later) is expected


def test_a_failure_without_the_sdk_s_label_is_the_handle_s_own() -> None:
    answer = parse_failure(RuntimeError("broke"))
    assert (answer.is_broken, answer.error, list(answer.actions)) == (True, "broke", [])


def test_past_messages_are_played_and_nothing_else() -> None:
    history = History([*BEGIN, scheduled(0, "a")])
    assert [one["IsPlayed"] for one in history.events] == [False, True, False]
    text = history.text_with([completed(0)])
    assert text.startswith('[{"EventType":12,')
    assert text.count('"IsPlayed":true') == 1


def test_the_end_of_what_was_not_begun_is_not_admitted() -> None:
    history = History([*BEGIN, scheduled(0, "a")])
    ends: list[Any] = [completed(0), completed(1), fired(1), raised("go")]
    assert [history.admits(one) for one in ends] == [True, False, False, True]


def test_times_are_written_as_dot_net_does_and_read_back() -> None:
    time = NOW + timedelta(microseconds=1)
    assert format_time(time) == "2026-01-01T00:00:00.0000010Z"
    assert parse_time(format_time(time)) == time
    assert parse_time("2026-01-01T02:00:00+02:00") == NOW
    assert parse_time("2026-01-01") == NOW
