"""The host on a real socket."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from local.clock import VIRTUAL_START, PlatformClock
from local.durable.options import HostJson, HostOptions
from local.functions.host import FunctionsHost
from local.functions.server import serve


async def test_requests_are_answered_as_without_sockets(sample: Any) -> None:
    host = FunctionsHost(
        sample.app, PlatformClock(VIRTUAL_START, 600), host_json=HostJson(), options=HostOptions(timers=False)
    )
    server = await serve(host, 0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
        async with session.post("/api/number/7/kg?q=a+b") as answer:
            assert (answer.status, await answer.text()) == (200, "7 kg a b")
        async with session.get("/api/files/a/b") as answer:
            assert (answer.cookies["a"].value, answer.headers["X-Name"]) == ("b", "files")
            assert answer.content_type == "text/plain"
        async with session.head("/api/files/a/b") as answer:
            assert answer.status == 404
        async with session.get("/api/fall") as answer:
            assert (answer.status, await answer.read()) == (500, b"")
        async with session.post("/api/waits/w1") as answer:
            assert answer.status == 202
            location = answer.headers["Location"]
        assert location.startswith(f"http://127.0.0.1:{server.port}/runtime/webhooks/durabletask/instances/w1?")
        status = await host.durable.wait("w1")
        async with session.get(location) as answer:
            assert (answer.status, (await answer.json())["output"]) == (200, status.output)
    await server.stop()


async def test_a_stopped_server_listens_no_more(sample: Any) -> None:
    host = FunctionsHost(
        sample.app, PlatformClock(VIRTUAL_START), host_json=HostJson(), options=HostOptions(timers=False)
    )
    server = await serve(host, 0)
    await server.stop()
    with pytest.raises(OSError, match="onnect"):
        await asyncio.open_connection("127.0.0.1", server.port)
