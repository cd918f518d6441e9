"""The Functions host on a real socket: the app's routes and the Durable endpoints, on one port.

The real host gives the SDK's Durable client a port of its own (``rpcBaseUrl``); the paths are the same, and any port
works.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import format_datetime

from aiohttp import web

from local.durable.answers import HttpCall
from local.durable.client import close_client_session
from local.functions.host import BODY_BYTES_MAX, FunctionsHost

#: How long requests under way may take to end when the server stops, in real seconds.
SHUTDOWN_SECONDS = 5.0

#: Where the address without a path leads.
ENTRY = "/api/dashboard/"


@dataclass(frozen=True)
class Server:
    """A server that runs. ``port`` is the one it got."""

    port: int
    host: FunctionsHost
    runner: web.AppRunner

    async def stop(self) -> None:
        """Take no more requests, let those under way end, and stop the host."""
        await self.runner.cleanup()
        await self.host.stop()
        await close_client_session()


async def serve(host: FunctionsHost, port: int = 7071, address: str = "127.0.0.1") -> Server:
    """Listen, then start ``host``; port 0 takes a free one. Its ``base_url`` is set to what it listens on."""

    async def enter(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(ENTRY)

    async def handle(request: web.Request) -> web.StreamResponse:
        sent = {name.casefold(): request.headers.getall(name) for name in request.headers}
        headers = {name: ",".join(values) for name, values in sent.items()}
        firsts = {name: values[0] for name, values in sent.items() if len(values) > 1}
        answer = await host.answer(HttpCall(request.method, request.path_qs, headers, await request.read(), firsts))
        # The platform's own time: by it a page can count, whatever the speed.
        date = {"Date": format_datetime(host.clock.now(), usegmt=True)}
        response = web.Response(status=answer.status, headers={**date, **answer.headers}, body=answer.body)
        for cookie in answer.cookies:
            response.headers.add("Set-Cookie", cookie)
        return response

    application = web.Application(client_max_size=BODY_BYTES_MAX)
    application.router.add_get("/", enter)
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    await web.TCPSite(runner, address, port).start()
    (listening,) = runner.addresses
    host.base_url = f"http://{address}:{listening[1]}"
    await host.start()
    return Server(listening[1], host, runner)
