"""Table Storage for forgetting what is old. Every method may raise ``AzureError``."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Protocol

from rollout.model.rows.deployment import Deployment
from rollout.model.rows.keyed_request import KeyedRequest
from rollout.model.rows.lock import Lock
from rollout.model.rows.signals import Signal
from rollout.model.rows.wanted import Follower
from rollout.model.schedule import ScheduleRun


class Archive(Protocol):
    """All tables at once, for what is forgotten after a time. The answers come in no particular order.

    Rows that cannot be read stay, whatever they are.
    """

    async def ended_before(
        self, time: datetime, limit: int, but: Collection[str] = frozenset()
    ) -> tuple[Deployment, ...]:
        """Deployments of any group, whether or not it is still there, that ended before ``time``; not those of ``but``.

        What is not wanted does not count against the limit.
        """
        ...

    async def forget(self, deployment_id: str) -> None:
        """Remove all that is kept of a deployment, its own row last."""
        ...

    async def asked_before(
        self, time: datetime, limit: int, but: Collection[tuple[str, str]] = frozenset()
    ) -> tuple[KeyedRequest, ...]:
        """Requests with an idempotency key that were made before ``time``, but those that are ``lasting``.

        Nor those whose scope and key are in ``but``, which do not count against the limit.
        """
        ...

    async def forget_request(self, scope: str, key: str) -> None:
        """Remove the row of a request."""
        ...

    async def forget_signals(self, wanted: Callable[[Signal], bool], limit: int) -> int:
        """Remove at most ``limit`` of those that are ``wanted``; how many there were. One written meanwhile stays."""
        ...

    async def forget_schedule_runs(self, wanted: Callable[[ScheduleRun], bool], limit: int) -> int: ...
    async def forget_followers(self, wanted: Callable[[Follower], bool], limit: int) -> int: ...
    async def forget_locks(self, wanted: Callable[[Lock], bool], limit: int) -> int: ...
