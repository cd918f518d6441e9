"""The first row of a deployment, and the last row of one whose orchestration ended without writing it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from rollout.deployment import Deployment, Image, Parameters, Problem
from rollout.group import Group
from rollout.scale_set import ImageReference
from rollout.status import Status


def first_row(
    deployment_id: str,
    group: Group,
    parameters: Parameters,
    version_id: str,
    predecessor: Deployment | None,
    epoch: int,
    now: datetime,
    started_by: str,
) -> Deployment:
    """The row a deployment begins with.

    ``predecessor`` is the deployment whose lock was taken over. If it left the set unsettled, what the set is to have
    and the last image that was known to be good are the predecessor's, not what the set shows now.
    """
    inherits = predecessor is not None and not predecessor.settled
    return Deployment(
        id=deployment_id,
        group_id=group.id,
        scale_set_id=group.scale_set_id,
        parameters=parameters,
        image=Image(
            parameters.image,
            ImageReference(id=version_id),
            predecessor.image.previous if predecessor is not None and inherits else None,
        ),
        created_at=now,
        epoch=epoch,
        started_by=started_by,
        reason="Waiting to be planned",
        target_size=predecessor.target_size if predecessor is not None and inherits else 0,
        settled=not inherits,
    )


def lost(deployment: Deployment, now: datetime) -> Deployment:
    """The row of a deployment whose orchestration ended from outside, or went missing, before it wrote its end."""
    if deployment.status.ended:
        return deployment
    message = "The orchestration ended without finishing the deployment; the scale set is as it left it"
    return replace(
        deployment, status=Status.FAILED, reason=message, ended_at=now, error=Problem("orchestratorLost", message)
    )
