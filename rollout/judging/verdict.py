"""The judgement of a batch, with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from rollout.model.azure.health import Observation, VmHealth, worst
from rollout.model.threshold import Threshold
from rollout.model.words import counted

#: What was seen of one VM, with its name. A name is no key: a Uniform set gives that of a VM that is gone to a new one.
Observed = tuple[str, Sequence[Observation]]


class Verdict(StrEnum):
    """What is to be done with a batch: go on, give up, or look again."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    NOT_YET = "notYet"


@dataclass(frozen=True)
class Judgement:
    """The verdict, why, and how many of the planned green VMs are healthy."""

    verdict: Verdict
    reason: str
    healthy: int
    planned: int

    @property
    def sick(self) -> int:
        """How many of the planned green VMs are not healthy, those that do not exist included."""
        return self.planned - self.healthy


def judge(
    green: Sequence[Observed],
    planned: int,
    waited: timedelta,
    grace_period: timedelta,
    threshold: Threshold,
    checked: bool,
    stable_for: timedelta = timedelta(0),
    steady: timedelta = timedelta(0),
) -> Judgement:
    """Judge a batch whose launch settled ``waited`` ago. ``green`` holds the observations of each green VM.

    * All healthy, and so for ``stable_for`` (``steady`` is how long nothing changed): the batch is healthy, at once.
      With no health check (``checked`` false) only at the end, and it is said that they run, not how they do.
    * The grace period is not over: not yet.
    * Over: the healthy share of the *planned* VMs decides, by the threshold.

    Of 2 planned, 1 healthy: 50 % asked passes, 51 % fails. Of 3 planned of which 1 was never created, 2 healthy: 66 %.
    """
    healthy = sum(1 for _, observations in green if worst(observations).health is VmHealth.HEALTHY)
    over = waited >= grace_period
    if not checked and over:
        return _unjudged(green, healthy, planned, grace_period)
    said = f"{healthy} of {counted(planned, 'green VM')} healthy"
    if healthy >= planned and (over or (checked and steady >= stable_for)):
        return Judgement(Verdict.HEALTHY, said, healthy, planned)
    if not over:
        waiting = _waiting(healthy, planned, checked, stable_for - steady)
        return Judgement(Verdict.NOT_YET, waiting, healthy, planned)
    arithmetic = f"{said} after {round(grace_period.total_seconds())} s, {threshold.words(healthy, planned)}"
    if threshold.passes(healthy, planned):
        return Judgement(Verdict.HEALTHY, arithmetic, healthy, planned)
    return Judgement(Verdict.UNHEALTHY, f"{arithmetic} ({_worst_vms(green, planned)})", healthy, planned)


def _unjudged(green: Sequence[Observed], running: int, planned: int, grace_period: timedelta) -> Judgement:
    """What is said where nothing tells whether the VMs work: as long as one runs, the deployment goes on.

    For each that does not run a blue VM stays, so that as many serve.
    """
    said = f"no health check, waited {round(grace_period.total_seconds())} s"
    if running >= planned:
        runs = "runs" if planned == 1 else "run"
        return Judgement(Verdict.HEALTHY, f"{counted(planned, 'green VM')} {runs}; {said}", running, planned)
    verdict = Verdict.HEALTHY if Threshold(None).passes(running, planned) else Verdict.UNHEALTHY
    reason = f"{running} of {counted(planned, 'green VM')} run; {said} ({_worst_vms(green, planned)})"
    return Judgement(verdict, reason, running, planned)


def _waiting(healthy: int, planned: int, checked: bool, unsteady: timedelta) -> str:
    if not checked:
        return "no health check: waiting for the end of the grace period"
    if healthy >= planned:
        wait = round(unsteady.total_seconds())
        if planned == 1:
            return f"1 green VM healthy: waiting {wait} s more for it to stay so"
        return f"all {planned} green VMs healthy: waiting {wait} s more for them to stay so"
    return f"waiting for {planned - healthy} of {counted(planned, 'green VM')} to become healthy"


def _name(observed: Observed) -> str:
    return observed[0]


def _worst_vms(green: Sequence[Observed], planned: int) -> str:
    """The first few sick VMs with the source that decided: ``web_10: applicationHealth unhealthy``."""
    sick = [
        f"{name}: {observation.source} {observation.detail}"
        for name, observation in ((name, worst(observations)) for name, observations in sorted(green, key=_name))
        if observation.health is not VmHealth.HEALTHY
    ]
    if missing := planned - len(green):
        sick.append(f"{missing} never created")
    return "; ".join(sick[:3]) + (f"; and {len(sick) - 3} more" if len(sick) > 3 else "")
