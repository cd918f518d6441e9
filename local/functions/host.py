"""The Functions host: an app's functions, its Durable orchestrations, its timers, and HTTP without sockets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from local.clock import PlatformClock, VirtualLoop
from local.durable.answers import HttpAnswer, HttpCall
from local.durable.binding import ANY_KEY, WEBHOOK_PATH, client_binding
from local.durable.client import connect_client
from local.durable.endpoints import DurableEndpoints
from local.durable.errors import HostError, HostKilled
from local.durable.faults import DurableFaults
from local.durable.host import DurableHost
from local.durable.options import HostJson, HostOptions
from local.functions.event_grid import EVENT_GRID_PATH, EventGridWebhook
from local.functions.index import Function, index_app
from local.functions.keys import Keys
from local.functions.people import People
from local.functions.routes import best_match
from local.functions.timers import Timers
from local.functions.worker import FunctionWorker
from local.state import MemoryState, Storage

_DURABLE, _EVENT_GRID = "durabletask", "eventgrid"

logger = logging.getLogger(__name__)

#: The Functions host's limit of a request's body.
BODY_BYTES_MAX = 100 * 1024 * 1024


class FunctionsHost:
    """Runs ``app`` (a ``DFApp``); raises ``IndexingError`` if the real host would drop one of its functions.

    ``base_url`` is where clients reach it, and is set by ``serve`` once the port is known. In virtual time the SDK's
    Durable clients are answered in-process from ``start`` to ``stop``. Without ``keys`` none is asked for; with
    ``people``, App Service authentication stands before the app.
    """

    def __init__(
        self,
        app: Any,
        clock: PlatformClock,
        *,
        storage: Storage | None = None,
        faults: DurableFaults | None = None,
        base_url: str = "http://localhost:7071",
        host_json: Path | HostJson = Path("host.json"),
        options: HostOptions | None = None,
        keys: Keys | None = None,
        people: People | None = None,
    ) -> None:
        self.base_url = base_url
        self.clock = clock
        self.functions: list[Function] = index_app(app)
        self._keys, self._people = keys, people
        self._host_json = HostJson.read(host_json) if isinstance(host_json, Path) else host_json
        self._options = options or HostOptions()
        self._worker = FunctionWorker(self.functions, self._client_binding)
        storage = storage or MemoryState()
        self.durable = DurableHost(
            self._worker, clock, storage, faults or DurableFaults(), self._options, self._host_json
        )
        self._durable_key = ANY_KEY if keys is None else keys.key_of(_DURABLE)
        self._endpoints = DurableEndpoints(
            self.durable, lambda: self.base_url, self._host_json.hub_name, self._durable_key
        )
        # The SDK's own way in needs no key: in Azure it is a port that only this machine reaches.
        self._rpc_path = WEBHOOK_PATH if keys is None else f"/{token_urlsafe()}"
        self._event_grid = EventGridWebhook(self.functions, self._worker)
        enabled = [one for one in self.functions if one.name not in self._options.disabled]
        self._timers = Timers(enabled, self._worker, clock, storage)
        self._routes = [(one.route, index) for index, one in enumerate(self.functions) if one.route is not None]
        self._requests: set[asyncio.Task[HttpAnswer]] = set()
        self._disconnect: Callable[[], None] = lambda: None
        self._is_up = False

    @property
    def errors(self) -> list[HostError]:
        """What must not have happened."""
        return self.durable.errors

    def raise_errors(self) -> None:
        """Raise ``HostErrors`` with all errors, if there are any."""
        self.durable.raise_errors()

    async def start(self) -> None:
        """Go on with what the storage holds, and start the timers: what is past due runs at once."""
        if isinstance(asyncio.get_running_loop(), VirtualLoop):
            self._disconnect = connect_client(self._rpc_base_url(), self._endpoints.answer)
        self._is_up = True
        self.durable.start()
        if self._options.timers:
            self._timers.start()

    async def stop(self) -> None:
        """Let running activities and timer functions end, and end."""
        await self._timers.stop()
        await self.durable.stop()
        self._disconnect()
        self._is_up = False

    def kill(self) -> None:
        """Drop everything volatile at this moment, as ``kill -9`` would; a new host on the same storage goes on.

        Whoever waits for an answer gets ``HostKilled``, a ``ConnectionError``.
        """
        self._is_up = False
        self.durable.kill()
        self._timers.kill()
        self._disconnect()
        for request in self._requests:
            request.cancel()

    async def request(
        self, method: str, path_and_query: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpAnswer:
        """One HTTP request, as a client would see it."""
        lowered = {name.casefold(): value for name, value in (headers or {}).items()}
        return await self.answer(HttpCall(method.upper(), path_and_query, lowered, body))

    async def answer(self, call: HttpCall) -> HttpAnswer:
        """The answer to a call: an app's route, a Durable endpoint, Event Grid's webhook, the root page; else 404."""
        if not self._is_up:
            raise HostKilled("the host is not running")
        if len(call.body) > BODY_BYTES_MAX:
            return HttpAnswer(413)
        if self._people is not None:
            if (answer := self._people.answer(call)) is not None:
                return answer
            call = self._people.vouched(call)
        return await self._route(call)

    async def _route(self, call: HttpCall) -> HttpAnswer:
        if call.path.startswith(f"{self._rpc_path}/"):
            return self._endpoints.answer(call, call.path[len(self._rpc_path) :])
        if call.path.casefold().startswith(f"{WEBHOOK_PATH}/"):
            if not self._opens_extension(call, _DURABLE):
                return HttpAnswer(401)
            return self._endpoints.answer(call, call.path[len(WEBHOOK_PATH) :])
        if call.path.casefold() == EVENT_GRID_PATH:
            if not self._opens_extension(call, _EVENT_GRID):
                return HttpAnswer(401)
            return await self._finish(self._event_grid.answer(call))
        if call.path in ("", "/") and call.method == "GET":
            page = b"<!doctype html><title>Functions host</title><p>Your local Functions host is up and running."
            return HttpAnswer(200, {"Content-Type": "text/html; charset=utf-8"}, page)
        return await self._call_function(call)

    async def _call_function(self, call: HttpCall) -> HttpAnswer:
        """A wrong method is a 404 too, HEAD included: the method is part of the route (azure-functions-host#10098)."""
        prefix = f"/{self._host_json.route_prefix}" if self._host_json.route_prefix else ""
        if not f"{call.path}/".casefold().startswith(f"{prefix}/".casefold()):
            return HttpAnswer(404)
        routes = [(route, index) for route, index in self._routes if call.method in self.functions[index].methods]
        match = best_match(routes, call.path[len(prefix) :])
        if match is None:
            return HttpAnswer(404)
        function = self.functions[match[0]]
        if self._keys is not None and not self._keys.opens(call, function.name, function.level):
            return HttpAnswer(401)
        return await self._finish(self._run_function(function, call, match[1]))

    def _opens_extension(self, call: HttpCall, extension: str) -> bool:
        return self._keys is None or self._keys.opens_extension(call, extension)

    async def _finish(self, answering: Coroutine[Any, Any, HttpAnswer]) -> HttpAnswer:
        """Its answer, or ``HostKilled`` if the host is killed before there is one."""
        request = asyncio.get_running_loop().create_task(answering)
        self._requests.add(request)
        request.add_done_callback(self._requests.discard)
        try:
            return await request
        except asyncio.CancelledError:
            if self._is_up:
                raise
            raise HostKilled("the host was killed") from None

    async def _run_function(self, function: Function, call: HttpCall, parameters: dict[str, str]) -> HttpAnswer:
        """The function's answer; one that raises is an empty 500, and its traceback goes to the log."""
        origin = f"http://{call.headers['host']}" if "host" in call.headers else self.base_url
        try:
            return await self._worker.run_http(function, call, f"{origin}{call.target}", parameters)
        except Exception:
            logger.exception("HTTP function %s failed", function.name)
            return HttpAnswer(500)

    def _rpc_base_url(self) -> str:
        return f"{self.base_url}{self._rpc_path}/"

    def _client_binding(self) -> str:
        return client_binding(self.base_url, self._rpc_base_url(), self._host_json.hub_name, self._durable_key)
