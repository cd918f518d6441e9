"""What is old enough to be forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

#: Purging many histories at once times out (https://github.com/Azure/azure-functions-durable-extension/issues/1145), so
#: it goes by days. This many days are looked at again each time, for runs that were missed.
DAYS_AGAIN = 14

#: Before Teal. The SDK cannot send ``datetime.min`` (https://github.com/Azure/azure-functions-durable-python/issues/370).
LONG_AGO = timedelta(days=3650)

#: A request with an idempotency key is remembered for longer than the day that is promised.
REQUESTS_KEPT = timedelta(days=2)

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """A span of time, from ``start`` to ``end``."""

    start: datetime
    end: datetime


def spans_to_purge(now: datetime, kept: timedelta) -> tuple[Span, ...]:
    """When the orchestrations were begun whose histories go: the oldest first, and all that is older as one span."""
    last = now - kept
    return tuple(_spans(last))


def _spans(last: datetime) -> Iterator[Span]:
    first_day = last - DAYS_AGAIN * _DAY
    yield Span(last - LONG_AGO, first_day)
    for number in range(DAYS_AGAIN):
        yield Span(first_day + number * _DAY, first_day + (number + 1) * _DAY)
