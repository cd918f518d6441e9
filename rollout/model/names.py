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


def paused_instance_id(parent: str, activity: str, batch: int, heard: int) -> str:
    """The id of the orchestration in which an activity is paused, after command number ``heard``, and repeated.

    >>> paused_instance_id("d:batch-2", "judge_batch", 2, 3)
    'd:batch-2:paused-judge_batch-b2-c3'
    """
    return f"{parent}:paused-{activity}-b{batch}-c{heard}"


def wait_instance_id(parent: str, activity: str, batch: int, round_: int, heard: int, epoch: int) -> str:
    """The id of the orchestration that repeats one activity until it is done.

    A step comes again in the second ``round_`` of a batch, after command number ``heard`` came in between, for another
    ``batch``, and in the ``epoch`` in which a deployment puts back what it changed. What comes again all the same in
    one generation gets a number (``orchestrators.children``).

    >>> wait_instance_id("d:batch-2", "launch_green", 2, 1, 0, 1)
    'd:batch-2:launch_green-e1'
    >>> wait_instance_id("d", "await_approval", 2, 1, 3, 1)
    'd:await_approval-b2-c3-e1'
    """
    own = f"-b{batch}" if batch and not parent.endswith(f":batch-{batch}") else ""
    again = (f"-r{round_}" if round_ > 1 else "") + (f"-c{heard}" if heard else "")
    return f"{parent}:{activity}{own}{again}-e{epoch}"


def restore_instance_id(deployment_id: str, epoch: int) -> str:
    """The id of the orchestration that puts in order what a lost deployment left; ``epoch`` is the lock's before it."""
    return f"{deployment_id}:restore-{epoch}"


def release_instance_id(deployment_id: str, epoch: int) -> str:
    """The id of the orchestration that lets go of what an ended deployment kept for a while."""
    return f"{deployment_id}:release-{epoch}"


def is_restoring(deployment_id: str, instance_id: str) -> bool:
    """Whether this is one of the two above.

    >>> is_restoring("web-1", "web-1:restore-3"), is_restoring("web-1", "web-1:restore-3:reclaim")
    (True, False)
    """
    begin, _, number = instance_id.rpartition("-")
    return number.isdigit() and begin in (f"{deployment_id}:restore", f"{deployment_id}:release")
