"""When green VMs that are in service are watched for a while, and whether they stay healthy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from rollout.deployment import Canary, Parameters
from rollout.threshold import Threshold
from rollout.words import counted


@dataclass(frozen=True)
class Baking:
    """For how long the green VMs are watched once ``batch`` is replaced, and why, in words. No ``time``: not at all."""

    batch: int
    time: timedelta
    reason: str


def bakes_after(batch: int, of: int, back: bool, canary: Canary | None, bake_time: timedelta) -> Baking:
    """Decide whether the green VMs are watched after ``batch``, one ``of`` so many, and for how long.

    A ``canary`` is the first batch, and ``bake_time`` comes after the last. A canary that is both is watched once, for
    the longer of the two times.

    >>> five, ten = timedelta(minutes=5), timedelta(minutes=10)
    >>> [bakes_after(batch, 3, False, Canary(1, bake_time=five), ten).time // five for batch in (1, 2, 3)]
    [1, 0, 2]
    >>> bakes_after(1, 1, False, Canary(1, bake_time=five), ten).reason
    'the canary is the whole deployment, so it bakes once, for the longer of the two times'
    >>> bakes_after(0, 0, False, None, ten).reason
    'there is no batch to replace'
    >>> bakes_after(3, 3, True, None, ten).reason
    'nothing bakes while a deployment is rolled back'
    """
    if back:
        return Baking(batch, timedelta(0), "nothing bakes while a deployment is rolled back")
    if not of:
        return Baking(batch, timedelta(0), "there is no batch to replace")
    first = canary.bake_time if batch == 1 and canary is not None else timedelta(0)
    last = bake_time if batch == of else timedelta(0)
    if first and last:
        said = "the canary is the whole deployment, so it bakes once, for the longer of the two times"
        return Baking(batch, max(first, last), said)
    if first:
        return Baking(batch, first, "after the canary")
    return Baking(batch, last, "before the end" if last else f"no bakeTime was asked for after batch {batch}")


def bakings(batches: int, parameters: Parameters) -> tuple[Baking, ...]:
    """Each time that a deployment of so many batches watches its green VMs, on the way to its image.

    >>> [baking.batch for baking in bakings(3, Parameters("1.1.0", bake_time=timedelta(minutes=5)))]
    [3]
    """
    numbers = range(1, batches + 1)
    found = (bakes_after(number, batches, False, parameters.canary, parameters.bake_time) for number in numbers)
    return tuple(baking for baking in found if baking.time)


@dataclass(frozen=True)
class Bake:
    """How the green VMs do: whether the deployment ``passes``, and why, in words."""

    passes: bool
    reason: str
    healthy: int
    sick: int


def judge_bake(
    sick_for: Sequence[tuple[str, timedelta]], vms: int, poll_interval: timedelta, parameters: Parameters
) -> Bake:
    """Hold all the green VMs to the threshold that their batches were held to.

    ``sick_for``: the VMs that are not healthy, and for how long. One that was so at a single look does not count yet: a
    probe that once came late must not fail a deployment that is all but over.

    >>> judge_bake([], 4, timedelta(seconds=15), Parameters("1.1.0")).reason
    '4 of 4 VMs healthy'
    """
    sick = sorted(name for name, duration in sick_for if duration >= poll_interval)
    healthy = vms - len(sick)
    said = f"{healthy} of {counted(vms, 'VM')} healthy"
    if not sick:
        return Bake(True, said, healthy, 0)
    said += f"; not healthy: {', '.join(sick[:5])}" + (f" and {len(sick) - 5} more" if len(sick) > 5 else "")
    return Bake(Threshold.of(parameters).passes(healthy, vms), said, healthy, len(sick))
