"""A group's rule for the published versions of an image."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from rollout.model.request import StartRequest

EVERY_VERSION = "*"

#: How long a published version may take until it has reached a group's region.
REPLICATION_TIMEOUT_MIN = timedelta(seconds=60)
REPLICATION_TIMEOUT_MAX = timedelta(days=7)


@dataclass(frozen=True)
class ImageRule:
    """A group's rule: deploy the ``versions`` of the image ``image_id`` when they are published.

    ``image_id`` has no version; ``versions`` is what ``parse_versions`` understands. ``replication_timeout``: how long
    a version that cannot be deployed yet is waited for. ``deployment``: what is asked for besides the image.
    """

    image_id: str
    versions: str = EVERY_VERSION
    enabled: bool = True
    replication_timeout: timedelta = timedelta(hours=24)
    deployment: StartRequest = field(default_factory=StartRequest)
