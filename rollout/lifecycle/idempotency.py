"""Requests that carry an ``Idempotency-Key``: sent twice, they are done once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from rollout.model.codec import Json
from rollout.model.rows.keyed_request import KeyedRequest


class KeyStanding(StrEnum):
    """What becomes of a request whose key was used before."""

    REUSED = "reused"
    ANSWERED = "answered"
    UNDER_WAY = "underWay"
    AGAIN = "again"


#: A try that has not answered for this long has died.
TRY_LASTS = timedelta(seconds=60)


def standing(found: KeyedRequest, fingerprint: str, now: datetime) -> KeyStanding:
    """How a request with this ``fingerprint`` stands, given the row of its scope and key."""
    if found.fingerprint != fingerprint:
        return KeyStanding.REUSED
    if found.status:
        return KeyStanding.ANSWERED
    under_way = found.since is not None and now - found.since < TRY_LASTS
    return KeyStanding.UNDER_WAY if under_way else KeyStanding.AGAIN


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
