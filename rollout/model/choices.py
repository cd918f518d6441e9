"""The choices that a deployment, or a group for all of its deployments, may make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class HealthCheckType(StrEnum):
    """Where a VM's health is read from."""

    VM_STATE = "vmState"
    APPLICATION_HEALTH = "applicationHealth"
    LOAD_BALANCER = "loadBalancer"
    APPLICATION_GATEWAY = "applicationGateway"


class OnConflict(StrEnum):
    """What a start does that finds another deployment on the scale set."""

    REJECT = "reject"
    QUEUE = "queue"
    SUPERSEDE = "supersede"


class OnFailure(StrEnum):
    """What becomes of a failed batch: its green VMs are deleted, or left to be looked at, or all is rolled back."""

    DISCARD_GREEN = "discardGreen"
    KEEP = "keep"
    ROLL_BACK = "rollBack"


class VmPolicy(StrEnum):
    """What to do about VMs that need somebody's decision: protected, stopped or attached ones."""

    REFUSE = "refuse"
    SKIP = "skip"
    REPLACE = "replace"


@dataclass(frozen=True)
class Canary:
    """A first batch of its own, of ``size`` VMs; then, where asked for, it bakes, and a person approves."""

    size: int
    approval: bool = False
    bake_time: timedelta = timedelta(0)


#: ``approvals``: when a person must approve, or after which batches.
NO_APPROVALS = "none"
AFTER_CANARY = "afterCanary"
EVERY_BATCH = "everyBatch"
