"""The rows of deployments that wait for a scale set."""

from __future__ import annotations

from adapters.tables.records import Records
from rollout.model.rows.queue_entry import QueueEntry
from rollout.ports.keys import encode_key, queue_key


class TableQueue:
    """Queue entries: those of a scale set in its partition, by deployment."""

    def __init__(self, records: Records[QueueEntry]) -> None:
        self._records = records

    async def add(self, entry: QueueEntry) -> bool:
        return await self._records.add(queue_key(entry.scale_set_id, entry.deployment_id), entry)

    async def list(self, scale_set_id: str) -> tuple[QueueEntry, ...]:
        return await self._records.list(encode_key(scale_set_id.lower()))

    async def delete(self, scale_set_id: str, deployment_id: str) -> None:
        await self._records.delete(queue_key(scale_set_id, deployment_id))
