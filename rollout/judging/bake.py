"""Watch whether green VMs that are in service stay healthy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from rollout.model.parameters import Parameters
from rollout.model.threshold import Threshold
from rollout.model.words import counted


@dataclass(frozen=True)
class BakeVerdict:
    """How the green VMs do: whether the deployment ``passes``, and why, in words."""

    passes: bool
    reason: str
    healthy: int
    sick: int


def judge_bake(
    sick_for: Sequence[tuple[str, timedelta]], vms: int, poll_interval: timedelta, parameters: Parameters
) -> BakeVerdict:
    """Hold all the green VMs to the threshold that their batches were held to.

    ``sick_for``: the VMs that are not healthy, and for how long. One that was so at a single look does not count yet: a
    probe that once came late must not fail a deployment that is all but over.

    >>> judge_bake([], 4, timedelta(seconds=15), Parameters("1.1.0")).reason
    '4 of 4 VMs running, no health check'
    """
    sick = sorted(name for name, duration in sick_for if duration >= poll_interval)
    healthy = vms - len(sick)
    good, bad = ("healthy", "not healthy") if parameters.checked else ("running, no health check", "not running")
    said = f"{healthy} of {counted(vms, 'VM')} {good}"
    if not sick:
        return BakeVerdict(True, said, healthy, 0)
    said += f"; {bad}: {', '.join(sick[:5])}" + (f" and {len(sick) - 5} more" if len(sick) > 5 else "")
    return BakeVerdict(Threshold.of(parameters).passes(healthy, vms), said, healthy, len(sick))
