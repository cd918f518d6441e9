"""One look at what a set's VMs run, for whoever asks whether it needs a roll: nothing is changed."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from datetime import timedelta

from rollout.judging.roll_needed import roll_needed
from rollout.model.azure.roll_needed import RollNeeded
from rollout.model.azure.scale_set import PublishedVersion, ScaleSet, VmList
from rollout.model.image_rule import ImageRule
from rollout.model.rows.deployment import Problem
from rollout.ports.errors import AzureError, Busy
from rollout.ports.ports import Ports
from services.images.bad_image import known_bad
from services.images.version import newest_wanted

#: A look takes at most a tenth of what Azure gives back into the bucket of a Uniform set's lists, 10 requests a minute
#: (``rollout.model.azure.scale_set.VmList``): the rest is for deployments.
PER_REQUEST = timedelta(seconds=60)

#: How many VMs a page of a list is taken to hold where the list failed, and its pages were not counted.
VMS_PER_PAGE = 100


@dataclass(frozen=True)
class RollLook:
    """What was seen. ``pause``: how long nobody is to look again. ``problem``: why it is not known, or not in full."""

    needed: RollNeeded | None
    pause: timedelta
    problem: Problem | None = None
    listed: VmList | None = None


async def look_at_roll(ports: Ports, scale_set: ScaleSet, rule: ImageRule | None) -> RollLook:
    """List the set's VMs, and the versions of the rule's image where there is a rule that is on, at the same time.

    Azure's errors become the ``problem``. Where only the rule's image could not be read, the rest is known.
    """
    as_of = ports.clock.now()
    listed, newest, danger = await asyncio.gather(
        _list(ports, scale_set), _newest(ports, scale_set, rule), known_bad(ports, scale_set)
    )
    if isinstance(listed, AzureError):
        return RollLook(None, _pause_after(listed, scale_set), _problem(listed))
    known = newest if not isinstance(newest, AzureError) else None
    problem = _problem(newest) if isinstance(newest, AzureError) else None
    needed = roll_needed(as_of, scale_set, listed.vms, known, danger)
    return RollLook(needed, listed.requests * PER_REQUEST, problem, listed)


async def _list(ports: Ports, scale_set: ScaleSet) -> VmList | AzureError:
    try:
        return await ports.scale_sets.list_vms(scale_set.id)
    except AzureError as error:
        return error


async def _newest(ports: Ports, scale_set: ScaleSet, rule: ImageRule | None) -> PublishedVersion | AzureError | None:
    if rule is None or not rule.enabled:
        return None
    try:
        return await newest_wanted(ports.images, rule, scale_set.place)
    except AzureError as error:
        return error


def _pause_after(error: AzureError, scale_set: ScaleSet) -> timedelta:
    """As long as after a list that succeeded: it may have failed at its last page."""
    asked = error.retry_after if isinstance(error, Busy) else None
    return max(max(1, math.ceil(scale_set.capacity / VMS_PER_PAGE)) * PER_REQUEST, asked or timedelta(0))


def _problem(error: AzureError) -> Problem:
    return Problem(error.code, error.message)
