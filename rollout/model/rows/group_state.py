"""The row of what people see of a group without anybody asking Azure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rollout.model.azure.roll_needed import RollNeeded
from rollout.model.azure.scale_set import ImageReference, OrchestrationMode, ScaleSet
from rollout.model.rows.commands import PendingDecision
from rollout.model.rows.deployment import Deployment, Problem
from rollout.model.status import Status


@dataclass(frozen=True)
class SetSummary:
    """What is shown of a scale set."""

    name: str
    location: str
    mode: OrchestrationMode
    capacity: int
    provisioning_state: str
    image: ImageReference | None
    zones: tuple[str, ...] = ()

    @classmethod
    def of(cls, scale_set: ScaleSet) -> SetSummary:
        """The summary of a reading."""
        return cls(
            scale_set.name,
            scale_set.location,
            scale_set.mode,
            scale_set.capacity,
            scale_set.provisioning_state,
            scale_set.image,
            scale_set.zones,
        )


@dataclass(frozen=True)
class ImageCount:
    """How many VMs run an image."""

    image: ImageReference
    vms: int


@dataclass(frozen=True)
class HealthCount:
    """How many VMs are healthy, are not, or have said nothing yet."""

    healthy: int
    unhealthy: int
    unknown: int


@dataclass(frozen=True)
class Latest:
    """A group's newest deployment, as far as it is shown with the group. ``sequence``: the last event in it."""

    id: str
    status: Status
    reason: str
    progress: int
    image: ImageReference
    created_at: datetime
    ended_at: datetime | None = None
    decision: PendingDecision | None = None
    settled: bool = True
    sequence: int = 0

    @classmethod
    def of(cls, row: Deployment) -> Latest:
        """What a deployment's row says."""
        return cls(
            row.id,
            row.status,
            row.reason,
            row.progress,
            row.image.pinned,
            row.created_at,
            row.ended_at,
            row.decision,
            row.settled,
            row.sequence,
        )


@dataclass(frozen=True)
class GroupState:
    """One row of the group states table. ``read_at``: when the set was last looked at, by whomever; ``problem`` says
    why there is nothing of it. ``again``: before that the timer leaves the set alone; ``None``: it is due.
    """

    group_id: str
    scale_set_id: str
    read_at: datetime | None = None
    summary: SetSummary | None = None
    vms: int | None = None
    images: tuple[ImageCount, ...] = ()
    health: HealthCount | None = None
    problem: Problem | None = None
    roll_needed: RollNeeded | None = None
    roll_problem: Problem | None = None
    again: datetime | None = None
    latest: Latest | None = None
    schema_version: int = 1
