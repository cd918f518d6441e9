"""Table Storage for deployments that start by themselves. Every method may raise ``AzureError``."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Protocol

from rollout.model.rows.notification import NotificationRecord
from rollout.model.rows.timer_run import TimerRun
from rollout.model.rows.tries import Try
from rollout.model.rows.wanted import Follower, WantedVersion
from rollout.model.schedule import ScheduleRun


class Notifications(Protocol):
    """The notifications table: what Event Grid sent, and what each led to."""

    async def add(self, record: NotificationRecord) -> bool:
        """Add a row; false, and nothing changed, where there is one of that key."""
        ...

    async def get(self, key: str) -> NotificationRecord | None: ...

    async def change(self, key: str, change: Callable[[NotificationRecord], NotificationRecord]) -> NotificationRecord:
        """As ``Deployments.change``."""
        ...

    async def newest(self, limit: int, after: str = "") -> tuple[NotificationRecord, ...]:
        """The newest that can be read, newest first; where ``after`` is the key of one, those that follow it."""
        ...

    async def before(
        self, time: datetime, limit: int, but: Collection[str] = frozenset()
    ) -> tuple[NotificationRecord, ...]:
        """Some readable ones older than ``time``; not those whose keys are in ``but``, which take no place."""
        ...

    async def delete(self, key: str) -> None:
        """Remove the row; nothing happens where there is none."""
        ...


class WantedVersions(Protocol):
    """The wanted table: versions that are waited for, one row for each group and notification."""

    async def put(self, wanted: WantedVersion) -> None:
        """Add or replace the row."""
        ...

    async def list(self, group_id: str) -> tuple[WantedVersion, ...]:
        """Those of a group."""
        ...

    async def delete(self, wanted: WantedVersion) -> None:
        """Remove the row; nothing happens where there is none."""
        ...


class Followers(Protocol):
    """The followers table: one row a group, which outlives the group."""

    async def get(self, group_id: str) -> Follower | None: ...

    async def swap(self, expected: Follower | None, follower: Follower) -> bool:
        """Write ``follower`` if the row still is ``expected`` (``None``: there is no row); false where it is not."""
        ...


class ScheduleRuns(Protocol):
    """The schedule runs table: one row a schedule."""

    async def get(self, group_id: str, name: str) -> ScheduleRun | None: ...

    async def list(self, group_id: str) -> tuple[ScheduleRun, ...]:
        """Those of a group's schedules that can be read, also of former ones."""
        ...

    async def swap(self, expected: ScheduleRun | None, run: ScheduleRun) -> bool:
        """Write ``run`` if the row still is ``expected`` (``None``: there is no row); false where it is not."""
        ...


class Tries(Protocol):
    """The tries table: one row a scale set and image version (``rollout.automation.tries``)."""

    async def get(self, scale_set_id: str, version_id: str) -> Try | None:
        """The try; the case of both ids does not matter."""
        ...

    async def swap(self, expected: Try | None, row: Try) -> bool:
        """Write ``row`` if the row still is ``expected`` (``None``: there is no row); false where it is not."""
        ...

    async def delete(self, row: Try) -> None:
        """Remove the row; nothing happens where there is none."""
        ...

    async def all(self, limit: int) -> tuple[Try, ...]:
        """Readable ones of every scale set. It reads the table: for daily work only."""
        ...


class TimerRuns(Protocol):
    """The timers table: when each timer last ran to its end."""

    async def put(self, run: TimerRun) -> None: ...

    async def list(self) -> tuple[TimerRun, ...]:
        """Those that can be read."""
        ...
