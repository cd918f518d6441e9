"""How many VMs served when, read from the log of VMs: the checker of what must never get worse.

A VM serves while it runs, its application is healthy and it is not being deleted, whatever any probe reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby

from local.azure.cloud import Cloud
from local.azure.resources import VmChange


def serving_counts(cloud: Cloud, scale_set_id: str) -> list[tuple[datetime, int]]:
    """The number of serving VMs of a set from each time at which a VM of it changed; one count per time."""
    return [(time, len(serving)) for time, serving, _ in _history(cloud, scale_set_id)]


class ServingChecker:
    """Holds a set to a floor: the VMs that served when the checker was made, or ``floor``."""

    def __init__(self, cloud: Cloud, scale_set_id: str, floor: int | None = None) -> None:
        self._cloud = cloud
        self._scale_set_id = scale_set_id
        self._since = cloud.clock.now()
        counts = serving_counts(cloud, scale_set_id)
        self.floor = floor if floor is not None else (counts[-1][1] if counts else 0)

    def violations(self) -> list[str]:
        """Every time since then at which fewer served, with what changed at that time, in words."""
        return [
            f"{time.isoformat()}: {len(serving)} VMs served, {self.floor} have to: {_words(changes)}"
            for time, serving, changes in _history(self._cloud, self._scale_set_id)
            if time >= self._since and len(serving) < self.floor
        ]


def _history(cloud: Cloud, scale_set_id: str) -> Iterator[tuple[datetime, frozenset[str], list[VmChange]]]:
    serving: frozenset[str] = frozenset()
    changes = [change for change in cloud.changes if change.scale_set.lower() == scale_set_id.lower()]
    for time, group in groupby(changes, key=lambda change: change.time):
        at_once = list(group)
        for change in at_once:
            serving = serving | {change.vm_id} if change.state == "serving" else serving - {change.vm_id}
        yield time, serving, at_once


def _words(changes: Iterable[VmChange]) -> str:
    return ", ".join(f"{change.name} is {change.state}" for change in changes)
