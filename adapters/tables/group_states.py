"""The rows of what is shown of groups."""

from __future__ import annotations

from collections.abc import Callable

from adapters.tables.records import Records
from rollout.model.rows.group_state import GroupState
from rollout.ports.errors import Unreadable
from rollout.ports.keys import GROUP_STATES, Key, encode_key


class TableGroupStates:
    """States: all in one partition, by group, so that a page of groups is one request."""

    def __init__(self, records: Records[GroupState]) -> None:
        self._records = records

    async def get(self, group_id: str) -> GroupState | None:
        try:
            return await self._records.get(_key(group_id))
        except Unreadable:
            return None

    async def list(self) -> tuple[GroupState, ...]:
        return await self._records.readable(GROUP_STATES)

    async def change(self, group_id: str, change: Callable[[GroupState | None], GroupState]) -> GroupState:
        key = _key(group_id)
        while True:
            try:
                return await self._records.change(key, change)
            except KeyError:
                if await self._records.add(key, made := change(None)):
                    return made
            except Unreadable:
                await self._records.put(key.partition, {key.row: (made := change(None))})
                return made

    async def delete(self, group_id: str) -> None:
        await self._records.delete(_key(group_id))


def _key(group_id: str) -> Key:
    return Key(GROUP_STATES, encode_key(group_id))
