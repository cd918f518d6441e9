"""A start that meets another deployment, and supersedes it."""

from __future__ import annotations

from api.handlers.commands import CommandResult, give
from api.transport.errors import Code, Refusal
from rollout.model.rows.commands import CommandKind
from rollout.model.rows.deployment import Deployment
from rollout.ports.ports import Ports
from services.claim import held
from services.queue import queued


async def supersede(ports: Ports, newcomer: Deployment) -> None:
    """Give stop to the deployment that has the scale set, and to those that wait for it before ``newcomer``.

    Once more: nothing, because a deployment that has been given stop needs no other.
    """
    holder = await held(ports, newcomer.scale_set_id, newcomer.id)
    waiting = [entry.deployment_id for entry in await queued(ports, newcomer.scale_set_id)]
    earlier = waiting[: waiting.index(newcomer.id)] if newcomer.id in waiting else []
    for deployment_id in ([holder.holder] if holder is not None else []) + earlier:
        await _stop(ports, deployment_id, newcomer.id)


async def _stop(ports: Ports, deployment_id: str, newcomer_id: str) -> None:
    try:
        await give(
            ports, deployment_id, CommandResult(CommandKind.STOP, f"superseded by {newcomer_id}", ports.clock.now())
        )
    except Refusal as refusal:
        # It is stopping, or has ended, already.
        if refusal.code is not Code.COMMAND_NOT_POSSIBLE:
            raise
