"""``DurableInstances`` over the SDK's own client, answered with what the extension sends.

The answers are those of the extension's local endpoint (HttpApiHandler.cs of azure-functions-durable-extension).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from azure.durable_functions import DurableOrchestrationClient

from adapters.instances import DurableInstances
from rollout.ports.durable import InstanceState
from rollout.ports.errors import Busy

BASE = "http://127.0.0.1:17071/durabletask/"
STARTER = json.dumps(
    {
        "taskHubName": "hub",
        "creationUrls": {},
        "managementUrls": {"id": "INSTANCEID", "statusQueryGetUri": f"{BASE}instances/INSTANCEID?code=secret"},
        "baseUrl": BASE,
        "rpcBaseUrl": BASE,
    }
)
ID = "web-20261123T081500Z-1a2b3c"


class AnsweredClient(DurableOrchestrationClient):
    """The SDK's client, whose requests are kept and answered with one answer, or fail with one error."""

    def __init__(self, status: int, body: Any, error: Exception | None = None) -> None:
        super().__init__(STARTER)
        self.requests: list[tuple[str, str, Any]] = []

        async def get(url: str, function_invocation_id: str = "") -> list[Any]:
            return self._answer("GET", url, None, status, body, error)

        async def post(
            url: str, data: Any = None, trace_parent: str = "", trace_state: str = "", function_invocation_id: str = ""
        ) -> list[Any]:
            return self._answer("POST", url, data, status, body, error)

        async def delete(url: str, function_invocation_id: str = "") -> list[Any]:
            return self._answer("DELETE", url, None, status, body, error)

        self._delete_async_request = delete
        self._get_async_request = get
        self._post_async_request = post

    def _answer(self, method: str, url: str, data: Any, status: int, body: Any, error: Exception | None) -> list[Any]:
        self.requests.append((method, url, data))
        if error:
            raise error
        return [status, body]


def status_body(runtime_status: str) -> dict[str, Any]:
    return {
        "name": "deploy_group",
        "instanceId": ID,
        "runtimeStatus": runtime_status,
        "input": None,
        "customStatus": {"status": "inProgress"},
        "output": None,
        "createdTime": "2026-11-23T08:15:00Z",
        "lastUpdatedTime": "2026-11-23T08:16:00Z",
    }


async def test_a_start_names_recipe_instance_and_order() -> None:
    client = AnsweredClient(202, {"id": ID})
    await DurableInstances(client).start("deploy_group", ID, {"deploymentId": ID})

    ((method, url, data),) = client.requests
    assert (method, url) == ("POST", f"{BASE}orchestrators/deploy_group/{ID}")
    assert json.loads(data) == {"deploymentId": ID}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"ExceptionMessage": "The function 'deploy_group' doesn't exist"}),
        (500, {"ExceptionMessage": "An Orchestration instance with the status Running already exists"}),
    ],
)
async def test_a_start_that_the_extension_refuses_is_busy_with_its_words(status: int, body: Any) -> None:
    with pytest.raises(Busy, match=body["ExceptionMessage"][:30]) as raised:
        await DurableInstances(AnsweredClient(status, body)).start("deploy_group", ID, {})
    assert raised.value.by == "Durable Functions"


STATES = [
    (202, "Pending", InstanceState.RUNNING),
    (202, "Running", InstanceState.RUNNING),
    (202, "ContinuedAsNew", InstanceState.RUNNING),
    (202, "Suspended", InstanceState.SUSPENDED),
    (200, "Completed", InstanceState.ENDED),
    (200, "Failed", InstanceState.ENDED),
    (200, "Terminated", InstanceState.ENDED),
    (200, "Canceled", InstanceState.ENDED),
]


@pytest.mark.parametrize(("status", "runtime_status", "state"), STATES, ids=[case[1] for case in STATES])
async def test_every_runtime_status_has_its_state(status: int, runtime_status: str, state: InstanceState) -> None:
    client = AnsweredClient(status, status_body(runtime_status))
    assert await DurableInstances(client).state(ID) is state
    assert client.requests[0][1].startswith(f"{BASE}instances/{ID}")


async def test_an_unknown_instance_is_absent_and_has_no_description() -> None:
    # The SDK turns the empty body of a 404 into "".
    assert await DurableInstances(AnsweredClient(404, "")).state(ID) is InstanceState.ABSENT
    assert await DurableInstances(AnsweredClient(404, "")).describe(ID) is None


@pytest.mark.parametrize(
    "client",
    [
        AnsweredClient(500, {"Message": "An error has occurred.", "ExceptionMessage": "storage"}),
        AnsweredClient(500, "storage"),
        AnsweredClient(503, "storage"),
        AnsweredClient(0, None, ConnectionError("storage")),
    ],
    ids=["json", "text", "unexpected", "no answer"],
)
async def test_a_status_that_cannot_be_read_is_never_taken_for_an_absent_instance(client: AnsweredClient) -> None:
    with pytest.raises(Busy):
        await DurableInstances(client).state(ID)
    with pytest.raises(Busy):
        await DurableInstances(client).describe(ID)


async def test_a_description_is_the_status_without_history_and_urls() -> None:
    body = {**status_body("Running"), "history": [{"EventType": "ExecutionStarted"}]}
    described = await DurableInstances(AnsweredClient(202, body)).describe(ID)

    assert described is not None
    assert (described["runtimeStatus"], described["instanceId"]) == ("Running", ID)
    assert described["customStatus"] == {"status": "inProgress"}
    assert "history" not in described
    assert "secret" not in json.dumps(described)


class ScriptedClient(DurableOrchestrationClient):
    """The SDK's client: what is sent is answered as a POST was, what is read as a GET was."""

    def __init__(self, post: list[Any], get: list[Any]) -> None:
        super().__init__(STARTER)

        async def sent(url: str, data: Any = None, *more: Any, **named: Any) -> list[Any]:
            return post

        async def read(url: str, *more: Any, **named: Any) -> list[Any]:
            return get

        self._post_async_request = sent
        self._get_async_request = read


async def test_an_end_names_the_instance_and_the_reason() -> None:
    client = AnsweredClient(202, None)
    await DurableInstances(client).terminate(f"{ID}:batch-1", "by the watchdog")
    ((method, url, _),) = client.requests
    assert (method, url) == ("POST", f"{BASE}instances/{ID}:batch-1/terminate?reason=by%20the%20watchdog")


async def test_an_instance_that_is_over_or_absent_needs_no_end() -> None:
    await DurableInstances(AnsweredClient(410, None)).terminate(ID, "r")
    await DurableInstances(ScriptedClient([404, None], [404, ""])).terminate(ID, "r")


async def test_an_end_that_the_extension_does_not_take_is_busy() -> None:
    refused = ScriptedClient([500, {"Message": "storage"}], [202, status_body("Running")])
    with pytest.raises(Busy, match="500"):
        await DurableInstances(refused).terminate(ID, "r")


async def test_children_are_those_below_the_deployment_that_have_not_ended_parents_first() -> None:
    ids = [f"{ID}:batch-1:judge_batch-e1", f"{ID}:batch-1", f"{ID}"]
    client = AnsweredClient(200, [{**status_body("Running"), "instanceId": one} for one in ids])
    assert await DurableInstances(client).children(ID) == (f"{ID}:batch-1", f"{ID}:batch-1:judge_batch-e1")
    ((method, url, _),) = client.requests
    assert (method, url.partition("?")[0]) == ("GET", f"{BASE}instances/")
    query = dict(parse_qsl(urlsplit(url).query))
    assert query["instanceIdPrefix"] == f"{ID}:"
    assert set(query["runtimeStatus"].split(",")) == {"Pending", "Running", "ContinuedAsNew", "Suspended"}


async def test_children_that_cannot_be_read_are_never_taken_for_none() -> None:
    with pytest.raises(Busy):
        await DurableInstances(AnsweredClient(500, {"Message": "storage"})).children(ID)


async def test_a_purge_is_of_what_has_ended_in_a_span_of_time() -> None:
    client = AnsweredClient(200, {"instancesDeleted": 7})
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    assert await DurableInstances(client).purge(begin, end) == 7
    ((method, url, _),) = client.requests
    query = dict(parse_qsl(urlsplit(url).query))
    assert method == "DELETE"
    assert (query["createdTimeFrom"], query["createdTimeTo"]) == (
        "2026-01-01T00:00:00.000000Z",
        "2026-01-02T00:00:00.000000Z",
    )
    assert set(query["runtimeStatus"].split(",")) == {"Completed", "Failed", "Terminated", "Canceled"}


async def test_a_purge_of_nothing_is_none_and_one_that_fails_is_busy() -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    assert await DurableInstances(AnsweredClient(404, None)).purge(begin, begin) == 0
    with pytest.raises(Busy):
        await DurableInstances(AnsweredClient(500, {"Message": "timeout"})).purge(begin, begin)
