"""Forget what is old, and what nobody has any more, page by page until nothing is left of it.

A page is of rows that can go: what must stay takes no place in it. What a night does not get through is left to the
next, and told. Azure Storage deletes no history by itself, and a status query slows down with every instance.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rollout.automation.tries import images_of, without_version
from rollout.lifecycle.retention import REQUESTS_KEPT, SIGNALS_KEPT, InUse, Ties, kept_by, spans_to_purge
from rollout.model.azure.scale_set import ImageReference
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.keyed_request import KeyedRequest, start_scope
from rollout.model.rows.tries import Try
from rollout.ports.errors import AzureError, Unreadable
from rollout.ports.ports import Ports
from services.images.tries import remember_try
from services.predecessor import predecessor_of
from services.queue import leave

#: How many rows are looked for at a time.
PAGE = 1000

#: How long a night's work may take at most: well within what host.json gives a function.
LASTS = timedelta(minutes=20)

#: Tries stay as long as their versions, so one run looks at so many.
TRIES_MAX = 50_000

#: Deletions that are under way together.
CONCURRENT_DELETIONS = 50

_log = logging.getLogger("teal")


@dataclass
class _Night:
    """One run: until when it goes on to a further page, how large one is, and what it has left, in words."""

    ports: Ports
    until: datetime
    page: int
    left: list[str]

    @property
    def is_over(self) -> bool:
        return self.ports.clock.now() >= self.until

    @contextmanager
    def part(self, what: str) -> Iterator[None]:
        """A part that does not get through keeps no other from its turn."""
        try:
            yield
        except AzureError as error:
            _log.warning("The purge of %s did not get through, and goes on tomorrow: %s", what, error)
            self.left.append(f"{what}: {error.code}")

    async def pages(self, what: str, forget_page: Callable[[], Awaitable[int]]) -> None:
        """Forget page after page until one is not full, or the night is over; one page at least."""
        gone = 0
        with self.part(what):
            while (found := await forget_page()) >= self.page:
                gone += found
                if self.is_over:
                    self.left.append(f"{what}: more than a night's work")
                    break
            else:
                gone += found
        if gone:
            _log.info("Looked at %s %s that are old enough to go", gone, what)


async def purge(
    ports: Ports, *, history: timedelta, rows: timedelta, page: int = PAGE, lasts: timedelta = LASTS
) -> tuple[str, ...]:
    """Forget histories older than ``history``, and what ended longer than ``rows`` ago; what was left, in words."""
    now = ports.clock.now()
    night = _Night(ports, now + lasts, page, [])
    with night.part("histories"):
        await _purge_histories(ports, now, history)
    with night.part("deployments"):
        groups, holds = await ports.store.groups.list(), await ports.store.holds.list()
        used = InUse.of(groups, holds)
        await night.pages("deployments", _Deployments(night, used, now, now - rows).forget_page)
        await _purge_leftovers(night, used, now, rows)
    with night.part("notifications"):
        await _purge_notifications(night, now - history)
    await night.pages("requests", _Requests(night, now - REQUESTS_KEPT).forget_page)
    with night.part("tries"):
        await _purge_tries(night)
    return tuple(night.left)


async def _purge_histories(ports: Ports, now: datetime, kept: timedelta) -> None:
    for span in spans_to_purge(now, kept):
        deleted = await ports.instances.purge(span.start, span.end)
        if deleted:
            _log.info("Purged %s histories begun before %s", deleted, span.end)


@dataclass
class _Deployments:
    """Deployments that ended before a time. What is ``kept`` all the same keeps nothing else from going."""

    night: _Night
    used: InUse
    now: datetime
    before: datetime
    kept: dict[str, str] = field(default_factory=dict)

    async def forget_page(self) -> int:
        store, used = self.night.ports.store, self.used
        rows = await store.archive.ended_before(self.before, self.night.page, self.kept.keys())
        for row in rows:
            if reason := await self._reason_to_keep(row):
                self.kept[row.id] = reason
            else:
                await _forget(self.night.ports, row, is_used=used.needs_set(row.scale_set_id))
        return len(rows)

    async def _reason_to_keep(self, row: Deployment) -> str:
        """Why the row stays; empty where nothing needs it. A row that cannot be read may need it."""
        try:
            return kept_by(row, await _ties(self.night.ports, row, self.used), self.now)
        except Unreadable as error:
            return error.message


async def _ties(ports: Ports, row: Deployment, used: InUse) -> Ties:
    newest = await ports.store.deployments.listed(row.group_id, 1) if row.group_id in used.groups else ()
    wanted = used.needs_set(row.scale_set_id)
    last = await predecessor_of(ports, row.group_id, row.scale_set_id) if wanted else None
    return Ties(
        newest=newest[0].id if newest else "",
        last=last.id if last is not None else "",
        lock=await ports.store.locks.get(row.scale_set_id),
        hold=await ports.store.holds.get(row.scale_set_id),
    )


async def _forget(ports: Ports, row: Deployment, *, is_used: bool) -> None:
    if is_used:
        await remember_try(ports, row)
    if row.idempotency_key:
        await ports.store.archive.forget_request(start_scope(row.group_id), row.idempotency_key)
    if row.queued_at is not None:
        await leave(ports, row)
    await ports.store.archive.forget(row.id)


async def _purge_leftovers(night: _Night, used: InUse, now: datetime, rows: timedelta) -> None:
    """What deleted groups, and former schedules, have left: it goes when their deployments go."""
    before, archive, page = now - rows, night.ports.store.archive, night.page
    parts: tuple[tuple[str, Callable[[], Awaitable[int]]], ...] = (
        ("schedules", lambda: archive.forget_schedule_runs(lambda r: r.at < before and not used.needs_run(r), page)),
        (
            "followers",
            lambda: archive.forget_followers(lambda f: f.since < before and f.group_id not in used.groups, page),
        ),
        ("locks", lambda: archive.forget_locks(lambda lock: lock.since < before and not used.needs_lock(lock), page)),
        (
            "signals",
            lambda: archive.forget_signals(lambda s: s.received_at < now - max(rows, SIGNALS_KEPT), page),
        ),
    )
    for what, forget_page in parts:
        await night.pages(what, forget_page)
    for state in await night.ports.store.group_states.list():
        if state.group_id not in used.groups:
            await night.ports.store.group_states.delete(state.group_id)
    for danger in await night.ports.store.dangers.list():
        if danger.since < before and not used.needs_set(danger.scale_set_id):
            await night.ports.store.dangers.delete(danger.scale_set_id, danger.code)
    for one in await night.ports.store.tries.all(TRIES_MAX):
        if one.at < before and not used.needs_set(one.scale_set_id):
            await night.ports.store.tries.delete(one)


async def _purge_notifications(night: _Night, before: datetime) -> None:
    """Those of which no version is waited for any more."""
    store = night.ports.store
    waiting = {
        wanted.notification for group in await store.groups.list() for wanted in await store.wanted.list(group.id)
    }

    async def forget_page() -> int:
        old = await store.notifications.before(before, night.page, waiting)
        for start in range(0, len(old), CONCURRENT_DELETIONS):
            part = old[start : start + CONCURRENT_DELETIONS]
            await asyncio.gather(*(store.notifications.delete(record.key) for record in part))
        return len(old)

    await night.pages("notifications", forget_page)


@dataclass
class _Requests:
    """Requests of before a time. Where the answer to a start was lost, the deployment may be there all the same."""

    night: _Night
    before: datetime
    kept: set[tuple[str, str]] = field(default_factory=set)

    async def forget_page(self) -> int:
        archive = self.night.ports.store.archive
        old = await archive.asked_before(self.before, self.night.page, self.kept)
        for start in range(0, len(old), CONCURRENT_DELETIONS):
            await asyncio.gather(*map(self._forget, old[start : start + CONCURRENT_DELETIONS]))
        return len(old)

    async def _forget(self, request: KeyedRequest) -> None:
        store = self.night.ports.store
        if request.starts and await store.deployments.get(request.starts) is not None:
            self.kept.add((request.scope, request.key))
        else:
            await store.archive.forget_request(request.scope, request.key)


async def _purge_tries(night: _Night) -> None:
    """What was tried goes with its version. An image that is not found keeps its tries: it may be back tomorrow."""
    tries = await night.ports.store.tries.all(TRIES_MAX)
    for image_id in images_of(tries):
        with night.part(f"the tries of {image_id}"):
            await _purge_tries_of(night.ports, image_id, tries)


async def _purge_tries_of(ports: Ports, image_id: str, tries: Sequence[Try]) -> None:
    versions = await ports.images.list_versions(ImageReference(id=image_id))
    gone = without_version(tries, image_id, [version.name for version in versions]) if versions is not None else ()
    for one in gone:
        await ports.store.tries.delete(one)
    if gone:
        _log.info("Forgot the tries of %s versions of %s that are gone", len(gone), image_id)
