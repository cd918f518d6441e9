"""What functions an app has, checked as the Functions host checks them.

The real host drops a function that fails a check *with only a log line* (azure-functions-host, ``Utility.cs`` and
``WorkerFunctionMetadataProvider.cs``); here one error lists all that it would drop, and why.
"""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from local.functions.keys import Level
from local.functions.routes import RouteError, RouteTemplate, clashes, parse_route

_BINDING_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9]{0,127}")
_FUNCTION_NAME = re.compile(r"[a-z][a-z0-9_\-]{0,127}", re.IGNORECASE)
_RESERVED_ROUTES = ("admin", "runtime")
_DEFAULT_METHODS = ("GET", "POST")

ORCHESTRATION, ACTIVITY, HTTP, TIMER = "orchestrationTrigger", "activityTrigger", "httpTrigger", "timerTrigger"
EVENT_GRID = "eventGridTrigger"
_SUPPORTED = frozenset({ORCHESTRATION, ACTIVITY, HTTP, TIMER, EVENT_GRID})
_CLIENT = "durableClient"


@dataclass(frozen=True)
class Function:
    """One function as the worker reports it.

    ``name`` is the function's, ``registered_name`` what orchestrators call it by; ``parameter`` takes the trigger's
    value and each of ``clients`` a Durable client; ``takes_context`` says that it wants the invocation's context.
    """

    name: str
    handler: Callable[..., Any]
    trigger: str
    parameter: str
    registered_name: str
    clients: tuple[str, ...] = ()
    takes_context: bool = False
    route: RouteTemplate | None = None
    methods: tuple[str, ...] = ()
    level: Level = Level.FUNCTION
    schedule: str = ""
    runs_on_startup: bool = False


class IndexingError(Exception):
    """The real host would drop functions of this app. ``problems`` are pairs of function name and reason."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        lines = "\n".join(f"  {name}: {reason}" for name, reason in problems)
        super().__init__(f"The Functions host would drop, with no more than a log line:\n{lines}")
        self.problems = tuple(problems)


def index_app(app: Any) -> list[Function]:
    """The functions of ``app`` (a ``FunctionApp`` or ``DFApp``); raise ``IndexingError`` if one would be dropped."""
    reported = _report(app)
    problems = [(str(one.get_function_name()), reason) for one in reported for reason in _check(one)]
    problems += _check_names(str(one.get_function_name()) for one in reported)
    if problems:
        raise IndexingError(problems)
    functions = [_read(one) for one in reported]
    problems = _check_registered(functions) + _check_routes(functions)
    if problems:
        raise IndexingError(problems)
    return functions


def _report(app: Any) -> list[Any]:
    """What the SDK reports. The app remembers the names, and would take a second report for duplicates."""
    app.functions_bindings = {}
    try:
        reported: list[Any] = app.get_functions()
    except ValueError as error:
        raise IndexingError([("the whole app", str(error))]) from error
    finally:
        app.functions_bindings = {}
    return reported


def _check(reported: Any) -> Iterator[str]:
    """Why the host would drop this function on its own."""
    name = str(reported.get_function_name())
    if not _FUNCTION_NAME.fullmatch(name) or name.casefold() == "host":
        yield f"'{name}' is not a valid function name"
    bindings = reported.get_bindings()
    for binding in bindings:
        if binding.name != "$return" and not _BINDING_NAME.fullmatch(binding.name):
            yield f"'{binding.name}' is not a valid binding name (letters and digits only)"
    counts = Counter(binding.name.casefold() for binding in bindings)
    for repeated in sorted(one for one, count in counts.items() if count > 1):
        yield f"two bindings are named '{repeated}'"
    triggers = [binding.type for binding in bindings if binding.type.casefold().endswith("trigger")]
    if len(triggers) != 1:
        yield f"it has {len(triggers)} triggers"
    elif triggers[0] not in _SUPPORTED:
        yield f"the local host has no {triggers[0]}"
    elif triggers[0] == HTTP:
        yield from _check_route(reported.get_trigger().route)


def _check_route(text: str) -> Iterator[str]:
    try:
        route = parse_route(text)
    except RouteError as error:
        yield str(error)
        return
    if route.first_literal in _RESERVED_ROUTES:
        yield f"the route '{text}' begins with the reserved '{route.first_literal}'"


def _check_names(names: Iterable[str]) -> list[tuple[str, str]]:
    counts = Counter(name.casefold() for name in names)
    return [(name, "another function has this name") for name, count in sorted(counts.items()) if count > 1]


def _check_registered(functions: list[Function]) -> list[tuple[str, str]]:
    counts = Counter((one.trigger, one.registered_name.casefold()) for one in functions)
    return [
        (one.name, f"another {one.trigger} is registered as '{one.registered_name}'")
        for one in functions
        if counts[one.trigger, one.registered_name.casefold()] > 1
    ]


def _check_routes(functions: list[Function]) -> list[tuple[str, str]]:
    routed = [one for one in functions if one.route is not None]
    problems = []
    for position, one in enumerate(routed):
        for other in routed[:position]:
            shared = set(one.methods) & set(other.methods)
            if one.route and other.route and shared and clashes(one.route, other.route):
                problems.append((one.name, f"{'/'.join(sorted(shared))} {one.route.template} is also {other.name}'s"))
    return problems


def _read(reported: Any) -> Function:
    trigger = reported.get_trigger()
    handler = reported.get_user_function()
    name = str(reported.get_function_name())
    kind = trigger.type
    # functools.wraps on the client's wrapper: the signature is the user's own.
    takes_context = kind != ORCHESTRATION and "context" in inspect.signature(handler).parameters
    registered = getattr(trigger, "orchestration", None) or getattr(trigger, "activity", None) or name
    return Function(
        name=name,
        handler=handler,
        trigger=kind,
        parameter=trigger.name,
        registered_name=registered,
        clients=tuple(one.name for one in reported.get_bindings() if one.type == _CLIENT),
        takes_context=takes_context and trigger.name != "context",
        route=parse_route(trigger.route) if kind == HTTP else None,
        methods=_methods(trigger) if kind == HTTP else (),
        level=_level(trigger) if kind == HTTP else Level.FUNCTION,
        schedule=trigger.schedule if kind == TIMER else "",
        runs_on_startup=bool(kind == TIMER and trigger.run_on_startup),
    )


def _level(trigger: Any) -> Level:
    level = trigger.auth_level
    return Level(str(getattr(level, "value", level)).lower()) if level is not None else Level.FUNCTION


def _methods(trigger: Any) -> tuple[str, ...]:
    return tuple(str(getattr(one, "value", one)).upper() for one in trigger.methods or _DEFAULT_METHODS)
