"""What the recipe that follows a group's wanted versions tells its activities, and what it and they are called."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollout.model.names import deployment_id


@dataclass(frozen=True)
class Follow:
    """The input of ``follow_images``. ``scopes``: what the app may use. ``begun``: a burst has been waited for."""

    group_id: str
    poll_interval: timedelta
    scopes: tuple[str, ...] = ()
    begun: bool = False
    setbacks: int = 0
    schema_version: int = 1


@dataclass(frozen=True)
class FollowOrder:
    """What an activity is told. ``at`` is the recipe's recorded time, ``follower`` its orchestration.

    ``version``: the one that is to be deployed.
    """

    group_id: str
    follower: str
    at: datetime
    poll_interval: timedelta
    scopes: tuple[str, ...] = ()
    version: str = ""


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
