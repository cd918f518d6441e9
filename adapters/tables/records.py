"""A table whose rows are values of one kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from adapters.tables.columns import from_columns, to_columns
from adapters.tables.table import NAME, Row, Table
from rollout.model.codec import encode
from rollout.ports.errors import Busy
from rollout.ports.keys import Key, KeyRange

T = TypeVar("T")

#: How many times in a row a change may lose the race for its row.
MOST_LOST_RACES = 30


class Records(Generic[T]):
    """The rows of ``table`` as values of ``kind``."""

    def __init__(self, table: Table, kind: type[T]) -> None:
        self._table = table
        self._kind = kind

    async def get(self, key: Key) -> T | None:
        row = await self._table.get(key)
        return None if row is None else from_columns(self._kind, row.columns)

    async def add(self, key: Key, value: T) -> bool:
        """Add a row; false, and nothing changed, where there is one."""
        return await self._table.insert(key, to_columns(value))

    async def put(self, partition: str, values: Mapping[str, T]) -> None:
        """Add or replace rows of one partition, by row key."""
        await self._table.put(partition, {row: to_columns(value) for row, value in values.items()})

    async def list(self, partition: str, within: KeyRange | None = None, limit: int | None = None) -> tuple[T, ...]:
        """A partition's values in the order of their row keys; a limit below 1 leaves none."""
        if limit is not None and limit < 1:
            return ()
        rows = await self._table.list(partition, within, limit)
        return tuple(from_columns(self._kind, row.columns) for row in rows)

    async def since(self, partition: str, mark: str) -> tuple[tuple[T, ...], str]:
        """A partition's values that were written after ``mark``, in no particular order, and the next mark."""
        rows, mark = await self._table.since(partition, mark)
        return tuple(from_columns(self._kind, row.columns) for row in rows), mark

    async def delete(self, key: Key) -> None:
        await self._table.delete(key)

    async def scan(self, wanted: Callable[[T], bool], limit: int, within: KeyRange | None = None) -> tuple[T, ...]:
        """The first ``limit`` values that are ``wanted``, of all partitions; it reads the table."""

        def fits(row: Row) -> bool:
            return wanted(from_columns(self._kind, row.columns))

        rows = await self._table.scan(within, fits, limit)
        return tuple(from_columns(self._kind, row.columns) for row in rows)

    async def sweep(self, wanted: Callable[[T], bool], limit: int) -> int:
        """Remove the first ``limit`` rows whose values are ``wanted``; it reads the table."""
        return await self._table.sweep(lambda row: wanted(from_columns(self._kind, row.columns)), limit)

    async def clear(self, partition: str) -> None:
        """Remove a partition's rows."""
        await self._table.clear(partition)

    async def change(self, key: Key, change: Callable[[T], T]) -> T:
        """Apply ``change`` to the row as it is now, again if another writer came between; nothing to write, no write.

        ``KeyError``: there is no such row. ``Busy``: others always came first.
        """
        for _ in range(MOST_LOST_RACES):
            row = await self._table.get(key)
            if row is None:
                raise KeyError(key)
            before = from_columns(self._kind, row.columns)
            after = change(before)
            if encode(after) == encode(before) or await self._table.replace(key, to_columns(after), row.etag):
                return after
        raise Busy("TooManyWriters", f"The row {key} was changed by others {MOST_LOST_RACES} times in a row", by=NAME)

    async def swap(self, key: Key, expected: Callable[[T], bool], value: T) -> bool:
        """Write ``value`` if the row is as ``expected``; false where it is not, is not there, or another came first."""
        row = await self._table.get(key)
        if row is None or not expected(from_columns(self._kind, row.columns)):
            return False
        return await self._table.replace(key, to_columns(value), row.etag)
