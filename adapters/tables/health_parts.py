"""The rows of what the parts of a look have read."""

from __future__ import annotations

from adapters.tables.records import Records
from rollout.model.rows.health_part import HealthPart
from rollout.ports.errors import Unreadable
from rollout.ports.keys import Key, encode_key, health_part_row, rows_of_batch


class TableHealthParts:
    """Parts: a deployment's in its partition, by batch and number."""

    def __init__(self, records: Records[HealthPart]) -> None:
        self._records = records

    async def keep(self, deployment_id: str, part: HealthPart) -> bool:
        key = Key(encode_key(deployment_id), health_part_row(part.batch, part.number))
        while True:
            try:
                kept = await self._records.change(key, lambda row: part if part.at >= row.at else row)
            except KeyError:
                if await self._records.add(key, part):
                    return True
            except Unreadable:
                await self._records.put(key.partition, {key.row: part})
                return True
            else:
                return kept is part

    async def list(self, deployment_id: str, batch: int) -> tuple[HealthPart, ...]:
        return await self._records.readable(encode_key(deployment_id), rows_of_batch(batch))
