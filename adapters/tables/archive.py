"""Forget what is old, over all tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from adapters.tables.records import Records
from adapters.tables.table import Table, TableMaker
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.keyed_request import KeyedRequest
from rollout.model.rows.lock import Lock
from rollout.model.rows.signals import Signal
from rollout.model.rows.wanted import Follower
from rollout.model.schedule import ScheduleRun
from rollout.ports.keys import deployment_key, deployments_before, encode_key, request_key

#: The tables in which a deployment has a partition of its own.
PARTS = ("Vms", "Batches", "Intents", "Evidence", "HealthParts", "Commands", "Events")


def archive_over(tables: TableMaker) -> TableArchive:
    """The archive in the tables that ``tables`` makes."""
    return TableArchive(
        Records(tables("Deployments"), Deployment),
        Records(tables("Requests"), KeyedRequest),
        [tables(name) for name in PARTS],
        signals=Records(tables("Signals"), Signal),
        schedule_runs=Records(tables("ScheduleRuns"), ScheduleRun),
        followers=Records(tables("Followers"), Follower),
        locks=Records(tables("Locks"), Lock),
    )


class TableArchive:
    """Old rows, found by reading whole tables."""

    def __init__(
        self,
        deployments: Records[Deployment],
        requests: Records[KeyedRequest],
        parts: Sequence[Table],
        *,
        signals: Records[Signal],
        schedule_runs: Records[ScheduleRun],
        followers: Records[Follower],
        locks: Records[Lock],
    ) -> None:
        self._deployments = deployments
        self._requests = requests
        self._parts = parts
        self._signals = signals
        self._schedule_runs = schedule_runs
        self._followers = followers
        self._locks = locks

    async def ended_before(
        self, time: datetime, limit: int, but: Collection[str] = frozenset()
    ) -> tuple[Deployment, ...]:
        def wanted(row: Deployment) -> bool:
            return row.ended_at is not None and row.ended_at < time and row.id not in but

        return await self._deployments.scan(wanted, limit, deployments_before(time))

    async def forget(self, deployment_id: str) -> None:
        """The events go late, so that what is there for people to read is whole as long as it can be."""
        for table in self._parts:
            await table.clear(encode_key(deployment_id))
        key = deployment_key(deployment_id)
        if key is not None:
            await self._deployments.delete(key)

    async def asked_before(
        self, time: datetime, limit: int, but: Collection[tuple[str, str]] = frozenset()
    ) -> tuple[KeyedRequest, ...]:
        def wanted(request: KeyedRequest) -> bool:
            return request.at < time and not request.lasting and (request.scope, request.key) not in but

        return await self._requests.scan(wanted, limit)

    async def forget_request(self, scope: str, key: str) -> None:
        await self._requests.delete(request_key(scope, key))

    async def forget_signals(self, wanted: Callable[[Signal], bool], limit: int) -> int:
        return await self._signals.sweep(wanted, limit)

    async def forget_schedule_runs(self, wanted: Callable[[ScheduleRun], bool], limit: int) -> int:
        return await self._schedule_runs.sweep(wanted, limit)

    async def forget_followers(self, wanted: Callable[[Follower], bool], limit: int) -> int:
        return await self._followers.sweep(wanted, limit)

    async def forget_locks(self, wanted: Callable[[Lock], bool], limit: int) -> int:
        return await self._locks.sweep(wanted, limit)
