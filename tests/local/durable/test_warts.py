"""Where the SDK and the host come apart, or do what nobody would guess: each as Azure has it, with a test.

Sources: azure-functions-durable-python issues 507, 295, 410, 573; azure-functions-durable-js issue 99.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest

from local.clock import PlatformClock
from local.durable.errors import Complaint, HostErrors
from local.durable.host import InstanceConflict
from local.durable.instances import RuntimeStatus
from local.durable.options import HostOptions
from local.functions.host import FunctionsHost

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def test_an_early_event_is_given_to_every_later_wait_by_the_sdk_and_the_host_hangs(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.create_timer(context.current_utc_datetime + MINUTE)
        first = yield context.wait_for_external_event("go")
        second = yield context.wait_for_external_event("go")
        return [first, second]

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one")
        await clock.sleep(SECOND)
        host.durable.raise_event("one", "go", '"x"')
        with pytest.raises(TimeoutError, match="waits for \\['go'\\]"):
            await host.durable.wait("one", timedelta(hours=1))

    scene.options = HostOptions()
    scene.add(story)
    scene.play(play)


def test_an_event_in_another_case_satisfies_the_host_and_not_the_sdk(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.wait_for_external_event("go")

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one")
        await clock.sleep(SECOND)
        host.durable.raise_event("one", "GO")
        with pytest.raises(TimeoutError, match="waits for \\[\\]"):
            await host.durable.wait("one", timedelta(hours=1))

    scene.options = HostOptions()
    scene.add(story)
    scene.play(play)


def test_the_newest_wait_gets_the_event(scene: Any) -> None:
    def story(context: Any) -> Any:
        older, newer = context.wait_for_external_event("go"), context.wait_for_external_event("go")
        winner = yield context.task_any([older, newer])
        return winner is newer

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one")
        await clock.sleep(SECOND)
        host.durable.raise_event("one", "go")
        assert (await host.durable.wait("one")).output is True

    scene.add(story)
    scene.play(play)


def test_a_raced_retry_whose_timer_is_cancelled_fails_the_instance(scene: Any) -> None:
    """The usual timeout pattern: the host passes the race at once on replay, and numbers drift."""

    def story(context: Any) -> Any:
        retried = context.call_activity_with_retry("flaky", df.RetryOptions(5000, 3), 1)
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        yield context.task_any([retried, timer])
        timer.cancel()
        yield context.call_activity("work", 1)

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one")
        with pytest.raises(HostErrors) as caught:
            await host.durable.wait("one")
        assert caught.value.errors[0].complaint is Complaint.NON_DETERMINISM
        assert host.durable.find("one").status is RuntimeStatus.FAILED

    scene.options = HostOptions()
    scene.add(story)
    scene.play(play)


def test_the_cross_check_sees_the_sdk_run_ahead_of_the_host(scene: Any) -> None:
    """After a failed fan-out the SDK goes on at once, and the host waits for the siblings."""

    def story(context: Any) -> Any:
        try:
            yield context.task_all([context.call_activity("fail", 1), context.call_activity("slow", 60)])
        except Exception:
            yield context.call_activity("work", 1)

    with pytest.raises(HostErrors) as caught:
        scene.run(story)
    assert caught.value.errors[0].complaint is Complaint.DIVERGENCE


def test_a_start_under_a_running_id_is_refused_and_an_ended_one_is_replaced(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.create_timer(context.current_utc_datetime + MINUTE)
        return context.get_input()

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one", json.dumps('"a"'))
        with pytest.raises(InstanceConflict, match="status Pending already exists"):
            host.durable.start_instance("story", "one")
        await clock.sleep(SECOND)
        with pytest.raises(InstanceConflict, match="with the status Running already exists"):
            host.durable.start_instance("story", "one")
        assert (await host.durable.wait("one")).output == "a"
        host.durable.start_instance("story", "one", json.dumps('"b"'))
        assert host.durable.find("one").status is RuntimeStatus.PENDING
        assert (await host.durable.wait("one")).output == "b"
        assert sum(event["EventType"] == 0 for event in host.durable.history("one")) == 1

    scene.add(story)
    scene.play(play)


def test_terminate_ends_at_once_and_reaches_no_child_and_no_activity(scene: Any) -> None:
    def child(context: Any) -> Any:
        yield context.call_activity("slow", 60)
        return "went on"

    def story(context: Any) -> Any:
        yield context.task_all([context.call_sub_orchestrator("child", None, "kid"), context.call_activity("slow", 30)])

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one")
        await clock.sleep(SECOND)
        host.durable.terminate("one", "enough")
        status = await host.durable.wait("one")
        assert (status.status, status.output) == (RuntimeStatus.TERMINATED, "enough")
        assert (await host.durable.wait("kid")).output == "went on"
        assert host.durable.find("one").status is RuntimeStatus.TERMINATED

    scene.add(child, story)
    scene.play(play)


def test_a_terminated_child_fails_in_its_parent(scene: Any) -> None:
    def child(context: Any) -> Any:
        yield context.wait_for_external_event("never")

    def story(context: Any) -> Any:
        try:
            yield context.call_sub_orchestrator("child", None, "kid")
        except Exception as error:
            return str(error)

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one")
        await clock.sleep(SECOND)
        host.durable.terminate("kid", "enough")
        assert (await host.durable.wait("one")).output == "enough \n None"

    scene.add(child, story)
    scene.play(play)


def test_a_suspended_instance_holds_everything_until_it_is_resumed(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.create_timer(context.current_utc_datetime + SECOND)
        yield context.call_activity("work", 1)
        return "done"

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one")
        await clock.sleep(SECOND / 2)
        host.durable.suspend("one", "hold on")
        await clock.sleep(MINUTE)
        assert host.durable.find("one").status is RuntimeStatus.SUSPENDED
        assert scene.ledger.effects == []
        host.durable.resume("one", "go on")
        assert (await host.durable.wait("one")).output == "done"

    scene.add(story)
    scene.play(play)


def test_a_suspended_instance_can_be_terminated(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.wait_for_external_event("never")

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one")
        host.durable.suspend("one", "hold on")
        await clock.sleep(SECOND)
        assert host.durable.find("one").status is RuntimeStatus.SUSPENDED
        host.durable.terminate("one", "enough")
        assert (await host.durable.wait("one")).status is RuntimeStatus.TERMINATED

    scene.add(story)
    scene.play(play)


def test_a_purged_instance_is_gone_and_what_was_under_way_for_it_is_dropped(scene: Any) -> None:
    def story(context: Any) -> Any:
        yield context.call_activity("slow", 60)

    async def play(host: FunctionsHost, clock: PlatformClock) -> None:
        host.durable.start_instance("story", "one")
        await clock.sleep(SECOND)
        assert host.durable.purge(["one", "unknown"]) == 1
        assert host.durable.instance("one") is None
        await clock.sleep(2 * MINUTE)
        assert host.durable.instances() == []
        assert scene.storage.load("durable").keys() == {"counter"}

    scene.add(story)
    scene.play(play)
