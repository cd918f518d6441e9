"""A deployment as people see it: its row, with the freshest sentence that can be said about it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime

from api.handlers.rendering import render_deployment
from rollout.lifecycle.lock import STARTING
from rollout.model.codec import Json
from rollout.model.rows.commands import CommandKind
from rollout.model.rows.deployment import Deployment
from rollout.model.status import Phase, Status
from rollout.model.words import batch_named
from rollout.planning.roll_back import not_to_be_rolled_back
from rollout.ports.durable import InstanceState
from rollout.ports.errors import AzureError, Unreadable
from rollout.ports.ports import Ports
from rollout.steps.commands import objection

_ENDED = "The orchestration has ended without finishing this deployment; the next deployment of the group takes over"
_ABSENT = "The orchestration of this deployment was never started; the next deployment of the group takes over"
_SUSPENDED = "The orchestration is suspended through Durable Functions and does nothing until it is resumed there"


async def overview(ports: Ports, deployment: Deployment, trouble: str | None = None) -> Json:
    """The deployment as JSON. ``trouble``: what ``trouble_of`` says, where it was asked already."""
    reason, against = await asyncio.gather(_reason(ports, deployment, trouble), _against(ports, deployment))
    return render_deployment(deployment, reason, against, _end(ports, deployment))


async def overviews(ports: Ports, deployments: Iterable[Deployment]) -> list[Json]:
    """Many of them, in the same order."""
    return list(await asyncio.gather(*(overview(ports, deployment) for deployment in deployments)))


def _end(ports: Ports, deployment: Deployment) -> datetime | None:
    """When it will be over, as far as one can tell; a wait for a person counts as no time."""
    live = deployment.status is not Status.QUEUED and not deployment.status.ended
    return deployment.expected.end(ports.clock.now()) if live and deployment.expected is not None else None


async def _against(ports: Ports, deployment: Deployment) -> dict[CommandKind, str]:
    """Why ``api.handlers.commands`` would refuse each command now; empty for one that it would accept."""
    over = deployment.status.ended
    try:
        commands = () if over else await ports.store.commands.list(deployment.id)
    except Unreadable as error:
        return dict.fromkeys(CommandKind, error.message)
    against = {kind: objection(kind, deployment.standing, commands) for kind in CommandKind}
    if not against[CommandKind.ROLL_BACK]:
        against[CommandKind.ROLL_BACK] = not_to_be_rolled_back(deployment)
    return against


async def _reason(ports: Ports, deployment: Deployment, trouble: str | None) -> str:
    """The row's own reason changes with events only; while a batch is under way, its own is the last poll's."""
    if deployment.status.ended:
        return deployment.reason
    if trouble is None:
        trouble = await trouble_of(ports, deployment)
    try:
        return trouble or await _batch_reason(ports, deployment) or deployment.reason
    except Unreadable as error:
        return error.message


async def trouble_of(ports: Ports, deployment: Deployment) -> str:
    """Why nothing happens any more where the row says that something does. It is told, not written."""
    if deployment.status.ended:
        return ""
    try:
        state = await ports.instances.state(deployment.id)
    except AzureError:
        return ""  # What the row says is still worth showing.
    starting = ports.clock.now() - deployment.created_at < STARTING
    if state is InstanceState.ABSENT:
        return "" if starting else _ABSENT
    return {InstanceState.ENDED: _ENDED, InstanceState.SUSPENDED: _SUSPENDED}.get(state, "")


async def _batch_reason(ports: Ports, deployment: Deployment) -> str:
    if deployment.status not in (Status.IN_PROGRESS, Status.ROLLING_BACK) or not deployment.current_batch:
        return ""
    batch = await ports.store.batches.get(deployment.id, deployment.current_batch)
    if batch is None or not batch.reason or batch.phase in (Phase.TERMINATED, Phase.FAILED):
        return ""
    place = batch_named(batch.number, deployment.number_of_batches)
    return place + batch.reason.removeprefix(place)
