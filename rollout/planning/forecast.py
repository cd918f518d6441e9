"""How long a deployment will take: what batches of the group took before, else what is assumed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from rollout.model.expected import DELETING, DETACHING
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Batch
from rollout.model.rows.signals import longest_wait
from rollout.model.stages import StageName
from rollout.model.status import Phase
from rollout.model.words import counted
from rollout.planning.bakes import bakings
from rollout.planning.batches import BatchPlan

#: Assumed of the write of one VM of a Uniform set, where Azure may take these one at a time.
VM_WRITE = timedelta(seconds=40)


@dataclass(frozen=True)
class Forecast:
    """How long, and what that is taken from."""

    duration: timedelta
    basis: str


@dataclass(frozen=True)
class PastBatches:
    """A finished deployment: how its VMs were drained, and its batches."""

    draining_timeout: timedelta
    batches: tuple[Batch, ...]


def forecast(
    planned: BatchPlan,
    parameters: Parameters,
    past: Sequence[PastBatches],
    *,
    pools: bool = False,
    vm_writes: bool = False,
) -> Forecast:
    """The batches' time and the baking; waiting for people is not counted.

    Draining takes what this deployment gives it: of the past only the rest counts. ``past``: newest first. ``pools``:
    the set is behind some, so that green VMs that have to go are drained as well. ``vm_writes``: some of them are left
    by a write of each VM, which Azure may take one at a time.
    """
    baking = sum((one.time for one in bakings(len(planned.batches), parameters)), timedelta(0))
    each, basis = each_batch(parameters, past)
    leaving, pace = _leaving(planned, past) if vm_writes else (timedelta(0), "")
    duration = len(planned.batches) * each + baking + leaving
    return Forecast(duration, f"{basis}; {_rest(parameters)}{pace}{_if_green_go(parameters) if pools else ''}")


def _leaving(planned: BatchPlan, past: Sequence[PastBatches]) -> tuple[timedelta, str]:
    """How long VMs take to leave their pools one by one, by the newest deployment that knows; else what it may be."""
    vms = sum(len(batch.blue) for batch in planned.batches)
    each = next((pace for one in past if (pace := _learnt(one)) is not None), None)
    if each is None:
        longer = (vms * VM_WRITE).total_seconds()
        return timedelta(0), f"; up to {longer:.0f} s longer if Azure takes the writes of its VMs one at a time"
    if not each:
        return timedelta(0), ""
    return vms * each, f"; VMs leave their pools one by one, in {each.total_seconds():.0f} s each, as last time"


def _learnt(past: PastBatches) -> timedelta | None:
    """How long a VM takes to leave; zero where Azure took the writes side by side, ``None`` where there were none."""
    written = [batch for batch in past.batches if batch.vm_writes.left is not None and not batch.back]
    slow = [batch for batch in written if batch.vm_writes.refused and batch.blue]
    if not slow:
        return timedelta(0) if written else None
    return sum(map(_detaching, slow), timedelta(0)) / sum(batch.blue for batch in slow)


def _detaching(batch: Batch) -> timedelta:
    spans = [
        stage.ended_at - stage.started_at
        for stage in batch.stages
        if stage.name is StageName.DETACH and stage.ended_at is not None
    ]
    return sum(spans, timedelta(0))


def each_batch(parameters: Parameters, past: Sequence[PastBatches]) -> tuple[timedelta, str]:
    """How long one takes, and what that is taken from."""
    measured = [took for one in past for took in _without_draining(one)]
    if not measured:
        each, basis = _assumed(parameters)
        return each + parameters.draining_timeout, basis
    each = sum(measured, timedelta(0)) / len(measured)
    deployments = counted(sum(1 for one in past if any(_without_draining(one))), "finished deployment")
    basis = f"The mean of {counted(len(measured), 'batch')} of {deployments} of the group"
    return each + parameters.draining_timeout, basis


def _without_draining(past: PastBatches) -> Iterable[timedelta]:
    """What each batch took besides draining: launch, judgement, detaching, deletion.

    Without the detaching where that was one VM after the other: it is as long as the batch has VMs.
    """
    for batch in past.batches:
        if batch.back or batch.phase is not Phase.TERMINATED or batch.started_at is None or batch.ended_at is None:
            continue
        draining = max(past.draining_timeout, batch.gateway_draining) if batch.blue else timedelta(0)
        leaving = _detaching(batch) if batch.vm_writes.refused else timedelta(0)
        yield max(batch.ended_at - batch.started_at - draining - leaving, timedelta(0))


def _assumed(parameters: Parameters) -> tuple[timedelta, str]:
    """Green VMs that are judged are healthy after half the grace period; others wait for all of it."""
    waiting = parameters.grace_period / 2 if parameters.checked else parameters.grace_period
    share = "half the grace period" if parameters.checked else "the whole grace period"
    each = max(waiting, parameters.stable_for) + DETACHING + DELETING
    return each, f"No finished deployment to go by: assumed are {share} for a batch to become healthy, and 90 s more"


def _rest(parameters: Parameters) -> str:
    return f"with {parameters.draining_timeout.total_seconds():.0f} s of draining, and without waiting for people"


def _if_green_go(parameters: Parameters) -> str:
    """What is not counted, because all green VMs may be healthy."""
    longest = longest_wait(parameters.draining_timeout, parameters.signals).total_seconds()
    return (
        f"; a batch that fails, or whose sick VMs are replaced, takes up to {longest:.0f} s longer, or as long as its "
        "gateways drain: its green VMs are drained too"
    )
