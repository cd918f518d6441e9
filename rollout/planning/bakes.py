"""After which batches green VMs that are in service are watched for a while, and for how long."""

from __future__ import annotations

from datetime import timedelta

from rollout.model.choices import Canary
from rollout.model.order import BakePeriod
from rollout.model.parameters import Parameters


def bakes_after(batch: int, of: int, back: bool, canary: Canary | None, bake_time: timedelta) -> BakePeriod:
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
        return BakePeriod(batch, timedelta(0), "nothing bakes while a deployment is rolled back")
    if not of:
        return BakePeriod(batch, timedelta(0), "there is no batch to replace")
    first = canary.bake_time if batch == 1 and canary is not None else timedelta(0)
    last = bake_time if batch == of else timedelta(0)
    if first and last:
        said = "the canary is the whole deployment, so it bakes once, for the longer of the two times"
        return BakePeriod(batch, max(first, last), said)
    if first:
        return BakePeriod(batch, first, "after the canary")
    return BakePeriod(batch, last, "before the end" if last else f"no bakeTime was asked for after batch {batch}")


def bakings(batches: int, parameters: Parameters) -> tuple[BakePeriod, ...]:
    """Each time that a deployment of so many batches watches its green VMs, on the way to its image.

    >>> [baking.batch for baking in bakings(3, Parameters("1.1.0", bake_time=timedelta(minutes=5)))]
    [3]
    """
    numbers = range(1, batches + 1)
    found = (bakes_after(number, batches, False, parameters.canary, parameters.bake_time) for number in numbers)
    return tuple(baking for baking in found if baking.time)
