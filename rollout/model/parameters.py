"""A request's parameters, completed by its predecessor, the group's defaults, and Teal's own."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any

from rollout.model.choices import NO_APPROVALS, Canary, HealthCheckType, OnConflict, OnFailure, VmPolicy
from rollout.model.group import Group, SignalRule, SignalType
from rollout.model.request import StartRequest
from rollout.model.rows.commands import Action


@dataclass(frozen=True)
class Parameters:
    """What was asked for, with every default filled in. The names are those of Elastigroup's API.

    ``image`` is the request's own words: a version (``1.1.0``), ``latest``, a resource id, or ``None``, which is the
    set's present image. One of ``batch_min_healthy_percentage`` and ``min_health`` is ``None``, both where nothing is
    ``checked`` (``rollout.model.threshold``). ``batch_size`` counts VMs and goes before ``batch_size_percentage``.
    ``approvals`` is one of the words above, or ``batches`` with ``approval_batches``: the numbers of the batches after
    which somebody must approve.
    """

    image: str | None
    batch_size_percentage: int = 20
    batch_size: int | None = None
    canary: Canary | None = None
    approvals: str = NO_APPROVALS
    approval_batches: tuple[int, ...] = ()
    bake_time: timedelta = timedelta(0)
    wait_timeout: timedelta = timedelta(hours=24)
    action_on_timeout: Action = Action.STOP
    on_failure: OnFailure = OnFailure.DISCARD_GREEN
    on_conflict: OnConflict = OnConflict.REJECT
    keep_for: timedelta = timedelta(hours=24)
    protected_vms: VmPolicy = VmPolicy.REFUSE
    stopped_vms: VmPolicy = VmPolicy.REFUSE
    attached_vms: VmPolicy = VmPolicy.REFUSE
    adjust: bool = False
    force: bool = False
    retry_of: str | None = None
    grace_period: timedelta = timedelta(seconds=600)
    allocation_timeout: timedelta = timedelta(seconds=600)
    stable_for: timedelta = timedelta(0)
    batch_min_healthy_percentage: int | None = 50
    min_health: int | None = None
    max_unhealthy_percentage: int = 100
    tolerate_unhealthy: bool = False
    draining_timeout: timedelta = timedelta(seconds=120)
    health_check_types: tuple[HealthCheckType, ...] = ()
    comment: str = ""
    signals: tuple[SignalRule, ...] = ()

    @property
    def checked(self) -> bool:
        """Whether anything judges the health of green VMs: a health check, or the signal ``vmReady``."""
        return bool(self.health_check_types) or any(rule.type is SignalType.VM_READY for rule in self.signals)


#: A shorter grace period judges VMs before they can have booted; 120 s is Elastigroup's own minimum.
GRACE_PERIOD_MIN = timedelta(seconds=120)
GRACE_PERIOD_MAX = timedelta(days=1)
DRAINING_TIMEOUT_MAX = timedelta(days=1)
BAKE_TIME_MAX = timedelta(days=1)
#: A person is asked for a minute at least, and for no longer than anybody will remember why.
WAIT_TIMEOUT_MIN = timedelta(seconds=60)
WAIT_TIMEOUT_MAX = timedelta(days=14)
KEEP_FOR_MAX = timedelta(days=14)
#: A scale set has at most 1000 VMs.
BATCH_SIZE_MAX = 1000
COMMENT_LENGTH_MAX = 256

#: ``Parameters.approvals`` where the numbers of the batches were asked for.
BATCHES = "batches"

#: What another deployment's parameters say nothing about, because it is said of one start only. ``force`` is among
#: them: it would replace again what the other deployment has replaced already.
_NOT_INHERITED = frozenset({"image", "comment", "on_conflict", "retry_of", "force", "signals", "approval_batches"})

#: Parameters that say one thing in two ways: who gives the one, takes the other back.
_PAIRS = (("batch_size", "batch_size_percentage"), ("min_health", "batch_min_healthy_percentage"))


def fill(asked: StartRequest, group: Group, retried: Parameters | None = None, image: str | None = None) -> Parameters:
    """Every parameter: the request's, else those of the deployment ``retried``, else the group's, else Teal's.

    ``image`` is what the retried deployment was pinned to.
    """
    filled: dict[str, Any] = {}
    for given in (_of_group(group), _inherited(retried), _given(asked)):
        filled = _over(filled, given)
    filled["image"] = asked.image or image
    filled.setdefault("allocation_timeout", filled.get("grace_period", Parameters(None).grace_period))
    return _with_threshold(Parameters(**filled, signals=group.signals))


def _with_threshold(parameters: Parameters) -> Parameters:
    """Where nothing is asked for the health of VMs there is no share of them to be healthy."""
    if parameters.checked:
        return parameters
    return replace(parameters, batch_min_healthy_percentage=None, min_health=None)


def _over(filled: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """``given`` put over ``filled``."""
    merged = {**filled, **given}
    for one, other in _PAIRS:
        if one in given:
            # A count goes before a percentage, whatever that says; of the thresholds one must be none.
            merged = {**merged, other: None} if one == "min_health" else _without(merged, other)
        elif other in given:
            merged[one] = None
    return merged


def _without(values: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key != name}


def _given(asked: StartRequest) -> dict[str, Any]:
    given = {field.name: getattr(asked, field.name) for field in fields(asked)}
    given = {name: value for name, value in given.items() if value is not None}
    return {**given, **_approvals(asked.approvals)}


def _approvals(approvals: str | tuple[int, ...] | None) -> dict[str, Any]:
    if approvals is None:
        return {}
    if isinstance(approvals, str):
        return {"approvals": approvals, "approval_batches": ()}
    return {"approvals": BATCHES, "approval_batches": approvals}


def _inherited(retried: Parameters | None) -> dict[str, Any]:
    if retried is None:
        return {}
    given = {field.name: getattr(retried, field.name) for field in fields(retried) if field.name not in _NOT_INHERITED}
    given = {name: value for name, value in given.items() if value is not None}
    if "batch_size" in given:
        given.pop("batch_size_percentage")
    return {**given, **_approvals(retried.approval_batches or retried.approvals)}


def _of_group(group: Group) -> dict[str, Any]:
    defaults = {field.name: getattr(group.defaults, field.name) for field in fields(group.defaults)}
    approvals = defaults.pop("approvals")
    own = {**defaults, "draining_timeout": group.draining_timeout, "health_check_types": group.health_check_types}
    return {**{name: value for name, value in own.items() if value is not None}, **_approvals(approvals)}
