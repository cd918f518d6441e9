"""``POST /deployments/{deploymentId}/pause`` and the other commands: what a person says to a deployment.

A command is a row first; the event is only a wake-up. The deployment's row says whom to wake, and is read after the
command was written: either the deployment has seen the command, or it is woken (``activities.attempt``). Where the
deployment had gone on meanwhile, so that the command makes no sense any more, its row says so and it is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from api.handlers.lookup import find_deployment, find_group
from api.handlers.overview import overview
from api.handlers.rendering import render_command
from api.transport.errors import Code, Refusal
from api.transport.http import Answer, Request
from api.transport.paging import page_after
from rollout.model.codec import encode, encode_time
from rollout.model.rows.commands import Command, CommandKind, CommandStanding
from rollout.model.rows.deployment import Deployment
from rollout.model.status import Status
from rollout.planning.roll_back import not_to_be_rolled_back
from rollout.ports.errors import AzureError, Busy
from rollout.ports.keys import command_row
from rollout.ports.ports import Ports
from rollout.steps.commands import heedings, objection
from services.heed import note
from services.images.way_back import look_back
from services.revision import revise

#: How often a command whose row came second is numbered anew. Each time somebody else's came first, so this ends.
ATTEMPTS_MAX = 10

_log = logging.getLogger("teal")


@dataclass(frozen=True)
class CommandResult:
    """A command before it has a number. ``tried``: it was said before, and nobody knows whether it was written."""

    kind: CommandKind
    by: str
    at: datetime
    comment: str = ""
    all_gates: bool = False
    tried: bool = False

    def numbered(self, number: int, accepted_after: int) -> Command:
        """Its row."""
        return Command(number, self.kind, self.at, self.by, self.comment, self.all_gates, accepted_after)

    def among(self, commands: Sequence[Command]) -> Command | None:
        """The row that it has already."""
        return next((one for one in commands if self.tried and _same(one, self.numbered(one.number, 0))), None)


async def command_deployment(ports: Ports, request: Request, *, kind: CommandKind) -> Answer:
    """Say ``kind`` to a deployment: 202 with the deployment as it still is, and the command."""
    from api.contract.bodies import ApprovalBody, CommandBody
    from api.contract.parsing import parse_body

    if kind is CommandKind.APPROVE:
        approval = parse_body(request, ApprovalBody, optional=True)
        comment, all_gates = approval.comment or "", bool(approval.all)
    else:
        comment, all_gates = parse_body(request, CommandBody, optional=True).comment or "", False
    row = await find_deployment(ports, request)
    at = request.at or ports.clock.now()
    command = await give(
        ports, row.id, CommandResult(kind, request.caller.recorded_as, at, comment, all_gates, request.tried)
    )
    return await _accepted(ports, request, command)


async def list_deployment_commands(ports: Ports, request: Request) -> Answer:
    """What was said to a deployment, in the order in which it was said."""
    row = await find_deployment(ports, request)
    commands = await ports.store.commands.list(row.id)
    page = page_after(request, "commands", commands, lambda command: command_row(command.number))
    return Answer(200, page.answer("commands", [render_command(command) for command in page.items]))


async def take_back_deployment(ports: Ports, request: Request) -> Answer:
    """Take a queued deployment back, before its turn: 202. Again: the same."""
    group = await find_group(ports, request)
    row = await find_deployment(ports, request)
    if row.group_id != group.id:
        message = f"Group {group.id} has no deployment {row.id}"
        raise Refusal(Code.DEPLOYMENT_NOT_FOUND, message, "deploymentId")
    if row.status is not Status.QUEUED:
        message = f"The deployment is {row.status}, and only one that is queued can be taken back. See POST …/stop"
        raise Refusal(Code.COMMAND_NOT_POSSIBLE, message, row.id)
    commands = await ports.store.commands.list(row.id)
    taken_back = [command for command in commands if command.kind is CommandKind.STOP]
    said = CommandResult(CommandKind.STOP, request.caller.recorded_as, ports.clock.now(), "taken back from the queue")
    return await _accepted(ports, request, taken_back[0] if taken_back else await give(ports, row.id, said))


async def _accepted(ports: Ports, request: Request, command: Command) -> Answer:
    row = await find_deployment(ports, request)
    shown = await overview(ports, row)
    return Answer(202, {**shown, "command": render_command(command)})


async def give(ports: Ports, deployment_id: str, said: CommandResult) -> Command:
    """Write the command down, and wake whoever waits.

    Raises ``commandNotPossible``, and of a roll back ``previousModelUnknown`` and ``previousImageGone``.
    A deployment that has no row yet is about to get one: it is just starting.
    """
    store = ports.store
    for _ in range(ATTEMPTS_MAX):
        row = await store.deployments.get(deployment_id)
        commands = await store.commands.list(deployment_id)
        command = said.among(commands)
        if command is None:
            _refuse_nonsense(row, commands, said.kind, deployment_id)
            if said.kind is CommandKind.ROLL_BACK and row is not None:
                await _refuse_without_way_back(ports, row)
            number = 1 + max((one.number for one in commands), default=0)
            command = said.numbered(number, row.sequence if row is not None else 0)
            if not await store.commands.add(deployment_id, command) and not await _is_there(
                ports, deployment_id, command
            ):
                continue
            await revise(ports, deployment_id)
            _log.info("%s was given %s %s", deployment_id, command.kind, command.words)
        return await _arrived(ports, deployment_id, command)
    raise Busy("TooManyWriters", f"Others always said something to {deployment_id} first")


def _refuse_nonsense(
    row: Deployment | None, commands: Sequence[Command], kind: CommandKind, deployment_id: str
) -> None:
    reason = objection(kind, row.standing if row is not None else CommandStanding(Status.PENDING), commands)
    if reason:
        raise Refusal(Code.COMMAND_NOT_POSSIBLE, reason, deployment_id)
    if kind is CommandKind.ROLL_BACK and row is not None and (why := not_to_be_rolled_back(row)):
        raise Refusal(Code.PREVIOUS_MODEL_UNKNOWN, f"The deployment cannot be rolled back: {why}", deployment_id)


async def _refuse_without_way_back(ports: Ports, row: Deployment) -> None:
    """The deployment itself looks once more. What cannot be read now is for that look to find out."""
    with suppress(AzureError):
        if gone := await look_back(ports.images, row.image, None):
            raise Refusal(Code.PREVIOUS_IMAGE_GONE, f"The deployment cannot be rolled back: {gone}", row.id)


async def _is_there(ports: Ports, deployment_id: str, command: Command) -> bool:
    """Whether the row is this command's: an insert that is sent again after a lost response meets its own."""
    there = await ports.store.commands.list(deployment_id)
    return any(encode(replace(one, heeded=None)) == encode(command) for one in there)


async def _arrived(ports: Ports, deployment_id: str, command: Command) -> Command:
    """Wake whoever waits for the command. Refused where the deployment had gone on before its row was written.

    The deployment notes of the commands that it finds when it goes on how they ended; this one may have come after.
    """
    row = await ports.store.deployments.get(deployment_id)
    if row is None:
        return command
    commands = await ports.store.commands.list(deployment_id)
    ended = {one.number: one for one in heedings(row.standing, commands, ports.clock.now())}.get(command.number)
    if ended is not None and ended.overtaken:
        command = await note(ports, deployment_id, ended)
        await revise(ports, deployment_id)
    if command.overtaken:
        message = f"The deployment is {row.status}: it had gone on before it could heed {command.kind}"
        raise Refusal(Code.COMMAND_NOT_POSSIBLE, message, deployment_id)
    if row.waiting is not None:
        await ports.instances.wake(row.waiting.instance_id, row.waiting.event)
    return command


def _same(one: Command, other: Command) -> bool:
    """Whether both are one command; a row keeps its time in milliseconds."""
    return (one.kind, one.by, one.comment, encode_time(one.at)) == (
        other.kind,
        other.by,
        other.comment,
        encode_time(other.at),
    )
