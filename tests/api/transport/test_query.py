"""Query strings mean what they say, on every route."""

from __future__ import annotations

import re
from typing import Any

import pytest

from api.contract.operations import OPERATIONS
from api.routes import open_routes, routes
from api.transport.route import Route
from api.transport.suggestions import suggestion
from settings import Settings

ROUTES = (*routes(Settings()), *open_routes())
every_route = pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)

IDS = {"groupId": "web", "deploymentId": "web-20261123T081500Z-1a2b3c", "vmId": "id-1"}


async def asked(world: Any, route: Route, query: str) -> tuple[int, Any]:
    path = re.sub(r"\{(\w+)\}", lambda match: IDS[match[1]], route.path)
    body: Any = None if route.method in ("GET", "DELETE") else {}
    answer = await world.send(route.method, f"{path}?{query}", body)
    error = (answer.body.get("error") if isinstance(answer.body, dict) else None) or {}
    return answer.status, error


@every_route
@pytest.mark.parametrize("query", ["nonsense=1", "nonsense", "=1", "code=x&Nonsense=2"])
async def test_an_unknown_parameter_is_refused_on_every_route(world: Any, route: Route, query: str) -> None:
    before = await world.written()
    status, error = await asked(world, route, query)
    assert (status, error["code"]) == (400, "unknownParameter")
    assert await world.written() == before


@every_route
@pytest.mark.parametrize("query", ["code=x&", "code=&", "clientId=y&code=x", "code=x&code=y", "code&&", "CODE=x", "&"])
async def test_what_the_host_or_nobody_reads_is_never_looked_at(world: Any, route: Route, query: str) -> None:
    _, error = await asked(world, route, query)
    # Some routes miss a body here, or what they are asked for; none minds its query.
    assert error.get("code") not in ("unknownParameter", "invalidValue", "invalidType", "internalError")


@pytest.mark.parametrize(
    ("route", "name"),
    [(route, name) for route in ROUTES for name in route.query],
    ids=lambda one: getattr(one, "name", one),
)
async def test_a_known_parameter_is_given_once_and_with_a_value(world: Any, route: Route, name: str) -> None:
    for query in (f"{name}=", name, f"{name}=1&{name}=1", f"{name}=&code=x", f"{name}=1&{name}"):
        status, error = await asked(world, route, query)
        assert (status, error["code"], error["target"]) == (400, "invalidValue", name), query
        assert len(error["details"]) == 1


@pytest.mark.parametrize("query", ["dryrun=true", "dry_run=true", "DryRun=true", "dry-run=true", "dryRuns=true"])
async def test_a_misspelt_dry_run_is_no_deployment(world: Any, query: str) -> None:
    status, error = await world.refused("POST", f"groups/web/deployments?{query}", {"image": "1.1.0"})
    assert (status, error["code"], error["target"]) == (400, "unknownParameter", query.partition("=")[0])
    assert error["message"].endswith("did you mean dryRun?")
    assert await world.deployments() == ()


@pytest.mark.parametrize("query", ["dryRun=", "dryRun", "dryRun=True", "dryRun=1", "dryRun=true&dryRun=false"])
async def test_a_dry_run_that_says_neither_is_no_deployment(world: Any, query: str) -> None:
    status, error = await world.refused("POST", f"groups/web/deployments?{query}", {"image": "1.1.0"})
    assert (status, error["code"], error["target"]) == (400, "invalidValue", "dryRun")
    assert await world.deployments() == ()


async def test_every_fault_of_a_query_is_told(world: Any) -> None:
    status, error = await world.refused("GET", "deployments?limits=3&status=&continuationToken=a&continuationToken=b")
    assert status == 400
    assert [(one["code"], one["target"]) for one in error["details"]] == [
        ("unknownParameter", "limits"),
        ("invalidValue", "status"),
        ("invalidValue", "continuationToken"),
    ]
    assert error["message"] == "There is no query parameter 'limits' here; did you mean limit? (and 2 more)"


def test_a_route_knows_the_parameters_that_are_documented() -> None:
    documented = {name: tuple(one.name for one in operation.query) for name, operation in OPERATIONS.items()}
    assert {route.name: route.query for route in ROUTES} == documented


def test_a_name_that_is_like_none_is_answered_with_all() -> None:
    assert suggestion("verbose", ["limit", "after"]) == "known are limit, after"
    assert suggestion("verbose", []) == "none is known"
