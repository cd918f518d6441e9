"""The row that says that a deployment waits for a scale set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class QueueEntry:
    """One row of the queue table. It is written before the deployment's own row, and goes when it waits no more.

    It may stay behind where what was to remove it died: the deployment's own row decides (``rollout.lifecycle.queue``).
    """

    scale_set_id: str
    deployment_id: str
    queued_at: datetime
    schema_version: int = 1
