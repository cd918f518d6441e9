"""``teal doctor``: what may be wrong between here and Teal, each with what to do."""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from teal_cli import VERSION
from teal_cli.api.client import who_to_ask
from teal_cli.api.connection import NoAnswer, tls_context
from teal_cli.api.judging import Answer
from teal_cli.ending import Ended
from teal_cli.exits import Exit
from teal_cli.options import Form
from teal_cli.session import Session
from teal_cli.show.plain import plain

if TYPE_CHECKING:
    from teal_cli.api.models import Me

#: A clock that differs by more makes tokens look expired, or not valid yet.
_SKEW_SECONDS = 60

#: How long before its end a certificate is told of.
_DAYS = 14


#: The Functions host's own answers that are no trouble here: a wrong key, and a Teal of before this route.
NO_SUCH_ROUTE = {"health": (), "me": (401, 404)}


class Mark(StrEnum):
    """How a look went."""

    WELL = "ok"
    ODD = "look"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    mark: Mark
    says: str
    code: Exit = Exit.FINISHED


def examine(session: Session) -> Exit:
    """Look at everything, say it, and exit by the first thing that is wrong."""
    found = [_where(session)]
    answer = _asked(session, "health", found, "app")
    if answer is not None:
        found += [_version(answer.version), _clock(answer.date), *_certificate(session)]
        me = _asked(session, "me", found, "role")
        if me is not None:
            found.append(_role(session, me))
    if session.output.form is Form.TEXT:
        for one in found:
            session.output.result(f"{one.mark.value:<5}  {one.what:<12}  {one.says}")
    else:
        session.output.record([{"what": one.what, "mark": one.mark.value, "says": one.says} for one in found])
    return next((one.code for one in found if one.code is not Exit.FINISHED), Exit.FINISHED)


def _where(session: Session) -> Finding:
    who = session.client.who
    asks = "a key" if who.key else "a token" if who.tokens else "neither key nor token"
    return Finding("address", Mark.WELL, f"{session.client.url}, asked with {asks}")


def _asked(session: Session, path: str, found: list[Finding], what: str) -> Answer | None:
    """The answer, if Teal gave one; else why not is among the findings."""
    try:
        answer = session.client.once("GET", path, timeout=30.0)
    except NoAnswer as error:
        found.append(Finding(what, Mark.WRONG, f"no answer: {error}", Exit.NO_ANSWER))
        return None
    except Ended as ended:
        found.append(Finding(what, Mark.WRONG, " ".join(ended.lines), ended.code))
        return None
    if answer.version is None and answer.status not in NO_SUCH_ROUTE[path]:
        says = f"{answer.status} without x-teal-version: not up, or not Teal"
        found.append(Finding(what, Mark.WRONG, says, Exit.NO_ANSWER))
        return None
    return answer


def _version(theirs: str | None) -> Finding:
    if theirs == VERSION:
        return Finding("version", Mark.WELL, f"{VERSION}, as the command")
    words = f"Teal is {plain(theirs or '?')}, and the command {VERSION}: install the command of Teal's release"
    return Finding("version", Mark.ODD, words)


def _clock(date: str) -> Finding:
    try:
        ahead = time.time() - parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return Finding("clock", Mark.ODD, "not known: the answer has no date")
    if abs(ahead) <= _SKEW_SECONDS:
        return Finding("clock", Mark.WELL, "as Teal's")
    way = "ahead of" if ahead > 0 else "behind"
    return Finding("clock", Mark.ODD, f"{abs(round(ahead))} s {way} Teal's: tokens may not be accepted. Set this clock")


def _certificate(session: Session) -> list[Finding]:
    parts = urlsplit(session.client.url)
    if parts.scheme != "https":
        if parts.hostname in ("localhost", "127.0.0.1", "::1"):
            return []
        return [Finding("certificate", Mark.ODD, "none: the address is http, so keys travel in the clear")]
    return [Finding("certificate", *_days_left(parts.hostname or "", parts.port or 443, session))]


def _days_left(host: str, port: int, session: Session) -> tuple[Mark, str]:
    context = tls_context(session.environment)
    try:
        with socket.create_connection((host, port), 10) as raw, context.wrap_socket(raw, server_hostname=host) as tls:
            ends = str((tls.getpeercert() or {}).get("notAfter", ""))
    except OSError:
        return Mark.ODD, "not seen: there is a proxy between"
    days = round((ssl.cert_time_to_seconds(ends) - time.time()) / 86400) if ends else 0
    return (Mark.WELL if days > _DAYS else Mark.ODD), f"trusted, and good for {days} days"


def _role(session: Session, me: Answer) -> Finding:
    if me.status == 200 and me.body is not None:
        said = cast("Me", me.body)
        roles = ", ".join(said["roles"]) or "no role"
        may = ", ".join(name for name, one in said["may"].items() if one["allowed"]) or "nothing"
        return Finding("role", Mark.WELL, plain(f"{said['name']}: {roles}; may {may}"))
    if me.status == 404:
        return Finding("role", Mark.ODD, "this version of Teal does not tell")
    says = f"not accepted ({me.status}). {plain(me.message) or who_to_ask(session.client.who)}"
    return Finding("role", Mark.WRONG, says, Exit.NOT_ALLOWED)
