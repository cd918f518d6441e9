"""The facts in a deployment's history, and how its rows follow from them.

A deployment's row and its batches' rows are folded from events: applying one twice, or late, changes nothing, because
each row remembers the last sequence number that it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any

from rollout.codec import decode
from rollout.deployment import Batch, Deployment, Event, Problem
from rollout.scale_set import ImageReference
from rollout.status import Phase, Status, may_follow


class EventType(StrEnum):
    """What can happen to a deployment. Each value's comment says what ``data`` holds."""

    PLANNED = "DeploymentPlanned"  # batches, blue, kept, inherited, otherImage, targetSize, previous
    IMAGE_APPLIED = "ImageApplied"
    STEP_RETRIED = "StepRetried"  # activity; setbacks: how often a step was tried again
    BATCH_STARTED = "BatchStarted"
    BATCH_LAUNCHED = "BatchLaunched"  # launched: green VMs
    BATCH_HEALTHY = "BatchHealthy"  # healthy, sick: green VMs
    SICK_DISCARDED = "SickGreenDiscarded"  # discarded: green VMs that will be replaced
    BATCH_DETACHED = "BatchDetached"  # detached, remaining: blue VMs; gatewayDraining: seconds
    BATCH_TERMINATED = "BatchTerminated"  # deleted: blue VMs; discarded: green ones
    BATCH_FAILED = "BatchFailed"  # code
    GREEN_DISCARDED = "GreenDiscarded"  # discarded: green VMs
    IMAGE_RESTORED = "ImageRestored"
    IMAGE_NOT_RESTORED = "ImageNotRestored"
    FINISHED = "DeploymentFinished"
    FAILED = "DeploymentFailed"  # code, settled


#: How much of a batch's work is behind it once a phase is reached.
_SHARE = {
    EventType.BATCH_STARTED: 0.0,
    EventType.BATCH_LAUNCHED: 0.25,
    EventType.BATCH_HEALTHY: 0.5,
    EventType.BATCH_DETACHED: 0.75,
    EventType.BATCH_TERMINATED: 1.0,
}


def apply(deployment: Deployment, event: Event) -> Deployment:
    """The deployment's row after the event; unchanged where it holds the event already, or has ended."""
    if event.sequence <= deployment.sequence or deployment.status.ended:
        return deployment
    kind = EventType(event.type)
    row = replace(deployment, sequence=event.sequence, reason=event.message)
    if kind in _SHARE and event.batch is not None:
        row = replace(row, current_batch=event.batch, progress=progress(event.batch, row.number_of_batches, kind))
    change = _ON_DEPLOYMENT.get(kind)
    changed = change(row, event, event.data) if change else row
    if not may_follow(deployment.status, changed.status):
        raise ValueError(f"a deployment that is {deployment.status} cannot become {changed.status}")
    return changed


def apply_to_batch(batch: Batch, event: Event) -> Batch:
    """The batch's row after the event; unchanged where it holds the event already."""
    if event.sequence <= batch.sequence:
        return batch
    row = replace(batch, sequence=event.sequence, reason=event.message)
    change = _ON_BATCH.get(EventType(event.type))
    return change(row, event) if change else row


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
        target_size=data["targetSize"],
        image=replace(row.image, previous=previous),
        settled=False,
    )


def _launched(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    return replace(row, green_vms=row.green_vms + data["launched"])


def _detached(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    return replace(row, remaining_blue=row.remaining_blue + data["remaining"])


def _terminated(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    return replace(row, blue_vms=row.blue_vms - data["deleted"], green_vms=row.green_vms - data["discarded"])


def _discarded(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    return replace(row, green_vms=max(0, row.green_vms - data["discarded"]))


def _finished(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    return replace(row, status=Status.FINISHED, ended_at=event.at, progress=100, settled=True)


def _failed(row: Deployment, event: Event, data: dict[str, Any]) -> Deployment:
    problem = Problem(data["code"], event.message)
    # A deployment that failed before it changed anything leaves the set as it found it.
    settled = row.settled or data["settled"]
    return replace(row, status=Status.FAILED, ended_at=event.at, error=problem, settled=settled)


_ON_DEPLOYMENT: dict[EventType, Callable[[Deployment, Event, dict[str, Any]], Deployment]] = {
    EventType.PLANNED: _planned,
    EventType.BATCH_LAUNCHED: _launched,
    EventType.BATCH_DETACHED: _detached,
    EventType.BATCH_TERMINATED: _terminated,
    EventType.SICK_DISCARDED: _discarded,
    EventType.GREEN_DISCARDED: _discarded,
    EventType.FINISHED: _finished,
    EventType.FAILED: _failed,
}

_ON_BATCH: dict[EventType, Callable[[Batch, Event], Batch]] = {
    EventType.BATCH_STARTED: lambda row, event: replace(row, started_at=event.at),
    EventType.BATCH_LAUNCHED: lambda row, event: replace(row, phase=Phase.LAUNCHED, launched_at=event.at),
    EventType.BATCH_HEALTHY: lambda row, event: replace(row, phase=Phase.HEALTHY, healthy_at=event.at),
    EventType.SICK_DISCARDED: lambda row, event: replace(row, phase=Phase.PLANNED, round=row.round + 1),
    EventType.BATCH_DETACHED: lambda row, event: replace(row, phase=Phase.DETACHED, detached_at=event.at),
    EventType.BATCH_TERMINATED: lambda row, event: replace(row, phase=Phase.TERMINATED, ended_at=event.at),
    EventType.BATCH_FAILED: lambda row, event: replace(row, phase=Phase.FAILED, ended_at=event.at),
}
