"""Times that a group's batches took before."""

from __future__ import annotations

from rollout.model.rows.unreadable import readable
from rollout.model.status import Status
from rollout.planning.forecast import PastBatches
from rollout.ports.ports import Ports

#: From how many of the group's newest deployments the time is taken, of so many that are looked at.
PAST_MAX = 3
ROWS_MAX = 20


async def past_batches(ports: Ports, group_id: str) -> list[PastBatches]:
    """Those of the group's newest finished deployments."""
    rows = readable(await ports.store.deployments.listed(group_id, ROWS_MAX))
    finished = [row for row in rows if row.status is Status.FINISHED and row.number_of_batches][:PAST_MAX]
    return [PastBatches(row.parameters.draining_timeout, await ports.store.batches.list(row.id)) for row in finished]
