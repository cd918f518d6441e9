"""The row that says who may write to a scale set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Lock:
    """Who may write to one scale set. ``owner`` is a deployment's id, empty while the set is free.

    ``epoch`` grows with every taking, so that what an earlier owner still has in flight finds its right gone.
    ``last_owner`` is the deployment that had it before: whom the next one follows, whatever its group is called.
    """

    scale_set_id: str
    owner: str
    epoch: int
    since: datetime
    last_owner: str = ""
    schema_version: int = 1
