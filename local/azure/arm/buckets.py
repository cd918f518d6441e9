"""The buckets that requests are charged to, and how many requests there were."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass
class Bucket:
    """A token bucket: what is left since the minute that began at ``filled_at``."""

    tokens: int
    filled_at: datetime


@dataclass
class RequestCount:
    """Requests of one kind: how many were let through, how many throttled, by which policy."""

    bucket: str
    passed: int = 0
    throttled: int = 0
