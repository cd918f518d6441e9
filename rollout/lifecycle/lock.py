"""Who may write to a scale set: one deployment at a time, told apart by owner and epoch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rollout.model.rows.lock import Lock
from rollout.ports.durable import InstanceState

#: A start takes the lock a moment before its orchestration exists; an owner without one is lost only after this long.
STARTING = timedelta(minutes=2)


@dataclass(frozen=True)
class LockTaking:
    """Whether the lock can be taken: ``lock`` is the row to write, ``None`` where another deployment holds it."""

    lock: Lock | None
    reason: str


def take(lock: Lock | None, scale_set_id: str, owner: str, holder: InstanceState, now: datetime) -> LockTaking:
    """Decide whether ``owner`` may have the lock; ``holder`` is what the present owner's orchestration does."""
    fresh = Lock(scale_set_id.lower(), owner, 1, now)
    if lock is None:
        return LockTaking(fresh, "Nobody ever deployed to the scale set")
    taken = replace(fresh, epoch=lock.epoch + 1, last_owner=lock.owner or lock.last_owner)
    if not lock.owner:
        return LockTaking(taken, "The scale set is free")
    starting = holder is InstanceState.ABSENT and now - lock.since < STARTING
    if holder in (InstanceState.RUNNING, InstanceState.SUSPENDED) or starting:
        return LockTaking(None, f"Deployment {lock.owner} is deploying to the scale set")
    return LockTaking(taken, f"Deployment {lock.owner} ended without freeing the scale set")


def renewed(lock: Lock, now: datetime) -> Lock:
    """The same owner in the next epoch: its own earlier orders lose their right to write."""
    return replace(lock, epoch=lock.epoch + 1, since=now)


def reclaimed(lock: Lock | None, owner: str, epoch: int, now: datetime) -> Lock | None:
    """The row by which a deployment that is lost, or left something behind, has the lock in the next epoch.

    From itself or from nobody, and only as long as it is in the epoch that was seen; else ``None``. Whose it was last
    stays so: what was kept of an older deployment may go after a later one has ended.
    """
    if lock is None or lock.epoch != epoch or lock.owner not in ("", owner):
        return None
    return replace(lock, owner=owner, epoch=epoch + 1, since=now, last_owner=lock.owner or lock.last_owner)


def free(lock: Lock | None, owner: str, epoch: int, now: datetime, *, lent: bool = False) -> Lock | None:
    """The row that frees the lock; ``None`` where ``owner`` does not hold it in that epoch.

    ``lent``: taken to put in order what was left, or for a start that came to nothing; whose it was last stays.
    """
    if lock is None or lock.owner != owner or lock.epoch != epoch:
        return None
    last = lock.last_owner if lent else owner
    return replace(lock, owner="", since=now, last_owner=last or owner)


@dataclass(frozen=True)
class WritePermission:
    """Whether an activity may write; where not, why, and whether that passes (``wait``) or the right is gone."""

    may_write: bool
    reason: str = ""
    wait: bool = False


def permission(lock: Lock | None, owner: str, epoch: int, state: InstanceState) -> WritePermission:
    """Whether what ``owner`` started in ``epoch`` may still write to the set.

    The state of the deployment's own orchestration counts too: terminating it through Durable reaches neither its
    sub-orchestrations nor their activities (https://github.com/Azure/azure-functions-durable-extension/issues/153), and
    they must not go on deleting VMs.
    """
    if lock is None or lock.owner != owner:
        return WritePermission(False, f"The scale set's lock is no longer held by {owner}")
    if lock.epoch != epoch:
        return WritePermission(False, f"The lock is in epoch {lock.epoch}, this step belongs to epoch {epoch}")
    if state is InstanceState.SUSPENDED:
        return WritePermission(False, "The deployment's orchestration is suspended", wait=True)
    if state is not InstanceState.RUNNING:
        return WritePermission(False, "The deployment's orchestration was ended from outside")
    return WritePermission(True)
