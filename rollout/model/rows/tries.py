"""The row of an image version that was deployed to a scale set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Try:
    """One row of the tries table: a deployment of the version to the scale set was begun. Both ids have no case.

    ``at`` is when it was asked for. ``standing``: what became of it, once its own row is forgotten; empty: that row
    says it.
    """

    scale_set_id: str
    version_id: str
    deployment_id: str
    at: datetime
    standing: str = ""
    schema_version: int = 1

    @property
    def image_id(self) -> str:
        """The image that the version is one of."""
        return self.version_id.partition("/versions/")[0]
