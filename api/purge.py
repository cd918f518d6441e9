"""Forget what is old: orchestrations' histories, deployments, notifications, and requests with an idempotency key.

Azure Storage deletes no history by itself, and a status query slows down with every instance that is kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from rollout.errors import AzureError
from rollout.ports import Ports
from rollout.retention import REQUESTS_KEPT, spans_to_purge

#: What one run removes at most; the next day goes on.
DEPLOYMENTS_MAX = 1000
REQUESTS_MAX = 5000
#: A subscription without a filter tells of every write in its scope.
NOTIFICATIONS_MAX = 50_000

#: Deletions that are under way together.
CONCURRENT_DELETIONS = 50

_log = logging.getLogger("teal")


async def purge(ports: Ports, *, history: timedelta, rows: timedelta) -> None:
    """Forget histories older than ``history``, and deployments that ended longer than ``rows`` ago."""
    now = ports.clock.now()
    with _goes_on_tomorrow("histories"):
        await _purge_histories(ports, now, history)
    with _goes_on_tomorrow("deployments"):
        await _purge_deployments(ports, now - rows)
    with _goes_on_tomorrow("notifications"):
        await _purge_notifications(ports, now - history)
    with _goes_on_tomorrow("requests"):
        await _purge_requests(ports, now - REQUESTS_KEPT)


@contextmanager
def _goes_on_tomorrow(what: str) -> Iterator[None]:
    try:
        yield
    except AzureError as error:
        _log.warning("The purge of %s did not get through, and goes on tomorrow: %s", what, error)


async def _purge_histories(ports: Ports, now: datetime, kept: timedelta) -> None:
    for span in spans_to_purge(now, kept):
        deleted = await ports.instances.purge(span.start, span.end)
        if deleted:
            _log.info("Purged %s histories begun before %s", deleted, span.end)


async def _purge_deployments(ports: Ports, before: datetime) -> None:
    """A group's newest deployment stays: the next one follows it, and may inherit from it."""
    gone = 0
    for row in await ports.store.archive.ended_before(before, DEPLOYMENTS_MAX):
        newest = await ports.store.deployments.newest(row.group_id, 1)
        if newest and newest[0].id != row.id:
            await ports.store.archive.forget(row.id)
            gone += 1
    if gone:
        _log.info("Forgot %s deployments that ended before %s", gone, before)


async def _purge_notifications(ports: Ports, before: datetime) -> None:
    old = await ports.store.notifications.before(before, NOTIFICATIONS_MAX)
    for start in range(0, len(old), CONCURRENT_DELETIONS):
        part = old[start : start + CONCURRENT_DELETIONS]
        await asyncio.gather(*(ports.store.notifications.delete(record.key) for record in part))
    if old:
        _log.info("Forgot %s notifications from before %s", len(old), before)


async def _purge_requests(ports: Ports, before: datetime) -> None:
    old = await ports.store.archive.asked_before(before, REQUESTS_MAX)
    for request in old:
        await ports.store.archive.forget_request(request.scope, request.key)
    if old:
        _log.info("Forgot %s requests with an idempotency key from before %s", len(old), before)
