"""Decide on deployments whose orchestration is gone, each time with a reason in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rollout.model.names import is_restoring, release_instance_id, restore_instance_id
from rollout.model.order import Run
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.holds import Hold
from rollout.model.rows.lock import Lock
from rollout.model.status import Status
from rollout.model.timeline import Timeline
from rollout.model.words import counted
from rollout.ports.durable import InstanceState

#: What is younger may be that of a deployment that is just starting.
LOST_AFTER = timedelta(minutes=10)

#: The code of a deployment whose orchestration ended without writing its end.
ORCHESTRATOR_LOST = "orchestratorLost"


def is_gone(state: InstanceState, since: datetime, now: datetime) -> bool:
    """Whether the orchestration of a deployment that is under way is gone; ``since``: of its lock, or of its row.

    One that is suspended is not: somebody will resume it, or end it.
    """
    return state in (InstanceState.ABSENT, InstanceState.ENDED) and now - since >= LOST_AFTER


class Remedy(StrEnum):
    """What to do about a deployment whose orchestration is gone. ``endChildren``: and look again later."""

    NOTHING = "nothing"
    END_CHILDREN = "endChildren"
    FREE = "free"
    WRITE_END = "writeEnd"
    RESTORE = "restore"


@dataclass(frozen=True)
class Diagnosis:
    """A remedy, and why."""

    remedy: Remedy
    reason: str


@dataclass(frozen=True)
class Suspect:
    """A deployment whose orchestration is gone, and what there is of it.

    ``row`` and ``lock`` were read after that was seen: what a deployment holds then it holds without an orchestration.
    ``children`` are those of its orchestrations that have not ended. ``planning``: another deployment has the lock, and
    may still fail before it takes anything over.
    """

    deployment_id: str
    row: Deployment | None
    lock: Lock | None
    children: tuple[str, ...] = ()
    planning: bool = False

    @property
    def owner(self) -> str:
        """The deployment that holds the scale set's lock; empty where the set is free."""
        return self.lock.owner if self.lock is not None else ""

    @property
    def holds(self) -> bool:
        """Whether the deployment does."""
        return self.owner == self.deployment_id


def diagnose(suspect: Suspect) -> Diagnosis:
    """Decide what to do about a deployment whose orchestration is gone.

    Its other orchestrations end first. They cannot write any more, but would look again and again for days.
    """
    row = suspect.row
    if not suspect.holds and (row is None or row.status.ended):
        return Diagnosis(Remedy.NOTHING, "it has ended")
    if restoring := [child for child in suspect.children if is_restoring(suspect.deployment_id, child)]:
        return Diagnosis(Remedy.NOTHING, f"{restoring[0]} is putting it in order")
    if suspect.children:
        return Diagnosis(Remedy.END_CHILDREN, f"{counted(len(suspect.children), 'other orchestration')} have not ended")
    if row is None:
        return Diagnosis(Remedy.FREE, "it took the lock, and wrote and changed nothing")
    if suspect.holds:
        return Diagnosis(Remedy.RESTORE, f"it was {row.status} and holds the lock")
    if suspect.planning and row.status is not Status.QUEUED:
        return Diagnosis(Remedy.NOTHING, f"{suspect.owner} has the lock, and has not taken over yet what it left")
    if suspect.owner:
        return Diagnosis(Remedy.WRITE_END, f"{suspect.owner} has taken over what it left")
    if suspect.lock is None or row.status is Status.QUEUED:
        return Diagnosis(Remedy.WRITE_END, f"it was {row.status}, and changed nothing")
    return Diagnosis(Remedy.RESTORE, f"it was {row.status}, and nobody has the lock")


def restoring_run(suspect: Suspect) -> Run:
    """What ``restore_group`` is told of a deployment that is to be restored.

    A deployment that has ended has dealt with the image before it wrote its end. What a stop keeps for a while is kept
    here too.
    """
    row, lock = suspect.row, suspect.lock
    if row is None or lock is None:
        raise ValueError(f"{suspect.deployment_id} has nothing to restore")
    return Run(
        deployment_id=row.id,
        scale_set_id=row.scale_set_id,
        epoch=lock.epoch,
        batch=row.current_batch,
        batches=row.number_of_batches,
        sequence=row.sequence,
        changed=(row.started_at is not None or bool(row.continues)) and not row.status.ended,
        steered=False,
        keep=row.status is Status.STOPPING,
        acting=restore_instance_id(row.id, lock.epoch),
        time=Timeline.begin(row.started_at or row.created_at),
    )


def may_let_go(hold: Hold, lock: Lock | None, now: datetime) -> bool:
    """Whether what an ended deployment kept for a while goes now.

    While a deployment is under way it does not: that one has inherited the journal. What has no ``keep_until`` stays
    held until another deployment ends well: the set's model names an image that was not judged good.
    """
    return hold.keep_until is not None and hold.keep_until <= now and lock is not None and not lock.owner


def letting_go_run(hold: Hold, lock: Lock) -> Run:
    """What ``restore_group`` is told of what an ended deployment kept."""
    return Run(
        deployment_id=hold.deployment_id,
        scale_set_id=hold.scale_set_id,
        epoch=lock.epoch,
        steered=False,
        acting=release_instance_id(hold.deployment_id, lock.epoch),
    )


def last_words(row: Deployment | None) -> str:
    """Where a deployment was when its orchestration went missing."""
    if row is None:
        return "The deployment has no row"
    return f"The orchestration was ended from outside while the deployment was {row.status}: {row.reason}"
