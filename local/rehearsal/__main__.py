"""``python -m local.rehearsal my-set.json``. 0: nothing refuses; 1: something does; 2: no usable input."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from local.azure.real_input import not_as_azure, read_scale_sets
from local.azure.world import WorldError
from local.azure.world_images import Behavior
from local.rehearsal.outcome import exit_code
from local.rehearsal.plays import Refused
from local.rehearsal.rehearse import Wishes, rehearse
from local.rehearsal.text import text_page
from local.rehearsal.webpage import web_page


def main(given: Sequence[str] | None = None) -> int:
    """Rehearse each set of the file, print the page, and write it as HTML."""
    arguments = _parser().parse_args(given)
    logging.basicConfig(handlers=[logging.NullHandler()])  # what goes wrong is on the page
    try:
        bodies = [body for body in read_scale_sets(arguments.set) if arguments.only in (None, body["name"])]
        if not bodies:
            raise WorldError(f"{arguments.set}: no scale set named {arguments.only} in it")
        rehearsals = tuple(rehearse(body, _wishes(arguments), _tell) for body in bodies)
    except (ValidationError, AttributeError, KeyError, TypeError) as error:
        # Azure's JSON has no schema that it keeps to: what is not as expected shows up here.
        print(f"{arguments.set}: {not_as_azure(error)}", file=sys.stderr)
        return 2
    except (WorldError, Refused) as error:
        print(f"Cannot rehearse: {error}", file=sys.stderr)
        return 2
    print(text_page(rehearsals, arguments.set.name))
    html: Path = arguments.html or Path(f"{arguments.set.stem}.rehearsal.html")
    html.write_text(web_page(rehearsals, arguments.set.name), encoding="utf-8")
    print(f"\nThe same with curves and every event, to send on: {html}")
    return exit_code(rehearsals)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local.rehearsal", description="Deployments to a scale set of yours, played on a simulated copy"
    )
    parser.add_argument("set", type=Path, help="what `az vmss show` printed, or a list of sets")
    parser.add_argument("--only", metavar="NAME", help="of a list, only the set of this name")
    parser.add_argument(
        "--ask", type=_asked, action="append", default=[], metavar="NAME=VALUE", help="a parameter of the start"
    )
    parser.add_argument(
        "--health", type=lambda text: text.split(","), default=[], metavar="TYPES", help="the group's healthCheckTypes"
    )
    parser.add_argument("--boot", type=_seconds, default=60, help="seconds until a good VM has booted (60)")
    parser.add_argument("--healthy-after", type=_seconds, default=60, help="and until it is healthy then (60)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="where to write the page (my-set.rehearsal.html)")
    return parser


def _asked(text: str) -> tuple[list[str], Any]:
    """A parameter's path and value: ``canary.size=1``; what is no JSON is a text."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError("should be a name and a value, such as batchSize=2 or canary.size=1")
    try:
        return name.split("."), json.loads(value)
    except ValueError:
        return name.split("."), value


def _body(asked: Iterable[tuple[Sequence[str], Any]]) -> dict[str, Any]:
    """The body of the start that asks for these."""
    body: dict[str, Any] = {}
    for path, value in asked:
        inner = body
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = value
    return body


def _seconds(text: str) -> float:
    value = float(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return value


def _wishes(arguments: argparse.Namespace) -> Wishes:
    good = Behavior(
        boot_time=timedelta(seconds=arguments.boot), healthy_after=timedelta(seconds=arguments.healthy_after)
    )
    return Wishes(_body(arguments.ask), arguments.health, good)


def _tell(what: str) -> None:
    print(f"  … {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
