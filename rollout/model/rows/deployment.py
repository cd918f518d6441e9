"""The rows of a deployment: itself, its batches, its VMs, its events and its intents."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from rollout.model.azure.balancers import PendingAnswer
from rollout.model.azure.pools import PoolMembership
from rollout.model.azure.scale_set import ImageReference
from rollout.model.azure.vm_writes import VmWrites
from rollout.model.expected import Expected
from rollout.model.findings import Finding
from rollout.model.group import Source
from rollout.model.parameters import Parameters
from rollout.model.rows.commands import CommandStanding, PendingDecision
from rollout.model.serving import Serving
from rollout.model.stages import Stage, StageName
from rollout.model.status import Color, Phase, Status, VmStatus


@dataclass(frozen=True)
class Image:
    """What the deployment moves to, and the image before it. ``requested`` ``None``: no image was named, and the set's
    present one is rolled. ``unknown``: why no image is known to go back to; ``previous`` is then what the model named.
    ``bad``: that one was judged bad before (``rollout.planning.bad_image``). ``given_up``: what the unfinished
    deployments before this one failed with.
    """

    requested: str | None
    pinned: ImageReference
    previous: ImageReference | None = None
    unknown: str = ""
    bad: bool = False
    given_up: tuple[ImageReference, ...] = ()


@dataclass(frozen=True)
class Problem:
    """Why a deployment did not finish: a code that documentation names, and a sentence."""

    code: str
    message: str


@dataclass(frozen=True)
class Waiter:
    """The orchestration that waits, and the event that wakes it. Each wait has a name of its own."""

    instance_id: str
    event: str


@dataclass(frozen=True)
class StockAtEnd:
    """How a deployment that did not finish left the set (``rollout.planning.inheritance``): ``vms`` stood, ``unjudged``
    of them launched and never judged healthy, and the model named ``image``. ``unique_id``: which set that was.
    """

    vms: int
    unjudged: int
    image: ImageReference | None
    unique_id: str
    at: datetime


@dataclass(frozen=True)
class RollBack:
    """When a deployment began to go back, at how many percent, why, and who said so; nobody, where it was a failure."""

    at: datetime
    percent: int
    reason: str
    by: str = ""


@dataclass(frozen=True)
class Deployment:
    """One row of the deployments table: the overview that people read.

    It is folded from the events (``rollout.model.events``), so that applying one twice or late changes nothing;
    ``sequence`` is the last that it holds. ``epoch`` is the lock's when the deployment took it, 0 while it is queued.
    ``settled`` is false from the first change to the set until everything is in order again: a deployment that follows
    an unsettled one inherits its ``target_size`` and ``image.previous``. ``continues``: the last unfinished one that
    changed the set before it, or a finished one that left VMs out of traffic, of which ``left_out`` is the number.
    ``former``: the last one whose VMs it may find left. ``inheritance`` says in words what of all that counts, ``left``
    how it left the set.

    ``findings``: what was in the way when a queued deployment was last ``looked_at``.

    ``heard`` is the number of the last command that was heeded, ``gate`` that of the event that opened the last gate.
    ``waiting`` is whom to wake when a command comes (an
    activity writes it, outside the events). ``decision``: what a person is asked, while one is. ``paused_from``: what a
    paused deployment goes back to. ``rollback_batches``: how many of its batches bring the previous image back.

    ``serving_floor``: how few VMs serve at any time, and ``serving``: how many do now. ``ahead``: how many deployments
    begin before this one, of one that is queued. ``expected``: what is still to come, from the plan on. ``revision``
    counts what changed beside the events: rows of VMs, batches and commands, and dangers. It is raised after they were
    written (``services.revision``), so whoever reads this row first and finds it as it was needs to read nothing else.
    """

    id: str
    group_id: str
    scale_set_id: str
    parameters: Parameters
    image: Image
    created_at: datetime
    epoch: int = 1
    started_by: str = ""
    idempotency_key: str = ""
    findings: tuple[Finding, ...] = ()
    looked_at: datetime | None = None
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
    left_out: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: Problem | None = None
    sequence: int = 0
    heard: int = 0
    gate: int = 0
    waiting: Waiter | None = None
    decision: PendingDecision | None = None
    paused_from: Status | None = None
    rollback_batches: int = 0
    retry_of: str | None = None
    queued_at: datetime | None = None
    continues: str = ""
    former: str = ""
    inheritance: str = ""
    left: StockAtEnd | None = None
    serving_floor: int | None = None
    serving: Serving | None = None
    roll_back: RollBack | None = None
    ahead: int | None = None
    expected: Expected | None = None
    revision: int = 0
    schema_version: int = 1

    @property
    def standing(self) -> CommandStanding:
        """What of the row decides about commands."""
        return CommandStanding(self.status, self.heard, self.gate, self.paused_from or Status.IN_PROGRESS)


@dataclass(frozen=True)
class Batch:
    """One row of the batches table. ``blue`` and ``green`` are how many VMs were planned to go and to come.

    ``round`` 2: sick green VMs were discarded and their replacements are launched and judged. ``asked``: the questions
    to balancers that are still to be answered. ``refused_pools``: the load balancers' pools in which VMs cannot be set
    Down. ``gateway_draining``: how long the gateways let connections of the detached VMs end. ``back``: the batch
    brings the previous image back, in place of VMs that the deployment had launched. ``canary``: the first batch, where
    it is one of its own. ``floor``: how few VMs serve while it is replaced, and no fewer. ``vm_writes``: how Azure
    takes the writes of its VMs. ``judged``: false of one whose VMs only ran, for nothing is asked for their health;
    ``healthy_at`` is when its time was over. ``failure``: why Azure did not make VMs, in its own words. ``relaunched``:
    the VMs whose places were asked for again, by ``vm_id``, as far as the history tells, in so many ``notes``.
    """

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
    round: int = 1
    sequence: int = 0
    asked: tuple[PendingAnswer, ...] = ()
    refused_pools: tuple[str, ...] = ()
    gateway_draining: timedelta = timedelta(0)
    back: bool = False
    canary: bool = False
    vm_writes: VmWrites = VmWrites()
    floor: int | None = None
    stages: tuple[Stage, ...] = ()
    failure: str = ""
    relaunched: tuple[str, ...] = ()
    notes: int = 0
    judged: bool = True
    schema_version: int = 1

    @property
    def deleting_at(self) -> datetime | None:
        """When the first of its blue VMs was asked to be deleted."""
        return next((stage.started_at for stage in self.stages if stage.name is StageName.DELETE), None)

    def image(self, image: Image) -> ImageReference:
        """What the batch's green VMs are made from."""
        return image.previous if self.back and image.previous is not None else image.pinned

    def is_past(self, phase: Phase, round_: int) -> bool:
        """Whether the batch has come further than an order of this round that leads to ``phase``."""
        return self.round > round_ or self.phase.reached(phase)


@dataclass(frozen=True)
class Reading:
    """What one source says of one VM, and since when. ``health`` is healthy, unhealthy or waiting."""

    source: Source
    health: str
    detail: str
    at: datetime


#: The trouble of a VM that is not there any more.
GONE = "gone"


@dataclass(frozen=True)
class VmRecord:
    """One row of the VMs table: a VM's part in one deployment. ``batch`` 0: the VM already ran the image, it stays.
    No ``color``: it has no part, others made it meanwhile (``rollout.steps.others``).

    ``replaced``: a green VM that was sick, and whose place another one takes. ``evidence``: of a sick VM, what could be
    found out before it was deleted is kept (``rollout.judging.evidence``). ``moved_to``: the batch that takes a green
    VM away again, where the deployment is rolled back; the VM is blue in that batch's rows, and those are the ones that
    count. ``unmade``: Azure failed to make it, and was asked for another. ``relaunched_at``: when the place of a green
    VM that was lost before the verdict was asked for again. ``launched_at``: when the VM came that takes such a place,
    or the place of a sick one: from then on it has its own time to become healthy, and its place is not asked for once
    more. ``launched_by``: of a VM that the plan found, the unfinished deployment that launched it, where one that this
    one continues did; ``unjudged``: none of them judged it healthy; ``taken_out``: one of them took it out of its
    pools; ``idle``: a blue VM that served nobody when its batch was planned. ``passed``: a green VM that nothing judges
    ran when its batch's time was over. ``trouble``: why the VM serves nobody, as the last list of the set's VMs says
    (``rollout.steps.known``), and since when. It is shown, and decides nothing.
    """

    vm_id: str
    name: str
    color: Color | None
    batch: int
    status: VmStatus
    reason: str = ""
    zone: str | None = None
    readings: tuple[Reading, ...] = ()
    updated_at: datetime | None = None
    detached_at: datetime | None = None
    replaced: bool = False
    evidence: bool = False
    moved_to: int = 0
    unmade: bool = False
    relaunched_at: datetime | None = None
    launched_at: datetime | None = None
    launched_by: str = ""
    unjudged: bool = False
    taken_out: bool = False
    idle: bool = False
    passed: bool = False
    trouble: str = ""
    trouble_at: datetime | None = None
    schema_version: int = 1

    @property
    def is_good(self) -> bool:
        """Whether a green VM was judged healthy, or had passed where nothing judges, and is none the worse since."""
        return self.status is VmStatus.HEALTHY or (self.passed and self.status is VmStatus.RUNNING)


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
    DRAIN = "drain"
    IMAGE = "image"


@dataclass(frozen=True)
class Intent:
    """What an activity wrote down before a write to Azure, so that its next run knows what was meant.

    A launch: from which nominal capacity (``nominal``, read with ``etag``) to which (``target``). A delete: which VMs,
    by ``vm_id``. A drain: which VMs, Down in which load balancer's ``pool`` (or back in it), by their own network
    configurations where none is named; ``taken``: the pools that each IP configuration is taken out of, none where it
    is put back, and ``None`` in rows of releases that did not write it down. An image: which one. ``number`` counts the
    intents of one kind in one batch. ``refused``: why Azure did not take it.
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
    pool: str = ""
    taken: tuple[PoolMembership, ...] | None = None
    refused: str = ""
    schema_version: int = 1
