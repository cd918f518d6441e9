"""The rows of what the parts of a look have read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class VmHealthWord:
    """What a VM's own view said of its health, in Azure's word; ``None``: nothing reports it, or the VM is gone."""

    vm_id: str
    health: str | None = None


@dataclass(frozen=True)
class HealthPart:
    """One row of the health parts table: what one part of a look read, as asked ``at`` that time for ``batch``.

    The next look's part has the same row. What is decided from it stands in the VMs' rows.
    """

    batch: int
    number: int
    at: datetime
    words: tuple[VmHealthWord, ...] = ()
    schema_version: int = 1
