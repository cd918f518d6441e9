"""The HTTP, Event Grid and timer functions of the app: the one place of this package that knows the Functions SDK."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import azure.durable_functions as df
import azure.functions as func

from api.dashboard import answer_dashboard
from api.errors import respond
from api.http import Answer, Request
from api.notifications import image_published
from api.routes import Route, open_routes, routes
from api.timers import Timer, timers
from rollout.notification import Notification
from rollout.ports import Ports
from rollout.roles import is_keyed
from settings import Settings


def doors(ports_of: Callable[[df.DurableOrchestrationClient], Ports], settings: Settings) -> df.Blueprint:
    """Every route as a function of its own, for ``register_functions``.

    ``ports_of`` makes the ports around an invocation's Durable client; it is called inside invocations only.
    """
    blueprint = df.Blueprint(http_auth_level=func.AuthLevel.FUNCTION)
    for route in routes(settings):
        _register(blueprint, route, ports_of, _level(route, settings))

    for route in open_routes(settings):
        _register_open(blueprint, route, ports_of)
    return blueprint


def pages() -> df.Blueprint:
    """The page that people look at. It is no part of the API: it says nothing, and reads with its reader's key."""
    blueprint = df.Blueprint()

    @blueprint.function_name("get_dashboard")
    @blueprint.route("dashboard/{*path}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def door(req: func.HttpRequest) -> func.HttpResponse:
        return _response(answer_dashboard(_request(req)))

    return blueprint


def alarms(ports_of: Callable[[df.DurableOrchestrationClient], Ports], settings: Settings) -> df.Blueprint:
    """Every timer as a function of its own, as ``doors``."""
    blueprint = df.Blueprint()
    for timer in timers(settings):
        _register_timer(blueprint, timer, ports_of)
    return blueprint


def listeners(ports_of: Callable[[df.DurableOrchestrationClient], Ports], settings: Settings) -> df.Blueprint:
    """Every Event Grid trigger as a function of its own, as ``doors``."""
    blueprint = df.Blueprint()

    @blueprint.function_name("imagePublished")
    @blueprint.event_grid_trigger(arg_name="event")
    @blueprint.durable_client_input(client_name="client")  # type: ignore[untyped-decorator]
    async def listen(event: func.EventGridEvent, client: df.DurableOrchestrationClient) -> None:
        notification = _notification(event)
        await image_published(
            ports_of(client), notification, poll_interval=settings.poll_interval, scopes=settings.scopes
        )

    return blueprint


def _level(route: Route, settings: Settings) -> func.AuthLevel:
    """Whether the host asks for a key. Whoever it lets in without, ``api.admission`` asks who it is."""
    return func.AuthLevel.FUNCTION if is_keyed(route.name, settings.mode) else func.AuthLevel.ANONYMOUS


def _register(
    blueprint: df.Blueprint,
    route: Route,
    ports_of: Callable[[df.DurableOrchestrationClient], Ports],
    level: func.AuthLevel,
) -> None:
    @blueprint.function_name(route.name)
    @blueprint.route(route.path, methods=[route.method], auth_level=level)
    @blueprint.durable_client_input(client_name="client")  # type: ignore[untyped-decorator]
    async def door(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
        return _response(await respond(route.handler, lambda: ports_of(client), _request(req)))


def _register_open(
    blueprint: df.Blueprint, route: Route, ports_of: Callable[[df.DurableOrchestrationClient], Ports]
) -> None:
    """A function that everybody may call. Neighbours are made where they are asked for: it loads them no sooner."""

    @blueprint.function_name(route.name)
    @blueprint.route(route.path, methods=[route.method], auth_level=func.AuthLevel.ANONYMOUS)
    @blueprint.durable_client_input(client_name="client")  # type: ignore[untyped-decorator]
    async def door(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
        request = _request(req)
        asks = "deep" in request.query
        return _response(await respond(route.handler, lambda: ports_of(client) if asks else cast(Ports, None), request))


def _register_timer(
    blueprint: df.Blueprint, timed: Timer, ports_of: Callable[[df.DurableOrchestrationClient], Ports]
) -> None:
    @blueprint.function_name(timed.name)
    @blueprint.timer_trigger(arg_name="timer", schedule=timed.schedule, run_on_startup=False)
    @blueprint.durable_client_input(client_name="client")  # type: ignore[untyped-decorator]
    async def run(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
        await timed.handler(ports_of(client))


def _notification(event: func.EventGridEvent | func.CloudEvent) -> Notification:
    """The subscription's schema decides what comes, whatever the annotation says."""
    if isinstance(event, func.CloudEvent):
        return Notification(event.id, event.type, event.subject, event.get_json(), event.time)
    return Notification(event.id, event.event_type, event.subject, event.get_json(), event.event_time)


def _request(req: func.HttpRequest) -> Request:
    return Request(
        method=req.method,
        url=req.url,
        headers={name.lower(): value for name, value in req.headers.items()},
        route=dict(req.route_params),
        body=req.get_body(),
        params=dict(req.params),
    )


def _response(answer: Answer) -> func.HttpResponse:
    return func.HttpResponse(answer.content, status_code=answer.status, headers=answer.all_headers)
