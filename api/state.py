"""What the scale sets look like, at most a minute old."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollout.deployment import Problem
from rollout.errors import AzureError
from rollout.ports import Ports
from rollout.scale_set import ScaleSet

#: How long a reading is shown. Pages ask every few seconds, and Azure counts every read of a set against the
#: deployments' own (https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits).
AGE_MAX = timedelta(seconds=60)


@dataclass(frozen=True)
class State:
    """One reading of a scale set; ``problem`` is why there is no ``scale_set`` in it."""

    as_of: datetime
    scale_set: ScaleSet | None
    problem: Problem | None = None


class States:
    """The latest reading of each scale set, kept in this process: a restart costs one read a set, not a table.

    Errors are kept as long as successes, so that a throttled set is not asked at every look.
    """

    def __init__(self) -> None:
        self._latest: dict[str, State] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get(self, ports: Ports, scale_set_id: str) -> State:
        """The latest reading, or a new one where that is over ``AGE_MAX`` old. One caller reads, the others wait."""
        key = scale_set_id.lower()
        async with self._turns[key]:
            latest = self._latest.get(key)
            if latest is None or ports.clock.now() - latest.as_of >= AGE_MAX:
                latest = self._latest[key] = await _read(ports, scale_set_id)
            return latest

    def keep(self, scale_set_id: str, scale_set: ScaleSet, now: datetime) -> State:
        """Take in a reading that was made for another reason."""
        state = self._latest[scale_set_id.lower()] = State(now, scale_set)
        return state


async def _read(ports: Ports, scale_set_id: str) -> State:
    now = ports.clock.now()
    try:
        scale_set = await ports.scale_sets.read(scale_set_id)
    except AzureError as error:
        return State(now, None, Problem(error.code, error.message))
    problem = None if scale_set else Problem("scaleSetNotFound", f"There is no scale set {scale_set_id}")
    return State(now, scale_set, problem)
