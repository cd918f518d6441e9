"""A group: a scale set that Teal deploys to, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from rollout.model.choices import Canary, HealthCheckType, OnFailure, VmPolicy
from rollout.model.image_rule import ImageRule
from rollout.model.rows.commands import Action
from rollout.model.schedule import Schedule


class SignalType(StrEnum):
    """What a VM may say of itself."""

    VM_READY = "vmReady"
    VM_READY_TO_SHUTDOWN = "vmReadyToShutdown"


#: Who says something of a VM's health: a health check, or the VM itself.
Source = HealthCheckType | SignalType

#: The bounds and the default of Elastigroup's API.
SIGNAL_TIMEOUT_MIN = timedelta(seconds=60)
SIGNAL_TIMEOUT_MAX = timedelta(seconds=1800)


@dataclass(frozen=True)
class SignalRule:
    """A signal that the group's VMs send, and how long each VM is waited for: ``timeout``, 60 to 1800 s."""

    type: SignalType
    timeout: timedelta = SIGNAL_TIMEOUT_MAX


@dataclass(frozen=True)
class Defaults:
    """What a deployment of this group gets where its request says nothing; ``None`` leaves Teal's own default."""

    batch_size_percentage: int | None = None
    grace_period: timedelta | None = None
    batch_min_healthy_percentage: int | None = None
    batch_size: int | None = None
    canary: Canary | None = None
    approvals: str | None = None
    bake_time: timedelta | None = None
    wait_timeout: timedelta | None = None
    action_on_timeout: Action | None = None
    on_failure: OnFailure | None = None
    keep_for: timedelta | None = None
    protected_vms: VmPolicy | None = None
    stopped_vms: VmPolicy | None = None
    attached_vms: VmPolicy | None = None


@dataclass(frozen=True)
class Group:
    """One row of the groups table. ``image_id`` is the gallery image whose versions a deployment may name shortly.

    ``image_rule``: which versions are deployed when they are published. ``schedules``: what is deployed at which times.
    """

    id: str
    scale_set_id: str
    image_id: str | None = None
    health_check_types: tuple[HealthCheckType, ...] = (HealthCheckType.VM_STATE,)
    draining_timeout: timedelta | None = None
    defaults: Defaults = field(default_factory=Defaults)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    signals: tuple[SignalRule, ...] = ()
    image_rule: ImageRule | None = None
    schedules: tuple[Schedule, ...] = ()
    schema_version: int = 1
