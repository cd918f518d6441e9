"""Write into commands' own rows what became of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from rollout.model.rows.commands import Command, CommandEnd
from rollout.model.rows.deployment import Deployment
from rollout.ports.ports import Ports
from rollout.steps.commands import heedings


async def end_commands(ports: Ports, row: Deployment, at: datetime) -> bool:
    """Note of each command how it ended, where it has by ``row``; whether any has.

    Once noted it stays, however often this runs.
    """
    ended = heedings(row.standing, await ports.store.commands.list(row.id), at)
    for command in ended:
        await note(ports, row.id, command)
    return bool(ended)


async def note(ports: Ports, deployment_id: str, ended: Command) -> Command:
    """The command's row once it says how it ended; what it says already stays."""
    return await ports.store.commands.change(deployment_id, ended.number, lambda row: _noted(row, ended.heeded))


def _noted(row: Command, heeded: CommandEnd | None) -> Command:
    return row if row.heeded is not None else replace(row, heeded=heeded)
