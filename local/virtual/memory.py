"""Table Storage in memory: for virtual time, where there are no sockets, so no Azurite.

Only the tables are a stand-in; what lies above them (``adapters.tables``) is what production runs. The tests in
``tests/contract`` hold these tables to the same promises as Azurite's.

Each operation happens at once, but after giving way to whatever else is ready, so that two racers meet here as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from itertools import islice

from adapters.tables.store import store_over
from adapters.tables.table import ANY, Columns, Row, Where
from rollout.ports.errors import Busy
from rollout.ports.keys import Key, KeyRange
from rollout.ports.store import Store


def memory_store() -> Store:
    """A new, empty store in memory."""
    return store_over(lambda name: MemoryTable())


class MemoryTable:
    """One table in memory: rows by partition and row key. ETags are the numbers of the writes.

    ``takes_writes``: not while it is out of order.
    """

    def __init__(self) -> None:
        self.takes_writes = True
        self._partitions: dict[str, dict[str, Row]] = {}
        self._writes = 0

    async def get(self, key: Key) -> Row | None:
        await asyncio.sleep(0)
        return self._partitions.get(key.partition, {}).get(key.row)

    async def insert(self, key: Key, columns: Columns) -> bool:
        await self._ready()
        if key.row in self._partitions.get(key.partition, {}):
            return False
        self._write(key, columns)
        return True

    async def replace(self, key: Key, columns: Columns, etag: str) -> bool:
        await self._ready()
        row = self._partitions.get(key.partition, {}).get(key.row)
        if row is None or row.etag != etag:
            return False
        self._write(key, columns)
        return True

    async def put(self, partition: str, rows: Mapping[str, Columns]) -> None:
        await self._ready()
        for row, columns in rows.items():
            self._write(Key(partition, row), columns)

    async def list(
        self, partition: str, within: KeyRange | None, limit: int | None, where: Where = ANY
    ) -> tuple[Row, ...]:
        await asyncio.sleep(0)
        rows = self._partitions.get(partition, {})
        keys = sorted(key for key in rows if within is None or within.start <= key < within.end)
        found = (rows[key] for key in keys)
        wanted = (row for row in found if all(row.columns.get(name) in texts for name, texts in where.items()))
        return tuple(islice(wanted, limit))

    async def since(self, partition: str, mark: str) -> tuple[tuple[Row, ...], str]:
        await asyncio.sleep(0)
        rows = self._partitions.get(partition, {})
        found = [row for row in rows.values() if f"{int(row.etag):020}" > mark]
        return tuple(found), max([mark, *(f"{int(row.etag):020}" for row in found)])

    async def delete(self, key: Key) -> None:
        await asyncio.sleep(0)
        self._partitions.get(key.partition, {}).pop(key.row, None)

    async def scan(self, within: KeyRange | None, wanted: Callable[[Row], bool], limit: int) -> tuple[Row, ...]:
        found: list[Row] = []
        for partition in sorted(self._partitions):
            found += filter(wanted, await self.list(partition, within, None))
        return tuple(found[:limit])

    async def sweep(self, wanted: Callable[[Row], bool], limit: int) -> int:
        await asyncio.sleep(0)
        found = [(part, key) for part, rows in self._partitions.items() for key, row in rows.items() if wanted(row)]
        for partition, key in found[:limit]:
            del self._partitions[partition][key]
        return len(found[:limit])

    async def clear(self, partition: str) -> None:
        await asyncio.sleep(0)
        self._partitions.pop(partition, None)

    def rows(self) -> dict[Key, Columns]:
        """All rows, in the order of their keys."""
        return {
            Key(partition, key): row.columns
            for partition, rows in sorted(self._partitions.items())
            for key, row in sorted(rows.items())
        }

    async def _ready(self) -> None:
        await asyncio.sleep(0)
        if not self.takes_writes:
            raise Busy("ServerBusy", "Table Storage is out of order")

    def _write(self, key: Key, columns: Columns) -> None:
        self._writes += 1
        self._partitions.setdefault(key.partition, {})[key.row] = Row(columns, str(self._writes), key.row)
