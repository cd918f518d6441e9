"""Tables in memory that count what is asked of them, and remember every time that a schedule decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from adapters.tables.columns import from_columns
from adapters.tables.table import ANY, Columns, Row, Where
from local.virtual.memory import MemoryTable
from rollout.model.schedule import ScheduleRun
from rollout.ports.keys import Key, KeyRange


@dataclass
class CountedTables:
    """The tables by name; ``operations`` counts what a service would charge for, ``deployments`` those that were made.

    ``runs`` are the rows of schedules as they were written, one after the other.
    """

    tables: dict[str, CountedTable] = field(default_factory=dict)
    operations: int = 0
    deployments: int = 0
    runs: list[ScheduleRun] = field(default_factory=list)

    def table(self, name: str) -> CountedTable:
        """The table of this name."""
        return self.tables.setdefault(name, CountedTable(name, self))

    def count(self, name: str, written: Columns | None = None) -> None:
        """An operation on a table, with the row that it writes."""
        self.operations += 1
        if name == "ScheduleRuns" and written is not None:
            self.runs.append(from_columns(ScheduleRun, written))

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        return {name: len(table.rows()) for name, table in sorted(self.tables.items())}


class CountedTable(MemoryTable):
    """One of them."""

    def __init__(self, name: str, tables: CountedTables) -> None:
        super().__init__()
        self._name = name
        self._tables = tables

    async def get(self, key: Key) -> Row | None:
        self._tables.count(self._name)
        return await super().get(key)

    async def insert(self, key: Key, columns: Columns) -> bool:
        added = await super().insert(key, columns)
        self._tables.deployments += added and self._name == "Deployments"
        self._tables.count(self._name, columns if added else None)
        return added

    async def replace(self, key: Key, columns: Columns, etag: str) -> bool:
        replaced = await super().replace(key, columns, etag)
        self._tables.count(self._name, columns if replaced else None)
        return replaced

    async def put(self, partition: str, rows: Mapping[str, Columns]) -> None:
        self._tables.count(self._name)
        await super().put(partition, rows)

    async def list(
        self, partition: str, within: KeyRange | None, limit: int | None, where: Where = ANY
    ) -> tuple[Row, ...]:
        self._tables.count(self._name)
        return await super().list(partition, within, limit, where)

    async def since(self, partition: str, mark: str) -> tuple[tuple[Row, ...], str]:
        self._tables.count(self._name)
        return await super().since(partition, mark)

    async def delete(self, key: Key) -> None:
        self._tables.count(self._name)
        await super().delete(key)

    async def sweep(self, wanted: Callable[[Row], bool], limit: int) -> int:
        self._tables.count(self._name)
        return await super().sweep(wanted, limit)

    async def clear(self, partition: str) -> None:
        self._tables.count(self._name)
        await super().clear(partition)
