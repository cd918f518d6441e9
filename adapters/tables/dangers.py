"""The rows of what stands between scale sets and order."""

from __future__ import annotations

from adapters.tables.records import Records
from rollout.model.rows.danger import DangerRecord
from rollout.ports.keys import DANGERS, danger_key, dangers_of


class TableDangers:
    """Dangers: all in one partition, those of a scale set together."""

    def __init__(self, records: Records[DangerRecord]) -> None:
        self._records = records

    async def get(self, scale_set_id: str, code: str) -> DangerRecord | None:
        return await self._records.get(danger_key(scale_set_id, code))

    async def put(self, danger: DangerRecord) -> None:
        key = danger_key(danger.scale_set_id, danger.code)
        await self._records.put(key.partition, {key.row: danger})

    async def delete(self, scale_set_id: str, code: str) -> None:
        await self._records.delete(danger_key(scale_set_id, code))

    async def list(self, scale_set_id: str | None = None) -> tuple[DangerRecord, ...]:
        return await self._records.readable(DANGERS, dangers_of(scale_set_id) if scale_set_id is not None else None)
