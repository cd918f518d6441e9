"""How far what a deployment said of its end was from its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median, quantiles

from rollout.model.events import EventType, apply
from rollout.model.rows.deployment import Deployment, Event
from rollout.model.status import Status

#: By how many batches were done when it was said.
AT_THE_PLAN, LATER = "at the plan", "after a batch"

_ASKS = frozenset({EventType.PAUSED, EventType.APPROVAL_AWAITED})


@dataclass(frozen=True)
class ForecastError:
    """What was said, and what was so: how long it would still take, without waits for people."""

    when: str
    said: timedelta
    took: timedelta

    @property
    def percent(self) -> float:
        """By how much of the time that it took it was wrong."""
        return 100 * abs(self.said - self.took) / self.took


def forecast_errors(row: Deployment, events: Sequence[Event]) -> Iterator[ForecastError]:
    """What a deployment that finished had said when it was planned, and after each batch but the last."""
    if row.status is not Status.FINISHED or row.ended_at is None:
        return
    now = replace(row, status=Status.PENDING, sequence=0, expected=None)
    for event in events:
        now = apply(now, event, checked=False)
        when = {EventType.PLANNED: AT_THE_PLAN, EventType.BATCH_TERMINATED: LATER}.get(EventType(event.type))
        if when is None or now.expected is None or event.batch == row.number_of_batches:
            continue
        took = row.ended_at - event.at - _waits(events, event.at)
        if row.number_of_batches and took > timedelta(0):
            yield ForecastError(when, now.expected.end(event.at) - event.at, took)


def told(errors: Sequence[ForecastError]) -> str:
    """All of them in a line: ``at the plan 40 off by 12 % (nine in ten by less than 50 %)``."""
    by_when = {when: [one.percent for one in errors if one.when == when] for when in (AT_THE_PLAN, LATER)}
    return ", ".join(_told(when, percents) for when, percents in by_when.items() if percents) or "none"


def _told(when: str, percents: Sequence[float]) -> str:
    most = quantiles(percents, n=10)[-1] if len(percents) > 1 else percents[0]
    return f"{when} {len(percents)}, off by {median(percents):.0f} % (nine in ten by less than {most:.0f} %)"


def _waits(events: Sequence[Event], since: datetime) -> timedelta:
    """How long people were waited for after that."""
    waited, asked = timedelta(0), None
    for event in events:
        if event.at < since:
            continue
        if event.type in _ASKS:
            asked = event.at
        elif asked is not None:
            waited, asked = waited + (event.at - asked), None
    return waited
