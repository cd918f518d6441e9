"""The bodies that requests carry. Strict: no field is guessed, converted or ignored.

The field names are those of Elastigroup's API. ``null`` is an optional field that says nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from api.contract.fields import (
    BATCH_SIZE,
    ActionOnTimeout,
    Approvals,
    ApprovalWord,
    BakeTime,
    BatchSize,
    Comment,
    Conflict,
    Cron,
    DrainingTimeout,
    Failure,
    Flag,
    GracePeriod,
    HealthCheckTypes,
    Image,
    ImageId,
    KeepFor,
    KnownSignal,
    MaxLateness,
    Name,
    OptionalText,
    Percentage,
    Policy,
    ReplicationTimeout,
    RuleImageId,
    ScaleSetId,
    ScheduleName,
    SignalTimeout,
    StableFor,
    TimeZone,
    Versions,
    WaitTimeout,
    duration,
    fault,
)
from api.transport.errors import Code
from rollout.model.choices import Canary
from rollout.model.group import SIGNAL_TIMEOUT_MAX, Defaults, Group, SignalRule, SignalType
from rollout.model.image_rule import ImageRule
from rollout.model.request import StartRequest
from rollout.model.schedule import SCHEDULES_MAX, Schedule, as_put


class Body(BaseModel):
    """What every body keeps to."""

    # Schemas are built when a body is first parsed: most invocations of the app are activities and never parse one.
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel, defer_build=True)


class CanaryBody(Body):
    """``canary``: a first batch of its own."""

    size: Annotated[int, BeforeValidator(BATCH_SIZE)]
    approval: Flag = None
    bake_time: BakeTime = None

    def canary(self) -> Canary:
        """The same as the core's value."""
        return Canary(self.size, bool(self.approval), duration(self.bake_time) or Canary(1).bake_time)


class DefaultsBody(Body):
    """``defaults`` of a group."""

    batch_size_percentage: Percentage = None
    grace_period: GracePeriod = None
    batch_min_healthy_percentage: Percentage = None
    batch_size: BatchSize = None
    canary: CanaryBody | None = None
    approvals: ApprovalWord = None
    bake_time: BakeTime = None
    wait_timeout: WaitTimeout = None
    action_on_timeout: ActionOnTimeout = None
    on_failure: Failure = None
    keep_for: KeepFor = None
    protected_vms: Policy = None
    stopped_vms: Policy = None
    attached_vms: Policy = None

    def defaults(self) -> Defaults:
        """The same as the core's value."""
        return Defaults(
            batch_size_percentage=self.batch_size_percentage,
            grace_period=duration(self.grace_period),
            batch_min_healthy_percentage=self.batch_min_healthy_percentage,
            batch_size=self.batch_size,
            canary=self.canary.canary() if self.canary else None,
            approvals=self.approvals,
            bake_time=duration(self.bake_time),
            wait_timeout=duration(self.wait_timeout),
            action_on_timeout=self.action_on_timeout,
            on_failure=self.on_failure,
            keep_for=duration(self.keep_for),
            protected_vms=self.protected_vms,
            stopped_vms=self.stopped_vms,
            attached_vms=self.attached_vms,
        )


def _one_batch_size(value: DefaultsBody | None) -> DefaultsBody | None:
    if value is not None and value.batch_size is not None and value.batch_size_percentage is not None:
        raise fault(Code.TWO_BATCH_SIZES, "must have one of batchSize and batchSizePercentage, not both")
    return value


class SignalRuleBody(Body):
    """One of a group's ``signals``."""

    type: KnownSignal
    timeout: SignalTimeout = None

    def rule(self) -> SignalRule:
        """The same as the core's value."""
        return SignalRule(self.type, duration(self.timeout) or SIGNAL_TIMEOUT_MAX)


def _each_once(value: list[SignalRuleBody] | None) -> list[SignalRuleBody] | None:
    types = [rule.type for rule in value or ()]
    if repeated := [kind for kind in SignalType if types.count(kind) > 1]:
        raise fault(Code.INVALID_VALUE, f"must declare {repeated[0]} once")
    return value


class AutomaticDeploymentBody(Body):
    """What may be asked of a deployment that is started by itself: everything but which image, and when it may wait."""

    batch_size_percentage: Percentage = None
    batch_size: BatchSize = None
    canary: CanaryBody | None = None
    approvals: Approvals = None
    bake_time: BakeTime = None
    wait_timeout: WaitTimeout = None
    action_on_timeout: ActionOnTimeout = None
    on_failure: Failure = None
    keep_for: KeepFor = None
    protected_vms: Policy = None
    stopped_vms: Policy = None
    attached_vms: Policy = None
    adjust: Flag = None
    force: Flag = None
    grace_period: GracePeriod = None
    allocation_timeout: GracePeriod = None
    stable_for: StableFor = None
    batch_min_healthy_percentage: Percentage = None
    min_health: Percentage = None
    max_unhealthy_percentage: Percentage = None
    tolerate_unhealthy: Flag = None
    draining_timeout: DrainingTimeout = None
    health_check_types: HealthCheckTypes = None
    comment: Comment = None

    def asked(self) -> StartRequest:
        """The same as the core's value."""
        return StartRequest(
            batch_size_percentage=self.batch_size_percentage,
            batch_size=self.batch_size,
            canary=self.canary.canary() if self.canary else None,
            approvals=self.approvals,
            bake_time=duration(self.bake_time),
            wait_timeout=duration(self.wait_timeout),
            action_on_timeout=self.action_on_timeout,
            on_failure=self.on_failure,
            keep_for=duration(self.keep_for),
            protected_vms=self.protected_vms,
            stopped_vms=self.stopped_vms,
            attached_vms=self.attached_vms,
            adjust=self.adjust,
            force=self.force,
            grace_period=duration(self.grace_period),
            allocation_timeout=duration(self.allocation_timeout),
            stable_for=duration(self.stable_for),
            batch_min_healthy_percentage=self.batch_min_healthy_percentage,
            min_health=self.min_health,
            max_unhealthy_percentage=self.max_unhealthy_percentage,
            tolerate_unhealthy=self.tolerate_unhealthy,
            draining_timeout=duration(self.draining_timeout),
            health_check_types=self.health_check_types,
            comment=self.comment or "",
        )


class ScheduledDeploymentBody(AutomaticDeploymentBody):
    """``schedules[].deployment`` of a group."""

    image: Image = None

    def asked(self) -> StartRequest:
        return replace(super().asked(), image=self.image)


class DeploymentBody(ScheduledDeploymentBody):
    """``POST /groups/{groupId}/deployments``."""

    on_conflict: Conflict = None
    retry_of: OptionalText = None

    def asked(self) -> StartRequest:
        return replace(super().asked(), on_conflict=self.on_conflict, retry_of=self.retry_of)


class ImageRuleBody(Body):
    """``imageRule`` of a group."""

    image_id: RuleImageId
    versions: Versions = None
    enabled: Flag = None
    replication_timeout: ReplicationTimeout = None
    deployment: AutomaticDeploymentBody | None = None

    def rule(self) -> ImageRule:
        """The same as the core's value."""
        own = ImageRule(self.image_id)
        return ImageRule(
            image_id=self.image_id,
            versions=self.versions or own.versions,
            enabled=own.enabled if self.enabled is None else self.enabled,
            replication_timeout=duration(self.replication_timeout) or own.replication_timeout,
            deployment=self.deployment.asked() if self.deployment else own.deployment,
        )


class ScheduleBody(Body):
    """One of a group's ``schedules``."""

    name: ScheduleName
    cron: Cron
    time_zone: TimeZone = None
    enabled: Flag = None
    max_lateness: MaxLateness = None
    deployment: ScheduledDeploymentBody | None = None

    def schedule(self) -> Schedule:
        """The same as the core's value."""
        own = Schedule(self.name, self.cron)
        return Schedule(
            name=self.name,
            cron=self.cron,
            time_zone=self.time_zone or own.time_zone,
            enabled=own.enabled if self.enabled is None else self.enabled,
            max_lateness=duration(self.max_lateness) or own.max_lateness,
            deployment=self.deployment.asked() if self.deployment else own.deployment,
        )


def _each_name_once(value: list[ScheduleBody] | None) -> list[ScheduleBody] | None:
    names = [schedule.name for schedule in value or ()]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise fault(Code.INVALID_VALUE, f"must have one schedule of the name {repeated[0]}")
    if len(names) > SCHEDULES_MAX:
        raise fault(Code.OUT_OF_RANGE, f"must have at most {SCHEDULES_MAX} items, not {len(names)}")
    return value


class GroupBody(Body):
    """``PUT /groups/{groupId}``: the whole definition; what it leaves out goes back to the default."""

    scale_set_id: ScaleSetId
    image_id: ImageId = None
    health_check_types: HealthCheckTypes = None
    signals: Annotated[list[SignalRuleBody] | None, AfterValidator(_each_once)] = None
    draining_timeout: DrainingTimeout = None
    defaults: Annotated[DefaultsBody | None, AfterValidator(_one_batch_size)] = None
    image_rule: ImageRuleBody | None = None
    schedules: Annotated[list[ScheduleBody] | None, AfterValidator(_each_name_once)] = None

    def group(self, group_id: str, existing: Group | None, now: datetime) -> Group:
        """The group's row; ``existing`` is the one that it replaces."""
        own = Group(group_id, self.scale_set_id)
        schedules = [schedule.schedule() for schedule in self.schedules or ()]
        return Group(
            id=group_id,
            scale_set_id=self.scale_set_id,
            image_id=self.image_id,
            health_check_types=own.health_check_types if self.health_check_types is None else self.health_check_types,
            draining_timeout=duration(self.draining_timeout),
            defaults=own.defaults if self.defaults is None else self.defaults.defaults(),
            created_at=now if existing is None else existing.created_at,
            updated_at=now,
            signals=tuple(rule.rule() for rule in self.signals or ()),
            image_rule=self.image_rule.rule() if self.image_rule else None,
            schedules=as_put(schedules, existing.schedules if existing else (), now),
        )


class CommandBody(Body):
    """``POST /deployments/{deploymentId}/pause`` and the other commands."""

    comment: Comment = None


class ApprovalBody(Body):
    """``POST /deployments/{deploymentId}/approve``; ``all``: this gate and those that follow."""

    all: Flag = None
    comment: Comment = None


class SignalBody(Body):
    """``POST /vm/signal``: the body of Elastigroup's API, and ``vmId``."""

    vm_name: Name
    signal_type: KnownSignal
    resource_group_name: Name
    vm_id: OptionalText = None
