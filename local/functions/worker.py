"""Invoking functions as the Python worker does: values converted by ``azure.functions``, sync functions on threads.

In virtual time there are no threads; the loop runs what it is given for one inline.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import azure.functions as func
from azure.durable_functions.models import DurableOrchestrationContext
from azure.durable_functions.orchestrator import Orchestrator
from azure.functions.durable_functions import ActivityTriggerConverter
from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.http import HttpResponseConverter
from azure.functions.meta import Datum
from azure.functions.timer import TimerRequest

from local.durable.answers import HttpAnswer, HttpCall
from local.functions.index import ACTIVITY, ORCHESTRATION, Function


@dataclass(frozen=True)
class Context:
    """The invocation's context, as far as the worker fills it for these triggers."""

    invocation_id: str
    function_name: str
    function_directory: str = ""
    trace_context: Any = None
    retry_context: Any = None


class FunctionWorker:
    """Runs the functions of an app. ``client_binding`` gives the text for ``durableClient`` parameters."""

    def __init__(self, functions: Iterable[Function], client_binding: Callable[[], str]) -> None:
        self._client_binding = client_binding
        by_trigger: dict[str, dict[str, Function]] = {}
        for function in functions:
            by_trigger.setdefault(function.trigger, {})[function.registered_name.casefold()] = function
        self._orchestrators = by_trigger.get(ORCHESTRATION, {})
        self._activities = by_trigger.get(ACTIVITY, {})

    def find_orchestrator(self, name: str) -> str | None:
        """The name as it was registered, or None."""
        function = self._orchestrators.get(name.casefold())
        return None if function is None else function.registered_name

    def find_activity(self, name: str) -> str | None:
        """The name as it was registered, or None."""
        function = self._activities.get(name.casefold())
        return None if function is None else function.registered_name

    def run_orchestrator(self, name: str, context: str) -> str:
        """Call the SDK's handle with the context's JSON; return its JSON, or raise what it raises."""
        handler = self._orchestrators[name.casefold()].handler
        with _without_advice():
            return str(handler(func.OrchestrationContext(context)))

    def scheduled_by_sdk(self, name: str, context: str) -> frozenset[int]:
        """The sequence numbers of the SDK's open tasks after the same call (SDK internals of 1.7.0)."""
        handler = self._orchestrators[name.casefold()].handler
        orchestrator_function = handler.orchestrator_function  # type: ignore[attr-defined]
        durable_context = DurableOrchestrationContext.from_json(context)
        # A failed orchestrator raises; what it left open is what is asked for.
        with _without_advice(), suppress(Exception):
            Orchestrator(orchestrator_function).handle(durable_context)
        return frozenset(key for key in durable_context.open_tasks if isinstance(key, int))

    async def run_activity(self, name: str, data: str) -> str:
        """Call an activity with its input's JSON text; return its result's."""
        function = self._activities[name.casefold()]
        with _without_advice():
            value = ActivityTriggerConverter.decode(Datum(type="string", value=data), trigger_metadata=None)
        result = await self._invoke(function, value)
        return str(ActivityTriggerConverter.encode(result, expected_type=None).value)

    async def run_http(self, function: Function, call: HttpCall, url: str, parameters: dict[str, str]) -> HttpAnswer:
        """Call an HTTP function; no answer at all is an empty 204."""
        request = func.HttpRequest(
            method=call.method,
            url=url,
            headers=dict(call.headers),
            params=call.query,
            route_params=parameters,
            body=call.body,
        )
        result = await self._invoke(function, request)
        return HttpAnswer(204) if result is None else _read_answer(result)

    async def run_timer(self, function: Function, due: datetime, *, is_past_due: bool) -> None:
        """Call a timer function for the time at which it was ``due``."""
        await self._invoke(function, TimerRequest(past_due=is_past_due, schedule_status={"Last": due.isoformat()}))

    async def run_event(self, function: Function, event: dict[str, Any]) -> None:
        """Call an Event Grid function with one event; the SDK makes of it what its schema is."""
        value = EventGridEventInConverter.decode(Datum(type="json", value=json.dumps(event)), trigger_metadata=None)
        await self._invoke(function, value)

    async def _invoke(self, function: Function, value: Any) -> Any:
        arguments: dict[str, Any] = {function.parameter: value}
        arguments.update(dict.fromkeys(function.clients, self._client_binding()) if function.clients else {})
        if function.takes_context:
            arguments["context"] = Context(str(uuid.uuid4()), function.name)
        if inspect.iscoroutinefunction(function.handler):
            return await function.handler(**arguments)
        return await asyncio.get_running_loop().run_in_executor(None, lambda: function.handler(**arguments))


@contextmanager
def _without_advice() -> Iterator[None]:
    """Silence two warnings of the SDKs that say nothing about the app.

    Completions that nobody waits for are nothing unusual with at-least-once delivery; and plain JSON needs no expected
    type. Where warnings are errors they would fail an orchestration that is sound.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Potential duplicate Task completion")
        warnings.filterwarnings("ignore", message="azure.functions df_loads was called without expected_type")
        yield


def _read_answer(result: Any) -> HttpAnswer:
    datum = HttpResponseConverter.encode(result, expected_type=None)
    if datum.type == "string":
        return HttpAnswer(200, {"Content-Type": "text/plain; charset=utf-8"}, datum.value.encode())
    parts = datum.value
    headers = {name.title(): value.value for name, value in parts["headers"].items()}
    cookies = tuple(cookie.OutputString() for jar in parts["cookies"] or () for cookie in jar.values())
    return HttpAnswer(int(parts["status_code"].value), headers, parts["body"].value, cookies)
