"""The promise that nothing ends by time in which nobody looked, by when the host ran and not by what Teal counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from local.virtual import Absence
from local.virtual.checkers.watched import WatchedSet
from rollout.model.events import EventType
from rollout.model.rows.deployment import Deployment, Event
from rollout.model.rows.signals import certain_wait

#: A shorter absence may lie within a wait that was meant: where Azure is busy, a look is put off for five minutes.
SHORT = timedelta(minutes=7)

#: For so long a person still finds the door open that was to be shut while the app was away.
DOOR_OPEN = timedelta(minutes=5)

#: Less is no sooner: an absence is measured when the host has stopped, and is back.
_MOMENT = timedelta(seconds=1)

_ASKS = (EventType.APPROVAL_AWAITED, EventType.PAUSED)

_HEALTHY = (EventType.BATCH_HEALTHY, EventType.BATCH_NOT_JUDGED)

#: How long VMs may take that are to leave their pools, or to be deleted, by the code of the failure.
_CODES = {"vmsNotDetached": timedelta(minutes=30), "vmsNotDeleted": timedelta(hours=1)}


@dataclass(frozen=True)
class _Limit:
    """At an ``end`` so much time is over since the last of the events ``since``."""

    end: Event
    since: tuple[EventType, ...]
    least: timedelta


async def only_watched_time_counts(watched: WatchedSet) -> list[str]:
    """The first look after an absence of the app ends nothing by time alone, and no time-out counts the absence.

    A clock that is set ahead is an absence, too. A deployment during which it was set back is left out, as the times of
    its events are none of the clock's.
    """
    platform = watched.platform
    jumps = [Absence(before, after) for before, after in platform.host_clock.steps]
    absences = [one for one in (*platform.absences, *jumps) if one.lasted > SHORT]
    back = [one.begin for one in jumps if one.lasted < timedelta(0)]
    found = []
    for row in await watched.rows() if absences else ():
        events = await platform.events(row.id)
        if not events or any(_spans(events, at) for at in back):
            continue
        found += [f"{row.id}: {words}" for words in _too_early(row, events, absences)]
    return found


def _too_early(row: Deployment, events: Sequence[Event], absences: Sequence[Absence]) -> Iterator[str]:
    """The ends of a deployment's history that came before somebody had looked for long enough."""
    for limit in _limits(row, events):
        end = limit.end
        begin = max((one.at for one in events if one.type in limit.since and one.sequence < end.sequence), default=None)
        away = [one for one in absences if begin is not None and begin <= one.begin and one.end <= end.at]
        # An app that is always late must come to an end, too.
        if begin is None or any(later.begin - earlier.end < SHORT for earlier, later in pairwise(sorted(away))):
            continue
        present = end.at - begin - sum((one.lasted for one in away), timedelta(0))
        if away and present < limit.least - _MOMENT:
            yield f"{end.type} came after {present} in which the app ran, and {limit.least} are asked ({end.message})"
    for event in events:
        if "nobody answered within" in event.message:
            asked = max(one.at for one in events if one.type in _ASKS and one.sequence < event.sequence)
            back = [one for one in absences if asked < one.end <= event.at < one.end + DOOR_OPEN - _MOMENT]
            yield from (f"{event.type} came {event.at - one.end} after an absence: {event.message}" for one in back)


def _limits(row: Deployment, events: Sequence[Event]) -> Iterator[_Limit]:
    """The ends of a deployment's history that time alone brought, or that may not come before a time is over."""
    asked, baking = row.parameters, timedelta(0)
    for event in events:
        if event.type == EventType.BAKE_STARTED:
            baking = timedelta(seconds=event.data["seconds"])
        elif event.type == EventType.BAKED:
            yield _Limit(event, (EventType.BAKE_STARTED, EventType.RESUMED), baking)
        elif event.type == EventType.BATCH_TERMINATED and event.data.get("deleted"):
            yield _Limit(event, _HEALTHY, certain_wait(asked.draining_timeout, asked.signals))
        elif event.type in (*_HEALTHY, EventType.BATCH_FAILED):
            code = str(event.data.get("code", ""))
            if f" after {round(asked.grace_period.total_seconds())} s" in event.message:
                yield _Limit(event, (EventType.BATCH_LAUNCHED, EventType.RESUMED), asked.grace_period)
            elif code in _CODES:
                since = (*_HEALTHY, EventType.BATCH_DETACHED)
                yield _Limit(event, since if code == "vmsNotDeleted" else _HEALTHY, _CODES[code])


def _spans(events: Sequence[Event], at: datetime) -> bool:
    return events[0].at <= at <= events[-1].at
