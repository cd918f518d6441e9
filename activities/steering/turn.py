"""A queued deployment's turn: when it comes, the deployment takes the lock, as a start does that meets nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from activities.rows import deployment_of
from rollout.lifecycle.succession import inherit, waiting_for
from rollout.model.azure.scale_set import ImageReference
from rollout.model.group import Group
from rollout.model.order import Order, Progress, again, done, failed, lock_lost
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.handover import handed_on
from rollout.model.status import Status
from rollout.ports.durable import InstanceState
from rollout.ports.errors import AzureError
from rollout.ports.ports import Ports
from services.beside import findings_beside
from services.claim import LockHolder, look
from services.images.tries import note_try
from services.images.version import resolve
from services.predecessor import end_predecessors, predecessor_of
from services.queue import leave, place_of
from services.readings import spare
from services.scopes import objection_to
from services.survey import survey

#: How often somebody who waits is told anew what is in the way: each look costs a list of the set's VMs.
LOOK_EVERY = timedelta(minutes=5)

#: After another writer came first, the lock is looked at again, at once.
_AT_ONCE = timedelta(seconds=1)


async def take_turn(ports: Ports, order: Order) -> Progress:
    """Wait until the deployment is the first in the queue and the scale set is free; then take the lock.

    Answers its ``epoch``. Run again after that: the same. What the deployment inherits is written before the lock is
    taken, so that a run that dies in between leaves nothing to be found out by the next.
    """
    row = await deployment_of(ports, order)
    if row.status is not Status.QUEUED:
        return done("The turn was taken", epoch=row.epoch)
    lock = await ports.store.locks.get(order.scale_set_id)
    if lock is not None and lock.owner == row.id:
        await leave(ports, row)
        return done("The scale set is this deployment's", epoch=lock.epoch)
    if ended := await _ended_from_outside(ports, order):
        return ended
    if refusal := objection_to(ports.rules.scopes, row):
        return failed("scopeNotAllowed", refusal)
    place = await place_of(ports, row)
    row = replace(row, ahead=place.ahead)
    if place.first:
        return await _wait(ports, order, row, place.first)
    return await _take(ports, order, row)


async def _ended_from_outside(ports: Ports, order: Order) -> Progress | None:
    """A run that is late must take no lock for an orchestration that is gone."""
    state = await ports.instances.state(order.actor)
    if state is InstanceState.SUSPENDED:
        return again(order.poll_interval, "The deployment's orchestration is suspended")
    return (
        None if state is InstanceState.RUNNING else lock_lost("The deployment's orchestration was ended from outside")
    )


async def _take(ports: Ports, order: Order, row: Deployment) -> Progress:
    seen, taking = await look(ports, order.scale_set_id, row.id)
    if taking.lock is None:
        return await _wait(ports, order, row, LockHolder(seen.owner if seen is not None else "", taking.reason))
    predecessor = await end_predecessors(ports, row, taking.lock.last_owner)
    if isinstance(predecessor, LockHolder):
        return await _wait(ports, order, row, predecessor)
    pinned = await _pinned(ports, row)
    row = await ports.store.deployments.change(row.id, lambda current: _ready(current, predecessor, pinned))
    await note_try(ports, row)
    if not await ports.store.locks.swap(seen, taking.lock):
        return again(_AT_ONCE, "Another writer changed the lock")
    await leave(ports, row)
    return done(f"The turn has come: {taking.reason}", epoch=taking.lock.epoch)


async def _pinned(ports: Ports, row: Deployment) -> ImageReference:
    """The image that the deployment moves to. The set's own may be another one now than when it was asked for."""
    if row.image.requested is not None:
        return row.image.pinned
    scale_set = await ports.scale_sets.read(row.scale_set_id)
    found = await resolve(ports.images, None, Group(row.group_id, row.scale_set_id), scale_set)
    return found.reference or row.image.pinned


def _ready(row: Deployment, predecessor: Deployment | None, pinned: ImageReference) -> Deployment:
    return inherit(replace(row, image=replace(row.image, pinned=pinned)), predecessor)


async def _wait(ports: Ports, order: Order, row: Deployment, ahead: LockHolder) -> Progress:
    reason = waiting_for(ahead.holder)
    await ports.store.deployments.change(row.id, lambda current: _because(current, reason, row.ahead))
    if row.looked_at is None or order.at - row.looked_at >= LOOK_EVERY:
        await _look(ports, order, row, ahead)
    return replace(again(order.poll_interval, reason), listen=True)


def _because(row: Deployment, reason: str, ahead: int | None) -> Deployment:
    return replace(row, reason=reason, ahead=ahead) if row.status is Status.QUEUED else row


async def _look(ports: Ports, order: Order, row: Deployment, ahead: LockHolder) -> None:
    """Tell who waits what would be in the way now. It decides nothing: all is looked at again when the turn comes."""
    findings = row.findings
    group = await ports.store.groups.get(row.group_id)
    try:
        if group is not None and spare(ports, row.scale_set_id):
            handed = handed_on(await predecessor_of(ports, row.group_id, row.scale_set_id))
            pinned = row.image.pinned if row.image.requested is not None else None
            seen = await survey(ports, group, row.parameters, handed, pinned=pinned)
            findings = await findings_beside(ports, seen, row.parameters, ahead.holder)
    except AzureError:
        pass  # The next look is as far away as after one that worked: whoever has the set may be short of reads.
    await ports.store.deployments.change(row.id, lambda now: replace(now, findings=findings, looked_at=order.at))
