"""The webhook of Event Grid triggers, as the Functions host serves it.

Source: azure-sdk-for-net, ``Microsoft.Azure.WebJobs.Extensions.EventGrid/src/TriggerBinding/HttpRequestProcessor.cs``.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable
from typing import Any

from local.durable.answers import HttpAnswer, HttpCall, json_answer
from local.functions.index import EVENT_GRID, Function
from local.functions.worker import FunctionWorker

logger = logging.getLogger(__name__)

EVENT_GRID_PATH = "/runtime/webhooks/eventgrid"


class EventGridWebhook:
    """Hands what is posted to it to the function that ``functionName`` names; a local host asks for no key."""

    def __init__(self, functions: Iterable[Function], worker: FunctionWorker) -> None:
        self._functions = {one.name.casefold(): one for one in functions if one.trigger == EVENT_GRID}
        self._worker = worker

    async def answer(self, call: HttpCall) -> HttpAnswer:
        """404 where no function has the name; 400 for a request that Event Grid does not make."""
        function = self._functions.get(call.query.get("functionName", "").casefold())
        if function is None:
            return HttpAnswer(404)
        kind = call.headers.get("aeg-event-type", "").casefold()
        if kind == "unsubscribe":
            return HttpAnswer(202)
        events = _read_events(call.body)
        if kind == "subscriptionvalidation":
            return _validate(events)
        if kind == "notification" and events:
            return await self._notify(function, events)
        return HttpAnswer(400)

    async def _notify(self, function: Function, events: list[dict[str, Any]]) -> HttpAnswer:
        """One invocation an event. If one fails the answer is 500, and Event Grid sends them all again."""
        runs = (self._worker.run_event(function, event) for event in events)
        failures = [one for one in await asyncio.gather(*runs, return_exceptions=True) if one is not None]
        for failure in failures:
            if not isinstance(failure, Exception):
                raise failure
            logger.error("Event Grid function %s failed", function.name, exc_info=failure)
        return HttpAnswer(500 if failures else 202)


def _read_events(body: bytes) -> list[dict[str, Any]]:
    """The events of a batch in the Event Grid schema, or the one in the CloudEvents schema; none if it is neither."""
    read = _decode(body)
    events = read if isinstance(read, list) else [read]
    return events if all(isinstance(one, dict) for one in events) else []


def _validate(events: list[dict[str, Any]]) -> HttpAnswer:
    """The handshake. In the CloudEvents schema the event's data is JSON in a string."""
    data = events[0].get("data") if events else None
    data = _decode(data) if isinstance(data, str) else data
    code = data.get("validationCode") if isinstance(data, dict) else None
    return json_answer(200, {"validationResponse": code}) if code else HttpAnswer(400)


def _decode(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
