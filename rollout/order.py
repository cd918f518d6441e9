"""What recipes and activities tell each other: orders go down, progress comes back. Each is plain JSON on the wire."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from rollout.codec import Json, encode
from rollout.deployment import Deployment


@dataclass(frozen=True)
class Run:
    """All that the recipes of a deployment remember; rows hold the rest. ``batch`` 0: nothing is prepared yet.

    ``changed``: from now on the set may be changed, so a failure has something to put back. ``inherited``: the set was
    not in order when the deployment began, and is so again only when it finishes. ``gated``: the whole group's health
    is a condition of each batch. ``round`` 2: the batch's sick green VMs are replaced.
    """

    deployment_id: str
    scale_set_id: str
    epoch: int
    poll_interval: timedelta
    batch: int = 0
    batches: int = 0
    round: int = 1
    sequence: int = 0
    changed: bool = False
    inherited: bool = False
    gated: bool = False
    schema_version: int = 1

    def next_round(self) -> Run:
        """The run in which the batch's sick green VMs are replaced."""
        return replace(self, round=self.round + 1)

    def next_batch(self) -> Run:
        """The run as the next generation of ``deploy_group`` takes it up."""
        return replace(self, batch=self.batch + 1)


def first_order(deployment: Deployment, poll_interval: timedelta) -> Json:
    """The input of ``deploy_group``."""
    run: Json = encode(Run(deployment.id, deployment.scale_set_id, deployment.epoch, poll_interval))
    return run


@dataclass(frozen=True)
class Order:
    """What an activity is told: for which round of which batch of which deployment, in which epoch of the lock.

    ``at`` is the recipe's recorded time and ``since`` when this wait began, so that a decision made twice is the same.
    """

    deployment_id: str
    scale_set_id: str
    epoch: int
    batch: int
    at: datetime
    since: datetime
    poll_interval: timedelta
    round: int = 1

    @property
    def waited(self) -> timedelta:
        """How long this wait has lasted."""
        return self.at - self.since


#: The code of an ``again`` from which nothing was learnt of the step itself: Azure, or Teal's storage, did not answer.
SETBACK = "setback"


class State(StrEnum):
    """How a step stands. ``again``: not there yet, look again; ``lockLost``: the right to go on is gone."""

    DONE = "done"
    AGAIN = "again"
    FAILED = "failed"
    LOCK_LOST = "lockLost"


@dataclass(frozen=True)
class Progress:
    """What an activity found or did: how the step stands and why, in words.

    ``after``: how long to wait before looking again, or before the next step where this one is done (reading a large
    set costs many requests at once). ``data``: counts for the event and the rows. ``setbacks``: how often on the way
    nothing was learnt, because Azure or Teal's storage did not answer.
    """

    state: State
    reason: str
    code: str = ""
    after: timedelta = timedelta(0)
    data: dict[str, Any] = field(default_factory=dict)
    setbacks: int = 0
    last_setback: str = ""

    @property
    def done(self) -> bool:
        """Whether the step reached its goal."""
        return self.state is State.DONE


def done(reason: str, after: timedelta = timedelta(0), **data: Any) -> Progress:
    """The step reached its goal."""
    return Progress(State.DONE, reason, after=after, data=data)


def again(after: timedelta, reason: str) -> Progress:
    """The step is on its way; look again in ``after``."""
    return Progress(State.AGAIN, reason, after=after)


def failed(code: str, reason: str, after: timedelta = timedelta(0), **data: Any) -> Progress:
    """The step will not reach its goal."""
    return Progress(State.FAILED, reason, code, after, data)


def lock_lost(reason: str) -> Progress:
    """The deployment no longer has the right to change the scale set."""
    return Progress(State.LOCK_LOST, reason, "lockLost")
