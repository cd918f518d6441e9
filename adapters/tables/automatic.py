"""The rows of deployments that start by themselves: when an image is published, and at the times of schedules."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from adapters.tables.records import Records
from rollout.model.codec import encode
from rollout.model.rows.notification import NotificationRecord
from rollout.model.rows.timer_run import TimerRun
from rollout.model.rows.tries import Try
from rollout.model.rows.wanted import Follower, WantedVersion
from rollout.model.schedule import ScheduleRun
from rollout.ports.keys import (
    NOTIFICATIONS,
    TIMERS,
    Key,
    encode_key,
    follower_key,
    notifications_before,
    rows_after,
    schedule_key,
    try_key,
    wanted_key,
)


class TableNotifications:
    """Notifications: all in one partition, newest first."""

    def __init__(self, records: Records[NotificationRecord]) -> None:
        self._records = records

    async def add(self, record: NotificationRecord) -> bool:
        return await self._records.add(Key(NOTIFICATIONS, record.key), record)

    async def get(self, key: str) -> NotificationRecord | None:
        return await self._records.get(Key(NOTIFICATIONS, key))

    async def change(self, key: str, change: Callable[[NotificationRecord], NotificationRecord]) -> NotificationRecord:
        return await self._records.change(Key(NOTIFICATIONS, key), change)

    async def newest(self, limit: int, after: str = "") -> tuple[NotificationRecord, ...]:
        return await self._records.readable(NOTIFICATIONS, rows_after(after) if after else None, limit)

    async def before(
        self, time: datetime, limit: int, but: Collection[str] = frozenset()
    ) -> tuple[NotificationRecord, ...]:
        found = await self._records.readable(NOTIFICATIONS, notifications_before(time), limit + len(but))
        return tuple(record for record in found if record.key not in but)[:limit]

    async def delete(self, key: str) -> None:
        await self._records.delete(Key(NOTIFICATIONS, key))


class TableWanted:
    """Wanted versions: those of a group in its partition, by notification."""

    def __init__(self, records: Records[WantedVersion]) -> None:
        self._records = records

    async def put(self, wanted: WantedVersion) -> None:
        key = wanted_key(wanted.group_id, wanted.notification)
        await self._records.put(key.partition, {key.row: wanted})

    async def list(self, group_id: str) -> tuple[WantedVersion, ...]:
        return await self._records.list(encode_key(group_id))

    async def delete(self, wanted: WantedVersion) -> None:
        await self._records.delete(wanted_key(wanted.group_id, wanted.notification))


class TableFollowers:
    """Followers: one row a group."""

    def __init__(self, records: Records[Follower]) -> None:
        self._records = records

    async def get(self, group_id: str) -> Follower | None:
        return await self._records.get(follower_key(group_id))

    async def swap(self, expected: Follower | None, follower: Follower) -> bool:
        key = follower_key(follower.group_id)
        if expected is None:
            return await self._records.add(key, follower)
        return await self._records.swap(key, lambda found: encode(found) == encode(expected), follower)


class TableScheduleRuns:
    """Runs of schedules: those of a group in its partition, by name."""

    def __init__(self, records: Records[ScheduleRun]) -> None:
        self._records = records

    async def get(self, group_id: str, name: str) -> ScheduleRun | None:
        return await self._records.get(schedule_key(group_id, name))

    async def list(self, group_id: str) -> tuple[ScheduleRun, ...]:
        return await self._records.readable(encode_key(group_id))

    async def swap(self, expected: ScheduleRun | None, run: ScheduleRun) -> bool:
        key = schedule_key(run.group_id, run.name)
        if expected is None:
            return await self._records.add(key, run)
        return await self._records.swap(key, lambda found: encode(found) == encode(expected), run)


class TableTries:
    """Tries: those of a scale set in its partition, by image version."""

    def __init__(self, records: Records[Try]) -> None:
        self._records = records

    async def get(self, scale_set_id: str, version_id: str) -> Try | None:
        return await self._records.get(try_key(scale_set_id, version_id))

    async def swap(self, expected: Try | None, row: Try) -> bool:
        key = try_key(row.scale_set_id, row.version_id)
        if expected is None:
            return await self._records.add(key, row)
        return await self._records.swap(key, lambda found: encode(found) == encode(expected), row)

    async def delete(self, row: Try) -> None:
        await self._records.delete(try_key(row.scale_set_id, row.version_id))

    async def all(self, limit: int) -> tuple[Try, ...]:
        return await self._records.scan(lambda row: True, limit)


class TableTimerRuns:
    """When each timer last ran: all in one partition."""

    def __init__(self, records: Records[TimerRun]) -> None:
        self._records = records

    async def put(self, run: TimerRun) -> None:
        await self._records.put(TIMERS, {run.name: run})

    async def list(self) -> tuple[TimerRun, ...]:
        return await self._records.readable(TIMERS)
