"""The checks of the real host, made loud."""

# The decorators of the Functions SDK have no types.
# mypy: allow-untyped-decorators

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import azure.durable_functions as df
import pytest

from local.functions.index import HTTP, IndexingError, index_app

Build = Callable[[Callable[[Any], None]], df.DFApp]


def problems_of(app: Any) -> tuple[tuple[str, str], ...]:
    with pytest.raises(IndexingError) as caught:
        index_app(app)
    return caught.value.problems


def test_functions_triggers_and_bindings_are_found(sample: Any) -> None:
    functions = {function.name: function for function in index_app(sample.app)}
    assert {one.trigger for one in functions.values()} == {
        "orchestrationTrigger",
        "activityTrigger",
        "httpTrigger",
        "timerTrigger",
    }
    start = functions["start"]
    assert (start.trigger, start.parameter, start.clients, start.methods) == (HTTP, "req", ("client",), ("POST",))
    assert functions["number"].methods == ("GET", "POST")
    assert functions["silent"].route is not None
    assert functions["silent"].route.template == "silent"
    assert functions["files"].takes_context
    assert functions["tick"].schedule == "0 */5 * * * *"


def test_an_app_can_be_indexed_again(sample: Any) -> None:
    assert [one.name for one in index_app(sample.app)] == [one.name for one in index_app(sample.app)]


def test_a_name_given_to_the_trigger_is_the_registered_one(build: Build) -> None:
    def add(blueprint: Any) -> None:
        @blueprint.activity_trigger(input_name="value", activity="Other")
        def one(value: Any) -> None: ...

    assert [one.registered_name for one in index_app(build(add))] == ["Other"]


def test_an_underscore_in_a_binding_name_would_drop_the_function(build: Build) -> None:
    def add(blueprint: Any) -> None:
        @blueprint.activity_trigger(input_name="the_value")
        def one(the_value: Any) -> None: ...

        @blueprint.activity_trigger(input_name="value")
        @blueprint.durable_client_input(client_name="the_client")
        async def two(value: Any, the_client: Any) -> None: ...

    problems = problems_of(build(add))
    assert [name for name, _ in problems] == ["one", "two"]
    assert "'the_value' is not a valid binding name" in problems[0][1]
    assert "'the_client' is not a valid binding name" in problems[1][1]


@pytest.mark.parametrize("name", ["1st", "host", "a.b", "_x", "a" * 129])
def test_a_bad_function_name_would_drop_the_function(build: Build, name: str) -> None:
    def add(blueprint: Any) -> None:
        @blueprint.function_name(name)
        @blueprint.activity_trigger(input_name="value")
        def one(value: Any) -> None: ...

    assert problems_of(build(add))[0][1].endswith("is not a valid function name")


def test_two_functions_whose_names_differ_in_case_only_clash(build: Build) -> None:
    def add(blueprint: Any) -> None:
        @blueprint.activity_trigger(input_name="value")
        def one(value: Any) -> None: ...

        @blueprint.function_name("ONE")
        @blueprint.activity_trigger(input_name="value")
        def other(value: Any) -> None: ...

    assert problems_of(build(add)) == (("one", "another function has this name"),)


def test_two_functions_of_one_name_clash(build: Build) -> None:
    def add(blueprint: Any) -> None:
        for _ in range(2):

            @blueprint.activity_trigger(input_name="value")
            def one(value: Any) -> None: ...

    assert "unique function name" in problems_of(build(add))[0][1]


def test_two_bindings_of_one_name_clash(build: Build) -> None:
    def add(blueprint: Any) -> None:
        @blueprint.activity_trigger(input_name="client")
        @blueprint.durable_client_input(client_name="Client")
        async def one(client: Any, Client: Any) -> None: ...

    assert problems_of(build(add)) == (("one", "two bindings are named 'client'"),)


@pytest.mark.parametrize("route", ["admin/x", "Runtime", "runtime/webhooks"])
def test_a_reserved_route_would_drop_the_function(build: Build, route: str) -> None:
    def add(blueprint: Any) -> None:
        @blueprint.route(route=route)
        def one(req: Any) -> None: ...

    assert "reserved" in problems_of(build(add))[0][1]


def test_the_same_route_for_the_same_method_clashes(build: Build) -> None:
    def add(blueprint: Any) -> None:
        @blueprint.route(route="things/{id}", methods=["GET", "PUT"])
        def one(req: Any) -> None: ...

        @blueprint.route(route="Things/{name}", methods=["GET"])
        def two(req: Any) -> None: ...

        @blueprint.route(route="things/{id}", methods=["DELETE"])
        def three(req: Any) -> None: ...

    assert problems_of(build(add)) == (("two", "GET Things/{name} is also one's"),)


def test_a_trigger_that_the_local_host_has_not_is_named(build: Build) -> None:
    def add(blueprint: Any) -> None:
        @blueprint.queue_trigger(arg_name="message", queue_name="q", connection="Storage")
        def one(message: Any) -> None: ...

    assert problems_of(build(add)) == (("one", "the local host has no queueTrigger"),)


def test_one_error_lists_everything(build: Build) -> None:
    def add(blueprint: Any) -> None:
        @blueprint.activity_trigger(input_name="bad_one")
        def one(bad_one: Any) -> None: ...

        @blueprint.route(route="x/{a}{b}")
        def two(req: Any) -> None: ...

    with pytest.raises(IndexingError) as caught:
        index_app(build(add))
    assert "one: 'bad_one' is not" in str(caught.value)
    assert "two: in the route 'x/{a}{b}'" in str(caught.value)
