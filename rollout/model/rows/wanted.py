"""The rows of versions that a group wants, and of what follows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class WantedVersion:
    """One row of the wanted table: a version that a group's rule wants, of which one ``notification`` has told.

    ``notification`` is the key of its row, ``since`` when it was received, and ``deadline`` until when the version is
    waited for.
    """

    group_id: str
    image_id: str
    version: str
    notification: str
    since: datetime
    deadline: datetime
    schema_version: int = 1


@dataclass(frozen=True)
class Follower:
    """One row of the followers table: the orchestration that follows a group's wanted versions; empty: none does."""

    group_id: str
    instance_id: str
    since: datetime
    schema_version: int = 1
