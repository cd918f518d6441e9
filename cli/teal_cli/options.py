"""Options that commands share, as dataclasses: a command that takes one of them has its fields as options."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, get_type_hints

import typer

from teal_cli.show.durations import parse_duration
from teal_cli.wait.goals import AtGate, OnCancel


class Form(StrEnum):
    """What stdout holds."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


_UNTIL = typer.Option(help="give up after this long: 90s, 5m, 1h30m", metavar="DURATION", parser=_duration)


@dataclass(frozen=True)
class Common:
    """What every command takes."""

    url: Annotated[str | None, typer.Option(help="where Teal is; else TEAL_URL", metavar="URL")] = None
    output: Annotated[Form, typer.Option(help="what stdout holds", show_default=True)] = Form.TEXT
    timeout: Annotated[timedelta | None, _UNTIL] = None
    verbose: Annotated[bool, typer.Option("--verbose", help="say each request on stderr")] = False


@dataclass(frozen=True)
class Waiting:
    """What a wait takes."""

    at_gate: Annotated[
        AtGate | None,
        typer.Option(help="where a person must approve; in a pipeline fail, else wait", show_default=False),
    ] = None
    on_cancel: Annotated[OnCancel, typer.Option(help="what becomes of the deployment at ^C or SIGTERM")] = (
        OnCancel.LEAVE
    )
    interval: Annotated[
        timedelta | None,
        typer.Option(help="time between two looks; 2s live, else 5s", metavar="DURATION", parser=_duration),
    ] = None


@dataclass(frozen=True)
class Starting:
    """What a start takes besides its fields."""

    wait: Annotated[bool, typer.Option("--wait", help="wait for its end, and exit as it ends")] = False
    key: Annotated[str, typer.Option(help="tells apart jobs of a matrix, and steps of one job", metavar="TEXT")] = ""
    again: Annotated[bool, typer.Option("--again", help="start anew although this job has started one before")] = False


@cache
def _parameters(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name])
        for one in dataclasses.fields(group)
    ]


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Spread each dataclass among a command's parameters over options of its own."""
    own = inspect.signature(command, eval_str=True).parameters.values()
    groups: dict[str, Any] = {one.name: one.annotation for one in own if dataclasses.is_dataclass(one.annotation)}
    parameters = [one for one in own if one.name not in groups]
    for group in groups.values():
        parameters += _parameters(group)

    def called(**given: Any) -> None:
        made = {
            name: group(**{field.name: given.pop(field.name) for field in dataclasses.fields(group)})
            for name, group in groups.items()
        }
        command(**given, **made)

    called.__name__ = command.__name__
    called.__doc__ = command.__doc__
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    return called
