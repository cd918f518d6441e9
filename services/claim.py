"""Taking a scale set's lock for a new deployment, and giving it back where nothing was started."""

from __future__ import annotations

from dataclasses import dataclass

from rollout.lifecycle.lock import LockTaking, free, take
from rollout.model.rows.lock import Lock
from rollout.ports.durable import InstanceState
from rollout.ports.ports import Ports

#: How often a start whose write came second looks again. Each time somebody else's came first, so this ends.
ATTEMPTS_MAX = 5


@dataclass(frozen=True)
class LockHolder:
    """The scale set is not free: ``holder`` is the deployment to wait for, empty where it is not known which."""

    holder: str
    reason: str


async def look(ports: Ports, scale_set_id: str, asker: str) -> tuple[Lock | None, LockTaking]:
    """The lock's row, and whether ``asker`` can have it."""
    lock = await ports.store.locks.get(scale_set_id)
    holder = await ports.instances.state(lock.owner) if lock is not None and lock.owner else InstanceState.ABSENT
    return lock, take(lock, scale_set_id, asker, holder, ports.clock.now())


async def held(ports: Ports, scale_set_id: str, asker: str) -> LockHolder | None:
    """The deployment other than ``asker`` that is under way on the scale set."""
    lock, taking = await look(ports, scale_set_id, asker)
    if lock is None or taking.lock is not None or lock.owner == asker:
        return None
    return LockHolder(lock.owner, taking.reason)


async def claim(ports: Ports, scale_set_id: str, owner: str) -> Lock | LockHolder:
    """Take the lock for ``owner``, which may have it already: then as it is."""
    for _ in range(ATTEMPTS_MAX):
        seen, taking = await look(ports, scale_set_id, owner)
        if seen is not None and seen.owner == owner:
            return seen
        if taking.lock is None:
            assert seen is not None, "a lock without a row is free"
            return LockHolder(seen.owner, taking.reason)
        # A swap that is sent again after a lost response meets its own row and says false: what is there decides.
        if await ports.store.locks.swap(seen, taking.lock) or await _holds(ports, taking.lock):
            return taking.lock
    return LockHolder("", "Other deployments are starting on this scale set at this moment")


async def release(ports: Ports, lock: Lock) -> None:
    """Give the lock back. If this fails too, it is taken over after ``rollout.lifecycle.lock.STARTING``."""
    found = await ports.store.locks.get(lock.scale_set_id)
    freed = free(found, lock.owner, lock.epoch, ports.clock.now(), lent=True)
    if freed is not None:
        await ports.store.locks.swap(found, freed)


async def _holds(ports: Ports, lock: Lock) -> bool:
    found = await ports.store.locks.get(lock.scale_set_id)
    return found is not None and (found.owner, found.epoch) == (lock.owner, lock.epoch)
