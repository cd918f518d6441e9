"""A table whose rows are values of one kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from adapters.tables.columns import read_columns, to_columns
from adapters.tables.table import ANY, NAME, Row, Table, Where
from rollout.model.codec import encode
from rollout.model.rows.unreadable import UnreadableRow, readable
from rollout.ports.errors import Busy, Unreadable
from rollout.ports.keys import Key, KeyRange, rows_after

T = TypeVar("T")

#: How many times in a row a change may lose the race for its row.
MOST_LOST_RACES = 30


class Records(Generic[T]):
    """The rows of ``table`` as values of ``kind``.

    A row that a newer release wrote raises ``Unreadable``, so that nothing is decided as if it were not there, but
    where it says that such rows are left out, or told in the place of their values.
    """

    def __init__(self, table: Table, kind: type[T]) -> None:
        self._table = table
        self._kind = kind

    async def get(self, key: Key) -> T | None:
        row = await self._table.get(key)
        return None if row is None else self._read(row)

    async def add(self, key: Key, value: T) -> bool:
        """Add a row; false, and nothing changed, where there is one."""
        return await self._table.insert(key, to_columns(value))

    async def put(self, partition: str, values: Mapping[str, T]) -> None:
        """Add or replace rows of one partition, by row key."""
        await self._table.put(partition, {row: to_columns(value) for row, value in values.items()})

    async def list(self, partition: str, within: KeyRange | None = None, limit: int | None = None) -> tuple[T, ...]:
        """A partition's values in the order of their row keys; a limit below 1 leaves none."""
        return tuple(_known(value) for value in await self.listed(partition, within, limit))

    async def listed(
        self, partition: str, within: KeyRange | None = None, limit: int | None = None, where: Where = ANY
    ) -> tuple[T | UnreadableRow, ...]:
        """As ``list``, with what is to be said of each row that cannot be read in the place of its value."""
        return tuple(self._told(row) for row in await self._rows(partition, within, limit, where))

    async def readable(self, partition: str, within: KeyRange | None = None, limit: int | None = None) -> tuple[T, ...]:
        """As ``list``, without the rows that cannot be read; under a limit all keys of the range are as long."""
        found: list[T] = []
        while rows := await self._rows(partition, within, None if limit is None else limit - len(found)):
            found += readable(self._told(row) for row in rows)
            if limit is None or len(found) >= limit:
                break
            within = KeyRange(rows_after(rows[-1].key).start, within.end if within is not None else "~")
        return tuple(found)

    async def _rows(
        self, partition: str, within: KeyRange | None, limit: int | None, where: Where = ANY
    ) -> tuple[Row, ...]:
        return () if limit is not None and limit < 1 else await self._table.list(partition, within, limit, where)

    def _told(self, row: Row) -> T | UnreadableRow:
        return read_columns(self._kind, row.columns)

    def _read(self, row: Row) -> T:
        return _known(self._told(row))

    async def since(self, partition: str, mark: str) -> tuple[tuple[T, ...], str]:
        """A partition's values that were written after ``mark``, in no particular order, and the next mark."""
        rows, mark = await self._table.since(partition, mark)
        return tuple(self._read(row) for row in rows), mark

    async def delete(self, key: Key) -> None:
        await self._table.delete(key)

    async def scan(self, wanted: Callable[[T], bool], limit: int, within: KeyRange | None = None) -> tuple[T, ...]:
        """The first ``limit`` readable values that are ``wanted``, of all partitions; it reads the table."""
        rows = await self._table.scan(within, self._fits(wanted), limit)
        return tuple(self._read(row) for row in rows)

    async def sweep(self, wanted: Callable[[T], bool], limit: int) -> int:
        """Remove the first ``limit`` rows whose values are readable and ``wanted``; it reads the table."""
        return await self._table.sweep(self._fits(wanted), limit)

    def _fits(self, wanted: Callable[[T], bool]) -> Callable[[Row], bool]:
        def fits(row: Row) -> bool:
            value = self._told(row)
            return not isinstance(value, UnreadableRow) and wanted(value)

        return fits

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
            before = self._read(row)
            after = change(before)
            if encode(after) == encode(before) or await self._table.replace(key, to_columns(after), row.etag):
                return after
        raise Busy("TooManyWriters", f"The row {key} was changed by others {MOST_LOST_RACES} times in a row", by=NAME)

    async def swap(self, key: Key, expected: Callable[[T], bool], value: T) -> bool:
        """Write ``value`` if the row is as ``expected``; false where it is not, is not there, or another came first."""
        row = await self._table.get(key)
        if row is None or not expected(self._read(row)):
            return False
        return await self._table.replace(key, to_columns(value), row.etag)


def _known(value: T | UnreadableRow) -> T:
    if isinstance(value, UnreadableRow):
        raise Unreadable(value, by=NAME)
    return value
