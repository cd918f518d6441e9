"""Processes that change a set by themselves, and the journal of their holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rollout.model.codec import Json


class HoldKind(StrEnum):
    """The processes, and settings, that may interfere."""

    AUTOSCALE = "autoscale"
    REPAIRS = "repairs"
    ZONE_REBALANCE = "zoneRebalance"
    SCALE_IN_POLICY = "scaleInPolicy"
    UPGRADE_MODE = "upgradeMode"
    OVERPROVISION = "overprovision"


#: The part of automatic repairs whose state is that of a service: Uniform sets have it. It is told, not patched.
SERVICE_STATE = "serviceState"

RUNNING, SUSPENDED = "Running", "Suspended"
OLDEST_VM = "OldestVM"
MANUAL = "Manual"

#: The part of a set's ``resiliencyPolicy`` that moves VMs between zones.
ZONE_REBALANCING = "automaticZoneRebalancingPolicy"


@dataclass(frozen=True)
class Process:
    """One of them as it was read, or is to be written.

    ``resource_id`` is the scale set's, or the autoscale setting's. ``value`` has a field for each part. Of autoscale:
    ``{profile: {"minimum", "maximum", "default"}}``; of repairs ``{"serviceState"}`` (Uniform) or the whole
    ``automaticRepairsPolicy`` (Flexible); else the policy of the set's model with Azure's names. ``active``: it is
    turned on. ``unreadable``: why nothing is known of it. ``beside``: what else of the set's properties goes into a
    write that turns it on, as it was read, because Azure may change it with that.
    """

    kind: HoldKind
    resource_id: str
    value: Json
    active: bool = True
    unreadable: str = ""
    beside: Json = field(default_factory=dict)

    @property
    def key(self) -> tuple[HoldKind, str]:
        """What tells it from others; ARM's ids have no case."""
        return self.kind, self.resource_id.lower()


@dataclass(frozen=True)
class ProcessHold:
    """What is held of one process: the parts that Teal changes. ``old`` comes back, ``new`` is there meanwhile.

    ``before``: what ``new`` is written over. It is ``old``, unless an earlier deployment's value was there. ``kept``:
    it stays so for a while after the deployment. ``restored``: nothing is left to do. ``conflict``: what of it is
    somebody else's by now, in words. ``beside``: as ``Process.beside``, when it was read to be held. ``left_by``: the
    deployments that ended and left it held.
    """

    kind: HoldKind
    resource_id: str
    old: Json
    new: Json
    before: Json = field(default_factory=dict)
    kept: bool = False
    conflict: str = ""
    restored: bool = False
    beside: Json = field(default_factory=dict)
    left_by: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[HoldKind, str]:
        """As ``Process.key``."""
        return self.kind, self.resource_id.lower()


@dataclass(frozen=True)
class Hold:
    """The journal: one row a scale set, written before the first thing is held.

    ``keep_until``: what it still holds comes back then, whoever holds the lock. Without it a deployment is under way,
    or has ended with an image in the model that was not judged good. ``discard_batch``: the green VMs of that batch of
    the deployment were left to be looked at until then.
    """

    scale_set_id: str
    deployment_id: str
    items: tuple[ProcessHold, ...]
    at: datetime
    keep_until: datetime | None = None
    discard_batch: int = 0
    schema_version: int = 1

    @property
    def over(self) -> bool:
        """Whether nothing is held any more, so that the row can go."""
        return all(item.restored for item in self.items) and not self.discard_batch
