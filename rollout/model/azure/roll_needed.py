"""The need of a scale set for a roll, and the reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class RollReason:
    """One way in which ``vms`` VMs differ: they have ``found`` in ``field``, and a new VM would have ``wanted``.

    Both are texts as Azure writes them, ``None`` where Azure does not tell; images are named in full.
    """

    field: str
    message: str
    wanted: str | None
    found: str | None
    vms: int


@dataclass(frozen=True)
class RollNeeded:
    """How many of ``total`` VMs are outdated. ``reasons``: those that concern the most VMs, in that order; a VM may be
    counted in several. Without outdated VMs there are none, but that the model names an image that was judged bad.
    """

    as_of: datetime
    outdated: int
    total: int
    reasons: tuple[RollReason, ...] = ()
