"""Query parameters: known ones, once each, that say something. Nothing that is asked for is passed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from api.transport.errors import Code, Detail, refuse_faults
from api.transport.http import Answer, Handler, Request
from api.transport.suggestions import suggestion
from rollout.ports.ports import Ports

#: What carries a function's key, in any case, as the host reads it: it is the host's affair.
KEYS = frozenset({"code", "clientid"})

#: How many faults of one query are told, and how much of an unknown name.
_FAULTS_MAX = 20
_NAME_LENGTH_MAX = 60


async def understood(ports: Ports, request: Request, *, handler: Handler, known: Sequence[str]) -> Answer:
    """The handler's answer to a request of whose query every part is understood."""
    faults = list(_faults(request, known))[:_FAULTS_MAX]
    if faults:
        raise refuse_faults(faults)
    return await handler(ports, request)


def _faults(request: Request, known: Sequence[str]) -> Iterator[Detail]:
    given = [(name, text) for name, text in request.given if name.lower() not in KEYS]
    times = Counter(name for name, _ in given)
    for name in times:
        shown = name[:_NAME_LENGTH_MAX]
        if name not in known:
            message = f"There is no query parameter {shown!r} here; {suggestion(name, known)}"
            yield Detail(Code.UNKNOWN_PARAMETER, message, shown)
        elif times[name] > 1:
            yield Detail(Code.INVALID_VALUE, f"{name} is given {times[name]} times: give it once", name)
        elif (name, "") in given:
            yield Detail(Code.INVALID_VALUE, f"{name} has no value: give it one, or leave it out", name)


def query_integer(request: Request, name: str, least: int, most: int | None = None) -> int | None:
    """The query parameter ``name`` as a whole number; ``None`` where it is not given."""
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise refuse_faults([Detail(Code.INVALID_TYPE, f"{name} must be a whole number", name)])
    if int(text) < least or (most is not None and int(text) > most):
        bounds = f"at least {least}" if most is None else f"from {least} to {most}"
        raise refuse_faults([Detail(Code.OUT_OF_RANGE, f"{name} must be {bounds}, not {int(text)}", name)])
    return int(text)


def query_time(request: Request, name: str) -> datetime | None:
    """The query parameter ``name`` as a time in ISO 8601 that says its zone; ``None`` where it is not given."""
    text = request.query.get(name)
    if text is None:
        return None
    try:
        # A plus that was sent as it is means a blank.
        time = datetime.fromisoformat(text.replace(" ", "+"))
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise refuse_faults([Detail(Code.INVALID_VALUE, f"{name} must be a time such as 2026-11-23T08:15:00Z", name)])


def query_words(request: Request, name: str, known: Sequence[str]) -> frozenset[str]:
    """The words of the query parameter ``name``, with commas between them; none where it is not given."""
    given = request.query.get(name)
    words = [word.strip() for word in given.split(",")] if given is not None else []
    if unknown := [word for word in words if word not in known]:
        message = f"{name} knows {', '.join(known)}, not {unknown[0][:40]!r}"
        raise refuse_faults([Detail(Code.INVALID_VALUE, message, name)])
    return frozenset(words)


def query_flag(request: Request, name: str) -> bool:
    """The query parameter ``name`` as ``true`` or ``false``; false where it is not given."""
    text = request.query.get(name, "false")
    if text not in ("true", "false"):
        raise refuse_faults([Detail(Code.INVALID_VALUE, f"{name} must be true or false, not {text[:40]!r}", name)])
    return text == "true"
