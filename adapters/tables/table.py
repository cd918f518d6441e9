"""One table, as the store needs it: a few operations of Table Storage.

``service.ServiceTable`` is one in Azure or Azurite. The local platform has one in memory, for virtual time: everything
above this seam is the same code in both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from rollout.ports.keys import Key, KeyRange

#: The columns of a row, without its keys.
Columns = Mapping[str, str | int | float | bool]

#: Which rows are asked for: those whose columns have one of these texts, each.
Where = Mapping[str, Collection[str]]
ANY: Where = MappingProxyType({})

#: What people know the service by.
NAME = "Table Storage"


@dataclass(frozen=True)
class Row:
    """A row as it was read. ``etag`` changes with every write to it. ``key``: its row key."""

    columns: Columns
    etag: str
    key: str


class Table(Protocol):
    """One table. Every method may raise ``rollout.ports.errors.AzureError``."""

    async def get(self, key: Key) -> Row | None: ...

    async def insert(self, key: Key, columns: Columns) -> bool:
        """Add a row; false, and nothing changed, where there is one."""
        ...

    async def replace(self, key: Key, columns: Columns, etag: str) -> bool:
        """Write the row if its ETag still is ``etag``; false, and nothing changed, where it is not."""
        ...

    async def put(self, partition: str, rows: Mapping[str, Columns]) -> None:
        """Add or replace any number of rows of one partition, by row key. Not atomic as a whole."""
        ...

    async def list(
        self, partition: str, within: KeyRange | None, limit: int | None, where: Where = ANY
    ) -> tuple[Row, ...]:
        """A partition's rows in the order of their keys: those ``within`` a range and ``where`` that holds, the first
        ``limit``.
        """
        ...

    async def since(self, partition: str, mark: str) -> tuple[tuple[Row, ...], str]:
        """A partition's rows that were written after ``mark``, and the mark of the last of them; empty: all rows."""
        ...

    async def delete(self, key: Key) -> None:
        """Remove the row; nothing happens where there is none."""
        ...

    async def scan(self, within: KeyRange | None, wanted: Callable[[Row], bool], limit: int) -> tuple[Row, ...]:
        """The first ``limit`` rows that are ``wanted``, of all partitions. It reads the table: for daily work only."""
        ...

    async def sweep(self, wanted: Callable[[Row], bool], limit: int) -> int:
        """Remove the first ``limit`` rows that are ``wanted``, of all partitions; how many there were.

        One that was written since it was read stays. It reads the table: for daily work only.
        """
        ...

    async def clear(self, partition: str) -> None:
        """Remove a partition's rows. Not atomic as a whole."""
        ...


#: Makes the table of a name: ``Groups``, ``Deployments``…
TableMaker = Callable[[str], Table]
