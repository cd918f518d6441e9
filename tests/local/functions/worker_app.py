"""A small function app that the worker library imports by its file name."""

# The decorators of the Functions SDK have no types.
# mypy: allow-untyped-decorators

from __future__ import annotations

from typing import Any

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
blueprint = df.Blueprint()
heard: list[str] = []


@blueprint.route(route="greetings/{name}", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
async def greet(req: func.HttpRequest, client: Any) -> func.HttpResponse:
    links = client.create_http_management_payload("one")
    return func.HttpResponse(f"{req.route_params['name']} {links['id']}", status_code=202)


@blueprint.activity_trigger(input_name="word")
async def shout(word: str) -> str:
    return word.upper()


@blueprint.orchestration_trigger(context_name="context")
def shouting(context: df.DurableOrchestrationContext) -> Any:
    return (yield context.call_activity("shout", context.get_input()))


@blueprint.event_grid_trigger(arg_name="event")
@blueprint.durable_client_input(client_name="client")
async def hear(event: func.EventGridEvent, client: Any) -> None:
    kind = getattr(event, "event_type", None) or getattr(event, "type", None)
    heard.append(f"{type(event).__name__} {event.id} {kind} {client.create_http_management_payload('one')['id']}")


app.register_functions(blueprint)
