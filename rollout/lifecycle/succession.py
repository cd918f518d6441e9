"""The first row of a deployment, what it takes over from the one before it, and the end of one that wrote none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from rollout.model.azure.scale_set import ImageReference
from rollout.model.group import Group
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Image, Problem
from rollout.model.rows.handover import former_id, handed_on
from rollout.model.status import Status

#: The code of a deployment whose orchestration was not started.
NOT_STARTED = "notStarted"


@dataclass(frozen=True)
class DeploymentStart:
    """What is known of a deployment when it is asked for; ``pinned`` is its image, to the version."""

    deployment_id: str
    group: Group
    parameters: Parameters
    pinned: ImageReference
    at: datetime
    started_by: str = ""
    idempotency_key: str = ""


def first_row(start: DeploymentStart, epoch: int) -> Deployment:
    """The row of a deployment that has taken the lock, in this epoch."""
    return Deployment(
        id=start.deployment_id,
        group_id=start.group.id,
        scale_set_id=start.group.scale_set_id,
        parameters=start.parameters,
        image=Image(start.parameters.image, start.pinned),
        created_at=start.at,
        epoch=epoch,
        started_by=start.started_by,
        idempotency_key=start.idempotency_key,
        reason="Waiting to be planned",
        retry_of=start.parameters.retry_of,
    )


def queued_row(start: DeploymentStart, holder: str) -> Deployment:
    """The row of a deployment that waits until ``holder`` has freed the scale set; its epoch is 0 until then."""
    return replace(first_row(start, 0), status=Status.QUEUED, queued_at=start.at, reason=waiting_for(holder))


def waiting_for(holder: str) -> str:
    """What a queued deployment says; ``holder`` is the deployment whose end it waits for, empty: it is not known."""
    return f"Waiting for deployment {holder}" if holder else "Waiting for the scale set"


def inherit(row: Deployment, predecessor: Deployment | None) -> Deployment:
    """The row of a deployment that follows ``predecessor``, the last one that had the lock.

    What it was handed on is compared with the set when it is planned (``rollout.planning.inheritance``).
    """
    handed = handed_on(predecessor)
    return replace(
        row,
        target_size=handed.target_size,
        image=replace(row.image, previous=handed.previous),
        settled=handed.settled,
        continues=handed.continues,
        former=former_id(predecessor),
    )


def took_part(row: Deployment, scale_set_id: str) -> bool:
    """Whether the deployment ever had the scale set's lock: one that was stopped in the queue changed nothing."""
    return row.epoch > 0 and row.scale_set_id.lower() == scale_set_id.lower()


def latest_first(rows: Iterable[Deployment], last_owner: str) -> tuple[Deployment, ...]:
    """By when they took the lock, whose ``last_owner`` is known: a request may be older than its turn."""
    return tuple(sorted(rows, key=lambda row: (row.epoch, row.id == last_owner, row.created_at, row.id), reverse=True))


def cannot_retry(row: Deployment | None, deployment_id: str, group: Group, later: Deployment | None) -> str:
    """Why a new deployment of the group cannot go on where ``row`` ended; empty where it can.

    ``later`` is the newest that ``came_after`` it, if any did.
    """
    if row is None or row.group_id != group.id:
        return f"Group {group.id} has no deployment {deployment_id[:80]}"
    if not row.status.ended:
        return f"Deployment {row.id} is {row.status}, so there is nothing to go on from yet"
    if row.status is Status.FINISHED:
        return f"Deployment {row.id} has finished, so nothing of it is left to do"
    return f"Deployment {later.id} came after {row.id} and has ended: retry that one" if later is not None else ""


def came_after(one: Deployment, other: Deployment) -> bool:
    """Whether ``one`` has had the scale set after ``other``, and has changed it since."""
    return (one.created_at, one.id) > (other.created_at, other.id) and one.status.ended and one.epoch > 0


def lost(deployment: Deployment, now: datetime) -> Deployment:
    """The row of a deployment whose orchestration ended from outside, or went missing, before it wrote its end."""
    if deployment.status.ended:
        return deployment
    message = "The orchestration ended without finishing the deployment; the scale set is as it left it"
    return replace(
        deployment,
        status=Status.FAILED,
        reason=message,
        ended_at=max(now, deployment.created_at),
        error=Problem("orchestratorLost", message),
    )
