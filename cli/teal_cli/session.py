"""One run of the command: where Teal is, who asks, where words go, and how it ends."""

from __future__ import annotations

import os
import re
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import typer

from teal_cli.api.client import Client, Deadline, Who
from teal_cli.api.connection import Connection
from teal_cli.api.tokens import Tokens, function_key, token_source
from teal_cli.ending import Ended
from teal_cli.environment import Pipeline, default_timeout, page_of, pipeline, setting, teal_url
from teal_cli.exits import Exit
from teal_cli.options import Common, Form
from teal_cli.show.output import Output
from teal_cli.show.plain import plain
from teal_cli.show.reports import Reports
from teal_cli.wait.supervising import supervise

if TYPE_CHECKING:
    from teal_cli.api.models import Deployment

#: How long a command that does not wait may take.
SHORT = timedelta(minutes=1)

#: How long a start may take that nobody waits for the end of: the app may be starting itself.
START = timedelta(minutes=5)

#: How long the one request of an interrupted command may take, in seconds.
CANCEL_SECONDS = 3.0

#: The id of a deployment, to tell it from a group's.
_DEPLOYMENT = re.compile(r"[a-z0-9-]+-\d{8}T\d{6}Z-[0-9a-f]{6}", re.ASCII)


@dataclass
class Session:
    """What the work of a command is done with."""

    client: Client
    output: Output
    environment: Mapping[str, str]
    pipeline: Pipeline | None
    reports: Reports
    #: What is to be done at a signal, as soon as there is something; it says what became of it.
    on_cancel: Callable[[], list[str]] = field(default=list)
    #: What is said where that takes too long.
    parting: list[str] = field(default_factory=list)
    #: What is drawn on the terminal, to be put away before anything else is said.
    close_view: Callable[[], None] = field(default=lambda: None)

    @property
    def text(self) -> bool:
        """Whether people read stdout."""
        return self.output.form is Form.TEXT

    def page(self, deployment_id: str) -> str:
        """Where people look at a deployment."""
        return page_of(self.client.url, deployment_id)

    def deployment_id(self, named: str) -> str:
        """The deployment of this id, or the newest of the group of this name."""
        if _DEPLOYMENT.fullmatch(named):
            return named
        newest = self.client.get(f"groups/{quoted(named)}/deployments", limit="1")["value"]
        if not newest:
            raise Ended(Exit.USAGE, f"Group {plain(named)} has no deployment yet")
        return str(newest[0]["id"])

    def deployment(self, deployment_id: str) -> Deployment:
        """A deployment as it is now."""
        return cast("Deployment", self.client.get(f"deployments/{quoted(deployment_id)}"))

    def all(self, path: str, most: int | None = None, **params: str) -> list[Any]:
        """Every item of a list, page after page."""
        items: list[Any] = []
        while True:
            page = self.client.get(path, **params)
            items += page["value"]
            token = page.get("continuationToken")
            if token is None or (most is not None and len(items) >= most):
                return items[:most]
            params["continuationToken"] = token


def quoted(part: str) -> str:
    """A part of a path, as it was given."""
    from urllib.parse import quote

    return quote(part, safe="")


def run(common: Common, work: Callable[[Session], Exit], *, waits: bool = False, starts: bool = False) -> None:
    """Do the work of a command, and exit. It may take as long as ``--timeout`` says, else as such a command may."""
    environment = os.environ
    output = Output(common.output, environment)
    try:
        session = _session(common, output, environment, common.timeout or _patience(environment, waits, starts))
    except Ended as ended:
        _say(output, ended)
        raise typer.Exit(ended.code) from None
    code = supervise(lambda: _done(session, work), lambda why: _interrupted(session, why))
    raise typer.Exit(code)


def _patience(environment: Mapping[str, str], waits: bool, starts: bool) -> timedelta | None:
    return default_timeout(pipeline(environment)) if waits else START if starts else SHORT


def _session(common: Common, output: Output, environment: Mapping[str, str], limit: timedelta | None) -> Session:
    url = teal_url((common.url or "").strip() or setting(environment, "TEAL_URL"))
    connection = Connection(environment)
    source = token_source(environment, connection.json)
    who = Who(function_key(environment), Tokens(source) if source is not None else None)
    deadline = Deadline(limit.total_seconds() if limit is not None else None)
    known = pipeline(environment)
    if common.verbose:
        connection.told = lambda line: output.say(f"  {plain(line)}")
    client = Client(url, who, connection, deadline)
    client.told = lambda words: output.say(f"{plain(words)}; trying again") if words else None
    return Session(client, output, environment, known, Reports(output, environment))


def _done(session: Session, work: Callable[[Session], Exit]) -> Exit:
    """The work's code; whatever goes wrong is said here, and nowhere else."""
    try:
        try:
            return work(session)
        finally:
            session.close_view()
    except Ended as ended:
        session.reports.ended(ended)
        _say(session.output, ended)
        return ended.code
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{os.path.basename(place.filename)}:{place.lineno}"
        session.output.say(f"A fault of the command itself ({type(error).__name__} at {where}); please report it")
        return Exit.NO_ANSWER


def _say(output: Output, ended: Ended) -> None:
    for number, line in enumerate(ended.lines):
        output.say(f"teal: {line}" if number == 0 else f"  {line}")


def _interrupted(session: Session, why: str) -> None:
    session.close_view()
    said: list[list[str]] = []
    asking = threading.Thread(target=lambda: said.append(session.on_cancel()), daemon=True)
    asking.start()
    asking.join(CANCEL_SECONDS)
    lines = said[0] if said else session.parting
    session.reports.flush()
    session.output.say(f"teal: {why}" + (f". {lines[0]}" if lines else ""))
    for line in lines[1:]:
        session.output.say(f"  {line}")


def now() -> datetime:
    """The time, for what is shown; waits go by a clock that nobody sets."""
    return datetime.now(UTC)


def on_a_terminal() -> bool:
    """Whether somebody reads progress as it is drawn."""
    return sys.stderr.isatty()
