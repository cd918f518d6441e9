"""Every call of the SDK's Durable client: in-process in virtual time, and over real sockets in scaled time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from azure.durable_functions import DurableOrchestrationClient, OrchestrationRuntimeStatus

from local.clock import VIRTUAL_START, PlatformClock, run_virtual
from local.durable.binding import WEBHOOK_PATH, client_binding
from local.durable.options import HostJson, HostOptions
from local.functions.host import FunctionsHost
from local.functions.server import serve

MINUTE = timedelta(minutes=1)


@dataclass
class Scene:
    """A started host, and an SDK client of it."""

    host: FunctionsHost
    clock: PlatformClock
    client: Any

    async def running(self, instance_id: str, minutes: int = 60) -> None:
        """Start ``wait`` under the id, and wait until it runs."""
        await self.client.start_new("wait", instance_id, minutes)
        while self.host.durable.find(instance_id).turns == 0:
            await self.clock.sleep(timedelta(seconds=1))


Story = Callable[[Scene], Awaitable[None]]
STORIES: list[Story] = []


def story(function: Story) -> Story:
    STORIES.append(function)
    return function


@story
async def start_get_and_end(scene: Scene) -> None:
    assert await scene.client.start_new("WAIT", "one", 1) == "one"
    status = await scene.client.get_status("one")
    assert (status.instance_id, status.name, status.input_) == ("one", "wait", "1")
    await scene.host.durable.wait("one")
    status = await scene.client.get_status("one", show_history=True, show_history_output=True)
    assert status.runtime_status is OrchestrationRuntimeStatus.Completed
    assert (status.output, status.custom_status, status.history) == ("LATE", {"step": "waiting"}, None)
    shown = [(event["EventType"], event.get("FunctionName"), event.get("Result")) for event in status.historyEvents]
    assert shown == [
        ("ExecutionStarted", "wait", None),
        ("TimerFired", None, None),
        ("TaskCompleted", "shout", "LATE"),
        ("ExecutionCompleted", None, "LATE"),
    ]
    assert status.historyEvents[2]["ScheduledTime"] <= status.historyEvents[2]["Timestamp"]
    assert not {"EventId", "IsPlayed"} & set(status.historyEvents[0])


@story
async def ids_are_made_and_checked(scene: Scene) -> None:
    made = await scene.client.start_new("wait")
    assert len(made) == 32
    await scene.client.terminate(made, "no more")
    for bad in ("@x", "x" * 257, "a%01b"):
        with pytest.raises(Exception, match="Instance IDs must not"):
            await scene.client.start_new("wait", bad)
    with pytest.raises(Exception, match="'nobody' doesn't exist"):
        await scene.client.start_new("nobody")


@story
async def an_unknown_instance_is_a_falsy_status(scene: Scene) -> None:
    status = await scene.client.get_status("unknown")
    assert not status
    assert status.runtime_status is None


@story
async def a_running_id_cannot_be_started_again(scene: Scene) -> None:
    await scene.running("one")
    with pytest.raises(Exception, match="with the status Running already exists"):
        await scene.client.start_new("wait", "one")


@story
async def events_arrive_as_text(scene: Scene) -> None:
    await scene.running("one")
    await scene.client.raise_event("one", "go", {"a": [1]})
    assert (await scene.host.durable.wait("one")).output == {"a": [1]}
    with pytest.raises(Exception, match="is gone"):
        await scene.client.raise_event("one", "go")
    with pytest.raises(Exception, match="No instance with ID unknown"):
        await scene.client.raise_event("unknown", "go")


@story
async def terminate_suspend_resume(scene: Scene) -> None:
    await scene.running("one")
    await scene.client.suspend("one", "hold on & wait")
    await scene.clock.sleep(MINUTE)
    assert (await scene.client.get_status("one")).runtime_status is OrchestrationRuntimeStatus.Suspended
    await scene.client.resume("one", "go on")
    await scene.client.terminate("one", "enough & more")
    await scene.host.durable.wait("one")
    status = await scene.client.get_status("one")
    assert (status.runtime_status, status.output) == (OrchestrationRuntimeStatus.Terminated, "enough & more")
    await scene.client.terminate("one", "again")
    for order in (scene.client.terminate, scene.client.suspend, scene.client.resume):
        with pytest.raises(Exception, match="No instance with ID 'unknown' found"):
            await order("unknown", "why")


@story
async def a_failed_instance_says_why(scene: Scene) -> None:
    await scene.client.start_new("broken", "one")
    await scene.host.durable.wait("one")
    status = await scene.client.get_status("one")
    assert status.runtime_status is OrchestrationRuntimeStatus.Failed
    assert status.output == "Orchestrator function 'broken' failed: broken"
    asked = f"{WEBHOOK_PATH}/instances/one?returnInternalServerErrorOnFailure=true"
    assert (await scene.host.request("GET", asked)).status == 500


@story
async def a_shown_history_tells_of_failures(scene: Scene) -> None:
    await scene.client.start_new("fails", "one")
    await scene.host.durable.wait("one")
    status = await scene.client.get_status("one", show_history=True)
    (failed,) = [event for event in status.historyEvents if event["EventType"] == "TaskFailed"]
    assert (failed["FunctionName"], failed["Reason"]) == (
        "stumble",
        "Activity function 'stumble' failed:  ValueError: stumbled",
    )
    assert "Details" not in failed
    assert not any("Result" in event for event in status.historyEvents)


@story
async def restart_gives_new_links_or_the_same_id(scene: Scene) -> None:
    await scene.running("one", 7)
    await scene.client.terminate("one", "enough")
    await scene.host.durable.wait("one")
    links = await scene.client.restart("one")
    assert links["id"] != "one"
    assert (await scene.client.get_status(links["id"])).input_ == "7"
    assert (await scene.client.restart("one", restart_with_new_instance_id=False))["id"] == "one"
    with pytest.raises(Exception, match="400"):
        await scene.client.restart("unknown")


@story
async def queries_filter(scene: Scene) -> None:
    for instance_id in ("a-1", "a-2", "b-1"):
        await scene.running(instance_id)
    await scene.client.terminate("a-1", "enough")
    await scene.host.durable.wait("a-1")

    async def ids(**wanted: Any) -> list[str]:
        return [status.instance_id for status in await scene.client.get_status_by(**wanted)]

    assert [status.instance_id for status in await scene.client.get_status_all()] == ["a-1", "a-2", "b-1"]
    assert await ids(instance_id_prefix="a-") == ["a-1", "a-2"]
    assert await ids(runtime_status=[OrchestrationRuntimeStatus.Running]) == ["a-2", "b-1"]
    assert await ids(runtime_status=[OrchestrationRuntimeStatus.Canceled]) == []
    assert await ids(created_time_to=VIRTUAL_START - MINUTE) == []
    assert await ids(created_time_from=VIRTUAL_START - MINUTE, instance_id_prefix="b") == ["b-1"]


@story
async def purges_delete(scene: Scene) -> None:
    for instance_id in ("one", "two", "three"):
        await scene.running(instance_id)
    assert (await scene.client.purge_instance_history("one")).instances_deleted == 1
    assert (await scene.client.purge_instance_history("one")).instances_deleted == 0
    await scene.client.terminate("two", "enough")
    await scene.host.durable.wait("two")
    ended = [OrchestrationRuntimeStatus.Terminated]
    since = VIRTUAL_START - MINUTE
    assert (await scene.client.purge_instance_history_by(since, runtime_status=ended)).instances_deleted == 1
    assert (await scene.client.purge_instance_history_by(since)).instances_deleted == 0
    assert [one.id for one in scene.host.durable.instances()] == ["three"]


@story
async def rewind_is_refused(scene: Scene) -> None:
    await scene.running("one")
    with pytest.raises(Exception, match="Rewind is not supported"):
        await scene.client.rewind("one", "why")


def client_of(host: FunctionsHost) -> Any:
    return DurableOrchestrationClient(client_binding(host.base_url, f"{host.base_url}{WEBHOOK_PATH}/", "Hub"))


@pytest.mark.parametrize("told", STORIES, ids=lambda told: told.__name__)
def test_the_client_in_virtual_time(sample: Any, told: Story) -> None:
    async def main() -> None:
        clock = PlatformClock(VIRTUAL_START)
        host = FunctionsHost(sample.app, clock, host_json=HostJson(), options=HostOptions(timers=False))
        await host.start()
        await told(Scene(host, clock, client_of(host)))
        await host.stop()

    run_virtual(main())


@pytest.mark.parametrize("told", STORIES, ids=lambda told: told.__name__)
async def test_the_client_over_real_sockets(sample: Any, told: Story) -> None:
    clock = PlatformClock(VIRTUAL_START, scale=600)
    host = FunctionsHost(sample.app, clock, host_json=HostJson(), options=HostOptions(timers=False))
    server = await serve(host, 0)
    try:
        await told(Scene(host, clock, client_of(host)))
    finally:
        await server.stop()


async def test_many_clients_at_once_at_scale_60(sample: Any) -> None:
    clock = PlatformClock(VIRTUAL_START, scale=60)
    host = FunctionsHost(sample.app, clock, host_json=HostJson(), options=HostOptions(timers=False))
    server = await serve(host, 0)
    client = client_of(host)
    names = [f"w-{number:02}" for number in range(40)]
    await asyncio.gather(*(client.start_new("wait", name) for name in names))
    await asyncio.gather(*(client.raise_event(name, "go", name) for name in names))
    ended = await asyncio.gather(*(host.durable.wait(name) for name in names))
    assert [status.output for status in ended] == names
    await server.stop()


def test_clients_of_two_hosts_in_one_virtual_time_reach_their_own(sample: Any) -> None:
    async def main() -> None:
        clock = PlatformClock(VIRTUAL_START)
        hosts = []
        for name in ("one", "two"):
            base = f"http://{name}.local"
            host = FunctionsHost(
                sample.app, clock, base_url=base, host_json=HostJson(), options=HostOptions(timers=False)
            )
            await host.start()
            await client_of(host).start_new("wait", name)
            hosts.append(host)
        assert [[one.id for one in host.durable.instances()] for host in hosts] == [["one"], ["two"]]
        hosts[0].kill()
        assert (await client_of(hosts[1]).get_status("two")).instance_id == "two"
        await hosts[1].stop()

    run_virtual(main())


def in_process(sample: Any, told: Callable[[FunctionsHost], Awaitable[None]]) -> None:
    async def main() -> None:
        host = FunctionsHost(sample.app, PlatformClock(VIRTUAL_START), options=HostOptions(timers=False))
        await host.start()
        await told(host)
        await host.stop()

    run_virtual(main())


def test_lists_come_in_pages(sample: Any) -> None:
    async def told(host: FunctionsHost) -> None:
        for number in range(205):
            host.durable.start_instance("wait", f"w-{number:03}")
        seen: list[str] = []
        headers: dict[str, str] = {}
        for expected in (100, 100, 5):
            page = await host.request("GET", f"{WEBHOOK_PATH}/instances/", headers=headers)
            assert len(page.json()) == expected
            seen += [one["instanceId"] for one in page.json()]
            headers = {"x-ms-continuation-token": page.headers.get("x-ms-continuation-token", "")}
        assert seen == [f"w-{number:03}" for number in range(205)]
        assert headers == {"x-ms-continuation-token": ""}
        assert len((await host.request("GET", f"{WEBHOOK_PATH}/instances?top=3")).json()) == 3

    in_process(sample, told)


@pytest.mark.parametrize(
    ("method", "target", "body", "status"),
    [
        ("POST", "orchestrators/wait/one", b"{no json", 400),
        ("POST", "orchestrators/wait/one/two", b"", 404),
        ("POST", "instances/run/raiseEvent/go", b"{no json", 400),
        ("POST", "instances/run/raiseEvent/go", b'{"a": 1}', 202),
        ("DELETE", "instances/", b"", 400),
        ("DELETE", "instances/?createdTimeFrom=yesterday", b"", 400),
        ("GET", "instances/?createdTimeFrom=2026-01-01T00:00:00Z", b"", 200),
        ("GET", "instances/?top=many", b"", 400),
        ("GET", "nothing", b"", 404),
    ],
)
def test_raw_calls_are_answered_with_json_or_nothing(
    sample: Any, method: str, target: str, body: bytes, status: int
) -> None:
    async def told(host: FunctionsHost) -> None:
        host.durable.start_instance("wait", "run")
        headers = {"Content-Type": "application/json"}
        answer = await host.request(method, f"{WEBHOOK_PATH}/{target}", headers=headers, body=body)
        assert answer.status == status
        if status == 400:
            assert answer.json().keys() == {"Message", "ExceptionMessage", "ExceptionType", "StackTrace"}
        else:
            assert not answer.body or isinstance(answer.json(), list)

    in_process(sample, told)


def test_an_event_must_be_json_by_its_type(sample: Any) -> None:
    async def told(host: FunctionsHost) -> None:
        host.durable.start_instance("wait", "run")
        target = f"{WEBHOOK_PATH}/instances/run/raiseEvent/go"
        answer = await host.request("POST", target, headers={"Content-Type": "text/plain"}, body=b"1")
        assert (answer.status, answer.json()["Message"]) == (400, "Only application/json request content is supported")

    in_process(sample, told)


def test_a_raw_start_with_an_object_gives_the_object(sample: Any) -> None:
    async def told(host: FunctionsHost) -> None:
        body = json.dumps({"a": 1}).encode()
        answer = await host.request("POST", f"{WEBHOOK_PATH}/orchestrators/broken/one", body=body)
        links = answer.json()
        assert (answer.status, answer.headers["Retry-After"], links["id"]) == (202, "10", "one")
        shown = (await host.request("GET", links["statusQueryGetUri"].removeprefix(host.base_url))).json()
        assert shown["input"] == {"a": 1}
        assert shown["historyEvents"] is None
        hidden = (await host.request("GET", f"{WEBHOOK_PATH}/instances/one?showInput=false")).json()
        assert hidden["input"] is None
        assert datetime.fromisoformat(shown["createdTime"]) == VIRTUAL_START

    in_process(sample, told)


def test_the_sdk_s_functions_are_put_back(sample: Any) -> None:
    import sys

    module = sys.modules["azure.durable_functions.models.DurableOrchestrationClient"]
    before = module.post_async_request

    async def told(host: FunctionsHost) -> None:
        assert module.post_async_request is not before

    in_process(sample, told)
    assert module.post_async_request is before
