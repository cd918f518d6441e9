"""Find before anything is changed what would go wrong: refuse, never degrade.

``check_start`` needs only the set and the image, ``check_vms`` the set's VMs too, and ``check_planned`` the plan that
follows from them. All are asked before a deployment is accepted and again under the lock (``services.survey``). Each
check is one small function that finds one kind of thing; each module of checks looks at one part of the world.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rollout.model.azure.scale_set import PublishedVersion, ScaleSet, Vm
from rollout.model.azure.surroundings import Surroundings, VmSize
from rollout.model.findings import Finding, Severity, describe, error, first_error, in_order, refuses
from rollout.model.group import Group
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Image
from rollout.planning.batches import BatchPlan
from rollout.preflight.image import check_image, check_image_on_size
from rollout.preflight.limits import check_locks, check_models, check_quota, check_size, check_size_known, check_unread
from rollout.preflight.plan import check_holds, check_plan, check_way_back
from rollout.preflight.pools import check_draining
from rollout.preflight.scale_set import (
    check_activity,
    check_configuration,
    check_health_checks,
    check_judging,
    check_rolling_upgrade,
    check_traits,
)
from rollout.preflight.signals import check_signals
from rollout.preflight.vms import check_vms

__all__ = [
    "Finding",
    "Severity",
    "check_planned",
    "check_set",
    "check_start",
    "check_surroundings",
    "check_vms",
    "describe",
    "first_error",
    "in_order",
    "lasting",
    "refuses",
]

#: What may have passed by the time at which a queued deployment's turn comes: the one before it is still at work.
_PASSING = frozenset(
    (
        "scaleSetBusy",
        "rollingUpgradeUnderWay",
        "capacityMismatch",
        "upgradeModeNotManual",
        "overprovisioning",
        "surgeOverLimit",
        "quotaExceeded",
        "modelsExhausted",
        "canaryTooLarge",
        "approvalBatchUnknown",
        "previousModelUnknown",
        "previousImageGone",
        "modelNamesBadImage",
    )
)


def check_set(scale_set: ScaleSet | None, scale_set_id: str, group: Group, adjust: bool = False) -> tuple[Finding, ...]:
    """What keeps Teal from ever deploying to this set as it is configured."""
    if scale_set is None:
        return (
            error(
                "scaleSetNotFound",
                f"There is no scale set {scale_set_id}",
                "Check the id, and that the app's identity may read it",
                "scaleSetId",
            ),
        )
    return tuple(check_configuration(scale_set, group, adjust))


def check_start(
    scale_set: ScaleSet | None,
    version: PublishedVersion | None,
    version_id: str,
    parameters: Parameters,
    group: Group,
    size: VmSize | None = None,
    now: datetime | None = None,
) -> tuple[Finding, ...]:
    """What speaks against this deployment, as far as the set, its VMs' size and the image tell. Errors come first."""
    findings = list(check_set(scale_set, group.scale_set_id, group, parameters.adjust))
    if scale_set is not None:
        findings += check_activity(scale_set)
        findings += check_judging(scale_set, parameters)
        findings += check_signals(parameters)
        findings += check_traits(scale_set)
    findings += check_image(version, version_id, scale_set, now)
    findings += check_image_on_size(version, size, scale_set.disk_controller if scale_set else None)
    findings += check_health_checks(parameters, group)
    return in_order(findings)


def check_surroundings(scale_set: ScaleSet, vms: Sequence[Vm], surroundings: Surroundings) -> Iterator[Finding]:
    """What is around the set and in the way."""
    yield from check_rolling_upgrade(scale_set, surroundings.rolling_upgrade)
    yield from check_locks(scale_set, vms, surroundings.locks)
    yield from check_draining(surroundings)
    yield from check_size_known(scale_set, surroundings)
    yield from check_unread(surroundings)


def check_planned(
    scale_set: ScaleSet,
    vms: Sequence[Vm],
    planned: BatchPlan,
    parameters: Parameters,
    image: Image,
    surroundings: Surroundings,
    gone: str = "",
) -> Iterator[Finding]:
    """What the plan needs. ``image.previous``: what a roll back would go back to; ``gone``: why it cannot."""
    yield from check_plan(planned, parameters, image, scale_set.image)
    yield from check_way_back(planned, parameters, gone)
    yield from check_holds(planned, parameters, surroundings.processes)
    yield from check_size(scale_set, planned, parameters)
    yield from check_quota(scale_set, planned, parameters, surroundings)
    yield from check_models(scale_set, vms, image.pinned, planned)


def lasting(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Without the refusals that may have passed when a queued deployment's turn comes. It is checked again then."""
    return tuple(
        finding for finding in findings if finding.severity is not Severity.ERROR or finding.code not in _PASSING
    )
