"""An app indexed and invoked by Microsoft's own worker library (azure-functions-runtime), as production does it.

The library is handed the worker's protobuf classes from outside; plain records stand in for them here.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.clock import VIRTUAL_START
from local.durable.binding import WEBHOOK_PATH, client_binding
from local.durable.history import HistoryEventType, new_event
from local.functions.index import Function, index_app

# The library has no types; it is asked for by name, so that the type checker need not have it.
handle_event: Any = importlib.import_module("azure_functions_runtime.handle_event")

# Advice that the SDK gives once in a process, about apps in general.
pytestmark = pytest.mark.filterwarnings("ignore:azure.functions df_loads was called without expected_type")


class Message(SimpleNamespace):
    """A protobuf message of any type."""

    def WhichOneof(self, group: str) -> str:
        """The field of a message that has only one: which group it is of makes no difference."""
        (field,) = vars(self)
        return field


class StatusResult(Message):
    Failure, Success = 0, 1


class BindingInfo(Message):
    undefined = 0
    out, inout = 1, 2


class Protos:
    """The worker's protobuf module."""

    StatusResult = StatusResult
    BindingInfo = BindingInfo

    def __getattr__(self, name: str) -> type[Message]:
        return Message


async def answer_of(handler: Callable[[Any], Any], **request: Any) -> Any:
    """The library's answer to a request of the host; failures are raised."""
    properties = {"host": "127.0.0.1", "protos": Protos()}
    answer = await handler(SimpleNamespace(request=SimpleNamespace(**request), properties=properties))
    if answer.result.status != StatusResult.Success:
        raise AssertionError(answer.result.exception.message)
    return answer


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the library imports the app from; an app reports its functions once, so each test imports it anew."""
    here = Path(__file__).parent
    sys.path.insert(0, str(here))
    yield here
    sys.path.remove(str(here))
    sys.modules.pop("worker_app", None)


@pytest.fixture
async def metadata(folder: Path, tmp_path: Path) -> dict[str, Any]:
    """What the library tells the host of the app's functions, by name."""
    start = SimpleNamespace(capabilities={}, function_app_directory=str(tmp_path))
    await answer_of(handle_event.worker_init_request, worker_init_request=start)
    indexed = handle_event.index_functions(str(folder / "worker_app.py"), str(folder))
    return {function.name: function for function in indexed}


async def invoke(function: Any, values: dict[str, Message]) -> Any:
    """The return value of one invocation."""
    data = [SimpleNamespace(name=name, data=value, WhichOneof=lambda group: "data") for name, value in values.items()]
    invocation = SimpleNamespace(
        invocation_id="i-1",
        function_id=function.function_id,
        input_data=data,
        trigger_metadata={},
        trace_context=Message(trace_parent="", trace_state="", attributes={}),
        retry_context=Message(retry_count=0, max_retry_count=0, exception=None),
    )
    answer = await answer_of(handle_event.invocation_request, invocation_request=invocation)
    return answer.return_value


def types_of(function: Any) -> dict[str, str]:
    return {name: binding.type for name, binding in function.bindings.items()}


async def test_the_library_reports_the_functions_that_the_local_host_finds(metadata: dict[str, Any]) -> None:
    app = sys.modules["worker_app"].app
    found: dict[str, Function] = {function.name: function for function in index_app(app)}
    assert set(metadata) == set(found) == {"greet", "hear", "shout", "shouting"}
    assert types_of(metadata["greet"]) == {"req": "httpTrigger", "client": "durableClient", "$return": "http"}
    for name, function in found.items():
        assert types_of(metadata[name])[function.parameter] == function.trigger
        assert {key for key, kind in types_of(metadata[name]).items() if kind == "durableClient"} == set(
            function.clients
        )


async def test_an_activity_is_invoked(metadata: dict[str, Any]) -> None:
    assert (await invoke(metadata["shout"], {"word": Message(string='"quiet"')})).json == '"QUIET"'


async def test_an_http_function_with_a_client_is_invoked(metadata: dict[str, Any]) -> None:
    base = "http://localhost:7071"
    request = Message(
        http=Message(
            method="POST",
            url=f"{base}/api/greetings/ann",
            headers={},
            params={"name": "ann"},
            query={},
            body=Message(bytes=b""),
        )
    )
    client = Message(string=client_binding(base, f"{base}{WEBHOOK_PATH}/", "Hub"))
    answer = (await invoke(metadata["greet"], {"req": request, "client": client})).http
    assert (answer.status_code, answer.body.bytes) == ("202", b"ann one")


@pytest.mark.parametrize(
    ("event", "heard"),
    [
        ({"id": "e-1", "eventType": "Written", "data": {}, "dataVersion": "2"}, "EventGridEvent e-1 Written one"),
        ({"id": "c-1", "type": "Written", "source": "/s", "specversion": "1.0"}, "CloudEvent c-1 Written one"),
    ],
)
async def test_an_event_grid_function_is_invoked(metadata: dict[str, Any], event: dict[str, Any], heard: str) -> None:
    base = "http://localhost:7071"
    client = Message(string=client_binding(base, f"{base}{WEBHOOK_PATH}/", "Hub"))
    await invoke(metadata["hear"], {"event": Message(json=json.dumps(event)), "client": client})
    assert sys.modules["worker_app"].heard == [heard]


async def test_an_orchestrator_is_invoked_with_the_context_that_the_durable_host_sends(
    metadata: dict[str, Any],
) -> None:
    started = {"Name": "shouting", "Version": None, "Input": '"\\"a\\""'}
    events = [
        new_event(HistoryEventType.ORCHESTRATOR_STARTED, VIRTUAL_START),
        new_event(HistoryEventType.EXECUTION_STARTED, VIRTUAL_START, **started),
    ]
    context = {
        "history": events,
        "input": '"a"',
        "instanceId": "one",
        "isReplaying": False,
        "parentInstanceId": None,
        "upperSchemaVersion": 1,
        "upperSchemaVersionNew": 2,
    }
    answer = json.loads((await invoke(metadata["shouting"], {"context": Message(string=json.dumps(context))})).json)
    assert answer["actions"] == [[{"actionType": 0, "functionName": "shout", "input": '"a"'}]]


@pytest.fixture
async def teal(tmp_path: Path) -> AsyncIterator[dict[str, Any]]:
    """What the library tells the host of Teal's own functions, by name."""
    root = Path(__file__).parents[3]
    imported = sys.modules.pop("function_app", None)
    start = SimpleNamespace(capabilities={}, function_app_directory=str(tmp_path))
    await answer_of(handle_event.worker_init_request, worker_init_request=start)
    indexed = handle_event.index_functions(str(root / "function_app.py"), str(root))
    yield {function.name: function for function in indexed}
    sys.modules.pop("function_app", None)
    if imported is not None:
        sys.modules["function_app"] = imported


async def test_the_library_finds_all_of_teal_s_functions(teal: dict[str, Any]) -> None:
    found: dict[str, Function] = {function.name: function for function in index_app(sys.modules["function_app"].app)}
    assert set(teal) == set(found)
    assert types_of(teal["launch_green"]) == {"order": "activityTrigger", "client": "durableClient"}
    assert types_of(teal["deploy_group"]) == {"context": "orchestrationTrigger"}
    assert types_of(teal["start_deployment"]) == {"req": "httpTrigger", "client": "durableClient", "$return": "http"}


async def test_teal_s_recipe_and_health_are_invoked(teal: dict[str, Any]) -> None:
    run = {"deploymentId": "web-1", "scaleSetId": "/set", "epoch": 1}
    stored = json.dumps(json.dumps(run))
    events = [
        new_event(HistoryEventType.ORCHESTRATOR_STARTED, VIRTUAL_START),
        new_event(
            HistoryEventType.EXECUTION_STARTED, VIRTUAL_START, Name="deploy_group", Version="1.0.0", Input=stored
        ),
    ]
    context = {
        "history": events,
        "input": json.dumps(run),
        "instanceId": "web-1",
        "isReplaying": False,
        "parentInstanceId": None,
        "upperSchemaVersion": 1,
        "upperSchemaVersionNew": 2,
    }
    answer = json.loads((await invoke(teal["deploy_group"], {"context": Message(string=json.dumps(context))})).json)
    ((action,),) = answer["actions"]
    assert (action["functionName"], action["instanceId"]) == ("wait_until_done", "web-1:prepare_deployment-e1")
    assert answer["customStatus"]["message"] == "Planning"

    request = Message(
        http=Message(
            method="GET",
            url="http://localhost:7071/api/health",
            headers={},
            params={},
            query={},
            body=Message(bytes=b""),
        )
    )
    base = "http://localhost:7071"
    client = Message(string=client_binding(base, f"{base}{WEBHOOK_PATH}/", "Hub"))
    health = (await invoke(teal["get_health"], {"req": request, "client": client})).http
    assert health.status_code == "200"
