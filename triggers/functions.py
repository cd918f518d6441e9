"""The timer and Event Grid functions of the app: the one place of this package that knows the Functions SDK."""

from __future__ import annotations

from collections.abc import Callable

import azure.durable_functions as df
import azure.functions as func

from rollout.automation.notification import Notification
from rollout.ports.ports import Ports
from settings import Settings
from triggers.image_published import image_published
from triggers.timers import Timer, timers


def timer_triggers(ports_of: Callable[[df.DurableOrchestrationClient], Ports], settings: Settings) -> df.Blueprint:
    """Every timer as a function of its own, as ``api.http_triggers.http_triggers`` does it."""
    blueprint = df.Blueprint()
    for timer in timers(settings):
        _register_timer(blueprint, timer, ports_of)
    return blueprint


def event_triggers(ports_of: Callable[[df.DurableOrchestrationClient], Ports]) -> df.Blueprint:
    """Every Event Grid trigger as a function of its own, as ``api.http_triggers.http_triggers`` does it."""
    blueprint = df.Blueprint()

    @blueprint.function_name("imagePublished")
    @blueprint.event_grid_trigger(arg_name="event")
    @blueprint.durable_client_input(client_name="client")  # type: ignore[untyped-decorator]
    async def listen(event: func.EventGridEvent, client: df.DurableOrchestrationClient) -> None:
        await image_published(ports_of(client), _notification(event))

    return blueprint


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
