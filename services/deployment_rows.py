"""A group's deployments, however many there are."""

from __future__ import annotations

from collections.abc import AsyncIterator

from rollout.model.rows.deployment import Deployment
from rollout.ports.ports import Ports

#: How many are read at once.
PAGE = 100


async def rows_of(ports: Ports, group_id: str) -> AsyncIterator[Deployment]:
    """All of them, newest first, a page at a time: who has found what was looked for stops."""
    before = ""
    while page := await ports.store.deployments.newest(group_id, PAGE, before):
        for row in page:
            yield row
        if len(page) < PAGE:
            return
        before = page[-1].id
