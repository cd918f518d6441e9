"""``retryOf``: a new deployment that goes on where another one ended."""

from __future__ import annotations

from api.handlers.rendering import render_reference
from api.transport.errors import Code, Refusal
from rollout.lifecycle.succession import came_after, cannot_retry
from rollout.model.group import Group
from rollout.model.parameters import Parameters, fill
from rollout.model.request import StartRequest
from rollout.model.rows.deployment import Deployment
from rollout.ports.ports import Ports
from services.deployment_rows import rows_of


async def complete(ports: Ports, asked: StartRequest, group: Group) -> Parameters:
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
    reason = cannot_retry(row, deployment_id, group, await _later(ports, row) if row is not None else None)
    if reason or row is None:
        raise Refusal(Code.RETRY_NOT_POSSIBLE, reason, "retryOf")
    return row


async def _later(ports: Ports, row: Deployment) -> Deployment | None:
    """The newest of the group that came after ``row`` and has had the set; however many never had it."""
    async for other in rows_of(ports, row.group_id):
        if other.id == row.id or came_after(other, row):
            return other if other.id != row.id else None
    return None
