"""The Durable HTTP API as a function from request to answer.

The extension's ``HttpApiHandler.cs``; what the SDK's ``models/DurableOrchestrationClient.py`` sends and accepts. The
webhook and the SDK's own address have the same paths. Every body is JSON or empty, for the SDK decodes each.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import unquote

from local.durable.answers import HttpAnswer, HttpCall, json_answer
from local.durable.binding import ANY_KEY, management_urls
from local.durable.host import DurableHost, InstanceConflict, InstanceEnded, UnknownFunction, UnknownInstance
from local.durable.instances import OrchestrationInstance, RuntimeStatus
from local.durable.queries import PAGE_SIZE, parse_filter, status_body, take_page

Order = Callable[[str, str], None]


class DurableEndpoints:
    """Answers calls below ``/runtime/webhooks/durabletask``; paths are given relative to it."""

    def __init__(self, host: DurableHost, base_url: Callable[[], str], hub_name: str, key: str = ANY_KEY) -> None:
        self._host = host
        self._base_url = base_url
        self._hub_name = hub_name
        self._key = key

    def answer(self, call: HttpCall, path: str) -> HttpAnswer:
        """The answer to ``call``, whose path below the API is ``path``, still percent-encoded."""
        parts = [unquote(part) for part in path.strip("/").split("/")]
        try:
            return self._route(call, parts)
        except UnknownInstance:
            return HttpAnswer(404)
        except InstanceEnded:
            return HttpAnswer(410)
        except (UnknownFunction, ValueError) as error:
            return _error(400, "One or more of the arguments submitted is incorrect", error)
        except InstanceConflict as error:
            return json_answer(500, str(error))

    def _route(self, call: HttpCall, parts: list[str]) -> HttpAnswer:
        match call.method, parts:
            case "POST", ["orchestrators", name, *rest] if len(rest) < 2:
                return self._start(call, name, rest[0] if rest else None)
            case "GET", ["instances"]:
                return self._list(call)
            case "DELETE", ["instances"]:
                return self._purge_many(call)
            case "GET", ["instances", instance_id]:
                return self._read(call, instance_id)
            case "DELETE", ["instances", instance_id]:
                return self._purge([instance_id])
            case "POST", ["instances", instance_id, "raiseEvent", name]:
                return self._raise_event(call, instance_id, name)
            case "POST", ["instances", instance_id, "restart"]:
                return self._restart(call, instance_id)
            case "POST", ["instances", instance_id, ("terminate" | "suspend" | "resume") as order]:
                orders: dict[str, Order] = {
                    "terminate": self._host.terminate,
                    "suspend": self._host.suspend,
                    "resume": self._host.resume,
                }
                orders[order](instance_id, call.query.get("reason", ""))
                return HttpAnswer(202)
            case "POST", ["instances", _, "rewind"]:
                return _error(501, "Rewind is not supported by the local host", NotImplementedError("rewind"))
        return HttpAnswer(404)

    def _start(self, call: HttpCall, name: str, instance_id: str | None) -> HttpAnswer:
        text = call.body.decode() or None
        if text is not None:
            json.loads(text)
        return self._accepted(self._host.start_instance(name, instance_id, text, call.query.get("version")))

    def _restart(self, call: HttpCall, instance_id: str) -> HttpAnswer:
        with_new_id = call.query.get("restartWithNewInstanceId", "true").casefold() == "true"
        try:
            return self._accepted(self._host.restart(instance_id, with_new_id=with_new_id))
        except UnknownInstance as error:
            raise ValueError(str(error)) from error

    def _accepted(self, instance_id: str) -> HttpAnswer:
        links = management_urls(self._base_url(), self._hub_name, instance_id, self._key)
        return json_answer(202, links, Location=links["statusQueryGetUri"], Retry_After="10")

    def _read(self, call: HttpCall, instance_id: str) -> HttpAnswer:
        instance = self._host.find(instance_id)
        body = status_body(
            instance,
            show_input=_flag(call, "showInput", default=True),
            show_history=_flag(call, "showHistory"),
            show_history_output=_flag(call, "showHistoryOutput"),
        )
        if not instance.status.is_ended:
            links = management_urls(self._base_url(), self._hub_name, instance_id, self._key)
            return json_answer(202, body, Location=links["statusQueryGetUri"], Retry_After="5")
        is_error = instance.status is RuntimeStatus.FAILED and _flag(call, "returnInternalServerErrorOnFailure")
        return json_answer(500 if is_error else 200, body)

    def _list(self, call: HttpCall) -> HttpAnswer:
        size = int(call.query.get("top") or PAGE_SIZE)
        token = call.headers.get("x-ms-continuation-token")
        page, more = take_page(self._host.select(parse_filter(call.query)), size, token)
        show_input = _flag(call, "showInput", default=True)
        bodies = [status_body(instance, show_input=show_input) for instance in page]
        return json_answer(200, bodies, **({"x_ms_continuation_token": more} if more else {}))

    def _purge_many(self, call: HttpCall) -> HttpAnswer:
        if not call.query.get("createdTimeFrom"):
            raise ValueError("Please provide value for 'createdTimeFrom' parameter.")

        def is_ended(instance: OrchestrationInstance) -> bool:
            return instance.status.is_ended

        return self._purge([one.id for one in filter(is_ended, self._host.select(parse_filter(call.query)))])

    def _purge(self, instance_ids: list[str]) -> HttpAnswer:
        count = self._host.purge(instance_ids)
        return json_answer(200, {"instancesDeleted": count}) if count else HttpAnswer(404)

    def _raise_event(self, call: HttpCall, instance_id: str, name: str) -> HttpAnswer:
        if not call.headers.get("content-type", "").casefold().startswith("application/json"):
            return _error(400, "Only application/json request content is supported", ValueError("content type"))
        text = call.body.decode() or "null"
        json.loads(text)
        self._host.raise_event(instance_id, name, text)
        return HttpAnswer(202)


def _flag(call: HttpCall, name: str, *, default: bool = False) -> bool:
    value = call.query.get(name)
    return default if value is None else value.casefold() == "true"


def _error(status: int, message: str, error: Exception) -> HttpAnswer:
    body = {
        "Message": message,
        "ExceptionMessage": str(error),
        "ExceptionType": type(error).__name__,
        "StackTrace": "",
    }
    return json_answer(status, body)
