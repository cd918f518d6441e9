"""What a deployment took, counted from the simulated Azure's log of VMs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from local.azure.cloud import Cloud
from local.azure.serving import serving_counts


@dataclass(frozen=True)
class Level:
    """From ``at`` on, since the deployment was asked for, so many VMs."""

    at: timedelta
    vms: int


@dataclass(frozen=True)
class Figures:
    """Two curves over a deployment: the VMs that served, and those that there were. Each begins at 0."""

    serving: tuple[Level, ...]
    existing: tuple[Level, ...]
    length: timedelta

    @property
    def serving_before(self) -> int:
        """How many VMs served when it was asked for."""
        return self.serving[0].vms

    @property
    def serving_least(self) -> int:
        """The fewest that served at any time."""
        return min(level.vms for level in self.serving)

    @property
    def surge(self) -> int:
        """How many VMs more than at first there were at most."""
        return max(level.vms for level in self.existing) - self.existing[0].vms

    @property
    def surge_hours(self) -> float:
        """The VM-hours beyond those of the VMs that were there at first."""
        ends = [*(level.at for level in self.existing[1:]), max(self.length, self.existing[-1].at)]
        before = self.existing[0].vms
        more = [
            max(0, level.vms - before) * (end - level.at).total_seconds()
            for level, end in zip(self.existing, ends, strict=True)
        ]
        return sum(more) / 3600


def figures(cloud: Cloud, scale_set_id: str, since: datetime, until: datetime) -> Figures:
    """The figures of a set between two times."""
    served = [(time, count) for time, count in serving_counts(cloud, scale_set_id) if time <= until]
    return Figures(_levels(served, since), _levels(_existing(cloud, scale_set_id, until), since), until - since)


def _existing(cloud: Cloud, scale_set_id: str, until: datetime) -> list[tuple[datetime, int]]:
    """How many VMs there were from each time at which one came or went."""
    changes = [
        change for change in cloud.changes if change.scale_set.lower() == scale_set_id.lower() and change.time <= until
    ]
    there: set[str] = set()
    counts = []
    for time, at_once in groupby(changes, key=lambda change: change.time):
        for change in at_once:
            if change.state == "gone":
                there.discard(change.vm_id)
            else:
                there.add(change.vm_id)
        counts.append((time, len(there)))
    return counts


def _levels(counts: Sequence[tuple[datetime, int]], since: datetime) -> tuple[Level, ...]:
    """The curve since a time; what was so by then is where it begins."""
    before = [count for time, count in counts if time <= since]
    levels = [Level(timedelta(), before[-1] if before else 0)]
    for time, count in counts:
        if time > since and count != levels[-1].vms:
            levels.append(Level(time - since, count))
    return tuple(levels)
