"""Forget what is old: orchestrations' histories, deployments, notifications, and requests with an idempotency key.

Azure Storage deletes no history by itself, and a status query slows down with every instance that is kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from rollout.automation.tries import images_of, without_version
from rollout.lifecycle.retention import REQUESTS_KEPT, Ties, kept_by, spans_to_purge
from rollout.model.azure.scale_set import ImageReference
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.keyed_request import start_scope
from rollout.model.rows.tries import Try
from rollout.ports.errors import AzureError
from rollout.ports.ports import Ports
from services.predecessor import predecessor_of
from services.queue import leave
from services.tries import remember_try

#: What one run removes at most; the next day goes on.
DEPLOYMENTS_MAX = 1000
REQUESTS_MAX = 5000
#: A subscription without a filter tells of every write in its scope.
NOTIFICATIONS_MAX = 50_000
#: Tries stay as long as their versions, so one run looks at so many.
TRIES_MAX = 50_000

#: Deletions that are under way together.
CONCURRENT_DELETIONS = 50

_log = logging.getLogger("teal")


async def purge(ports: Ports, *, history: timedelta, rows: timedelta, most: int = DEPLOYMENTS_MAX) -> None:
    """Forget histories older than ``history``, and ``most`` deployments that ended longer than ``rows`` ago."""
    now = ports.clock.now()
    with _goes_on_tomorrow("histories"):
        await _purge_histories(ports, now, history)
    with _goes_on_tomorrow("deployments"):
        await _purge_deployments(ports, now, now - rows, most)
    with _goes_on_tomorrow("notifications"):
        await _purge_notifications(ports, now - history)
    with _goes_on_tomorrow("requests"):
        await _purge_requests(ports, now - REQUESTS_KEPT)
    with _goes_on_tomorrow("tries"):
        await _purge_tries(ports)


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


async def _purge_deployments(ports: Ports, now: datetime, before: datetime, most: int) -> None:
    """What is kept all the same is passed over, so that it keeps nothing else from going."""
    gone = 0
    kept: dict[str, str] = {}
    while gone < most:
        rows = await ports.store.archive.ended_before(before, most - gone, kept.keys())
        reasons = {row.id: kept_by(row, await _ties(ports, row), now) for row in rows}
        kept |= {row_id: reason for row_id, reason in reasons.items() if reason}
        for row in rows:
            if row.id not in kept:
                await _forget(ports, row)
                gone += 1
        if not any(reasons.values()):
            break
    if gone or kept:
        _log.info("Forgot %s deployments that ended before %s, and kept %s", gone, before, len(kept))


async def _ties(ports: Ports, row: Deployment) -> Ties:
    newest = await ports.store.deployments.newest(row.group_id, 1)
    last = await predecessor_of(ports, row.group_id, row.scale_set_id)
    return Ties(
        newest=newest[0].id if newest else row.id,
        last=last.id if last is not None else "",
        lock=await ports.store.locks.get(row.scale_set_id),
        hold=await ports.store.holds.get(row.scale_set_id),
    )


async def _forget(ports: Ports, row: Deployment) -> None:
    await remember_try(ports, row)
    if row.idempotency_key:
        await ports.store.archive.forget_request(start_scope(row.group_id), row.idempotency_key)
    if row.queued_at is not None:
        await leave(ports, row)
    await ports.store.archive.forget(row.id)


async def _purge_notifications(ports: Ports, before: datetime) -> None:
    old = await ports.store.notifications.before(before, NOTIFICATIONS_MAX)
    for start in range(0, len(old), CONCURRENT_DELETIONS):
        part = old[start : start + CONCURRENT_DELETIONS]
        await asyncio.gather(*(ports.store.notifications.delete(record.key) for record in part))
    if old:
        _log.info("Forgot %s notifications from before %s", len(old), before)


async def _purge_requests(ports: Ports, before: datetime) -> None:
    old = await ports.store.archive.asked_before(before, REQUESTS_MAX)
    gone = 0
    for request in old:
        # Where the answer to a start was lost, the deployment may be there all the same.
        if not request.starts or await ports.store.deployments.get(request.starts) is None:
            await ports.store.archive.forget_request(request.scope, request.key)
            gone += 1
    if gone:
        _log.info("Forgot %s requests with an idempotency key from before %s", gone, before)


async def _purge_tries(ports: Ports) -> None:
    """What was tried goes with its version. An image that is not found keeps its tries: it may be back tomorrow."""
    tries = await ports.store.tries.all(TRIES_MAX)
    for image_id in images_of(tries):
        with _goes_on_tomorrow(f"the tries of {image_id}"):
            await _purge_tries_of(ports, image_id, tries)


async def _purge_tries_of(ports: Ports, image_id: str, tries: Sequence[Try]) -> None:
    versions = await ports.images.list_versions(ImageReference(id=image_id))
    gone = without_version(tries, image_id, [version.name for version in versions]) if versions is not None else ()
    for one in gone:
        await ports.store.tries.delete(one)
    if gone:
        _log.info("Forgot the tries of %s versions of %s that are gone", len(gone), image_id)
