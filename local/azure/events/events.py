"""What is told of writes: plain data, of which the state keeps some."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

#: How a write ends, in the words of event types.
WriteOutcome = Literal["Success", "Failure", "Cancel"]


@dataclass(frozen=True)
class ResourceWrite:
    """A write, as Resource Manager will tell of it: ``operation`` is such as ``Microsoft.Compute/…/versions/write``.

    ``http_request`` is there unless the write made the resource.
    """

    operation: str
    resource_id: str
    correlation_id: str
    http_request: dict[str, str] | None


@dataclass(frozen=True)
class ResourceEvent:
    """A write has ended."""

    id: str
    time: datetime
    write: ResourceWrite
    outcome: WriteOutcome

    @property
    def type(self) -> str:
        """Such as ``Microsoft.Resources.ResourceWriteSuccess``."""
        kind = self.write.operation.rpartition("/")[2].capitalize()
        return f"Microsoft.Resources.Resource{kind}{self.outcome}"


@dataclass
class PendingNotification:
    """An event that a subscription is still to hear of, at ``due_at``, after so many ``attempts`` in vain."""

    number: int
    subscription: str
    event: ResourceEvent
    due_at: datetime
    attempts: int = 0
