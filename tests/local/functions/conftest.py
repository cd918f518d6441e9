"""A function app with every kind of function that the local host runs."""

# The decorators of the Functions SDK have no types.
# mypy: allow-untyped-decorators

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import pytest


@dataclass
class Sample:
    """The app, and what its functions saw."""

    app: df.DFApp
    seen: list[str] = field(default_factory=list)


def _add_orchestrations(blueprint: df.Blueprint, sample: Sample) -> None:
    @blueprint.orchestration_trigger(context_name="context")
    def wait(context: Any) -> Any:
        context.set_custom_status({"step": "waiting"})
        timer = context.create_timer(context.current_utc_datetime + timedelta(minutes=context.get_input() or 1))
        event = context.wait_for_external_event("go")
        winner = yield context.task_any([event, timer])
        if winner is event:
            timer.cancel()
            return json.loads(event.result)
        return (yield context.call_activity("shout", "late"))

    @blueprint.orchestration_trigger(context_name="context")
    def broken(context: Any) -> Any:
        raise RuntimeError("broken")
        yield

    @blueprint.activity_trigger(input_name="word")
    def stumble(word: str) -> None:
        raise ValueError("stumbled")

    @blueprint.orchestration_trigger(context_name="context")
    def fails(context: Any) -> Any:
        try:
            yield context.call_activity("stumble")
        except Exception:
            return "caught"

    @blueprint.activity_trigger(input_name="word")
    def shout(word: str) -> str:
        return word.upper()

    @blueprint.activity_trigger(input_name="target")
    @blueprint.durable_client_input(client_name="client")
    async def wake(target: str, client: Any) -> None:
        await client.raise_event(target, "go", {"by": "wake"})

    @blueprint.orchestration_trigger(context_name="context")
    def waker(context: Any) -> Any:
        yield context.call_activity("wake", context.get_input())


def _add_doors(blueprint: df.Blueprint, sample: Sample) -> None:
    @blueprint.route(route="waits/{id}", methods=["POST"])
    @blueprint.durable_client_input(client_name="client")
    async def start(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        instance_id = await client.start_new("wait", req.route_params["id"], json.loads(req.get_body() or b"null"))
        answer: func.HttpResponse = client.create_check_status_response(req, instance_id)
        return answer

    @blueprint.route(route="waits/{id}", methods=["GET"])
    @blueprint.durable_client_input(client_name="client")
    async def read(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        status = await client.get_status(req.route_params["id"])
        if not status:
            return func.HttpResponse(status_code=404)
        return func.HttpResponse(json.dumps(status.to_json()), mimetype="application/json")

    @blueprint.route(route="number/{value:int}/{unit?}")
    def number(req: func.HttpRequest) -> str:
        return f"{req.route_params['value']} {req.route_params.get('unit', 'none')} {req.params.get('q', 'absent')}"

    @blueprint.route(route="files/{*path}", methods=["GET"])
    async def files(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        headers = {"X-Name": context.function_name, "Set-Cookie": "a=b; Path=/"}
        return func.HttpResponse(req.route_params["path"], headers=headers)

    @blueprint.route(methods=["GET"])
    def silent(req: func.HttpRequest) -> None:
        return None

    @blueprint.route(methods=["GET"])
    async def linger(req: func.HttpRequest) -> str:
        await asyncio.sleep(60)
        return "at last"

    @blueprint.route(methods=["GET"])
    def fall(req: func.HttpRequest) -> func.HttpResponse:
        raise RuntimeError("no answer")

    @blueprint.timer_trigger(arg_name="timer", schedule="0 */5 * * * *")
    async def tick(timer: func.TimerRequest) -> None:
        sample.seen.append(f"tick {timer.past_due}")
        if len(sample.seen) == 2:
            raise RuntimeError("a bad tick")


@pytest.fixture
def sample() -> Sample:
    """A fresh app; apps keep what they reported, so each test has its own."""
    made = Sample(df.DFApp(http_auth_level=func.AuthLevel.FUNCTION))
    for add in (_add_orchestrations, _add_doors):
        blueprint = df.Blueprint(http_auth_level=func.AuthLevel.FUNCTION)
        add(blueprint, made)
        made.app.register_functions(blueprint)
    return made


@pytest.fixture
def eager() -> Sample:
    """An app with a timer function that runs when its host starts, and at noon on Mondays."""
    made = Sample(df.DFApp())
    blueprint = df.Blueprint()

    @blueprint.timer_trigger(arg_name="timer", schedule="0 0 12 * * Mon", run_on_startup=True)
    def tick(timer: func.TimerRequest) -> None:
        made.seen.append("tick")

    made.app.register_functions(blueprint)
    return made


@pytest.fixture
def build() -> Callable[[Callable[[Any], None]], df.DFApp]:
    """Makes an app of what a function adds to its blueprint."""

    def make(add: Callable[[Any], None]) -> df.DFApp:
        blueprint = df.Blueprint()
        add(blueprint)
        app = df.DFApp()
        app.register_functions(blueprint)
        return app

    return make
