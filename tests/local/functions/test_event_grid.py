"""The webhook of Event Grid triggers."""

# The decorators of the Functions SDK have no types.
# mypy: allow-untyped-decorators

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import pytest

from local.clock import VIRTUAL_START, PlatformClock, run_virtual
from local.durable.answers import HttpAnswer
from local.durable.errors import HostKilled
from local.durable.options import HostJson, HostOptions
from local.functions.host import FunctionsHost
from local.functions.index import EVENT_GRID, index_app

SUBJECT = "/subscriptions/0/resourcegroups/rg/providers/Microsoft.Compute/galleries/gal/images/app/versions/1.4.0"
DATA = {"operationName": "Microsoft.Compute/galleries/images/versions/write", "status": "Succeeded"}
EVENT = {
    "id": "e-1",
    "topic": "/subscriptions/0/resourceGroups/rg",
    "subject": SUBJECT,
    "eventType": "Microsoft.Resources.ResourceWriteSuccess",
    "eventTime": "2026-01-15T10:00:00.6117357Z",
    "data": DATA,
    "dataVersion": "2",
    "metadataVersion": "1",
}
CLOUD_EVENT = {
    "id": "c-1",
    "source": "/subscriptions/0/resourceGroups/rg",
    "subject": SUBJECT,
    "type": "Microsoft.Resources.ResourceWriteSuccess",
    "time": "2026-01-15T10:00:00.6117357Z",
    "data": DATA,
    "specversion": "1.0",
}
VALIDATION = {"validationCode": "512d38b6"}

Story = Callable[[FunctionsHost], Coroutine[Any, Any, Any]]


@pytest.fixture
def seen() -> list[Any]:
    """What the function was called with, and what its client said."""
    return []


@pytest.fixture
def app(seen: list[Any], build: Callable[[Callable[[Any], None]], df.DFApp]) -> df.DFApp:
    """An app whose function falls over an event with the id ``bad`` and lingers over ``slow``."""

    def add(blueprint: Any) -> None:
        @blueprint.event_grid_trigger(arg_name="event")
        @blueprint.durable_client_input(client_name="client")
        async def published(event: func.EventGridEvent, client: Any) -> None:
            if event.id == "bad":
                raise RuntimeError("a bad event")
            if event.id == "slow":
                await asyncio.sleep(60)
            status = await client.get_status("none")
            seen.append((event, bool(status)))

        @blueprint.route(methods=["GET"])
        def page(req: func.HttpRequest) -> str:
            return "page"

    return build(add)


def play(app: df.DFApp, story: Story) -> Any:
    async def main() -> Any:
        host = FunctionsHost(app, PlatformClock(VIRTUAL_START), host_json=HostJson(), options=HostOptions(timers=False))
        await host.start()
        try:
            return await story(host)
        finally:
            await host.stop()

    return run_virtual(main())


def post(app: df.DFApp, body: Any, kind: str | None = "Notification", name: str = "published") -> HttpAnswer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {} if kind is None else {"aeg-event-type": kind}
    path = f"/runtime/webhooks/EventGrid?functionName={name}"
    answer: HttpAnswer = play(app, lambda host: host.request("POST", path, headers=headers, body=raw))
    return answer


def test_the_function_is_found(app: df.DFApp) -> None:
    found = next(one for one in index_app(app) if one.name == "published")
    assert (found.trigger, found.parameter, found.clients) == (EVENT_GRID, "event", ("client",))


@pytest.mark.parametrize(
    "body",
    [
        [{"eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "id": "v", "data": VALIDATION}],
        {"type": "Microsoft.EventGrid.SubscriptionValidationEvent", "id": "v", "data": json.dumps(VALIDATION)},
    ],
)
def test_a_subscription_is_validated_without_the_function(app: df.DFApp, seen: list[Any], body: Any) -> None:
    answer = post(app, body, "SubscriptionValidation")
    assert (answer.status, answer.json()) == (200, {"validationResponse": "512d38b6"})
    assert not seen


def test_each_event_of_a_batch_is_an_invocation(app: df.DFApp, seen: list[Any]) -> None:
    assert post(app, [EVENT, EVENT | {"id": "e-2"}]).status == 202
    assert [(event.id, event.subject, status) for event, status in seen] == [
        ("e-1", SUBJECT, False),
        ("e-2", SUBJECT, False),
    ]
    event = seen[0][0]
    assert isinstance(event, func.EventGridEvent)
    assert (event.event_type, event.get_json()) == (EVENT["eventType"], DATA)


def test_a_cloud_event_comes_as_one_whatever_the_annotation_says(app: df.DFApp, seen: list[Any]) -> None:
    assert post(app, CLOUD_EVENT).status == 202
    ((event, _),) = seen
    assert isinstance(event, func.CloudEvent)
    assert (event.id, event.type, event.subject) == ("c-1", CLOUD_EVENT["type"], SUBJECT)


def test_one_event_that_fails_has_all_sent_again(app: df.DFApp, seen: list[Any]) -> None:
    assert post(app, [EVENT | {"id": "bad"}, EVENT]).status == 500
    assert [event.id for event, _ in seen] == ["e-1"]


@pytest.mark.parametrize(
    ("kind", "name", "body", "status"),
    [
        ("Unsubscribe", "published", [], 202),
        ("unsubscribe", "PUBLISHED", b"", 202),
        ("Notification", "other", [EVENT], 404),
        ("Notification", "page", [EVENT], 404),
        ("Notification", "", [EVENT], 404),
        ("SubscriptionDeletion", "published", [EVENT], 400),
        (None, "published", [EVENT], 400),
        ("Notification", "published", b"not JSON", 400),
        ("Notification", "published", ["no event"], 400),
        ("Notification", "published", [], 400),
        ("SubscriptionValidation", "published", [], 400),
        ("SubscriptionValidation", "published", [{"data": "not JSON"}], 400),
    ],
)
def test_other_requests(app: df.DFApp, seen: list[Any], kind: str | None, name: str, body: Any, status: int) -> None:
    assert post(app, body, kind, name).status == status
    assert not seen


def test_who_posts_to_a_host_that_is_killed_gets_no_answer(app: df.DFApp, seen: list[Any]) -> None:
    async def story(host: FunctionsHost) -> None:
        path = "/runtime/webhooks/EventGrid?functionName=published"
        body = json.dumps([EVENT | {"id": "slow"}]).encode()
        asked = asyncio.ensure_future(host.request("POST", path, headers={"aeg-event-type": "Notification"}, body=body))
        await asyncio.sleep(1)
        host.kill()
        with pytest.raises(HostKilled):
            await asked

    play(app, story)
    assert not seen
