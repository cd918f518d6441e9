"""The functions that the Functions host sees."""

from __future__ import annotations

import json
import re
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import pytest

from api.http_triggers import http_triggers
from api.routes import open_routes, routes
from rollout.ports.ports import Ports
from settings import Settings

#: What the host hands a function as its Durable client.
STARTER = json.dumps(
    {
        "taskHubName": "hub",
        "creationUrls": {},
        "managementUrls": {"id": "INSTANCEID"},
        "baseUrl": "http://127.0.0.1:17071/durabletask/",
        "rpcBaseUrl": "http://127.0.0.1:17071/durabletask/",
    }
)


def functions(ports_of: Any, settings: Settings | None = None) -> dict[str, Any]:
    app = df.DFApp()
    app.register_functions(http_triggers(ports_of, settings or Settings()))
    return {str(function.get_function_name()): function for function in app.get_functions()}


def no_ports(client: Any) -> Ports:
    raise AssertionError("ports are made inside invocations only")


def trigger(function: Any) -> Any:
    (binding,) = (binding for binding in function.get_bindings() if binding.type == "httpTrigger")
    return binding


def test_every_route_is_a_function_with_a_key_of_its_own_but_for_the_open_ones() -> None:
    found = {
        (name, *trigger(function).methods, trigger(function).route, trigger(function).auth_level)
        for name, function in functions(no_ports).items()
    }
    keyed = {(route.name, route.method, route.path, func.AuthLevel.FUNCTION) for route in routes(Settings())}
    keyless = {(route.name, route.method, route.path, func.AuthLevel.ANONYMOUS) for route in open_routes()}
    assert {(name, str(method), path, level) for name, method, path, level in found} == keyed | keyless


def test_where_people_sign_in_the_host_asks_for_a_key_only_of_vms() -> None:
    entra = functions(no_ports, Settings(auth_mode="entra"))
    keyed = [name for name, function in entra.items() if trigger(function).auth_level is not func.AuthLevel.ANONYMOUS]
    assert keyed == ["signal_vm"]


def test_names_are_those_the_host_accepts() -> None:
    for name, function in functions(no_ports).items():
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,127}", name)
        assert trigger(function).route.partition("/")[0] not in ("admin", "runtime")
        assert [b.name for b in function.get_bindings() if not re.fullmatch(r"[a-z][a-z0-9]*|\$return", b.name)] == []


async def test_a_request_goes_through_with_its_route_query_headers_and_body(world: Any) -> None:
    clients: list[Any] = []

    def ports_of(client: Any) -> Ports:
        clients.append(client)
        ports: Ports = world.ports
        return ports

    start = functions(ports_of)["start_deployment"].get_user_function()
    request = func.HttpRequest(
        "POST",
        "https://teal.example/api/groups/web/deployments",
        headers={
            "Content-Type": "application/json",
            "X-MS-CLIENT-PRINCIPAL-NAME": "ada@example.com",
        },
        route_params={"groupId": "web"},
        body=b'{"image": "1.1.0"}',
    )
    answer = await start(req=request, client=STARTER)

    assert answer.status_code == 202
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    shown = json.loads(answer.get_body())
    assert shown["startedBy"] == "function key"
    assert answer.headers["location"].endswith(f"/api/deployments/{shown['id']}/operation")
    assert [type(client) for client in clients] == [df.DurableOrchestrationClient]

    listed = functions(ports_of)["list_group_deployments"].get_user_function()
    request = func.HttpRequest(
        "GET", "https://x/api/groups/web/deployments?limit=0", route_params={"groupId": "web"}, body=b""
    )
    assert (await listed(req=request, client=STARTER)).status_code == 400


async def test_ports_that_cannot_be_made_are_a_500_in_the_envelope(caplog: pytest.LogCaptureFixture) -> None:
    list_groups = functions(no_ports)["list_groups"].get_user_function()
    answer = await list_groups(req=func.HttpRequest("GET", "https://x/api/groups", body=b""), client=STARTER)
    assert (answer.status_code, json.loads(answer.get_body())["error"]["code"]) == (500, "internalError")


async def test_health_makes_ports_only_where_it_looks_deep(world: Any) -> None:
    health = functions(no_ports)["get_health"].get_user_function()
    answer = await health(req=func.HttpRequest("GET", "https://x/api/health", body=b""), client=STARTER)
    assert (answer.status_code, json.loads(answer.get_body())) == (200, {"status": "healthy"})
    deep = functions(lambda client: world.ports)["get_health"].get_user_function()
    answer = await deep(req=func.HttpRequest("GET", "https://x/api/health?deep=true", body=b""), client=STARTER)
    assert answer.status_code == 200
    assert [check["name"] for check in json.loads(answer.get_body())["checks"]][:2] == ["storage", "armToken"]
