"""Requests that carry an ``Idempotency-Key``: sent twice, they are done once."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from rollout.codec import Json
from rollout.names import deployment_id


@dataclass(frozen=True)
class KeyedRequest:
    """One row of the requests table. ``scope`` is the method and path, ``fingerprint`` that of the body.

    ``token`` and ``at`` name what the request makes, so that a second try makes the same. ``status`` 0: it was not
    answered yet, or what it asked was refused; ``token`` is empty where it was, and the next try makes something else.
    ``since``: when the present try began, ``None`` where none is under way. ``tries``: how many had this token.
    """

    scope: str
    key: str
    fingerprint: str
    token: str
    at: datetime
    status: int = 0
    body: Json | None = None
    headers: dict[str, str] | None = None
    since: datetime | None = None
    tries: int = 1
    schema_version: int = 1

    @property
    def starts(self) -> str:
        """The id of the deployment that the request starts; empty where it starts none."""
        start = _START.fullmatch(self.scope)
        return deployment_id(start[1], self.at, self.token) if start and self.token else ""

    @property
    def lasting(self) -> bool:
        """Whether the row is kept as long as that of the deployment that it has started."""
        return self.status != 0 and self.starts != ""


def start_scope(group_id: str) -> str:
    """The scope of a start in the group."""
    return f"POST groups/{group_id}/deployments"


_START = re.compile(start_scope("([a-z0-9-]+)"))


class Standing(StrEnum):
    """What becomes of a request whose key was used before."""

    REUSED = "reused"
    ANSWERED = "answered"
    UNDER_WAY = "underWay"
    AGAIN = "again"


#: A try that has not answered for this long has died.
TRY_LASTS = timedelta(seconds=60)


def standing(found: KeyedRequest, fingerprint: str, now: datetime) -> Standing:
    """How a request with this ``fingerprint`` stands, given the row of its scope and key."""
    if found.fingerprint != fingerprint:
        return Standing.REUSED
    if found.status:
        return Standing.ANSWERED
    under_way = found.since is not None and now - found.since < TRY_LASTS
    return Standing.UNDER_WAY if under_way else Standing.AGAIN


def tried_again(found: KeyedRequest, token: str, now: datetime) -> KeyedRequest:
    """The row of the next try: it makes the same as the one before, unless that was refused."""
    if found.token:
        return replace(found, since=now, tries=found.tries + 1)
    return replace(found, token=token, at=now, since=now, tries=1)


def answered(row: KeyedRequest, status: int, body: Json, headers: dict[str, str]) -> KeyedRequest:
    """The row of a request that succeeded."""
    return replace(row, status=status, body=body, headers=headers, since=None)


def refused(row: KeyedRequest) -> KeyedRequest:
    """The row of a request that was refused: it made nothing, so the next try has nothing to find."""
    return replace(row, token="", since=None)


def uncertain(row: KeyedRequest) -> KeyedRequest:
    """The row of a request of which nobody knows what it made: the next try makes the same."""
    return replace(row, since=None)
