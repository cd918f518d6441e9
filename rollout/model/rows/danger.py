"""The row of something that stands between a scale set and order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rollout.model.azure.scale_set import ImageReference
from rollout.model.codec import encode_time
from rollout.model.words import counted

#: The code of such a set's danger (``rollout.lifecycle.dangers``), and of what is refused because of it.
MODEL_NAMES_BAD_IMAGE = "modelNamesBadImage"


def names(danger: DangerRecord | None, model: ImageReference | None) -> bool:
    """Whether the danger is about the image that the model names."""
    return danger is not None and danger.image is not None and model is not None and danger.image.matches(model)


@dataclass(frozen=True)
class DangerRecord:
    """One row of the dangers table: one of each ``code`` a scale set. ``deployment_id``: the one that left it.

    ``reason`` says what is wrong; empty: as far as is known nothing is, a cure was begun. Where one is tried, ``tries``
    counts it, ``attempt`` is the orchestration of the last, and ``next_try_at`` when it is tried again, if it is.
    ``image``: the one in the set's model, where that is what is wrong (``rollout.planning.bad_image``).
    """

    scale_set_id: str
    code: str
    since: datetime
    deployment_id: str = ""
    reason: str = ""
    remedy: str = ""
    tries: int = 0
    next_try_at: datetime | None = None
    attempt: str = ""
    image: ImageReference | None = None
    schema_version: int = 1

    @property
    def told(self) -> bool:
        """Whether there is anything to tell people."""
        return bool(self.reason)

    @property
    def message(self) -> str:
        """What is wrong and, where a cure is tried, what became of that."""
        if not self.tries:
            return self.reason
        next_try = f"the next time at {encode_time(self.next_try_at)}" if self.next_try_at else "and not again"
        return f"{self.reason}. Tried {counted(self.tries, 'time')}, {next_try}"
