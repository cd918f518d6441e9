"""Evidence that is kept of a sick VM, and all that Azure can tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rollout.model.rows.deployment import Reading
from rollout.model.status import VmStatus

#: Bytes of a serial log's end that are kept.
LOG_LENGTH = 8 * 1024


@dataclass(frozen=True)
class Inspection:
    """What Azure could tell of one VM, and in ``notes`` what it could not and why.

    ``instance_view`` is ARM's own JSON, ``serial_log`` the end of what the VM wrote to its serial console.
    """

    instance_view: Mapping[str, Any] | None = None
    serial_log: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class VmEvidence:
    """One row of the evidence table: all that is left of a sick green VM once it is deleted.

    ``instance_view`` is cut down to what helps (``trimmed``); ``notes`` say what is missing and why.
    """

    vm_id: str
    name: str
    batch: int
    taken_at: datetime
    status: VmStatus
    reason: str
    readings: tuple[Reading, ...] = ()
    instance_view: dict[str, Any] | None = None
    serial_log: str | None = None
    notes: tuple[str, ...] = ()
    schema_version: int = 1
