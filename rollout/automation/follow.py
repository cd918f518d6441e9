"""Messages between the recipe that follows a group's wanted versions and its activities."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from rollout.model.names import deployment_id
from rollout.model.timeline import Standstill, Timeline


@dataclass(frozen=True)
class Follow:
    """The input of ``follow_images``. ``begun``: a burst has been waited for. ``time``: how far time has come.

    No setting is here: the orchestration may wait for months.
    """

    group_id: str
    begun: bool = False
    setbacks: int = 0
    time: Timeline | None = None
    schema_version: int = 1


@dataclass(frozen=True)
class FollowOrder:
    """What an activity is told. ``at`` is the recipe's recorded time, ``follower`` its orchestration.

    ``version``: the one that is to be deployed. ``standstills``: when nobody looked.
    """

    group_id: str
    follower: str
    at: datetime
    version: str = ""
    standstills: tuple[Standstill, ...] = ()


def follower_id(group_id: str, at: datetime, token: str) -> str:
    """The id of an orchestration that follows a group's wanted versions; no deployment's begins like it.

    >>> from datetime import UTC
    >>> follower_id("web", datetime(2026, 11, 23, 8, 15, tzinfo=UTC), "1a2b3c")
    'web:images-20261123T081500Z-1a2b3c'
    """
    return deployment_id(f"{group_id}:images", at, token)


def started_id(group_id: str, version: str, at: datetime) -> str:
    """The id of the deployment that an order starts, the same each time the order is carried out."""
    token = hashlib.sha256(f"{group_id}\n{version}\n{at.isoformat()}".encode()).hexdigest()[:6]
    return deployment_id(group_id, at, token)
