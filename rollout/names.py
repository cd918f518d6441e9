"""Deterministic names: what is named from what it belongs to is found again, by whoever looks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

#: What a group may be called. It becomes part of table keys, URLs and instance ids, so it is narrow.
GROUP_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")

_DEPLOYMENT_ID = re.compile(rf"(?P<group>{GROUP_ID.pattern})-(?P<at>[0-9]{{8}}T[0-9]{{6}}Z)-(?P<token>[0-9a-f]{{6}})")
_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class DeploymentName:
    """What a deployment's id says: its group, when it was asked for (whole seconds), and what tells it from others."""

    group_id: str
    at: datetime
    token: str


def deployment_id(group_id: str, at: datetime, token: str) -> str:
    """The id of a deployment, which is also the id of the orchestration that runs it.

    >>> deployment_id("web", datetime(2026, 11, 23, 8, 15, tzinfo=UTC), "1a2b3c")
    'web-20261123T081500Z-1a2b3c'
    """
    return f"{group_id}-{at.astimezone(UTC).strftime(_TIME)}-{token}"


def parse_deployment_id(text: str) -> DeploymentName | None:
    """What the id says; ``None`` where ``text`` is no deployment's id."""
    match = _DEPLOYMENT_ID.fullmatch(text)
    if match is None:
        return None
    try:
        at = datetime.strptime(match["at"], _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
    return DeploymentName(match["group"], at, match["token"])


def batch_instance_id(deployment_id: str, batch: int) -> str:
    """The id of the orchestration that replaces one batch."""
    return f"{deployment_id}:batch-{batch}"


def wait_instance_id(parent: str, activity: str, round_: int = 1) -> str:
    """The id of the orchestration that repeats one activity until it is done, in one round of a batch."""
    return f"{parent}:{activity}" + (f"-{round_}" if round_ > 1 else "")
