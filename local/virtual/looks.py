"""Which looks at a set's VMs the app takes: a list that an activity read, and the moment when it has answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, cast
from weakref import WeakKeyDictionary

from local.clock import PlatformClock
from rollout.model.azure.scale_set import VmList
from rollout.ports.azure import ScaleSets

#: Hears of a deployment that it has looked, and when it read the list.
Watcher = Callable[[str, datetime], Awaitable[None]]


class LooksOfActivities:
    """The looks of all activities. ``watchers``, by the id of a scale set in small letters, hear of each."""

    def __init__(self, clock: PlatformClock) -> None:
        self.watchers: dict[str, Watcher] = {}
        self._clock = clock
        self._lists: WeakKeyDictionary[asyncio.Task[Any], tuple[str, datetime]] = WeakKeyDictionary()

    def through(self, scale_sets: ScaleSets) -> ScaleSets:
        """The same scale sets; what is listed of them is noticed."""
        return cast(ScaleSets, _Noticing(scale_sets, self.listed))

    def listed(self, scale_set_id: str) -> None:
        """Notice that the task of now has read a list."""
        if self.watchers and (task := asyncio.current_task()):
            self._lists[task] = (scale_set_id.lower(), self._clock.now())

    async def answered(self, data: str) -> None:
        """The activity of the task of now, which was given ``data``, has answered: hand on what it has looked at."""
        task = asyncio.current_task()
        found = self._lists.pop(task, None) if task else None
        if found is None or not (watcher := self.watchers.get(found[0])):
            return
        if deployment_id := json.loads(data).get("deploymentId"):
            await watcher(deployment_id, found[1])


class _Noticing:
    def __init__(self, scale_sets: ScaleSets, listed: Callable[[str], None]) -> None:
        self._scale_sets = scale_sets
        self._listed = listed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scale_sets, name)

    async def list_vms(self, scale_set_id: str, share_min: float = 0.0) -> VmList:
        found = await self._scale_sets.list_vms(scale_set_id, share_min)
        self._listed(scale_set_id)
        return found
