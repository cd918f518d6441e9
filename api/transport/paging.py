"""Pages of lists: ``limit`` items, and a ``continuationToken`` where there is more.

A token says after which item the next page begins, by what the list is ordered by. So a page misses nothing and repeats
nothing that was there when the first was read, whatever is written in between.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from api.transport.errors import Code, Detail, Refusal, refuse_faults
from api.transport.http import Request
from api.transport.query import query_integer
from rollout.model.codec import Json
from rollout.model.rows.unreadable import WRITTEN_BY_NEWER_RELEASE, UnreadableRow

T = TypeVar("T")

PARAMETER = "continuationToken"

#: How many items a page of a list has whose rows are few and small: groups, batches, VMs, commands.
PAGE_MAX = 1000

#: Far above any token that is given out.
TOKEN_LENGTH_MAX = 512


@dataclass(frozen=True)
class Page(Generic[T]):
    """Items, and after which the next page begins; empty where there is none."""

    items: tuple[T, ...]
    after: str = ""

    def answer(self, name: str, shown: list[Json], unreadable: Sequence[UnreadableRow] = ()) -> Json:
        """The list's envelope around the items as they are shown. ``unreadable`` ones are told beside them."""
        told = [{"id": row.id, "code": WRITTEN_BY_NEWER_RELEASE, "message": row.message} for row in unreadable]
        return {
            "value": shown,
            **({"unreadable": told} if told else {}),
            **({PARAMETER: encode_token(name, self.after)} if self.after else {}),
        }


def page_after(
    request: Request, name: str, items: Iterable[T], key: Callable[[T], str], most: int = PAGE_MAX
) -> Page[T]:
    """The page of all ``items`` that the request asks for. They are in the order of ``key``, which no two share.

    For lists that are read whole at once.
    """
    limit = query_integer(request, "limit", 1, most) or most
    after = position(request, name)
    left = [item for item in items if key(item) > after]
    return first(left, limit, key)


def first(items: list[T], limit: int, key: Callable[[T], str]) -> Page[T]:
    """The first ``limit`` of items of which there may be more."""
    shown = tuple(items[:limit])
    return Page(shown, key(shown[-1]) if len(items) > limit else "")


def position(request: Request, name: str) -> str:
    """After which item the page of the list ``name`` begins; empty: it is the first. Raises ``invalidValue``."""
    token = request.query.get(PARAMETER)
    return "" if token is None else decode_token(name, token)


def encode_token(name: str, after: str) -> str:
    """URL-safe, and opaque to those who have no business with it.

    >>> decode_token("groups", encode_token("groups", "web"))
    'web'
    """
    return base64.urlsafe_b64encode(json.dumps([name, after], separators=(",", ":")).encode()).decode().rstrip("=")


def decode_token(name: str, token: str) -> str:
    """What ``encode_token`` was given. Raises ``invalidValue`` for anything else."""
    if len(token) <= TOKEN_LENGTH_MAX and token.isascii():
        try:
            said = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True))
        except (binascii.Error, ValueError, RecursionError):
            said = None
        if isinstance(said, list) and len(said) == 2 and said[0] == name and _is_key(said[1]):
            return str(said[1])
    raise refuse_token()


def _is_key(after: object) -> bool:
    """Whether something may be the key of a row. JSON may hold halves of characters, which nothing stores."""
    return isinstance(after, str) and after != "" and after == after.encode(errors="replace").decode()


def refuse_token() -> Refusal:
    """The refusal of a token that means nothing here."""
    message = f"{PARAMETER} is not one that this list gave out. Begin without it"
    return refuse_faults([Detail(Code.INVALID_VALUE, message, PARAMETER)])
