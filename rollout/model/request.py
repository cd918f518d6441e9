"""A request for a deployment, by a person, a rule or a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from rollout.model.choices import Canary, HealthCheckType, OnConflict, OnFailure, VmPolicy
from rollout.model.rows.commands import Action


@dataclass(frozen=True)
class StartRequest:
    """A request as it was made; ``None`` where it said nothing. ``image`` ``None``: the set's present one.

    ``approvals`` is one of the words of ``Parameters``, or the numbers of batches.
    """

    image: str | None = None
    batch_size_percentage: int | None = None
    batch_size: int | None = None
    canary: Canary | None = None
    approvals: str | tuple[int, ...] | None = None
    bake_time: timedelta | None = None
    wait_timeout: timedelta | None = None
    action_on_timeout: Action | None = None
    on_failure: OnFailure | None = None
    on_conflict: OnConflict | None = None
    keep_for: timedelta | None = None
    protected_vms: VmPolicy | None = None
    stopped_vms: VmPolicy | None = None
    attached_vms: VmPolicy | None = None
    adjust: bool | None = None
    force: bool | None = None
    retry_of: str | None = None
    grace_period: timedelta | None = None
    allocation_timeout: timedelta | None = None
    stable_for: timedelta | None = None
    batch_min_healthy_percentage: int | None = None
    min_health: int | None = None
    max_unhealthy_percentage: int | None = None
    tolerate_unhealthy: bool | None = None
    draining_timeout: timedelta | None = None
    health_check_types: tuple[HealthCheckType, ...] | None = None
    comment: str = ""
