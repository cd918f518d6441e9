"""``/deployments`` and ``/groups/{groupId}/deployments``: which deployments there were, and are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain

from api.contract.page_sizes import PAGE
from api.handlers.lookup import find_group
from api.handlers.overview import overviews
from api.handlers.rendering import render_reference
from api.transport.http import Answer, Request
from api.transport.idempotency import checked
from api.transport.paging import Page, first, position, refuse_token
from api.transport.query import query_integer, query_time, query_words
from rollout.model.group import Group
from rollout.model.names import deployment_id as make_id
from rollout.model.names import parse_deployment_id
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.keyed_request import start_scope
from rollout.model.rows.unreadable import UnreadableRow, readable, unreadable
from rollout.model.status import Status
from rollout.ports.keys import deployment_key
from rollout.ports.ports import Ports
from services.readable_groups import readable_groups

#: A deployment, or what is told of one whose row cannot be read.
ListedRow = Deployment | UnreadableRow

#: The name of both lists of deployments, in tokens.
DEPLOYMENTS = "deployments"

#: How many rows a page of one image's deployments looks at, before it leaves the rest to the next.
ROWS_MAX = 1000

#: The last time to which a second can be added.
LAST_TIME = datetime(9999, 12, 31, 23, 59, 58, tzinfo=UTC)


@dataclass(frozen=True)
class WantedDeployments:
    """Which deployments are asked for; an empty part asks for all."""

    statuses: frozenset[str]
    after: datetime | None
    before: datetime | None
    image: str

    @classmethod
    def by(cls, request: Request) -> WantedDeployments:
        """What the query says."""
        image = request.query.get("image", "").casefold()
        after, before = query_time(request, "createdAfter"), query_time(request, "createdBefore")
        return cls(query_words(request, "status", list(Status)), after, before, image)

    def holds(self, row: ListedRow) -> bool:
        """Whether the deployment is one of them; one that cannot be read may be."""
        if isinstance(row, UnreadableRow):
            return not self.passed(row) and (self.before is None or _created_at(row) < self.before)
        return (
            (not self.statuses or row.status in self.statuses)
            and not self.passed(row)
            and (self.before is None or row.created_at < self.before)
            and (not self.image or self.image in _images(row))
        )

    def passed(self, row: ListedRow) -> bool:
        """Whether it, and all that follow it in a list, are too old."""
        return self.after is not None and _created_at(row) <= self.after

    def begins(self, position: str, group_id: str) -> str:
        """After which deployment of the group to begin, where the list is asked for after ``position``."""
        if self.before is None:
            return _of_group(position, group_id)
        newest = make_id(group_id, min(self.before, LAST_TIME) + timedelta(seconds=1), "ffffff")
        after = _of_group(position, group_id)
        return max(newest, after, key=_age) if after else newest


async def list_group_deployments(ports: Ports, request: Request) -> Answer:
    """The newest deployments of one group, newest first."""
    return await _listed(ports, request, [await find_group(ports, request)])


async def list_deployments(ports: Ports, request: Request) -> Answer:
    """The newest deployments of all groups, newest first; of one image a page may have fewer than asked."""
    return await _listed(ports, request, await readable_groups(ports))


async def _listed(ports: Ports, request: Request, groups: Sequence[Group]) -> Answer:
    """A page ends where one of the groups may have more, and a group's part of it is 100 at most."""
    wanted, after = WantedDeployments.by(request), _position(request)
    limit = query_integer(request, "limit", 1, PAGE) or PAGE
    if (key := request.query.get("key")) is not None:
        started = await asyncio.gather(*(_started_with(ports, group.id, checked(key, "key")) for group in groups))
        return await _shown(ports, first(list(filter(wanted.holds, _by_age(started, after))), limit, _id))
    seen, end = await _newest(ports, groups, wanted, after, limit)
    found = first(list(filter(wanted.holds, seen)), limit, _id)
    more = replace(found, after=seen[-1].id) if end is not None and seen and not found.after else found
    return await _shown(ports, more)


async def _shown(ports: Ports, page: Page[ListedRow]) -> Answer:
    shown = await overviews(ports, readable(page.items))
    return Answer(200, page.answer(DEPLOYMENTS, shown, unreadable(page.items)))


async def _newest(
    ports: Ports, groups: Sequence[Group], wanted: WantedDeployments, after: str, limit: int
) -> tuple[list[ListedRow], tuple[str, str] | None]:
    """The newest rows of all groups, ``limit`` of them where there are, and up to where; ``None``: these are all.

    Each group is read in small pieces, and on only where its next rows may be among those. Storage passes over rows of
    other statuses itself. It knows nothing of images: of those, no more than ``ROWS_MAX`` or so are looked at.
    """
    size, read = min(PAGE, (ROWS_MAX if wanted.image else limit) // max(1, len(groups)) + 2), 0
    parts: dict[str, list[ListedRow]] = {group.id: [] for group in groups}
    unread, reading = set(parts), sorted(parts)
    while True:
        starts = [parts[each][-1].id if parts[each] else wanted.begins(after, each) for each in reading]
        places = zip(reading, starts, strict=True)
        looks = [ports.store.deployments.listed(each, size, start, wanted.statuses) for each, start in places]
        for each, page in zip(reading, await asyncio.gather(*looks), strict=True):
            parts[each] += page
            read += len(page)
            if len(page) < size or wanted.passed(page[-1]):
                unread.remove(each)
        ends = {each: _age(parts[each][-1].id) for each in unread}
        end = min(ends.values(), default=None)
        rows = _by_age(chain(*parts.values()), after)
        seen = [row for row in rows if end is None or _age(row.id) <= end]
        found = [_age(row.id) for row in filter(wanted.holds, rows)][:limit]
        last = found[-1] if len(found) == limit else None
        if end is None or (last is not None and last <= end):
            return seen, end
        last = last or max(ends.values())
        reading, size = [each for each, reached in sorted(ends.items()) if reached <= last], min(PAGE, 2 * size)
        if wanted.image and read + size * len(reading) > ROWS_MAX:
            return seen, end


def _images(row: Deployment) -> frozenset[str]:
    """By what the image that a deployment moves to may be asked for."""
    pinned = row.image.pinned
    names = (row.image.requested, pinned.label, render_reference(pinned))
    return frozenset(name.casefold() for name in names if name)


def _position(request: Request) -> str:
    after = position(request, DEPLOYMENTS)
    if after and deployment_key(after) is None:
        raise refuse_token()
    return after


async def _started_with(ports: Ports, group_id: str, key: str) -> Deployment | None:
    """The deployment of the group that was started with the key, if one was."""
    request = await ports.store.requests.get(start_scope(group_id), key)
    return await ports.store.deployments.get(request.starts) if request is not None and request.starts else None


def _by_age(rows: Iterable[ListedRow | None], after: str) -> list[ListedRow]:
    """Those that are there and come later in the list, newest first."""
    found = sorted((row for row in rows if row is not None), key=lambda row: _age(row.id))
    return [row for row in found if not after or _age(row.id) > _age(after)]


def _id(row: ListedRow) -> str:
    return row.id


def _created_at(row: ListedRow) -> datetime:
    if isinstance(row, Deployment):
        return row.created_at
    name = parse_deployment_id(row.id)
    return name.at if name is not None else LAST_TIME


def _age(deployment_id: str) -> tuple[str, str]:
    """The order of a list of deployments: that of their rows, newest first, whatever their groups."""
    key = deployment_key(deployment_id)
    assert key is not None, "a row has the id of a deployment"
    return key.row, key.partition


def _of_group(deployment_id: str, group_id: str) -> str:
    """The same place in another group, to go on after; one step earlier, for a row of the very same time and token."""
    name = parse_deployment_id(deployment_id)
    if name is None:
        return ""
    if token := int(name.token, 16):
        return make_id(group_id, name.at, f"{token - 1:06x}")
    return make_id(group_id, min(name.at, LAST_TIME) + timedelta(seconds=1), "ffffff")
