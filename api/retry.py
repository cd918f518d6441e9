"""``retryOf``: a new deployment that goes on where another one ended."""

from __future__ import annotations

from api.errors import Code, Refusal
from api.rendering import render_reference
from groundwork.predecessor import PREDECESSORS_MAX
from rollout.deployment import Deployment, Parameters
from rollout.group import Group
from rollout.parameters import Asked, fill
from rollout.ports import Ports
from rollout.succession import cannot_retry


async def complete(ports: Ports, asked: Asked, group: Group) -> Parameters:
    """Every parameter of what is asked; a retry has those of the deployment that it goes on from.

    Its image is what that one was pinned to: ``latest`` may be another by now. Raises ``retryNotPossible``.
    """
    if asked.retry_of is None:
        return fill(asked, group)
    row = await _retried(ports, asked.retry_of, group)
    image = render_reference(row.image.pinned) if row.image.requested is not None else None
    return fill(asked, group, row.parameters, image)


async def _retried(ports: Ports, deployment_id: str, group: Group) -> Deployment:
    row = await ports.store.deployments.get(deployment_id)
    newest = await ports.store.deployments.newest(group.id, PREDECESSORS_MAX)
    reason = cannot_retry(row, deployment_id, group, newest)
    if reason or row is None:
        raise Refusal(Code.RETRY_NOT_POSSIBLE, reason, "retryOf")
    return row
