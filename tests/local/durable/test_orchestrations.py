"""Orchestrations on the unmodified SDK: what comes out, and when."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import azure.durable_functions as df

from local.clock import VIRTUAL_START, PlatformClock
from local.durable.history import HistoryEventType, parse_time
from local.durable.instances import RuntimeStatus
from local.durable.options import HostJson, HostOptions
from local.functions.host import FunctionsHost

SECOND = timedelta(seconds=1)


def seconds(time: datetime) -> int:
    """Whole seconds of virtual time; a turn costs a microsecond of it."""
    return int((time - VIRTUAL_START).total_seconds())


def ids(host: FunctionsHost, instance_id: str) -> list[tuple[str, int]]:
    """What the history says was scheduled: kind and sequence number."""
    return [
        (HistoryEventType(event["EventType"]).name, event["EventId"])
        for event in host.durable.history(instance_id)
        if event["EventId"] >= 0
    ]


def test_an_activity_gives_its_result(scene: Any) -> None:
    def story(context: Any) -> Any:
        value = yield context.call_activity("work", {"vm": context.get_input()})
        return value

    status = scene.run(story, "a1")
    assert (status.status, status.output) == (RuntimeStatus.COMPLETED, {"done": {"vm": "a1"}})
    assert status.input == '"a1"'
    assert scene.ledger.effects == ["work {'vm': 'a1'}"]


def test_an_activity_is_found_whatever_its_case(scene: Any) -> None:
    def story(context: Any) -> Any:
        return (yield context.call_activity("WORK", 1))

    assert scene.run(story).output == {"done": 1}


def test_a_fan_out_ends_in_as_many_turns_as_there_are_times(scene: Any) -> None:
    def story(context: Any) -> Any:
        results = yield context.task_all([context.call_activity("slow", second) for second in (3, 1, 2, 1)])
        return results

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one")
        status = await host.durable.wait("one")
        assert status.output == [3, 1, 2, 1]
        assert seconds(status.updated) == 3
        assert len(host.durable.executions) == 4

    scene.add(story)
    scene.play(play)


def test_no_more_activities_run_at_once_than_host_json_says(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.task_all([context.call_activity("slow", 1) for _ in range(6)])

    scene.host_json = HostJson(max_concurrent_activities=2)
    assert seconds(scene.run(story).updated) == 3


def test_a_failed_activity_raises_with_the_extension_s_words(scene: Any) -> None:
    def story(context: Any) -> Any:
        try:
            yield context.call_activity("fail", 1)
        except Exception as error:
            return str(error).split("\n")[0]

    assert scene.run(story).output == "Activity function 'fail' failed:  ValueError: boom "


def test_an_unhandled_failure_fails_the_instance(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.call_activity("work", 1)
        raise RuntimeError("gave up")

    status = scene.run(story)
    assert status.status is RuntimeStatus.FAILED
    assert status.output == "Orchestrator function 'story' failed: gave up"


def test_an_orchestrator_that_breaks_the_sdk_itself_fails_its_instance(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.call_activity("work", 1)
        yield "no task"

    status = scene.run(story)
    assert status.status is RuntimeStatus.FAILED
    assert "'str' object has no attribute" in status.output


def test_an_output_that_is_no_json_fails_the_instance(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.call_activity("work", 1)
        return {1, 2}

    assert "is not JSON serializable" in scene.run(story).output


def test_a_timer_never_fires_early(scene: Any) -> None:
    def story(context: Any) -> Any:
        deadline = context.current_utc_datetime + timedelta(seconds=0.7)
        rounds = 0
        while context.current_utc_datetime < deadline:
            rounds += 1
            yield context.create_timer(deadline)
        return rounds

    assert scene.run(story).output == 1


def test_a_timer_of_twenty_days_is_six_timers(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(days=20))

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one")
        status = await host.durable.wait("one")
        assert status.updated - VIRTUAL_START >= timedelta(days=20)
        assert sum(kind == "TIMER_CREATED" for kind, _ in ids(host, "one")) == 6

    scene.add(story)
    scene.play(play)


def test_an_uncancelled_timer_keeps_the_instance_running(scene: Any) -> None:
    def careless(context: Any) -> Any:
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=24))
        yield context.task_any([context.call_activity("work", 1), timer])

    assert seconds(scene.run(careless).updated) == 24 * 3600


def test_a_cancelled_timer_does_not(scene: Any) -> None:
    def careful(context: Any) -> Any:
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=24))
        yield context.task_any([context.call_activity("work", 1), timer])
        timer.cancel()

    assert seconds(scene.run(careful).updated) == 0


def test_a_late_sibling_keeps_a_failed_fan_out_running(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.task_all([context.call_activity("fail", 1), context.call_activity("slow", 60)])

    status = scene.run(story)
    assert (status.status, seconds(status.updated)) == (RuntimeStatus.FAILED, 60)


def test_retries_take_two_numbers_each_and_one_timer_more_at_the_end(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.call_activity("work", 0)
        try:
            yield context.call_activity_with_retry("fail", df.RetryOptions(5000, 2), 1)
        except Exception:
            yield context.call_activity("work", 2)

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one")
        status = await host.durable.wait("one")
        assert seconds(status.updated) == 5
        assert ids(host, "one") == [
            ("TASK_SCHEDULED", 0),
            ("TASK_SCHEDULED", 1),
            ("TIMER_CREATED", 2),
            ("TASK_SCHEDULED", 3),
            ("TIMER_CREATED", 4),
            ("TASK_SCHEDULED", 5),
            ("EXECUTION_COMPLETED", 6),
        ]

    scene.add(story)
    scene.play(play)


def test_a_retry_that_succeeds_gives_its_result(scene: Any) -> None:
    def story(context: Any) -> Any:
        return (yield context.call_activity_with_retry("flaky", df.RetryOptions(10_000, 3), 2))

    status = scene.run(story)
    assert (status.output, seconds(status.updated)) == ("at last", 20)


def test_a_sub_orchestration_tells_its_parent(scene: Any) -> None:
    def child(context: Any) -> Any:
        yield context.create_timer(context.current_utc_datetime + SECOND)
        return {"got": context.get_input()}

    def story(context: Any) -> Any:
        named = yield context.call_sub_orchestrator("child", "a", f"{context.instance_id}:child")
        unnamed = yield context.call_sub_orchestrator("child", "b")
        return [named, unnamed]

    scene.add(child)
    assert scene.run(story).output == [{"got": "a"}, {"got": "b"}]


def test_a_sub_orchestration_is_retried_under_a_new_id(scene: Any) -> None:
    def child(context: Any) -> Any:
        return (yield context.call_activity("flaky", 1))

    def story(context: Any) -> Any:
        return (yield context.call_sub_orchestrator_with_retry("child", df.RetryOptions(5000, 2)))

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one")
        status = await host.durable.wait("one")
        assert (status.output, seconds(status.updated)) == ("at last", 5)
        execution_id = host.durable.find("one").execution_id
        children = {one.id: one.status for one in host.durable.instances() if one.name == "child"}
        assert children == {
            f"{execution_id}:0": RuntimeStatus.FAILED,
            f"{execution_id}:2": RuntimeStatus.COMPLETED,
        }

    scene.add(child, story)
    scene.play(play)


def test_a_failed_sub_orchestration_raises_in_its_parent(scene: Any) -> None:
    def child(context: Any) -> Any:
        yield context.call_activity("fail", 1)

    def story(context: Any) -> Any:
        try:
            yield context.call_sub_orchestrator("child")
        except Exception as error:
            return str(error)

    scene.add(child)
    assert scene.run(story).output.startswith("Orchestrator function 'child' failed: Activity function 'fail' failed:")


def test_continue_as_new_begins_a_new_generation_in_the_same_turn(scene: Any) -> None:
    def story(context: Any) -> Any:
        number = context.get_input()
        yield context.create_timer(context.current_utc_datetime + SECOND)
        if number < 5:
            context.continue_as_new(number + 1)
            return None
        return number

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one", json.dumps("1"))
        status = await host.durable.wait("one")
        assert (status.output, seconds(status.updated)) == (5, 5)
        assert host.durable.find("one").generation == 5
        assert [one.generation for one in host.durable.executions] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
        assert max(one.events for one in host.durable.executions) < 9

    scene.add(story)
    scene.play(play)


def test_an_event_after_continue_as_new_in_the_same_turn_is_carried_over(scene: Any) -> None:
    def story(context: Any) -> Any:
        seen = context.get_input() or []
        value = yield context.wait_for_external_event("go")
        seen = [*seen, json.loads(value)]
        if len(seen) < 3:
            context.continue_as_new(seen)
            return None
        return seen

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one")
        await clock.sleep(SECOND)
        for number in range(3):
            host.durable.raise_event("one", "go", json.dumps(json.dumps(number)))
        status = await host.durable.wait("one")
        assert status.output == [0, 1, 2]

    scene.add(story)
    scene.play(play)


def test_custom_status_is_that_of_the_last_answer(scene: Any) -> None:
    def story(context: Any) -> Any:
        context.set_custom_status({"step": 1})
        yield context.create_timer(context.current_utc_datetime + SECOND)
        context.set_custom_status({"step": 2})
        yield context.create_timer(context.current_utc_datetime + SECOND)

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one")
        await clock.sleep(SECOND / 2)
        assert host.durable.find("one").custom_status == '{"step": 1}'
        assert (await host.durable.wait("one")).custom_status == {"step": 2}

    scene.add(story)
    scene.play(play)


def test_the_version_is_the_given_one_or_host_json_s(scene: Any) -> None:
    def child(context: Any) -> Any:
        return context.version

    def story(context: Any) -> Any:
        given = yield context.call_sub_orchestrator("child", version="3.1")
        default = yield context.call_sub_orchestrator("child")
        return [context.version, given, default]

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one", version="2.0")
        assert (await host.durable.wait("one")).output == ["2.0", "3.1", "1.0.0"]

    scene.host_json = HostJson(default_version="1.0.0")
    scene.add(child, story)
    scene.play(play)


def test_replaying_code_logs_once(scene: Any) -> None:
    lines = []

    def story(context: Any) -> Any:
        for step in range(3):
            if not context.is_replaying:
                lines.append(step)
            yield context.call_activity("work", step)

    scene.options = HostOptions()
    scene.run(story)
    assert lines == [0, 1, 2]


def test_histories_have_the_extension_s_shape(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.call_activity("work", 1)

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one")
        await host.durable.wait("one")
        events = host.durable.history("one")
        assert [(event["EventType"], event["EventId"], event["IsPlayed"]) for event in events] == [
            (12, -1, False),
            (0, -1, True),
            (4, 0, False),
            (13, -1, False),
            (12, -1, False),
            (5, -1, True),
            (1, 1, False),
            (13, -1, False),
        ]
        assert all(event["Timestamp"].endswith("0Z") for event in events)
        assert events[5]["Result"] == '{"done": 1}'
        assert parse_time(events[0]["Timestamp"]) >= VIRTUAL_START

    scene.add(story)
    scene.play(play)
