"""Orders to activities, and progress back to recipes, as plain JSON on the wire."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from rollout.model.choices import OnFailure
from rollout.model.codec import NOT_SENT, Json, encode
from rollout.model.rows.commands import Action, Command
from rollout.model.rows.deployment import Deployment, Problem, StockAtEnd
from rollout.model.status import Status
from rollout.model.timeline import Standstill, Timeline, watched


@dataclass(frozen=True)
class BakePeriod:
    """For how long the green VMs are watched once ``batch`` is replaced, and why, in words. No ``time``: not at all."""

    batch: int
    time: timedelta
    reason: str


@dataclass(frozen=True)
class Run:
    """All that the recipes of a deployment remember; rows hold the rest. ``batch`` 0: nothing is prepared yet.

    ``epoch`` 0: the deployment waits for its turn. ``changed``: from now on the set may be changed, so a failure has
    something to put back. ``inherited``: the set was not in order when the deployment began, and is so again only when
    it finishes. ``gated``: the whole group's health is a condition of each batch. ``round`` 2: the batch's sick green
    VMs are replaced.

    ``steered``: commands are heeded; not so while a deployment puts back what it changed. ``heard``: the number of the
    last command that was heeded. ``back``: the batches bring the previous image back. ``keep``: what is held and what
    is left to be looked at stays so until ``keepFor`` is over. ``on_failure`` is the deployment's parameter.
    ``approvals``: after which batches a person must approve, and ``approves_every`` one but the last. ``bakes``: after
    which batches the green VMs are watched for a while. ``acting``: the orchestration that acts for the deployment
    where its own has ended. ``wait_timeout`` and ``action_on_timeout``: how long a person is waited for, and what is
    done then. ``left``: how an unfinished deployment leaves the set. ``reached``: the last batch that was begun;
    ``problem``: of what the deployment failed. Both are only shown. ``time``: how far the deployment's time has come.
    No setting is here: a recipe's input may be months old.
    """

    deployment_id: str
    scale_set_id: str
    epoch: int
    batch: int = 0
    batches: int = 0
    round: int = 1
    sequence: int = 0
    changed: bool = False
    inherited: bool = False
    gated: bool = False
    steered: bool = True
    heard: int = 0
    back: bool = False
    keep: bool = False
    on_failure: OnFailure = OnFailure.DISCARD_GREEN
    approvals: tuple[int, ...] = ()
    approves_every: bool = False
    bakes: tuple[BakePeriod, ...] = ()
    wait_timeout: timedelta = timedelta(hours=24)
    action_on_timeout: Action = Action.STOP
    acting: str = ""
    left: StockAtEnd | None = None
    reached: int = 0
    problem: Problem | None = None
    time: Timeline | None = None
    schema_version: int = 1

    @property
    def queued(self) -> bool:
        """Whether the deployment has still to take the scale set's lock."""
        return self.epoch == 0

    @property
    def wants_approval(self) -> bool:
        """Whether somebody must approve between the run's batch and the next."""
        last = self.batch >= self.batches
        return not self.back and not last and (self.approves_every or self.batch in self.approvals)

    @property
    def percent(self) -> int:
        """How much of the batches is behind the last one that was begun."""
        done = max(0, self.reached - 1)
        return round(100 * done / self.batches) if self.batches else 0

    @property
    def baking(self) -> BakePeriod | None:
        """What the plan says of watching the green VMs after the run's batch, if it does."""
        return next((one for one in self.bakes if one.batch == self.batch), None)

    def next_round(self) -> Run:
        """The run in which the batch's sick green VMs are replaced."""
        return replace(self, round=self.round + 1)

    def next_batch(self) -> Run:
        """The run as the next generation of ``deploy_group`` takes it up."""
        return replace(self, batch=self.batch + 1, round=1)

    def begun(self) -> Run:
        """The run at the beginning of a generation."""
        return replace(self, reached=self.batch)

    def turned_back(self) -> Run:
        """The run that brings the previous image back: nothing bakes, and nobody is asked."""
        return replace(self, batch=0, back=True, bakes=(), approvals=(), approves_every=False)

    def approved(self) -> Run:
        """The run after somebody approved this gate and all that follow."""
        return replace(self, approvals=(), approves_every=False)

    def failed(self, code: str, message: str) -> Run:
        """The run of a deployment that failed of something."""
        return replace(self, problem=Problem(code, message))

    def unsteered(self) -> Run:
        """The run in which no command is heeded any more."""
        return replace(self, steered=False)


def first_order(deployment: Deployment) -> Json:
    """The input of ``deploy_group``; the deployment's row says whether it is queued."""
    run = Run(
        deployment.id,
        deployment.scale_set_id,
        0 if deployment.status is Status.QUEUED else deployment.epoch,
        on_failure=deployment.parameters.on_failure,
        wait_timeout=deployment.parameters.wait_timeout,
        action_on_timeout=deployment.parameters.action_on_timeout,
        time=Timeline.begin(deployment.created_at),
    )
    order: Json = encode(run)
    return order


#: How many VMs' instance views one activity reads, unless the settings say otherwise.
PART_SIZE = 100


@dataclass(frozen=True)
class Parts:
    """What is to be read in parts before a step is looked at again: ``activity``, once for each of the ``numbers``.

    A number stands for so many VMs, its ``size``, which the activity finds in the rows by itself. ``together`` of them
    are read side by side, and those that follow one by one, each a ``pause`` later. ``since``: when the round began
    that they belong to; ``None``: they begin one.
    """

    activity: str
    numbers: tuple[int, ...]
    size: int
    together: int
    pause: timedelta = timedelta(0)
    since: datetime | None = None


@dataclass(frozen=True)
class PartOrder:
    """Which part an activity is to read: its number, and how many VMs each has."""

    number: int
    size: int


@dataclass(frozen=True)
class Order:
    """What an activity is told: for which round of which batch of which deployment, in which epoch of the lock.

    ``at`` is the recipe's recorded time and ``since`` when this wait began, so that a decision made twice is the same.
    ``back``: the batch brings the image before back. ``wake``: the event that the orchestration ``waiter`` may wait for
    after this look. ``setbacks``: how many looks in a row nothing was learnt from. ``standstills``: when nobody looked;
    ``resumed``: nobody did since the last one. ``poll_interval`` is the setting as it is when the order is carried out.
    ``asked``: what was read in parts since then belongs to this look; ``None``: nothing does. ``patience``: how long
    Azure asked to be left alone, where a part met that. ``part``: the one to be read. The rest is as in ``Run``.
    """

    deployment_id: str
    scale_set_id: str
    epoch: int
    batch: int
    at: datetime
    since: datetime
    poll_interval: timedelta = field(default=timedelta(seconds=15), metadata=NOT_SENT)
    round: int = 1
    heard: int = 0
    steered: bool = False
    waiter: str = ""
    wake: str = ""
    keep: bool = False
    acting: str = ""
    setbacks: int = 0
    back: bool = False
    standstills: tuple[Standstill, ...] = ()
    resumed: bool = False
    asked: datetime | None = None
    patience: timedelta = timedelta(0)
    part: PartOrder | None = None

    @property
    def waited(self) -> timedelta:
        """How long this wait has lasted, as far as somebody looked."""
        return self.watched(self.since)

    def watched(self, since: datetime) -> timedelta:
        """How long ago that was, as far as somebody looked. What ends by time asks this, and never the clock."""
        return watched(since, self.at, self.standstills)

    @property
    def actor(self) -> str:
        """The orchestration whose life is the right to act."""
        return self.acting or self.deployment_id


#: The code of an ``again`` from which nothing was learnt of the step itself: Azure, or Teal's storage, did not answer.
SETBACK = "setback"

#: The code of an ``again`` that only says what is to be read in parts first.
IN_PARTS = "inParts"


#: Under this name an answer's data holds what a look found of VMs (``rollout.steps.known.News``).
NEWS = "news"


class StepState(StrEnum):
    """How a step stands. ``again``: not there yet, look again; ``lockLost``: the right to go on is gone;
    ``interrupted``: a command came in between, and its kind is the progress' ``code``; ``noted``: something happened
    on the way that the history tells, an event of the type ``code``, and then the step goes on.
    """

    DONE = "done"
    AGAIN = "again"
    FAILED = "failed"
    LOCK_LOST = "lockLost"
    INTERRUPTED = "interrupted"
    NOTED = "noted"


@dataclass(frozen=True)
class Progress:
    """What an activity found or did: how the step stands and why, in words.

    ``after``: how long to wait before looking again, or before the next step where this one is done (reading a large
    set costs many requests at once). ``data``: counts for the event and the rows. ``setbacks``: how often on the way
    nothing was learnt, because Azure or Teal's storage did not answer; ``time``: how far time had come then.
    ``listen``: the wait before the next look is one that a command should cut short. ``silent``: done, but nothing
    happened that the history should tell. ``since``: when the wait began that goes on after what was noted. ``parts``:
    what is to be read before the next look.
    """

    state: StepState
    reason: str
    code: str = ""
    after: timedelta = timedelta(0)
    data: dict[str, Any] = field(default_factory=dict)
    setbacks: int = 0
    last_setback: str = ""
    time: Timeline | None = None
    listen: bool = False
    silent: bool = False
    since: datetime | None = None
    parts: Parts | None = None

    @property
    def done(self) -> bool:
        """Whether the step reached its goal."""
        return self.state is StepState.DONE


def done(reason: str, after: timedelta = timedelta(0), **data: Any) -> Progress:
    """The step reached its goal."""
    return Progress(StepState.DONE, reason, after=after, data=data)


def again(after: timedelta, reason: str) -> Progress:
    """The step is on its way; look again in ``after``."""
    return Progress(StepState.AGAIN, reason, after=after)


def noted(fact: str, reason: str, after: timedelta, since: datetime, data: dict[str, Any]) -> Progress:
    """The step is on its way, and a fact of the history happened; its wait, which began ``since`` then, goes on."""
    return Progress(StepState.NOTED, reason, fact, after, data, since=since)


def failed(code: str, reason: str, after: timedelta = timedelta(0), **data: Any) -> Progress:
    """The step will not reach its goal."""
    return Progress(StepState.FAILED, reason, code, after, data)


def lock_lost(reason: str) -> Progress:
    """The deployment no longer has the right to change the scale set."""
    return Progress(StepState.LOCK_LOST, reason, "lockLost")


def interrupted(command: Command) -> Progress:
    """A command came in between; the step may be taken up again where it is."""
    reason = f"{command.kind} {command.words}"
    return Progress(StepState.INTERRUPTED, reason, command.kind, data={"heard": command.number, "by": command.by})
