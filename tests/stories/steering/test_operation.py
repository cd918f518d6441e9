"""A start as the long-running operation that it says it is: followed by Azure's own clients, and by Durable's pattern.

The clients are the real ones, synchronous and in a thread of their own; each of their requests, and each of their
pauses, lets virtual time go on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from azure.core import PipelineClient
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import RequestIdPolicy, RetryPolicy
from azure.core.pipeline.transport import HttpTransport
from azure.core.polling import LROPoller
from azure.core.polling.base_polling import LocationPolling, LROBasePolling
from azure.core.rest import HttpRequest
from azure.core.rest._http_response_impl import HttpResponseImpl
from azure.core.utils import case_insensitive_dict
from azure.mgmt.core.polling.arm_polling import ARMPolling

from local.clock import VirtualLoop
from local.durable.timestamps import fast_timestamps
from local.virtual import VirtualPlatform

BASE = "http://localhost:7071"
PARAMETERS = {"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300, "drainingTimeout": 0}


class Desk(HttpTransport[HttpRequest, Any]):
    """The platform as a transport of azure-core's pipeline. ``after`` is done once ``status`` has been seen."""

    def __init__(self, runner: asyncio.Runner, platform: VirtualPlatform) -> None:
        self.runner = runner
        self.platform = platform
        self.seen: list[str] = []
        self.deployment = ""
        self.orders: dict[str, tuple[str, dict[str, Any]]] = {}

    def send(self, request: HttpRequest, **kwargs: Any) -> Any:
        answer = self.ask(request.method, request.url, request.content)
        headers = case_insensitive_dict(answer.headers)
        response = HttpResponseImpl(
            request=request,
            internal_response=None,
            status_code=answer.status,
            headers=headers,
            reason="",
            content_type=headers.get("content-type", ""),
            stream_download_generator=lambda *args, **options: iter(()),
        )
        response._content = answer.body
        return response

    def ask(self, method: str, url: str, content: Any = None) -> Any:
        body = content.encode() if isinstance(content, str) else content or b""
        headers = {"Content-Type": "application/json", "Host": "localhost:7071"}
        return self.runner.run(self.platform.host.request(method, url.removeprefix(BASE), headers=headers, body=body))

    def sleep(self, duration: float) -> None:
        """Wait, and meanwhile be the person who gives commands."""
        self.runner.run(self.platform.clock.sleep(timedelta(seconds=duration)))
        status = json.loads(self.ask("GET", f"/api/deployments/{self.deployment}").body)["status"]
        self.seen += [status] if self.seen[-1:] != [status] else []
        if order := self.orders.pop(status, None):
            said = self.ask("POST", f"/api/deployments/{self.deployment}/{order[0]}", json.dumps(order[1]))
            assert said.status == 202, said.body

    def open(self) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *error: object) -> None: ...


@pytest.fixture
def desk() -> Iterator[Desk]:
    with fast_timestamps(), asyncio.Runner(loop_factory=VirtualLoop) as runner:

        async def make() -> VirtualPlatform:
            return VirtualPlatform()

        platform = runner.run(make())
        runner.run(platform.__aenter__())
        yield Desk(runner, platform)
        runner.run(platform.__aexit__())


def begun(desk: Desk, body: dict[str, Any]) -> tuple[PipelineClient[Any, Any], Any]:
    client: PipelineClient[Any, Any] = PipelineClient(BASE, policies=[RequestIdPolicy(), RetryPolicy()], transport=desk)
    start = HttpRequest("POST", f"{BASE}/api/groups/web/deployments", json=body)
    first = client.send_request(start, _return_pipeline_response=True)
    first.http_response.raise_for_status()
    desk.deployment = first.http_response.json()["id"]
    return client, first


def by_sdk(polling: Callable[[], Any]) -> Callable[[Desk, dict[str, Any]], tuple[str, str]]:
    """Follow with a poller of the SDK: ``("", reason)`` of a good end, else its error's code and message."""

    def follow(desk: Desk, body: dict[str, Any]) -> tuple[str, str]:
        client, first = begun(desk, body)
        poller: LROPoller[Any] = LROPoller(client, first, lambda answer: answer.http_response.json(), polling())
        try:
            return "", poller.result()["reason"]
        except HttpResponseError as error:
            told: Any = error.error
            return str(told.code), str(told.message)

    return follow


def by_durables_pattern(desk: Desk, body: dict[str, Any]) -> tuple[str, str]:
    """As "Async HTTP APIs" of Durable Functions has it: ask ``Location`` until it no longer says 202.

    https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-http-features#async-operation-tracking
    """
    _, first = begun(desk, body)
    answer = first.http_response
    while answer.status_code == 202:
        desk.sleep(float(answer.headers["Retry-After"]))
        answer = desk.send(HttpRequest("GET", answer.headers["Location"]))
    if answer.status_code == 200:
        return "", answer.json()["reason"]
    error = answer.json()["error"]
    return error["code"], error["message"]


@pytest.mark.sweep
@dataclass(frozen=True)
class Case:
    """A deployment: what is asked, what somebody says when, how it ends, and what has been seen on the way."""

    body: dict[str, Any]
    end: str
    code: str
    passes: str = "inProgress"
    orders: dict[str, tuple[str, dict[str, Any]]] | None = None


CASES = {
    "success": Case({}, "finished", ""),
    "failure": Case({"image": "1.2.0"}, "failed", "deploymentFailed"),
    "stop": Case({}, "stopped", "deploymentStopped", orders={"inProgress": ("stop", {})}),
    "roll back": Case({"image": "1.2.0", "onFailure": "rollBack"}, "rolledBack", "deploymentRolledBack"),
    "gate": Case({"approvals": [1]}, "finished", "", "awaitingApproval", {"awaitingApproval": ("approve", {})}),
    "gate that nobody opens": Case({"approvals": [1]}, "stopped", "deploymentStopped", "awaitingApproval"),
    "pause": Case({}, "finished", "", "paused", {"inProgress": ("pause", {}), "paused": ("resume", {})}),
}

FOLLOWERS: dict[str, Callable[[Desk, dict[str, Any]], tuple[str, str]]] = {
    "LROPoller": by_sdk(lambda: LROBasePolling(30)),
    "LROPoller by Location": by_sdk(lambda: LROBasePolling(30, lro_algorithms=[LocationPolling()])),
    "ARM polling": by_sdk(lambda: ARMPolling(30)),
    "Durable's pattern": by_durables_pattern,
}


@pytest.mark.parametrize("follower", FOLLOWERS)
@pytest.mark.parametrize("case", CASES)
def test_no_client_ends_early_or_tells_a_wrong_result(desk: Desk, case: str, follower: str) -> None:
    told = CASES[case]
    desk.orders = dict(told.orders or {})
    code, words = FOLLOWERS[follower](desk, {**PARAMETERS, "waitTimeout": 1800, **told.body})
    row = desk.runner.run(desk.platform.row(desk.deployment))
    assert (str(row.status), code, words) == (told.end, told.code, row.reason)
    assert told.passes in desk.seen
    assert desk.orders == {}


def test_the_record_is_in_the_shape_of_azure_resource_manager(desk: Desk) -> None:
    _, first = begun(desk, {**PARAMETERS, "image": "1.2.0"})
    url = first.http_response.headers["Azure-AsyncOperation"]
    answer = desk.ask("GET", url)
    record = json.loads(answer.body)
    assert (answer.status, answer.headers["Retry-After"]) == (200, "15")
    assert url.endswith(record["id"])
    assert record["name"] == desk.deployment
    assert (record["status"], record["percentComplete"]) == ("InProgress", 0)
    assert not {"endTime", "error"} & set(record)
    desk.runner.run(desk.platform.ended(desk.deployment))
    answer = desk.ask("GET", url)
    record = json.loads(answer.body)
    row = desk.runner.run(desk.platform.row(desk.deployment))
    assert (answer.status, record["status"], record["error"]["code"]) == (200, "Failed", "deploymentFailed")
    assert row.error is not None
    assert record["error"]["details"][0]["code"] == row.error.code
    assert record["endTime"] > record["startTime"]
    assert "Retry-After" not in answer.headers
    shown = json.loads(desk.ask("GET", f"/api/deployments/{desk.deployment}").body)
    assert record["properties"] == {name: value for name, value in shown.items() if name not in ("dangers", "findings")}


def test_a_deployment_says_when_to_ask_again_until_it_is_over(desk: Desk) -> None:
    begun(desk, PARAMETERS)
    path = f"/api/deployments/{desk.deployment}"
    answer = desk.ask("GET", path)
    assert (answer.status, answer.headers["Retry-After"]) == (200, "15")
    desk.runner.run(desk.platform.ended(desk.deployment))
    answer = desk.ask("GET", path)
    assert answer.status == 200
    assert "Retry-After" not in answer.headers


def test_durables_completed_says_only_that_the_orchestration_ended(desk: Desk) -> None:
    begun(desk, {**PARAMETERS, "image": "1.2.0"})
    answer = desk.send(HttpRequest("GET", f"{BASE}/api/deployments/{desk.deployment}/durable"))
    while answer.status_code == 202:
        desk.sleep(float(answer.headers["Retry-After"]))
        answer = desk.send(HttpRequest("GET", answer.headers["Location"]))
    said = answer.json()
    row = desk.runner.run(desk.platform.row(desk.deployment))
    assert row.error is not None
    assert (answer.status_code, said["runtimeStatus"]) == (200, "Completed")
    assert said["output"] == {
        "status": "failed",
        "reason": row.reason,
        "error": {"code": row.error.code, "message": row.error.message},
    }
    assert (said["customStatus"]["batch"], said["customStatus"]["batches"]) == (1, 2)
