"""Find deployments whose orchestration is gone, and have put in order what they left; and let go of what was kept.

Durable Functions can end an orchestration at any moment: somebody terminates it, purges it, or loses its storage. What
it held then stays held, and its group stays locked, until somebody looks. This looks.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from api.following import have_followed
from rollout.codec import encode
from rollout.errors import AzureError
from rollout.group import Group
from rollout.holds import Hold
from rollout.lock import free
from rollout.ports import Ports
from rollout.succession import lost
from rollout.watchdog import Remedy, Suspect, diagnose, is_gone, letting_go_run, may_let_go, restoring_run

#: The recipe that puts in order what a deployment left (``orchestrators``).
RECIPE = "restore_group"

#: How many of a group's newest deployments are looked at. A start looks at as many.
DEPLOYMENTS_MAX = 100

_log = logging.getLogger("teal")


async def watch(ports: Ports, *, poll_interval: timedelta, scopes: Sequence[str] = ()) -> None:
    """Look at every group, then at the journal. What does not work for one is left for the next time."""
    for group in await ports.store.groups.list():
        with _left_for_next_time(f"group {group.id}"):
            await _watch_group(ports, group, poll_interval)
        with _left_for_next_time(f"the images of group {group.id}"):
            if await ports.store.wanted.list(group.id):
                await have_followed(ports, group.id, poll_interval, scopes)
    for hold in await ports.store.holds.list():
        with _left_for_next_time(hold.scale_set_id):
            await _watch_hold(ports, hold, poll_interval)


@contextmanager
def _left_for_next_time(what: str) -> Iterator[None]:
    try:
        yield
    except AzureError as error:
        _log.warning("The watchdog could not look after %s: %s", what, error)


async def _watch_group(ports: Ports, group: Group, poll_interval: timedelta) -> None:
    now = ports.clock.now()
    for deployment_id, scale_set_id, since in await _under_way(ports, group):
        if is_gone(await ports.instances.state(deployment_id), since, now):
            await _treat(ports, deployment_id, scale_set_id, poll_interval)


async def _under_way(ports: Ports, group: Group) -> list[tuple[str, str, datetime]]:
    """The deployments that hold the group's lock or whose rows say that they are live: id, scale set, since when."""
    rows = await ports.store.deployments.newest(group.id, DEPLOYMENTS_MAX)
    lock = await ports.store.locks.get(group.scale_set_id)
    found = [(lock.owner, group.scale_set_id, lock.since)] if lock is not None and lock.owner else []
    owners = [owner for owner, _, _ in found]
    live = [row for row in rows if not row.status.ended and row.id not in owners]
    return found + [(row.id, row.scale_set_id, row.created_at) for row in live]


async def _treat(ports: Ports, deployment_id: str, scale_set_id: str, poll_interval: timedelta) -> None:
    """Look at what the deployment holds, now that its orchestration is known to be gone, and act on it."""
    children = await ports.instances.children(deployment_id)
    lock = await ports.store.locks.get(scale_set_id)
    suspect = Suspect(deployment_id, await ports.store.deployments.get(deployment_id), lock, children)
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
            await ports.store.deployments.change(deployment_id, lambda row: lost(row, now))
        case Remedy.RESTORE:
            await _restore(ports, suspect, poll_interval)


async def _free(ports: Ports, suspect: Suspect, now: datetime) -> None:
    lock = suspect.lock
    freed = free(lock, suspect.deployment_id, lock.epoch, now) if lock is not None else None
    if freed is not None:
        await ports.store.locks.swap(lock, freed)


async def _restore(ports: Ports, suspect: Suspect, poll_interval: timedelta) -> None:
    run = restoring_run(suspect, poll_interval)
    await ports.instances.start(RECIPE, run.acting, encode(run))


async def _watch_hold(ports: Ports, hold: Hold, poll_interval: timedelta) -> None:
    lock = await ports.store.locks.get(hold.scale_set_id)
    if lock is not None and may_let_go(hold, lock, ports.clock.now()):
        _log.info("What %s kept of %s goes now", hold.deployment_id, hold.scale_set_id)
        run = letting_go_run(hold, lock, poll_interval)
        await ports.instances.start(RECIPE, run.acting, encode(run))
