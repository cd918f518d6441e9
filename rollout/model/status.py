"""The statuses of a deployment and of a VM, and which may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Status(StrEnum):
    """Where a deployment stands. The last four are ends: nothing follows them."""

    QUEUED = "queued"
    PENDING = "pending"
    IN_PROGRESS = "inProgress"
    PAUSED = "paused"
    AWAITING_APPROVAL = "awaitingApproval"
    BAKING = "baking"
    STOPPING = "stopping"
    ROLLING_BACK = "rollingBack"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    ROLLED_BACK = "rolledBack"

    @property
    def ended(self) -> bool:
        """Whether the deployment is over."""
        return not TRANSITIONS[self]


#: Which statuses may follow which. A deployment may stay where it is; an end is for ever.
TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.PENDING, Status.STOPPING, Status.STOPPED, Status.FAILED}),
    Status.PENDING: frozenset(
        {Status.IN_PROGRESS, Status.PAUSED, Status.STOPPING, Status.FINISHED, Status.FAILED, Status.STOPPED}
    ),
    Status.IN_PROGRESS: frozenset(
        {
            Status.PAUSED,
            Status.AWAITING_APPROVAL,
            Status.BAKING,
            Status.STOPPING,
            Status.ROLLING_BACK,
            Status.FINISHED,
            Status.FAILED,
        }
    ),
    Status.PAUSED: frozenset(
        {
            Status.PENDING,
            Status.IN_PROGRESS,
            Status.BAKING,
            Status.STOPPING,
            Status.ROLLING_BACK,
            Status.FAILED,
        }
    ),
    Status.AWAITING_APPROVAL: frozenset(
        {Status.IN_PROGRESS, Status.PAUSED, Status.STOPPING, Status.ROLLING_BACK, Status.FAILED}
    ),
    Status.BAKING: frozenset(
        {
            Status.IN_PROGRESS,
            Status.PAUSED,
            Status.AWAITING_APPROVAL,
            Status.STOPPING,
            Status.ROLLING_BACK,
            Status.FINISHED,
            Status.FAILED,
        }
    ),
    Status.STOPPING: frozenset({Status.STOPPED, Status.FAILED}),
    Status.ROLLING_BACK: frozenset({Status.ROLLED_BACK, Status.STOPPING, Status.FAILED}),
    Status.FINISHED: frozenset(),
    Status.FAILED: frozenset(),
    Status.STOPPED: frozenset(),
    Status.ROLLED_BACK: frozenset(),
}


def may_follow(current: Status, following: Status) -> bool:
    """Whether a deployment that is ``current`` may become ``following``."""
    return following == current or following in TRANSITIONS[current]


class VmStatus(StrEnum):
    """Where one VM stands in a deployment: the five words that users know."""

    PENDING = "pending"
    RUNNING = "running"
    DETACHED = "detached"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class Color(StrEnum):
    """A VM's role within one deployment: blue serves now, green is its replacement."""

    BLUE = "blue"
    GREEN = "green"


class Phase(StrEnum):
    """How far a batch has come. The order of the members is the order of the phases.

    ``NOT_JUDGED`` is ``HEALTHY`` where nothing is asked that could tell: the batch's VMs ran when its time was over.
    """

    PLANNED = "planned"
    LAUNCHED = "launched"
    HEALTHY = "healthy"
    NOT_JUDGED = "notJudged"
    DETACHED = "detached"
    TERMINATED = "terminated"
    FAILED = "failed"

    def reached(self, other: Phase) -> bool:
        """Whether a batch in this phase has come at least as far as ``other``."""
        phases = list(Phase)
        return phases.index(self) >= phases.index(other)
