"""The rows of a deployment: itself, its batches, its VMs, its events, its intents, and the lock it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from rollout.group import HealthCheckType
from rollout.scale_set import ImageReference
from rollout.status import Color, Phase, Status, VmStatus


@dataclass(frozen=True)
class Parameters:
    """What was asked for, with every default filled in. The names are those of Elastigroup's API.

    ``image`` is the request's own words: a version (``1.1.0``), ``latest``, or a gallery version's resource id.
    """

    image: str
    batch_size_percentage: int = 20
    grace_period: timedelta = timedelta(seconds=600)
    batch_min_healthy_percentage: int = 50
    draining_timeout: timedelta = timedelta(seconds=120)
    health_check_types: tuple[HealthCheckType, ...] = ()
    comment: str = ""


@dataclass(frozen=True)
class Image:
    """What the deployment moves to, and what the set's model said before it began."""

    requested: str
    pinned: ImageReference
    previous: ImageReference | None = None


@dataclass(frozen=True)
class Problem:
    """Why a deployment did not finish: a code that documentation names, and a sentence."""

    code: str
    message: str


@dataclass(frozen=True)
class Deployment:
    """One row of the deployments table: the overview that people read.

    It is folded from the events (``rollout.events``), so that applying one twice or late changes nothing;
    ``sequence`` is the last that it holds. ``epoch`` is the lock's when the deployment took it. ``settled`` is false
    from the first change to the set until everything is in order again: a deployment that follows an unsettled one
    inherits its ``target_size`` and ``image.previous``.
    """

    id: str
    group_id: str
    scale_set_id: str
    parameters: Parameters
    image: Image
    created_at: datetime
    epoch: int = 1
    started_by: str = ""
    status: Status = Status.PENDING
    reason: str = ""
    target_size: int = 0
    number_of_batches: int = 0
    current_batch: int = 0
    progress: int = 0
    blue_vms: int = 0
    green_vms: int = 0
    remaining_blue: int = 0
    settled: bool = True
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: Problem | None = None
    sequence: int = 0
    schema_version: int = 1


@dataclass(frozen=True)
class Batch:
    """One row of the batches table. ``blue`` and ``green`` are how many VMs were planned to go and to come."""

    number: int
    blue: int
    green: int
    phase: Phase = Phase.PLANNED
    reason: str = ""
    started_at: datetime | None = None
    launched_at: datetime | None = None
    healthy_at: datetime | None = None
    detached_at: datetime | None = None
    ended_at: datetime | None = None
    sequence: int = 0
    schema_version: int = 1


@dataclass(frozen=True)
class Reading:
    """What one source says of one VM, and since when. ``health`` is healthy, unhealthy or waiting."""

    source: HealthCheckType
    health: str
    detail: str
    at: datetime


@dataclass(frozen=True)
class VmRecord:
    """One row of the VMs table: a VM's part in one deployment. ``batch`` 0: the VM already ran the image, it stays."""

    vm_id: str
    name: str
    color: Color
    batch: int
    status: VmStatus
    reason: str = ""
    zone: str | None = None
    readings: tuple[Reading, ...] = ()
    updated_at: datetime | None = None
    schema_version: int = 1


@dataclass(frozen=True)
class Event:
    """One fact in a deployment's history, in the past tense. ``sequence`` starts at 1 and has no gaps."""

    sequence: int
    at: datetime
    type: str
    message: str
    batch: int | None = None
    data: dict[str, Any] = field(default_factory=dict)
    schema_version: int = 1


class IntentKind(StrEnum):
    """What an intent is about to do to the scale set."""

    LAUNCH = "launch"
    DELETE = "delete"
    IMAGE = "image"


@dataclass(frozen=True)
class Intent:
    """What an activity wrote down before a write to Azure, so that its next run knows what was meant.

    A launch: from which nominal capacity (``nominal``, read with ``etag``) to which (``target``). A delete: which VMs,
    by ``vm_id``. An image: which one. ``number`` counts the intents of one kind in one batch.
    """

    kind: IntentKind
    batch: int
    number: int
    at: datetime
    etag: str = ""
    nominal: int = 0
    target: int = 0
    vm_ids: tuple[str, ...] = ()
    image: ImageReference | None = None
    schema_version: int = 1


@dataclass(frozen=True)
class Lock:
    """Who may write to one scale set. ``owner`` is a deployment's id, empty while the set is free.

    ``epoch`` grows with every taking, so that what an earlier owner still has in flight finds its right gone.
    """

    scale_set_id: str
    owner: str
    epoch: int
    since: datetime
    schema_version: int = 1
