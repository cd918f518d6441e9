"""Waiting for a person: in a pause, and at a gate."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from activities.rows import deployment_of
from rollout.model.order import Order, Progress, StepState, again, done, interrupted
from rollout.model.rows.commands import Action, CommandKind, PendingDecision
from rollout.model.status import Status
from rollout.ports.ports import Ports
from rollout.steps.commands import WaitEnd, answer, due

#: How often the commands are read although nothing woke the wait: an event may be lost.
LOOK_AGAIN = timedelta(minutes=5)


async def heed_commands(ports: Ports, order: Order) -> Progress:
    """Nothing but what goes before every step that is steered: a command that was given is heeded (``attempt``)."""
    return done("Nothing was said that is still to be heeded")


async def await_resume(ports: Ports, order: Order) -> Progress:
    """Paused until somebody resumes, stops or rolls back, or the deployment's ``waitTimeout`` is over."""
    return await _decided(ports, order, CommandKind.RESUME, Status.PAUSED)


async def await_approval(ports: Ports, order: Order) -> Progress:
    """At a gate until somebody approves, stops or rolls back, or the deployment's ``waitTimeout`` is over.

    A pause that was accepted in the moment before the gate opened interrupts the wait.
    """
    return await _decided(ports, order, CommandKind.APPROVE, Status.AWAITING_APPROVAL)


async def _decided(ports: Ports, order: Order, asked: CommandKind, status: Status) -> Progress:
    row = await deployment_of(ports, order)
    timeout = row.parameters.wait_timeout
    # The event that began this wait wrote the decision; without it, the same follows from the order.
    decision = row.decision or PendingDecision(
        asked, order.since, order.since + timeout, row.parameters.action_on_timeout
    )
    standing = replace(row.standing, status=status, heard=order.heard)
    commands = await ports.store.commands.list(order.deployment_id)
    first = due(standing, commands)
    if first is not None and first.kind is CommandKind.PAUSE:
        return interrupted(first)
    # A promise of a time, by the clock; but who comes when Teal is back after it still finds the door open for a while.
    over = order.at >= decision.deadline and not order.resumed
    away = order.at - decision.since - order.watched(decision.since)
    found = answer(standing, commands, decision, over, away)
    if found is None:
        left = LOOK_AGAIN if order.resumed else min(decision.deadline - order.at, LOOK_AGAIN)
        return replace(again(left, f"waiting until somebody gives {asked}"), listen=True)
    return _progress(found)


def _progress(found: WaitEnd) -> Progress:
    data = {"heard": found.heard, "all": found.all_gates}
    if found.action is Action.APPROVE:
        return replace(done(found.reason), data=data)
    kind = CommandKind.STOP if found.action is Action.STOP else CommandKind.ROLL_BACK
    return Progress(StepState.INTERRUPTED, found.reason, kind, data=data)
