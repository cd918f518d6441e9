"""Taking a scale set's lock for a new deployment, and giving it back where nothing was started."""

from __future__ import annotations

from dataclasses import dataclass

from api.errors import Code, Detail, Refusal
from rollout.deployment import Lock
from rollout.lock import Taking, free, take
from rollout.ports import InstanceState, Ports

#: How often a start whose write came second looks again. Each time somebody else's came first, so this ends.
ATTEMPTS_MAX = 5


def in_progress(holder: str, reason: str) -> Refusal:
    """The refusal of what has to wait for deployment ``holder``."""
    message = f"{reason}. Wait until it has ended: GET /api/deployments/{holder}"
    details = [Detail(Code.DEPLOYMENT_IN_PROGRESS, reason, holder)]
    return Refusal(Code.DEPLOYMENT_IN_PROGRESS, message, holder, details)


async def refuse_while_held(ports: Ports, scale_set_id: str, asker: str) -> None:
    """Raise ``deploymentInProgress`` where a deployment is under way on the scale set."""
    lock, taking = await _look(ports, scale_set_id, asker)
    if lock is not None and taking.lock is None:
        raise in_progress(lock.owner, taking.reason)


@dataclass(frozen=True)
class Claim:
    """The lock as it was written; ``takes_over`` names the ended deployment whose lock it was, else it is empty."""

    lock: Lock
    takes_over: str


async def claim(ports: Ports, scale_set_id: str, owner: str) -> Claim:
    """Take the lock for ``owner``. Raises ``deploymentInProgress``."""
    locks = ports.store.locks
    for _ in range(ATTEMPTS_MAX):
        seen, taking = await _look(ports, scale_set_id, owner)
        if taking.lock is None:
            assert seen is not None, "a lock without a row is free"
            raise in_progress(seen.owner, taking.reason)
        # A swap that is sent again after a lost response meets its own row and says false: what is there decides.
        if await locks.swap(seen, taking.lock) or await _holds(ports, taking.lock):
            return Claim(taking.lock, taking.takes_over)
    raise Refusal(Code.DEPLOYMENT_IN_PROGRESS, "Other deployments are starting on this scale set at this moment")


async def release(ports: Ports, lock: Lock) -> None:
    """Give the lock back. If this fails too, it is taken over after ``rollout.lock.STARTING``."""
    held = await ports.store.locks.get(lock.scale_set_id)
    freed = free(held, lock.owner, lock.epoch, ports.clock.now())
    if freed is not None:
        await ports.store.locks.swap(held, freed)


async def _holds(ports: Ports, lock: Lock) -> bool:
    held = await ports.store.locks.get(lock.scale_set_id)
    return held is not None and (held.owner, held.epoch) == (lock.owner, lock.epoch)


async def _look(ports: Ports, scale_set_id: str, asker: str) -> tuple[Lock | None, Taking]:
    lock = await ports.store.locks.get(scale_set_id)
    holder = await ports.instances.state(lock.owner) if lock is not None and lock.owner else InstanceState.ABSENT
    return lock, take(lock, scale_set_id, asker, holder, ports.clock.now())
