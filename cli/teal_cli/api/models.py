"""The API`s bodies and answers, made of docs/openapi.json by `make models`: change that, not this."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

Action: TypeAlias = Literal["approve", "stop", "rollBack"]


class ApprovalBody(TypedDict):
    all: NotRequired[bool | None]
    comment: NotRequired[str | None]


Approvals: TypeAlias = Literal["none", "afterCanary", "everyBatch"]


class Attention(TypedDict):
    code: str
    reason: str
    deploymentId: str | None


class Canary(TypedDict):
    size: int
    approval: bool
    bakeTime: int


class CanaryBody(TypedDict):
    size: int
    approval: NotRequired[bool | None]
    bakeTime: NotRequired[int | None]


class Check(TypedDict):
    name: str
    lastRun: str | None
    left: list[str]


class CommandBody(TypedDict):
    comment: NotRequired[str | None]


CommandEnd = TypedDict(
    "CommandEnd",
    {
        "at": str,
        "as": str,
    },
)


class Consequence(TypedDict):
    groupId: str
    outcome: str
    reason: str
    at: str
    deploymentId: str | None


class Danger(TypedDict):
    code: str
    since: str
    message: str
    remedy: str


class DeploymentImage(TypedDict):
    requested: str | None
    pinned: str | None
    previous: str | None


class Document(TypedDict):
    pass


class Durable(TypedDict):
    pass


class Duration(TypedDict):
    seconds: int
    basis: str


class ErrorDetail(TypedDict):
    code: str
    message: str
    target: NotRequired[str]
    remedy: NotRequired[str]


class Event(TypedDict):
    sequence: int
    at: str
    type: str
    message: str
    batch: int | None
    data: dict[str, Any]


class EventList(TypedDict):
    value: list[Event]
    next: str
    continuationToken: NotRequired[str]


class Finding(TypedDict):
    severity: str
    code: str
    message: str
    remedy: str
    target: str


class Health(TypedDict):
    status: Literal["healthy"]
    checks: NotRequired[list[Check]]


HealthCheckType: TypeAlias = Literal["vmState", "applicationHealth", "loadBalancer", "applicationGateway"]


class HealthCount(TypedDict):
    healthy: int
    unhealthy: int
    unknown: int


class ImageVersion(TypedDict):
    version: str
    id: str
    provisioningState: str
    excludeFromLatest: bool
    osType: str | None
    publishedAt: str | None
    regions: dict[str, str]


class ImageVersionList(TypedDict):
    value: list[ImageVersion]
    continuationToken: NotRequired[str]


class ImageVms(TypedDict):
    image: str
    imageReference: str | None
    vms: int


class LatestDeployment(TypedDict):
    id: str
    status: str
    reason: str
    progress: int
    image: str
    createdAt: str
    endedAt: str | None


class Notification(TypedDict):
    id: str
    type: str
    subject: str
    receivedAt: str
    deliveries: int
    imageId: str | None
    version: str | None
    reason: str
    groups: list[Consequence]
    outcome: str


class NotificationList(TypedDict):
    value: list[Notification]
    continuationToken: NotRequired[str]


OnConflict: TypeAlias = Literal["reject", "queue", "supersede"]


OnFailure: TypeAlias = Literal["discardGreen", "keep", "rollBack"]


class PendingDecision(TypedDict):
    asked: str
    since: str
    deadline: str
    action: Action


class Permission(TypedDict):
    allowed: bool
    needs: str


class PlanBatch(TypedDict):
    number: int
    blue: int
    green: int
    canary: bool
    approval: bool
    vms: list[str]


class PoolState(TypedDict):
    pool: str
    down: bool


class Possible(TypedDict):
    command: str
    possible: bool
    reason: str


class Problem(TypedDict):
    code: str
    message: str


class RollBack(TypedDict):
    at: str
    percent: int
    reason: str
    by: str


class RollReason(TypedDict):
    field: str
    message: str
    wanted: str | None
    found: str | None
    vms: int


class ScheduleRun(TypedDict):
    due: str
    at: str
    outcome: str
    reason: str
    deploymentId: str | None


class Scheduled(TypedDict):
    name: str
    nextRun: str | None
    lastRun: ScheduleRun | None


class ServingNow(TypedDict):
    previousImage: int
    newImage: int


class SignalKey(TypedDict):
    groupId: str
    header: str
    key: str


SignalType: TypeAlias = Literal["vmReady", "vmReadyToShutdown"]


class Skipped(TypedDict):
    name: str
    reason: str


class Stage(TypedDict):
    name: str
    round: int
    startedAt: str
    endedAt: str | None


class State(TypedDict):
    asOf: str | None
    name: NotRequired[str]
    location: NotRequired[str]
    orchestrationMode: NotRequired[str]
    capacity: NotRequired[int]
    provisioningState: NotRequired[str]
    image: NotRequired[str | None]
    imageReference: NotRequired[str | None]
    zones: NotRequired[list[str]]
    vms: int | None
    images: list[ImageVms]
    health: HealthCount | None
    error: Problem | None


class Surge(TypedDict):
    vms: int
    cores: int | None


class UnreadableItem(TypedDict):
    id: str
    code: Literal["writtenByNewerRelease"]
    message: str


VmPolicy: TypeAlias = Literal["refuse", "skip", "replace"]


class Asked(TypedDict):
    image: NotRequired[str]
    batchSizePercentage: NotRequired[int]
    batchSize: NotRequired[int]
    canary: NotRequired[Canary]
    approvals: NotRequired[str | list[int]]
    bakeTime: NotRequired[int]
    waitTimeout: NotRequired[int]
    actionOnTimeout: NotRequired[Action]
    onFailure: NotRequired[OnFailure]
    keepFor: NotRequired[int]
    protectedVms: NotRequired[VmPolicy]
    stoppedVms: NotRequired[VmPolicy]
    attachedVms: NotRequired[VmPolicy]
    adjust: NotRequired[bool]
    force: NotRequired[bool]
    gracePeriod: NotRequired[int]
    allocationTimeout: NotRequired[int]
    stableFor: NotRequired[int]
    batchMinHealthyPercentage: NotRequired[int]
    minHealth: NotRequired[int]
    maxUnhealthyPercentage: NotRequired[int]
    tolerateUnhealthy: NotRequired[bool]
    drainingTimeout: NotRequired[int]
    healthCheckTypes: NotRequired[list[HealthCheckType]]
    comment: NotRequired[str]


class AutomaticDeploymentBody(TypedDict):
    batchSizePercentage: NotRequired[int | None]
    batchSize: NotRequired[int | None]
    canary: NotRequired[CanaryBody | None]
    approvals: NotRequired[Approvals | list[int] | None]
    bakeTime: NotRequired[int | None]
    waitTimeout: NotRequired[int | None]
    actionOnTimeout: NotRequired[Action | None]
    onFailure: NotRequired[OnFailure | None]
    keepFor: NotRequired[int | None]
    protectedVms: NotRequired[VmPolicy | None]
    stoppedVms: NotRequired[VmPolicy | None]
    attachedVms: NotRequired[VmPolicy | None]
    adjust: NotRequired[bool | None]
    force: NotRequired[bool | None]
    gracePeriod: NotRequired[int | None]
    allocationTimeout: NotRequired[int | None]
    stableFor: NotRequired[int | None]
    batchMinHealthyPercentage: NotRequired[int | None]
    minHealth: NotRequired[int | None]
    maxUnhealthyPercentage: NotRequired[int | None]
    tolerateUnhealthy: NotRequired[bool | None]
    drainingTimeout: NotRequired[int | None]
    healthCheckTypes: NotRequired[list[HealthCheckType] | None]
    comment: NotRequired[str | None]


class Batch(TypedDict):
    number: int
    blue: int
    green: int
    phase: str
    reason: str
    startedAt: str | None
    launchedAt: str | None
    healthyAt: str | None
    detachedAt: str | None
    endedAt: str | None
    round: int
    back: bool
    canary: bool
    floor: int | None
    deletingAt: str | None
    phases: list[Stage]


class BatchList(TypedDict):
    value: list[Batch]
    continuationToken: NotRequired[str]


class Command(TypedDict):
    number: int
    at: str
    by: str
    comment: str
    heeded: CommandEnd | None
    command: str
    all: bool


class CommandList(TypedDict):
    value: list[Command]
    continuationToken: NotRequired[str]


class Defaults(TypedDict):
    batchSizePercentage: int | None
    gracePeriod: int | None
    batchMinHealthyPercentage: int | None
    batchSize: int | None
    canary: Canary | None
    approvals: str | None
    bakeTime: int | None
    waitTimeout: int | None
    actionOnTimeout: Action | None
    onFailure: OnFailure | None
    keepFor: int | None
    protectedVms: VmPolicy | None
    stoppedVms: VmPolicy | None
    attachedVms: VmPolicy | None


class DefaultsBody(TypedDict):
    batchSizePercentage: NotRequired[int | None]
    gracePeriod: NotRequired[int | None]
    batchMinHealthyPercentage: NotRequired[int | None]
    batchSize: NotRequired[int | None]
    canary: NotRequired[CanaryBody | None]
    approvals: NotRequired[Approvals | None]
    bakeTime: NotRequired[int | None]
    waitTimeout: NotRequired[int | None]
    actionOnTimeout: NotRequired[Action | None]
    onFailure: NotRequired[OnFailure | None]
    keepFor: NotRequired[int | None]
    protectedVms: NotRequired[VmPolicy | None]
    stoppedVms: NotRequired[VmPolicy | None]
    attachedVms: NotRequired[VmPolicy | None]


class DeploymentBody(TypedDict):
    batchSizePercentage: NotRequired[int | None]
    batchSize: NotRequired[int | None]
    canary: NotRequired[CanaryBody | None]
    approvals: NotRequired[Approvals | list[int] | None]
    bakeTime: NotRequired[int | None]
    waitTimeout: NotRequired[int | None]
    actionOnTimeout: NotRequired[Action | None]
    onFailure: NotRequired[OnFailure | None]
    keepFor: NotRequired[int | None]
    protectedVms: NotRequired[VmPolicy | None]
    stoppedVms: NotRequired[VmPolicy | None]
    attachedVms: NotRequired[VmPolicy | None]
    adjust: NotRequired[bool | None]
    force: NotRequired[bool | None]
    gracePeriod: NotRequired[int | None]
    allocationTimeout: NotRequired[int | None]
    stableFor: NotRequired[int | None]
    batchMinHealthyPercentage: NotRequired[int | None]
    minHealth: NotRequired[int | None]
    maxUnhealthyPercentage: NotRequired[int | None]
    tolerateUnhealthy: NotRequired[bool | None]
    drainingTimeout: NotRequired[int | None]
    healthCheckTypes: NotRequired[list[HealthCheckType] | None]
    comment: NotRequired[str | None]
    image: NotRequired[str | None]
    onConflict: NotRequired[OnConflict | None]
    retryOf: NotRequired[str | None]


class ErrorBody(TypedDict):
    code: str
    message: str
    target: NotRequired[str]
    details: list[ErrorDetail]


class GroupVm(TypedDict):
    vmId: str
    name: str
    image: str
    imageReference: str | None
    zone: str | None
    health: Literal["healthy", "unhealthy", "unknown"]
    reason: str
    provisioningState: str
    powerState: str | None
    pools: list[PoolState]


class GroupVmList(TypedDict):
    asOf: str
    value: list[GroupVm]
    continuationToken: NotRequired[str]


class ImageRule(TypedDict):
    imageId: str
    versions: str
    enabled: bool
    replicationTimeout: int
    deployment: Asked


class ImageRuleBody(TypedDict):
    imageId: str
    versions: NotRequired[str | None]
    enabled: NotRequired[bool | None]
    replicationTimeout: NotRequired[int | None]
    deployment: NotRequired[AutomaticDeploymentBody | None]


class Me(TypedDict):
    mode: str
    name: str
    recordedAs: str
    roles: list[str]
    may: dict[str, Permission]


class Plan(TypedDict):
    canStart: bool
    image: DeploymentImage
    targetSize: int | None
    numberOfBatches: int | None
    batches: list[PlanBatch]
    kept: list[str]
    skipped: list[Skipped]
    changes: list[dict[str, Any]]
    duration: Duration | None
    surge: Surge | None
    servingFloor: int | None
    findings: list[Finding]


class Reading(TypedDict):
    source: HealthCheckType | SignalType
    health: str
    detail: str
    at: str


class RollNeeded(TypedDict):
    asOf: str | None
    outdated: int | None
    total: int | None
    reasons: list[RollReason]
    error: Problem | None


class Schedule(TypedDict):
    name: str
    cron: str
    timeZone: str
    enabled: bool
    maxLateness: int
    deployment: Asked


class ScheduledDeploymentBody(TypedDict):
    batchSizePercentage: NotRequired[int | None]
    batchSize: NotRequired[int | None]
    canary: NotRequired[CanaryBody | None]
    approvals: NotRequired[Approvals | list[int] | None]
    bakeTime: NotRequired[int | None]
    waitTimeout: NotRequired[int | None]
    actionOnTimeout: NotRequired[Action | None]
    onFailure: NotRequired[OnFailure | None]
    keepFor: NotRequired[int | None]
    protectedVms: NotRequired[VmPolicy | None]
    stoppedVms: NotRequired[VmPolicy | None]
    attachedVms: NotRequired[VmPolicy | None]
    adjust: NotRequired[bool | None]
    force: NotRequired[bool | None]
    gracePeriod: NotRequired[int | None]
    allocationTimeout: NotRequired[int | None]
    stableFor: NotRequired[int | None]
    batchMinHealthyPercentage: NotRequired[int | None]
    minHealth: NotRequired[int | None]
    maxUnhealthyPercentage: NotRequired[int | None]
    tolerateUnhealthy: NotRequired[bool | None]
    drainingTimeout: NotRequired[int | None]
    healthCheckTypes: NotRequired[list[HealthCheckType] | None]
    comment: NotRequired[str | None]
    image: NotRequired[str | None]


class Signal(TypedDict):
    vmId: str
    vmName: str
    receivedAt: str
    signalType: SignalType
    groupId: str


class SignalBody(TypedDict):
    vmName: str
    signalType: SignalType
    resourceGroupName: str
    vmId: NotRequired[str | None]


class SignalRule(TypedDict):
    type: SignalType
    timeout: int


class SignalRuleBody(TypedDict):
    type: SignalType
    timeout: NotRequired[int | None]


class Vm(TypedDict):
    vmId: str
    name: str
    color: str | None
    batch: int
    status: str
    reason: str
    zone: str | None
    readings: list[Reading]
    updatedAt: str | None
    replaced: bool
    evidence: bool
    launchedBy: str


class VmList(TypedDict):
    value: list[Vm]
    continuationToken: NotRequired[str]


class Error(TypedDict):
    error: ErrorBody


class Evidence(TypedDict):
    vmId: str
    name: str
    batch: int
    takenAt: str
    status: str
    reason: str
    readings: list[Reading]
    instanceView: dict[str, Any] | None
    serialLog: str | None
    notes: list[str]


class Group(TypedDict):
    id: str
    scaleSetId: str
    imageId: str | None
    healthCheckTypes: list[HealthCheckType]
    drainingTimeout: int | None
    defaults: Defaults
    createdAt: str | None
    updatedAt: str | None
    signals: list[SignalRule]
    imageRule: ImageRule | None
    schedules: list[Schedule]
    scheduled: NotRequired[list[Scheduled]]
    state: NotRequired[State]
    rollNeeded: NotRequired[RollNeeded]
    needsAttention: NotRequired[Attention | None]
    latest: NotRequired[LatestDeployment | None]
    dangers: NotRequired[list[Danger]]
    findings: NotRequired[list[Finding]]


class GroupList(TypedDict):
    value: list[Group]
    continuationToken: NotRequired[str]
    unreadable: NotRequired[list[UnreadableItem]]


class Parameters(TypedDict):
    image: str | None
    batchSizePercentage: int | None
    batchSize: int | None
    canary: Canary | None
    approvals: str | list[int]
    bakeTime: int
    waitTimeout: int
    actionOnTimeout: Action
    onFailure: OnFailure
    onConflict: OnConflict
    keepFor: int
    protectedVms: VmPolicy
    stoppedVms: VmPolicy
    attachedVms: VmPolicy
    adjust: bool
    force: bool
    retryOf: str | None
    gracePeriod: int
    allocationTimeout: int
    stableFor: int
    batchMinHealthyPercentage: int | None
    minHealth: int | None
    maxUnhealthyPercentage: int
    tolerateUnhealthy: bool
    drainingTimeout: int
    healthCheckTypes: list[HealthCheckType]
    comment: str
    signals: list[SignalRule]


class ScheduleBody(TypedDict):
    name: str
    cron: str
    timeZone: NotRequired[str | None]
    enabled: NotRequired[bool | None]
    maxLateness: NotRequired[int | None]
    deployment: NotRequired[ScheduledDeploymentBody | None]


class Deployment(TypedDict):
    id: str
    groupId: str
    parameters: Parameters
    image: DeploymentImage
    createdAt: str
    startedBy: str
    status: str
    reason: str
    targetSize: int
    numberOfBatches: int
    currentBatch: int
    progress: int
    blueVms: int
    greenVms: int
    remainingBlue: int
    startedAt: str | None
    endedAt: str | None
    error: Problem | None
    decision: PendingDecision | None
    rollbackBatches: int
    retryOf: str | None
    queuedAt: str | None
    servingFloor: int | None
    serving: ServingNow | None
    rollBack: RollBack | None
    canBe: list[Possible]
    queuePosition: int | None
    expectedEndAt: str | None
    expectedEndWithoutWaits: bool
    healthCheckTypes: list[HealthCheckType]
    gracePeriod: int
    comment: str
    dangers: NotRequired[list[Danger]]
    findings: NotRequired[list[Finding]]
    command: NotRequired[Command]
    batches: NotRequired[list[Batch]]
    vms: NotRequired[list[Vm]]
    events: NotRequired[list[Event]]
    commands: NotRequired[list[Command]]
    next: NotRequired[str]
    vmsSince: NotRequired[str]


class DeploymentList(TypedDict):
    value: list[Deployment]
    continuationToken: NotRequired[str]
    unreadable: NotRequired[list[UnreadableItem]]


class GroupBody(TypedDict):
    scaleSetId: str
    imageId: NotRequired[str | None]
    healthCheckTypes: NotRequired[list[HealthCheckType] | None]
    signals: NotRequired[list[SignalRuleBody] | None]
    drainingTimeout: NotRequired[int | None]
    defaults: NotRequired[DefaultsBody | None]
    imageRule: NotRequired[ImageRuleBody | None]
    schedules: NotRequired[list[ScheduleBody] | None]


class OperationStatus(TypedDict):
    id: str
    name: str
    status: Literal["InProgress", "Succeeded", "Failed", "Canceled"]
    percentComplete: int
    startTime: str
    endTime: NotRequired[str]
    error: NotRequired[ErrorBody]
    properties: Deployment
