"""Run an activity: JSON in and out, commands heeded, and what Azure refused turned into how the step stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from activities.known_vms import noting
from activities.rows import deployment_of
from rollout.model.codec import Json, decode, encode
from rollout.model.order import SETBACK, Order, Progress, StepState, again, failed, interrupted
from rollout.model.rows.commands import Command
from rollout.model.rows.deployment import Deployment, Waiter
from rollout.planning.roll_back import named
from rollout.ports.errors import AzureError, Busy, Stale, Unreadable
from rollout.ports.ports import Ports
from rollout.steps.commands import to_heed
from services.revision import revise

Activity = Callable[[Ports, Order], Awaitable[Progress]]

#: One of the two ways below to carry one out.
Attempt = Callable[[Activity, Ports, Json], Awaitable[Json]]

#: After a 412 the set is read and the step decided anew, at once.
_AT_ONCE = timedelta(seconds=1)


async def attempt(activity: Activity, ports: Ports, order_json: Json) -> Json:
    """Carry out one order. Throttled, conflicting and stale writes are looked at again; a refusal fails the step."""
    order = replace(decode(Order, order_json), poll_interval=ports.rules.poll_interval)
    answer: Json = encode(await _outcome(activity, ports, order))
    return answer


async def attempt_part(activity: Activity, ports: Ports, order_json: Json) -> Json:
    """Read one part of a look. Commands are heeded, and whoever shows the deployment is told, by the look itself."""
    order = replace(decode(Order, order_json), poll_interval=ports.rules.poll_interval)
    try:
        progress = await activity(ports, order)
    except AzureError as error:
        progress = _refusal(order, error)
    answer: Json = encode(progress)
    return answer


async def _spoken(ports: Ports, order: Order, progress: Progress) -> Progress:
    """What is said of a batch that goes back names the images: who is blue or green has changed."""
    if not (order.back and order.batch):
        return progress
    image = (await deployment_of(ports, order)).image
    return replace(progress, reason=named(progress.reason, image))


async def _steered(activity: Activity, ports: Ports, order: Order) -> Progress:
    """A command that is to be heeded now goes before the activity, and ends the wait after it.

    Waits longer than a poll are listened through: the row first says whom to wake, then the commands are read once
    more. So a command is either seen here, or its sender sees whom to wake.
    """
    if order.steered and (command := await _command(ports, order)):
        return interrupted(command)
    look = partial(_answered, activity)
    progress = await noting(look, ports, order)
    listens = progress.listen or (order.steered and progress.after > order.poll_interval)
    if progress.state is not StepState.AGAIN or progress.code == SETBACK or not listens or not order.wake:
        return replace(progress, listen=False)
    waiting = Waiter(order.waiter, order.wake)
    await ports.store.deployments.change(order.deployment_id, lambda row: replace(row, waiting=waiting))
    if order.steered and (command := await _command(ports, order)):
        return interrupted(command)
    if not order.steered and progress.listen:
        # An activity that listens by itself reads the commands itself; one may have come since.
        later = await noting(look, ports, order)
        return replace(later, listen=later.state is StepState.AGAIN and later.code != SETBACK)
    return replace(progress, listen=True)


async def _command(ports: Ports, order: Order) -> Command | None:
    commands = await ports.store.commands.list(order.deployment_id)
    if not commands or commands[-1].number <= order.heard:
        return None
    row: Deployment = await deployment_of(ports, order)
    return to_heed(replace(row.standing, heard=order.heard), commands)


async def _answered(activity: Activity, ports: Ports, order: Order) -> Progress:
    """What the activity says, or Azure to it. A set that is gone changes no more: looking again would not help."""
    try:
        return await activity(ports, order)
    except Stale as error:
        if await ports.scale_sets.read(order.scale_set_id) is not None:
            return _refusal(order, error)
        return failed("scaleSetGone", "The scale set does not exist any more")
    except AzureError as error:
        return _refusal(order, error)


async def _outcome(activity: Activity, ports: Ports, order: Order) -> Progress:
    """How the step stands; whoever shows the deployment is told that its rows may have changed."""
    try:
        progress = await _spoken(ports, order, await _steered(activity, ports, order))
        await revise(ports, order.deployment_id)
    except AzureError as error:
        return _refusal(order, error)
    return progress


def _refusal(order: Order, error: AzureError) -> Progress:
    if isinstance(error, Unreadable):
        return replace(again(order.poll_interval, error.message), code=SETBACK)
    if isinstance(error, Busy):
        wait = max(error.retry_after or order.poll_interval, order.poll_interval)
        return replace(again(wait, f"Azure is busy: {error.message}"), code=SETBACK)
    if isinstance(error, Stale):
        return replace(again(_AT_ONCE, f"The scale set has changed: {error.message}"), code=SETBACK)
    return failed(error.code, f"Azure refused: {error.message}")
