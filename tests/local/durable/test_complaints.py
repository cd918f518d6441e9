"""What must not happen in a sound app is a loud error here, where Azure would log it, hang, or not notice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest

from local.clock import Deadlock, PlatformClock
from local.durable.errors import Complaint, HostErrors
from local.durable.instances import RuntimeStatus
from local.durable.options import HostOptions
from local.functions.host import FunctionsHost


def test_an_endless_continue_as_new_is_a_loud_error(scene: Any) -> None:
    def story(context: Any) -> Any:
        context.continue_as_new(None)
        yield context.call_activity("work", 1)

    with pytest.raises(HostErrors) as caught:
        scene.run(story)
    assert caught.value.errors[0].complaint is Complaint.UNSUPPORTED


def test_an_unknown_activity_is_a_loud_error(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.call_activity("nobody", 1)

    with pytest.raises(HostErrors) as caught:
        scene.run(story)
    (error,) = caught.value.errors
    assert error.complaint is Complaint.UNKNOWN_FUNCTION
    assert "'nobody'" in str(error)


def test_an_unknown_sub_orchestrator_is_a_loud_error(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.call_sub_orchestrator("nobody")

    with pytest.raises(HostErrors, match="cannot be started"):
        scene.run(story)


def test_a_child_with_its_parent_s_id_is_a_loud_error(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.call_sub_orchestrator("story", None, context.instance_id)

    with pytest.raises(HostErrors, match="cannot be started"):
        scene.run(story)


def test_a_child_s_id_that_is_begun_twice_in_a_generation_is_a_loud_error(scene: Any) -> None:
    def child(context: Any) -> Any:
        yield context.call_activity("work", 1)

    def story(context: Any) -> Any:
        yield context.call_sub_orchestrator("child", None, "kid")
        yield context.call_sub_orchestrator("child", None, "kid")

    scene.add(child)
    with pytest.raises(HostErrors) as caught:
        scene.run(story)
    (error,) = caught.value.errors
    assert error.complaint is Complaint.CHILD_BEGUN_TWICE
    assert "'kid'" in str(error)


@pytest.mark.parametrize("again", ["retry", "generation"])
def test_a_child_may_be_begun_again_by_a_retry_and_in_another_generation(scene: Any, again: str) -> None:
    def child(context: Any) -> Any:
        yield context.call_activity("flaky", 1)

    def story(context: Any) -> Any:
        if again == "retry":
            yield context.call_sub_orchestrator_with_retry("child", df.RetryOptions(5000, 2), None, "kid")
            return "done"
        try:
            yield context.call_sub_orchestrator("child", None, "kid")
        except Exception:
            context.continue_as_new(None)
        return "done"

    scene.add(child)
    assert scene.run(story).output == "done"


def test_an_entity_is_a_loud_error(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.call_entity(df.EntityId("counter", "one"), "add", 1)

    with pytest.raises(HostErrors) as caught:
        scene.run(story)
    assert caught.value.errors[0].complaint is Complaint.UNSUPPORTED


def test_other_code_on_replay_is_a_loud_error_and_fails_the_instance(scene: Any) -> None:
    calls: list[None] = []

    def story(context: Any) -> Any:
        calls.append(None)
        yield context.call_activity("work" if len(calls) == 1 else "slow", 1)
        yield context.call_activity("work", 2)

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one")
        with pytest.raises(HostErrors) as caught:
            await host.durable.wait("one")
        assert {error.complaint for error in caught.value.errors} == {Complaint.NON_DETERMINISM}
        assert host.durable.find("one").status is RuntimeStatus.FAILED
        assert "Non-Deterministic workflow detected" in str(host.durable.find("one").output)

    scene.options = HostOptions()
    scene.add(story)
    scene.play(play)


def test_another_input_on_replay_is_a_loud_error_too(scene: Any) -> None:
    """The real host does not compare inputs; a difference is a defect all the same."""
    calls: list[None] = []

    def story(context: Any) -> Any:
        calls.append(None)
        yield context.call_activity("work", len(calls))

    scene.options = HostOptions()
    with pytest.raises(HostErrors) as caught:
        scene.run(story)
    assert caught.value.errors[0].complaint is Complaint.NON_DETERMINISM


def test_a_hang_ends_virtual_time_at_once(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.wait_for_external_event("never")

    with pytest.raises(Deadlock):
        scene.run(story)


def test_waiting_too_long_says_what_is_open(scene: Any) -> None:
    def story(context: Any) -> Any:
        event = context.wait_for_external_event("Go")
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        yield context.task_any([event, timer])

    with pytest.raises(TimeoutError, match=r"one \(story\) Running: open \[0\], waits for \['go'\]"):
        scene.run(story, within=timedelta(minutes=1))
