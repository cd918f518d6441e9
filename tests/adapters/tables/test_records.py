"""Changes that lose their races give up in the end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.tables.records import MOST_LOST_RACES, Records
from adapters.tables.table import Columns
from local.virtual.memory import MemoryTable
from rollout.model.rows.deployment import Batch
from rollout.ports.errors import Busy
from rollout.ports.keys import Key

KEY = Key("partition", "row")


class ContestedTable(MemoryTable):
    """A table on which another writer always comes first, ``races`` times."""

    def __init__(self, races: int) -> None:
        super().__init__()
        self.races = races

    async def replace(self, key: Key, columns: Columns, etag: str) -> bool:
        if self.races:
            self.races -= 1
            await super().replace(key, {**columns, "green": self.races}, etag)
        return await super().replace(key, columns, etag)


async def test_a_change_is_applied_to_the_row_as_it_is_after_lost_races() -> None:
    records = Records(ContestedTable(races=MOST_LOST_RACES - 1), Batch)
    await records.add(KEY, Batch(1, 0, 0))
    changed = await records.change(KEY, lambda batch: replace(batch, blue=batch.blue + 1))
    assert changed == Batch(1, MOST_LOST_RACES, 0)


async def test_a_change_that_always_comes_second_is_busy() -> None:
    records = Records(ContestedTable(races=MOST_LOST_RACES), Batch)
    await records.add(KEY, Batch(1, 0, 0))
    with pytest.raises(Busy, match="changed by others 30 times") as raised:
        await records.change(KEY, lambda batch: replace(batch, blue=batch.blue + 1))
    assert raised.value.by == "Table Storage"
