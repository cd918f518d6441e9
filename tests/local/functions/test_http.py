"""HTTP functions without sockets, in virtual time, with the SDK's client where they have one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from local.clock import VIRTUAL_START, PlatformClock, run_virtual
from local.durable.errors import HostKilled
from local.durable.options import HostJson, HostOptions
from local.functions.host import BODY_BYTES_MAX, FunctionsHost

Story = Callable[[FunctionsHost, PlatformClock], Coroutine[Any, Any, Any]]


def play(sample: Any, story: Story, host_json: HostJson | None = None) -> Any:
    async def main() -> Any:
        clock = PlatformClock(VIRTUAL_START)
        host = FunctionsHost(sample.app, clock, host_json=host_json or HostJson(), options=HostOptions(timers=False))
        await host.start()
        try:
            return await story(host, clock)
        finally:
            await host.stop()

    return run_virtual(main())


@pytest.mark.parametrize(
    ("method", "target", "status", "body"),
    [
        ("GET", "/api/number/7/kg?q=a%20b", 200, b"7 kg a b"),
        ("POST", "/api/NUMBER/7", 200, b"7 none absent"),
        ("GET", "/api/number/7?q=a&q=b&q=", 200, b"7 none a,b"),
        ("GET", "/api/number/7?q=a&Q=b", 200, b"7 none a,b"),
        ("GET", "/api/number/7?q=", 200, b"7 none absent"),
        ("GET", "/api/number/seven", 404, b""),
        ("DELETE", "/api/number/7", 404, b""),
        ("HEAD", "/api/number/7", 404, b""),
        ("GET", "/number/7", 404, b""),
        ("GET", "/apinumber/7", 404, b""),
        ("GET", "/api/files/a/b%2Fc", 200, b"a/b/c"),
        ("GET", "/api/silent", 204, b""),
        ("GET", "/api/fall", 500, b""),
        ("GET", "/api", 404, b""),
        ("GET", "/runtime/webhooks/other", 404, b""),
    ],
)
def test_a_request_is_answered_as_the_host_does(
    sample: Any, method: str, target: str, status: int, body: bytes
) -> None:
    async def story(host: FunctionsHost, clock: PlatformClock) -> None:
        answer = await host.request(method, target)
        assert (answer.status, answer.body) == (status, body)

    play(sample, story)


def test_headers_types_and_cookies_are_the_function_s(sample: Any) -> None:
    async def story(host: FunctionsHost, clock: PlatformClock) -> None:
        answer = await host.request("GET", "/api/files/x")
        assert answer.headers == {"X-Name": "files", "Content-Type": "text/plain; charset=utf-8"}
        assert answer.cookies == ("a=b; Path=/",)
        assert (await host.request("GET", "/")).status == 200

    play(sample, story)


def test_the_route_prefix_is_host_json_s(sample: Any) -> None:
    async def story(host: FunctionsHost, clock: PlatformClock) -> None:
        assert (await host.request("GET", "/number/7")).status == 200
        assert (await host.request("GET", "/api/number/7")).status == 404

    play(sample, story, HostJson(route_prefix=""))


def test_a_body_over_the_limit_is_refused(sample: Any) -> None:
    async def story(host: FunctionsHost, clock: PlatformClock) -> None:
        body = bytes(BODY_BYTES_MAX + 1)
        assert (await host.request("POST", "/api/number/7", body=body)).status == 413

    play(sample, story)


def test_a_failed_function_leaves_its_traceback_in_the_log(sample: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def story(host: FunctionsHost, clock: PlatformClock) -> None:
        await host.request("GET", "/api/fall")

    play(sample, story)
    assert "RuntimeError: no answer" in caplog.text


def test_a_function_starts_and_reads_an_orchestration(sample: Any) -> None:
    async def story(host: FunctionsHost, clock: PlatformClock) -> None:
        accepted = await host.request("POST", "/api/waits/w1", body=b"2")
        assert accepted.status == 202
        location = accepted.headers["Location"]
        assert location.startswith("http://localhost:7071/runtime/webhooks/durabletask/instances/w1?")
        await clock.sleep(timedelta(seconds=1))
        shown = (await host.request("GET", "/api/waits/w1")).json()
        assert shown["runtimeStatus"] == "Running"
        assert shown["customStatus"] == {"step": "waiting"}
        polled = await host.request("GET", location.removeprefix("http://localhost:7071"))
        assert (polled.status, polled.json()["input"]) == (202, "2")
        assert (await host.durable.wait("w1")).output == "LATE"
        assert clock.now() - VIRTUAL_START >= timedelta(minutes=2)
        assert (await host.request("GET", "/api/waits/unknown")).status == 404

    play(sample, story)


def test_an_activity_may_have_a_client_too(sample: Any) -> None:
    async def story(host: FunctionsHost, clock: PlatformClock) -> None:
        await host.request("POST", "/api/waits/w1")
        await clock.sleep(timedelta(seconds=1))
        host.durable.start_instance("waker", "w2", json.dumps('"w1"'))
        assert (await host.durable.wait("w1")).output == {"by": "wake"}

    play(sample, story)


def test_a_killed_host_answers_nothing(sample: Any) -> None:
    async def story(host: FunctionsHost, clock: PlatformClock) -> None:
        waiting = asyncio.ensure_future(host.request("GET", "/api/linger"))
        await clock.sleep(timedelta(seconds=1))
        host.kill()
        with pytest.raises(HostKilled):
            await waiting
        with pytest.raises(HostKilled):
            await host.request("GET", "/api/number/7")
        with pytest.raises(HostKilled):
            host.durable.start_instance("wait")

    play(sample, story)
