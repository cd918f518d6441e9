"""The groups whose rows this release can read."""

from __future__ import annotations

import logging

from rollout.model.group import Group
from rollout.model.rows.unreadable import readable, unreadable
from rollout.ports.ports import Ports

_log = logging.getLogger("teal")


async def readable_groups(ports: Ports) -> list[Group]:
    """Every group that can be read; one that a newer release wrote is left alone, and the log tells."""
    rows = await ports.store.groups.listed()
    for row in unreadable(rows):
        _log.warning("%s", row.message)
    return readable(rows)
