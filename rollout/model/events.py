"""The facts in a deployment's history, and how its rows follow from them.

A deployment's row and its batches' rows are folded from events: applying one twice, or late, changes nothing, because
each row remembers the last sequence number that it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from rollout.model.azure.scale_set import ImageReference
from rollout.model.codec import decode, decode_time
from rollout.model.expected import Expected
from rollout.model.rows.commands import Action, CommandKind, PendingDecision, resumed_to
from rollout.model.rows.deployment import Batch, Deployment, Event, Problem, RollBack, StockAtEnd
from rollout.model.serving import Serving, told
from rollout.model.stages import StageName, turn
from rollout.model.status import Phase, Status, may_follow


class EventType(StrEnum):
    """What can happen to a deployment. Each value's comment says what ``data`` holds.

    ``serving`` is added wherever the number of VMs that serve changes (``with_serving``).
    """

    TURN_TAKEN = "TurnTaken"  # epoch: of the lock; a queued deployment begins
    PLANNED = "DeploymentPlanned"  # batches, batchSeconds, blue, kept, skipped, otherImage, targetSize, previous…
    PROCESSES_HELD = "ProcessesHeld"  # held: what would interfere and is kept from it
    PROCESSES_RESTORED = "ProcessesRestored"  # restored, conflicts
    IMAGE_APPLIED = "ImageApplied"
    STEP_RETRIED = "StepRetried"  # activity; setbacks: how often a step was tried again
    BATCH_STARTED = "BatchStarted"
    BATCH_LAUNCHED = "BatchLaunched"  # launched: green VMs; failed: VMs that Azure failed to make
    VM_RELAUNCHED = "VmRelaunched"  # vmIds, names: of green VMs that were lost and whose places are asked for again
    BATCH_HEALTHY = "BatchHealthy"  # healthy, sick: green VMs
    BATCH_NOT_JUDGED = "BatchNotJudged"  # running, sick: green VMs that run, or do not; nothing else is asked
    SICK_DISCARDED = "SickGreenDiscarded"  # discarded: green VMs that will be replaced
    BATCH_DETACHED = "BatchDetached"  # detached, remaining: blue VMs; gatewayDraining: seconds
    BATCH_TERMINATED = "BatchTerminated"  # deleted: blue VMs; discarded: green ones; deletingAt
    BATCH_FAILED = "BatchFailed"  # code
    PAUSED = "DeploymentPaused"  # heard, deadline, action; by
    RESUMED = "DeploymentResumed"  # heard
    APPROVAL_AWAITED = "ApprovalAwaited"  # deadline, action
    APPROVED = "DeploymentApproved"  # heard, all
    BAKE_STARTED = "BakeStarted"  # seconds
    BAKED = "Baked"  # healthy, sick
    STOPPING = "DeploymentStopping"  # heard, by
    ROLLING_BACK = "DeploymentRollingBack"  # heard; by: who said so; code: of the failure that it answers, if one
    ROLL_BACK_PLANNED = "RollBackPlanned"  # batches, first, blue
    VMS_GONE = "VmsGone"  # vms: ids of VMs that nobody here deleted
    VMS_FAILED = "VmsFailed"  # vms: ids of VMs that stopped or failed, though nobody here meant it
    GREEN_KEPT = "GreenKept"  # kept: green VMs, left to be looked at
    GREEN_DISCARDED = "GreenDiscarded"  # discarded: green VMs
    IMAGE_RESTORED = "ImageRestored"
    IMAGE_NOT_RESTORED = "ImageNotRestored"
    FINISHED = "DeploymentFinished"  # adopted: green VMs that others made; leftOut: VMs out of traffic; settled
    FAILED = "DeploymentFailed"  # code, settled; left: how the set is where it is not in order
    STOPPED = "DeploymentStopped"  # settled, left
    ROLLED_BACK = "DeploymentRolledBack"  # settled, left; stayed, stayedVms: VMs on the image from before
    KEPT_DISCARDED = "KeptGreenDiscarded"  # discarded: green VMs that were kept for a while after the end
    KEPT_RESTORED = "KeptProcessesRestored"  # restored, conflicts: what stayed held after the end; by: a later one
    LEFT_DELETED = "LeftVmsDeleted"  # vmIds, names; by, batch: of a later deployment; blueVms, greenVms: still there


_TYPES = frozenset(EventType)

#: The facts by which a deployment acts on a command, or can no longer act on one that it was given.
ENDS_COMMANDS = frozenset(
    {
        EventType.PAUSED,
        EventType.RESUMED,
        EventType.APPROVAL_AWAITED,
        EventType.APPROVED,
        EventType.STOPPING,
        EventType.ROLLING_BACK,
        EventType.FINISHED,
        EventType.FAILED,
        EventType.STOPPED,
        EventType.ROLLED_BACK,
    }
)

#: What happens beside a deployment's own steps: it says nothing of where that stands.
_ASIDE = frozenset({EventType.VMS_GONE, EventType.VMS_FAILED})

#: What can still happen after the end of a deployment, whose status, reason, error and time of end stay as they are.
AFTER_END = frozenset({EventType.KEPT_DISCARDED, EventType.KEPT_RESTORED, EventType.LEFT_DELETED})

#: How much of a batch's work is behind it once a phase is reached.
_SHARE = {
    EventType.BATCH_STARTED: 0.0,
    EventType.BATCH_LAUNCHED: 0.25,
    EventType.BATCH_HEALTHY: 0.5,
    EventType.BATCH_NOT_JUDGED: 0.5,
    EventType.BATCH_DETACHED: 0.75,
    EventType.BATCH_TERMINATED: 1.0,
}


@dataclass(frozen=True)
class IllegalTransition:
    """A transition that there is not: the status that the deployment has, and the one that an event would lead to."""

    current: Status
    following: Status


@dataclass(frozen=True)
class EventResult:
    """What became of an event that was written: ``illegal``, where the deployment's row keeps the status it had.

    ``busy``: it was not written, because storage did not answer, and this is what it said.
    """

    illegal: IllegalTransition | None = None
    busy: str = ""


def illegal(deployment: Deployment, event: Event) -> IllegalTransition | None:
    """The transition that the event would be, if it is none. The answer is the same once the row holds the event."""
    if deployment.status.ended:
        return None
    following = _after(deployment, event).status
    return None if may_follow(deployment.status, following) else IllegalTransition(deployment.status, following)


def apply(deployment: Deployment, event: Event, *, checked: bool = True) -> Deployment:
    """The deployment's row after the event; unchanged where it holds the event already.

    After its end only what can happen then changes it. Of an event that is no legal transition the row holds only the
    number, unless that is not ``checked``.
    """
    if event.sequence <= deployment.sequence or deployment.status.ended != (event.type in AFTER_END):
        return deployment
    if deployment.status.ended:
        return _gone_on(deployment, event)
    if checked and illegal(deployment, event):
        return replace(deployment, sequence=event.sequence)
    return _after(deployment, event)


def _gone_on(row: Deployment, event: Event) -> Deployment:
    """The row of a deployment that has ended, after what became of its VMs since."""
    green = max(0, row.green_vms - event.data.get("discarded", 0))
    blue, green = event.data.get("blueVms", row.blue_vms), event.data.get("greenVms", green)
    return replace(row, sequence=event.sequence, blue_vms=blue, green_vms=green)


def with_serving(deployment: Deployment, event: Event) -> Event:
    """The event, which says how many VMs serve after it where it changes that; ``deployment``: the row before it."""
    before, after = told(deployment.serving), told(_serving(deployment, event))
    first = event.type == EventType.PLANNED and after is not None
    return replace(event, data={**event.data, "serving": after}) if first or after != before else event


def _serving(row: Deployment, event: Event) -> Serving | None:
    """How many VMs serve after the event."""
    now, data, back = row.serving, event.data, row.status is Status.ROLLING_BACK
    if now is None:
        return None
    if event.type == EventType.BATCH_STARTED:
        return now.began()
    if event.type == EventType.BATCH_HEALTHY:
        return now.judged(data.get("healthy", 0), back)
    if event.type == EventType.BATCH_NOT_JUDGED:
        return now.judged(data["running"], back)
    if event.type == EventType.BATCH_DETACHED:
        return now.detached(data["detached"], back)
    if event.type in (EventType.FINISHED, EventType.ROLLED_BACK):
        return now.adopted(data.get("adopted", 0), back)
    return now


def _expected(row: Deployment, event: Event, kind: EventType) -> Expected | None:
    """What is still to come after the event."""
    if kind is EventType.PLANNED and "batchSeconds" in event.data:
        return _foreseen(row, event)
    change = _ON_EXPECTED.get(kind)
    return change(row.expected, event) if change and row.expected else row.expected


def _foreseen(row: Deployment, event: Event) -> Expected:
    data, draining = event.data, row.parameters.draining_timeout
    bakes = {bake["batch"]: timedelta(seconds=bake["time"]) for bake in data.get("bakes", ())}
    last = bakes.pop(data["batches"], timedelta(0))
    each, first = timedelta(seconds=data["batchSeconds"]), bakes.get(1, timedelta(0))
    return Expected(each, draining, data["batches"], event.at, first_bake=first, bake=last).planned(event.at)


def _after(deployment: Deployment, event: Event) -> Deployment:
    kind = kind_of(event)
    if kind is None or kind in _ASIDE:
        return replace(deployment, sequence=event.sequence)
    serving = _serving(deployment, event)
    row = replace(deployment, sequence=event.sequence, reason=event.message, serving=serving)
    row = replace(row, expected=_expected(deployment, event, kind))
    if kind in _SHARE and event.batch is not None:
        row = replace(row, current_batch=event.batch, progress=progress(event.batch, row.number_of_batches, kind))
    change = _ON_DEPLOYMENT.get(kind)
    return change(row, event, event.data) if change else row


def apply_to_batch(batch: Batch, event: Event) -> Batch:
    """The batch's row after the event; unchanged where it holds the event already, and after the deployment's end."""
    if event.sequence <= batch.sequence or event.type in AFTER_END:
        return batch
    row = replace(batch, sequence=event.sequence, reason=event.message)
    kind = kind_of(event)
    change = _ON_BATCH.get(kind) if kind is not None else None
    return change(row, event) if change else row


def kind_of(event: Event) -> EventType | None:
    """The kind of a fact; ``None``: a newer release wrote it, and this one knows nothing that follows from it."""
    return EventType(event.type) if event.type in _TYPES else None


def progress(batch: int, batches: int, kind: EventType) -> int:
    """Percent of the whole, a batch's phases counting a quarter each.

    >>> progress(2, 5, EventType.BATCH_STARTED), progress(2, 5, EventType.BATCH_HEALTHY)
    (20, 30)
    """
    return round(100 * (batch - 1 + _SHARE[kind]) / batches) if batches else 100


def _planned(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    previous = decode(ImageReference, data["previous"])
    return replace(
        row,
        status=Status.IN_PROGRESS,
        started_at=event.at,
        number_of_batches=data["batches"],
        blue_vms=data["blue"],
        green_vms=data.get("kept", 0),
        target_size=data["targetSize"],
        image=replace(row.image, previous=previous),
        settled=row.settled and not (data["batches"] or data.get("otherImage", True)),
    )


def _turn_taken(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    return replace(row, status=Status.PENDING, epoch=data["epoch"], ahead=None)


def _paused(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    decision = PendingDecision(CommandKind.RESUME, event.at, decode_time(data["deadline"]), Action(data["action"]))
    paused_from = resumed_to(row.status)
    return replace(row, status=Status.PAUSED, paused_from=paused_from, decision=decision, heard=data["heard"])


def _resumed(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    status = row.paused_from or Status.IN_PROGRESS
    return replace(row, status=status, paused_from=None, decision=None, heard=data["heard"])


def _approval_awaited(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    decision = PendingDecision(CommandKind.APPROVE, event.at, decode_time(data["deadline"]), Action(data["action"]))
    return replace(row, status=Status.AWAITING_APPROVAL, decision=decision, gate=event.sequence)


def _approved(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    return replace(row, status=Status.IN_PROGRESS, decision=None, heard=data["heard"])


def _bake_started(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    return replace(row, status=Status.BAKING)


def _baked(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    return replace(row, status=Status.IN_PROGRESS)


def _stopping(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    return replace(row, status=Status.STOPPING, decision=None, paused_from=None, heard=data["heard"])


def _rolling_back(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    problem = Problem(data["code"], data["cause"]) if data.get("code") else row.error
    rolling = replace(row, status=Status.ROLLING_BACK, decision=None, paused_from=None, heard=data["heard"])
    began = RollBack(event.at, row.progress, data.get("cause") or event.message, data.get("by", ""))
    return replace(rolling, error=problem, roll_back=began)


def _roll_back_planned(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    """From here on the VMs that the deployment launched are the ones that go."""
    batches = row.number_of_batches + data["batches"]
    return replace(row, number_of_batches=batches, rollback_batches=data["batches"], blue_vms=data["blue"], green_vms=0)


def _launched(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    return replace(row, green_vms=row.green_vms + data["launched"])


def _detached(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    return replace(row, remaining_blue=row.remaining_blue + data["remaining"])


def _terminated(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    return replace(row, blue_vms=row.blue_vms - data["deleted"], green_vms=row.green_vms - data["discarded"])


def _discarded(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    return replace(row, green_vms=max(0, row.green_vms - data["discarded"]))


def _finished(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    green = row.green_vms + data.get("adopted", 0)
    settled, out = data.get("settled", True), data.get("leftOut", 0)
    ended = replace(_ended(row, event), status=Status.FINISHED, progress=100, settled=settled, green_vms=green)
    return replace(ended, left_out=out)


def _failed(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    problem = Problem(data["code"], event.message)
    return replace(_ended(row, event), status=Status.FAILED, error=problem, settled=_settled(row, data))


def _stopped(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    return replace(_ended(row, event), status=Status.STOPPED, settled=_settled(row, data))


def _rolled_back(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    return replace(_ended(row, event), status=Status.ROLLED_BACK, settled=_settled(row, data), progress=100)


def _settled(row: Deployment, data: dict[str, Any]) -> bool:
    """A deployment that ends before it was planned leaves the set as it found it, in order or not."""
    return row.settled or (data["settled"] and row.started_at is not None)


def _ended(row: Deployment, event: Event) -> Deployment:
    left = decode(StockAtEnd, event.data["left"]) if event.data.get("left") else None
    over = replace(row, ended_at=event.at, decision=None, paused_from=None, waiting=None, ahead=None)
    return replace(over, left=left)


_ON_DEPLOYMENT: dict[EventType, Callable[[Deployment, Event, dict[str, Any]], Deployment]] = {
    EventType.TURN_TAKEN: _turn_taken,
    EventType.PLANNED: _planned,
    EventType.PAUSED: _paused,
    EventType.RESUMED: _resumed,
    EventType.APPROVAL_AWAITED: _approval_awaited,
    EventType.APPROVED: _approved,
    EventType.BAKE_STARTED: _bake_started,
    EventType.BAKED: _baked,
    EventType.STOPPING: _stopping,
    EventType.ROLLING_BACK: _rolling_back,
    EventType.ROLL_BACK_PLANNED: _roll_back_planned,
    EventType.BATCH_LAUNCHED: _launched,
    EventType.BATCH_DETACHED: _detached,
    EventType.BATCH_TERMINATED: _terminated,
    EventType.SICK_DISCARDED: _discarded,
    EventType.GREEN_DISCARDED: _discarded,
    EventType.FINISHED: _finished,
    EventType.FAILED: _failed,
    EventType.STOPPED: _stopped,
    EventType.ROLLED_BACK: _rolled_back,
}


#: What each event means for the time that is left. Of a deployment that has ended nobody asks.
_ON_EXPECTED: dict[EventType, Callable[[Expected, Event], Expected]] = {
    EventType.BATCH_STARTED: lambda was, event: was.started(event.batch or 0, event.at),
    EventType.SICK_DISCARDED: lambda was, event: was.relaunched(event.batch or 0, event.at),
    EventType.BATCH_HEALTHY: lambda was, event: was.judged(event.batch or 0, event.at, bool(event.data.get("replace"))),
    EventType.BATCH_NOT_JUDGED: lambda was, event: was.judged(
        event.batch or 0, event.at, bool(event.data.get("replace"))
    ),
    EventType.BATCH_DETACHED: lambda was, event: was.detached(
        event.batch or 0,
        event.at,
        event.data.get("detached", 0),
        timedelta(seconds=event.data.get("gatewayDraining", 0)),
    ),
    EventType.BATCH_TERMINATED: lambda was, event: was.terminated(event.batch or 0, event.at),
    EventType.BATCH_FAILED: lambda was, event: was.ending(event.at),
    EventType.BAKE_STARTED: lambda was, event: was.baking(
        event.batch or 0, event.at, timedelta(seconds=event.data.get("seconds", 0))
    ),
    EventType.BAKED: lambda was, event: was.baked(event.batch or 0, event.at),
    EventType.PAUSED: lambda was, event: was.waits(event.at),
    EventType.APPROVAL_AWAITED: lambda was, event: was.waits(event.at),
    EventType.RESUMED: lambda was, event: was.goes_on(event.at),
    EventType.APPROVED: lambda was, event: was.goes_on(event.at),
    EventType.STOPPING: lambda was, event: was.ending(event.at),
    EventType.ROLLING_BACK: lambda was, event: was.turns_back(event.at),
    EventType.ROLL_BACK_PLANNED: lambda was, event: was.back_planned(
        event.at, event.data.get("first", 1), event.data.get("batches", 0)
    ),
}


def _verdict(row: Batch, event: Event) -> Batch:
    following = StageName.DISCARD if event.data.get("replace") else StageName.DETACH
    return _staged(replace(row, phase=Phase.HEALTHY, healthy_at=event.at), event, following)


def _not_judged(row: Batch, event: Event) -> Batch:
    return replace(_verdict(row, event), phase=Phase.NOT_JUDGED, judged=False)


def _again(row: Batch, event: Event) -> Batch:
    return _staged(replace(row, phase=Phase.PLANNED, round=row.round + 1), event, StageName.LAUNCH)


def _staged(row: Batch, event: Event, following: StageName | None) -> Batch:
    return replace(row, stages=turn(row.stages, event.at, following, row.round))


_ON_BATCH: dict[EventType, Callable[[Batch, Event], Batch]] = {
    EventType.BATCH_STARTED: lambda row, event: _staged(replace(row, started_at=event.at), event, StageName.LAUNCH),
    EventType.BATCH_LAUNCHED: lambda row, event: _staged(
        replace(row, phase=Phase.LAUNCHED, launched_at=event.at), event, StageName.HEALTH
    ),
    EventType.VM_RELAUNCHED: lambda row, event: replace(
        row, relaunched=(*row.relaunched, *event.data["vmIds"]), notes=row.notes + 1
    ),
    EventType.BATCH_HEALTHY: _verdict,
    EventType.BATCH_NOT_JUDGED: _not_judged,
    EventType.SICK_DISCARDED: _again,
    EventType.BATCH_DETACHED: lambda row, event: _staged(
        replace(row, phase=Phase.DETACHED, detached_at=event.at), event, StageName.DRAIN
    ),
    EventType.BATCH_TERMINATED: lambda row, event: _staged(
        replace(row, phase=Phase.TERMINATED, ended_at=event.at), event, None
    ),
    EventType.BATCH_FAILED: lambda row, event: _staged(
        replace(row, phase=Phase.FAILED, ended_at=event.at), event, None
    ),
}
