"""Find deployments whose orchestration is gone, and have put in order what they left; and let go of what was kept.

Durable Functions can end an orchestration at any moment: somebody terminates it, purges it, or loses its storage. What
it held then stays held, and its group stays locked, until somebody looks. This looks.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rollout.lifecycle.dangers import NOT_RESTORED, course, cured
from rollout.lifecycle.lock import free
from rollout.lifecycle.succession import lost
from rollout.lifecycle.watchdog import Remedy, Suspect, diagnose, is_gone, letting_go_run, may_let_go, restoring_run
from rollout.model.codec import encode
from rollout.model.group import Group
from rollout.model.order import Run
from rollout.model.rows.danger import MODEL_NAMES_BAD_IMAGE, DangerRecord, names
from rollout.model.rows.holds import Hold
from rollout.model.rows.lock import Lock
from rollout.model.rows.unreadable import readable
from rollout.ports.durable import InstanceState
from rollout.ports.errors import AzureError
from rollout.ports.ports import Ports
from services.group_states import note_deployment
from services.queue import leave, queued
from services.readable_groups import readable_groups
from services.revision import revise
from triggers.following import have_followed

#: The recipe that puts in order what a deployment left (``orchestrators``).
RECIPE = "restore_group"

#: How many of a group's newest deployments are looked at for one that is live. The lock's owner is found by the lock,
#: and those that wait in the queue.
DEPLOYMENTS_MAX = 100

_NOT_BEGUN = "the orchestration that was to do it is not there"

#: A deployment's id, its scale set, and since when it is under way.
UnderWay = tuple[str, str, datetime]

_log = logging.getLogger("teal")


async def watch(ports: Ports) -> None:
    """Look at every group, every journal, and every danger. What does not work for one is left for the next time."""
    groups = await readable_groups(ports)
    for group in groups:
        with _left_for_next_time(f"group {group.id}"):
            await _watch_group(ports, group)
        with _left_for_next_time(f"the images of group {group.id}"):
            if await ports.store.wanted.list(group.id):
                await have_followed(ports, group.id)
    watched = {group.scale_set_id.lower() for group in groups}
    for hold in readable(await ports.store.holds.listed()):
        with _left_for_next_time(hold.scale_set_id):
            if hold.scale_set_id.lower() not in watched:
                await _watch_all(ports, await _owner(ports, hold.scale_set_id))
            await _watch_hold(ports, hold)
    for danger in await ports.store.dangers.list():
        with _left_for_next_time(f"the dangers of {danger.scale_set_id}"):
            await _watch_danger(ports, danger)


@contextmanager
def _left_for_next_time(what: str) -> Iterator[None]:
    try:
        yield
    except AzureError as error:
        _log.warning("The watchdog could not look after %s: %s", what, error)
    except Exception:
        # A row that cannot be read, say, must not keep the watchdog from all that come after it.
        _log.exception("The watchdog failed at %s", what)


async def _watch_group(ports: Ports, group: Group) -> None:
    await _watch_all(ports, await _under_way(ports, group))


async def _watch_all(ports: Ports, found: Sequence[UnderWay]) -> None:
    now = ports.clock.now()
    for deployment_id, scale_set_id, since in found:
        if is_gone(await ports.instances.state(deployment_id), since, now):
            await _treat(ports, deployment_id, scale_set_id)


async def _under_way(ports: Ports, group: Group) -> list[UnderWay]:
    """The deployments that hold the group's lock, wait for it, or whose rows say that they are live."""
    rows = readable(await ports.store.deployments.listed(group.id, DEPLOYMENTS_MAX))
    owners = await _owner(ports, group.scale_set_id)
    waiting = [(one.deployment_id, one.scale_set_id, one.queued_at) for one in await queued(ports, group.scale_set_id)]
    live = [(row.id, row.scale_set_id, row.created_at) for row in rows if not row.status.ended]
    # Of the one that has the lock, the lock's time counts.
    return list({one[0]: one for one in (*live, *waiting, *owners)}.values())


async def _owner(ports: Ports, scale_set_id: str) -> list[UnderWay]:
    lock = await ports.store.locks.get(scale_set_id)
    return [(lock.owner, scale_set_id, lock.since)] if lock is not None and lock.owner else []


async def _treat(ports: Ports, deployment_id: str, scale_set_id: str) -> None:
    """Look at what the deployment holds, now that its orchestration is known to be gone, and act on it."""
    children = await ports.instances.children(deployment_id)
    lock = await ports.store.locks.get(scale_set_id)
    row, planning = await ports.store.deployments.get(deployment_id), await _planning(ports, lock, deployment_id)
    suspect = Suspect(deployment_id, row, lock, children, planning)
    diagnosis = diagnose(suspect)
    if diagnosis.remedy is not Remedy.NOTHING:
        _log.warning("The orchestration of %s is gone: %s (%s)", deployment_id, diagnosis.reason, diagnosis.remedy)
    now = ports.clock.now()
    match diagnosis.remedy:
        case Remedy.END_CHILDREN:
            for child in children:
                await ports.instances.terminate(child, f"The orchestration of {deployment_id} is gone")
        case Remedy.FREE:
            await _free(ports, suspect, now)
        case Remedy.WRITE_END:
            ended = await ports.store.deployments.change(deployment_id, lambda row: lost(row, now))
            await leave(ports, ended)
            await note_deployment(ports, ended)
        case Remedy.RESTORE:
            await _restore(ports, suspect)


async def _planning(ports: Ports, lock: Lock | None, deployment_id: str) -> bool:
    """Whether another deployment has the lock and has not planned yet: only its plan takes over what was left."""
    if lock is None or lock.owner in ("", deployment_id):
        return False
    owner = await ports.store.deployments.get(lock.owner)
    return owner is None or (owner.started_at is None and not owner.status.ended)


async def _free(ports: Ports, suspect: Suspect, now: datetime) -> None:
    lock = suspect.lock
    freed = free(lock, suspect.deployment_id, lock.epoch, now, lent=True) if lock is not None else None
    if freed is not None:
        await ports.store.locks.swap(lock, freed)


async def _restore(ports: Ports, suspect: Suspect) -> None:
    await _cure(ports, restoring_run(suspect))


async def _watch_hold(ports: Ports, hold: Hold) -> None:
    lock = await ports.store.locks.get(hold.scale_set_id)
    if lock is not None and may_let_go(hold, lock, ports.clock.now()):
        await _cure(ports, letting_go_run(hold, lock))


async def _cure(ports: Ports, run: Run) -> None:
    """Start the recipe that puts in order what is left; where it failed before, when it is time to try again.

    The row is written first. Where this dies before the start, that counts as a try.
    """
    danger = await ports.store.dangers.get(run.scale_set_id, NOT_RESTORED)
    failure = await _failure(ports, danger) if danger is not None else ""
    decided = course(danger, run.scale_set_id, run.deployment_id, run.acting, failure, ports.clock.now())
    if decided.danger != danger:
        await ports.store.dangers.put(decided.danger)
        await revise(ports, decided.danger.deployment_id)
    if decided.try_now:
        _log.info("%s puts in order what %s left of %s", run.acting, run.deployment_id, run.scale_set_id)
        await ports.instances.start(RECIPE, run.acting, encode(run))


async def _failure(ports: Ports, danger: DangerRecord) -> str:
    """Why the last try came to nothing; empty while it is under way."""
    if await ports.instances.state(danger.attempt) in (InstanceState.RUNNING, InstanceState.SUSPENDED):
        return ""
    described = await ports.instances.describe(danger.attempt)
    said: Any = described.get("output") if described is not None else None
    if isinstance(said, dict) and said.get("reason"):
        return str(said["reason"])
    if described is None:
        return _NOT_BEGUN
    words = said.strip().splitlines()[0][:300] if isinstance(said, str) and said.strip() else "it gave no reason"
    return f"{danger.attempt} is {described.get('runtimeStatus')}: {words}"


async def _watch_model(ports: Ports, danger: DangerRecord) -> None:
    """Look at the model, unless a deployment has the set, which looks itself.

    Where it names another image by now, what was held because of the bad one comes back.
    """
    lock = await ports.store.locks.get(danger.scale_set_id)
    if lock is not None and lock.owner:
        return
    scale_set = await ports.scale_sets.read(danger.scale_set_id)
    if scale_set is not None and names(danger, scale_set.image):
        return
    hold = await ports.store.holds.get(danger.scale_set_id)
    if hold is not None and hold.keep_until is None and lock is not None:
        await _cure(ports, letting_go_run(hold, lock))
    await ports.store.dangers.delete(danger.scale_set_id, danger.code)


async def _watch_danger(ports: Ports, danger: DangerRecord) -> None:
    """Take away what is cured, by whomever."""
    if danger.code == MODEL_NAMES_BAD_IMAGE:
        await _watch_model(ports, danger)
    if danger.code != NOT_RESTORED:
        return
    row = await ports.store.deployments.get(danger.deployment_id)
    lock = await ports.store.locks.get(danger.scale_set_id)
    hold = await ports.store.holds.get(danger.scale_set_id)
    if reason := cured(danger, row, lock, hold, ports.clock.now()):
        _log.info("What %s left of %s is in order: %s", danger.deployment_id, danger.scale_set_id, reason)
        await ports.store.dangers.delete(danger.scale_set_id, danger.code)
        await revise(ports, danger.deployment_id)
