"""``Idempotency-Key``: a POST that is sent twice is done once, and is answered as it was the first time.

1. The row comes first, with a token and a time from which whatever the request makes gets its name.
2. A success is kept in the row and told again. A refusal is not: it changed nothing, and may pass.
3. A try that died leaves the row as it is. After ``rollout.lifecycle.idempotency.TRY_LASTS`` the next one makes the
   same, and finds what was made already.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode

from api.transport.errors import Code, Detail, Refusal, refuse_faults
from api.transport.http import Answer, Handler, Request
from api.transport.query import KEYS
from rollout.lifecycle.idempotency import KeyStanding, answered, refused, standing, tried_again, uncertain
from rollout.model.codec import encode
from rollout.model.rows.keyed_request import KeyedRequest
from rollout.ports.errors import AzureError
from rollout.ports.ports import Ports

HEADER = "idempotency-key"
KEY_LENGTH_MAX = 255

#: A longer body is refused; what it says does not matter.
_LONGEST_BODY = 1024 * 1024

_log = logging.getLogger("teal")


async def once(ports: Ports, request: Request, *, handler: Handler) -> Answer:
    """The handler's answer; where the request has a key that was used before, the answer that it was given then."""
    key = request.headers.get(HEADER)
    if key is None:
        return await handler(ports, request)
    row = await _begin(ports, request, checked(key, "Idempotency-Key"))
    if isinstance(row, Answer):
        return row
    try:
        answer = await handler(ports, replace(request, token=row.token, at=row.at, tried=row.tries > 1))
    except Refusal as refusal:
        await _note(ports, row, uncertain(row) if refusal.code is Code.START_UNCERTAIN else refused(row))
        raise
    except Exception:
        await _note(ports, row, uncertain(row))
        raise
    await _note(ports, row, answered(row, answer.status, answer.body, dict(answer.headers)))
    return answer


def checked(key: str, target: str) -> str:
    """The key, which ``target`` says. Raises ``invalidValue`` where it can be none."""
    if not 0 < len(key) <= KEY_LENGTH_MAX or not key.isprintable():
        message = f"{target} must be 1 to {KEY_LENGTH_MAX} printable characters"
        raise refuse_faults([Detail(Code.INVALID_VALUE, message, target)])
    return key


async def _begin(ports: Ports, request: Request, key: str) -> KeyedRequest | Answer:
    """The row of this try; or the answer of one before it."""
    now = ports.clock.now()
    mine = KeyedRequest(_scope(request), key, _fingerprint(request.body), secrets.token_hex(3), now, since=now)
    if await ports.store.requests.add(mine):
        return mine
    found = await ports.store.requests.get(mine.scope, key)
    if found is None or encode(found) == encode(mine):
        # The insert was sent again after a lost response; or the row was old, and was purged this moment.
        return mine
    match standing(found, mine.fingerprint, now):
        case KeyStanding.REUSED:
            message = "Idempotency-Key was used for another body. Send each request with a key of its own"
            raise Refusal(Code.IDEMPOTENCY_KEY_REUSED, message, "Idempotency-Key")
        case KeyStanding.ANSWERED:
            return Answer(found.status, found.body, {**(found.headers or {}), "Idempotent-Replayed": "true"})
        case KeyStanding.UNDER_WAY:
            raise _in_progress()
        case KeyStanding.AGAIN:
            return await _try_again(ports, found, mine.token, now)


async def _try_again(ports: Ports, found: KeyedRequest, token: str, now: datetime) -> KeyedRequest:
    row = tried_again(found, token, now)
    if not await ports.store.requests.swap(found, row):
        raise _in_progress()
    return row


def _in_progress() -> Refusal:
    message = "A request with this Idempotency-Key is being worked on. Send it again later for its answer"
    return Refusal(Code.REQUEST_IN_PROGRESS, message, "Idempotency-Key")


async def _note(ports: Ports, row: KeyedRequest, after: KeyedRequest) -> None:
    """Write down how the try ended. Where that fails the next try finds out what this one made."""
    try:
        await ports.store.requests.swap(row, after)
    except AzureError as error:
        _log.warning("How a request to %s was answered is not kept: %s", row.scope, error)


def _scope(request: Request) -> str:
    """The method and the place with its query: a plan is asked for at the place of a start."""
    query = urlencode(sorted((name, text) for name, text in request.query.items() if name.lower() not in KEYS))
    return f"{request.method} {request.place}" + (f"?{query}" if query else "")


def _fingerprint(body: bytes) -> str:
    """Of what the body says, not of how it is written; of the bytes where they are no JSON."""
    if len(body) <= _LONGEST_BODY:
        try:
            said = json.loads(body.decode("utf-8-sig"), parse_float=_number)
            body = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
        except (ValueError, RecursionError):
            pass
    return hashlib.sha256(body).hexdigest()


def _number(text: str) -> int | float:
    """``1.0`` and ``1`` are one number, as they are to whoever reads the body."""
    number = float(text)
    return int(number) if number.is_integer() else number
