"""How long a deployment will take: what batches of the group took before, else what is assumed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from rollout.model.expected import DELETING, DETACHING
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Batch
from rollout.model.rows.signals import longest_wait
from rollout.model.status import Phase
from rollout.model.words import counted
from rollout.planning.bakes import bakings
from rollout.planning.batches import BatchPlan


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


def forecast(planned: BatchPlan, parameters: Parameters, past: Sequence[PastBatches], pools: bool = False) -> Forecast:
    """The batches' time and the baking; waiting for people is not counted.

    Draining takes what this deployment gives it: of the past only the rest counts. ``pools``: the set is behind some,
    so that green VMs that have to go are drained as well.
    """
    baking = sum((one.time for one in bakings(len(planned.batches), parameters)), timedelta(0))
    each, basis = each_batch(parameters, past)
    duration = len(planned.batches) * each + baking
    return Forecast(duration, f"{basis}; {_rest(parameters)}{_if_green_go(parameters) if pools else ''}")


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
    """What each batch took besides draining: launch, judgement, detaching, deletion."""
    for batch in past.batches:
        if batch.back or batch.phase is not Phase.TERMINATED or batch.started_at is None or batch.ended_at is None:
            continue
        draining = max(past.draining_timeout, batch.gateway_draining) if batch.blue else timedelta(0)
        yield max(batch.ended_at - batch.started_at - draining, timedelta(0))


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
