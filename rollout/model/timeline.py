"""Time as a recipe counts it: what passes while nobody looks counts for nothing, and it never runs backwards.

A recipe sees the clock when it goes on. Where that is much later than it had planned, the app was away, or the clock
was set ahead: then nobody watched, and no time-out may have come nearer. Where the clock was set back, time goes on
from where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

#: How late a timer or an answer may be while all goes well: queues are polled, and a process may have to start first.
TOLERANCE = timedelta(minutes=2)

#: How long an activity may run: ``functionTimeout`` of host.json, or less.
LONGEST_LOOK = timedelta(minutes=10)

#: So many standstills are remembered one by one; the oldest of more are taken together.
MOST_REMEMBERED = 12

#: Of a standstill nothing counts, but if there was only one look since the last one: an app that is always late must
#: come to an end, too.
_LOOKS_BETWEEN = 2


@dataclass(frozen=True)
class Standstill:
    """Time in which nobody looked, up to ``at``. It does not count for what began before."""

    since: datetime
    at: datetime

    @property
    def lost(self) -> timedelta:
        """How long it was."""
        return self.at - self.since


@dataclass(frozen=True)
class Timeline:
    """How far time has come. ``at`` is the time that is shown, ``clock`` what the clock said then.

    ``looks``: how many there were since the last standstill, as far as that matters.
    """

    at: datetime
    clock: datetime
    standstills: tuple[Standstill, ...] = ()
    looks: int = _LOOKS_BETWEEN

    @classmethod
    def begin(cls, now: datetime) -> Timeline:
        """The timeline of what begins now."""
        return cls(now, now)

    @property
    def resumed(self) -> bool:
        """Whether nobody has looked since a standstill."""
        return self.looks == 0

    def moved(self, now: datetime, planned: timedelta = timedelta(0)) -> Timeline:
        """The timeline when the clock says ``now``, and it was ``planned`` to be there so long after the last time.

        >>> noon = datetime(2026, 11, 23, 12)
        >>> later = Timeline.begin(noon).moved(noon + timedelta(hours=1), planned=timedelta(seconds=15))
        >>> str(later.at), str(watched(noon, later.at, later.standstills))
        ('2026-11-23 13:00:00', '0:00:00')
        """
        passed = now - self.clock
        if passed < timedelta(0):
            return replace(self, at=self.at + planned, clock=now)
        if passed <= planned + TOLERANCE:
            return replace(self, at=self.at + passed, clock=now)
        counts = planned if self.looks == 1 else timedelta(0)
        return replace(self._without(now, self.at + counts), looks=0)

    def blind(self, now: datetime) -> Timeline:
        """The timeline when the clock says ``now``, and nobody meant to look meanwhile."""
        return self._without(now, self.at)

    def _without(self, now: datetime, since: datetime) -> Timeline:
        """The timeline in which nobody looked from ``since`` up to ``now``."""
        at, known = max(now, since), self.standstills
        if known and known[-1].at == since:
            since, known = known[-1].since, known[:-1]
        return replace(self, at=at, clock=now, standstills=_remembered((*known, Standstill(since, at))))

    def looked(self) -> Timeline:
        """The timeline after a look."""
        return replace(self, looks=min(self.looks + 1, _LOOKS_BETWEEN))


def watched(since: datetime, at: datetime, standstills: Sequence[Standstill]) -> timedelta:
    """How much of the time from ``since`` to ``at`` somebody looked."""
    lost = sum((one.lost for one in standstills if one.at > since), timedelta(0))
    return max(at - since - lost, timedelta(0))


def _remembered(standstills: tuple[Standstill, ...]) -> tuple[Standstill, ...]:
    """The same; of too many the first two as one that ends with the second: what began between them counts less."""
    if len(standstills) <= MOST_REMEMBERED:
        return standstills
    first, second, *others = standstills
    return (Standstill(second.since - first.lost, second.at), *others)
