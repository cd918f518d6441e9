"""A deployment as people see it: its row, with the freshest sentence that can be said about it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from api.rendering import render_deployment
from rollout.codec import Json
from rollout.deployment import Deployment
from rollout.errors import AzureError
from rollout.lock import STARTING
from rollout.ports import InstanceState, Ports
from rollout.status import Phase, Status

_ENDED = "The orchestration has ended without finishing this deployment; the next deployment of the group takes over"
_ABSENT = "The orchestration of this deployment was never started; the next deployment of the group takes over"
_SUSPENDED = "The orchestration is suspended through Durable Functions and does nothing until it is resumed there"


async def overview(ports: Ports, deployment: Deployment) -> Json:
    """The deployment as JSON."""
    return render_deployment(deployment, await _reason(ports, deployment))


async def overviews(ports: Ports, deployments: Iterable[Deployment]) -> list[Json]:
    """Many of them, in the same order."""
    return list(await asyncio.gather(*(overview(ports, deployment) for deployment in deployments)))


async def _reason(ports: Ports, deployment: Deployment) -> str:
    """The row's own reason changes with events only; while a batch is under way, its own is the last poll's."""
    if deployment.status.ended or deployment.status is Status.QUEUED:
        return deployment.reason
    return await _trouble(ports, deployment) or await _batch_reason(ports, deployment) or deployment.reason


async def _trouble(ports: Ports, deployment: Deployment) -> str:
    """Why nothing happens any more where the row says that something does. It is told, not written."""
    try:
        state = await ports.instances.state(deployment.id)
    except AzureError:
        return ""  # What the row says is still worth showing.
    starting = ports.clock.now() - deployment.created_at < STARTING
    if state is InstanceState.ABSENT:
        return "" if starting else _ABSENT
    return {InstanceState.ENDED: _ENDED, InstanceState.SUSPENDED: _SUSPENDED}.get(state, "")


async def _batch_reason(ports: Ports, deployment: Deployment) -> str:
    if deployment.status is not Status.IN_PROGRESS or not deployment.current_batch:
        return ""
    batch = await ports.store.batches.get(deployment.id, deployment.current_batch)
    if batch is None or not batch.reason or batch.phase in (Phase.TERMINATED, Phase.FAILED):
        return ""
    place = f"Batch {batch.number} of {deployment.number_of_batches}: "
    return place + batch.reason.removeprefix(place)
