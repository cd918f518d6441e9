"""Models of every answer. ``api.handlers`` make them; the tests hold them to these models."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, RootModel, create_model

from api.contract.shapes import Absent, Seconds, Shape, as_sent, derived, partly, shape
from api.transport.errors import Code
from rollout.judging.group_state import Attention
from rollout.model.azure.evidence import VmEvidence
from rollout.model.azure.roll_needed import RollNeeded
from rollout.model.azure.scale_set import OrchestrationMode
from rollout.model.choices import HealthCheckType
from rollout.model.findings import Finding
from rollout.model.group import Group, SignalType
from rollout.model.image_rule import ImageRule
from rollout.model.parameters import Parameters
from rollout.model.request import StartRequest
from rollout.model.roles import Mode, Role
from rollout.model.rows.commands import Command, CommandKind
from rollout.model.rows.deployment import Batch, Deployment, Event, Problem, VmRecord
from rollout.model.rows.group_state import HealthCount
from rollout.model.rows.notification import NotificationOutcome, NotificationRecord
from rollout.model.rows.signals import Signal
from rollout.model.schedule import Schedule, ScheduleRun
from rollout.model.stages import Stage
from rollout.model.status import Status


class ImageVms(Shape):
    """How many VMs of a scale set run an image."""

    image: str
    image_reference: str | None
    vms: int


class State(Shape):
    """How the scale set looked at ``asOf``; where it could not be read, ``error`` says why and the rest is missing."""

    as_of: AwareDatetime | None
    name: str | Absent = None
    location: str | Absent = None
    orchestration_mode: OrchestrationMode | Absent = None
    capacity: int | Absent = None
    provisioning_state: str | Absent = None
    image: str | None = None
    image_reference: str | None = None
    zones: list[str] | Absent = None
    vms: int | None
    images: list[ImageVms]
    health: as_sent(HealthCount | None)  # type: ignore[valid-type]
    error: as_sent(Problem | None)  # type: ignore[valid-type]


class LatestDeployment(Shape):
    """A group's newest deployment, in short."""

    id: str
    status: Status
    reason: str
    progress: int
    image: str
    created_at: AwareDatetime
    ended_at: AwareDatetime | None


class PoolState(Shape):
    """A backend pool that a VM is in."""

    pool: str
    down: bool


class GroupVm(Shape):
    """A VM of a group's scale set, as it is now."""

    vm_id: str
    name: str
    image: str
    image_reference: str | None
    zone: str | None
    health: Literal["healthy", "unhealthy", "unknown"]
    reason: str
    provisioning_state: str
    power_state: str | None
    pools: list[PoolState]


class GroupVmList(Shape):
    """The VMs of a group's scale set, at most a minute old."""

    as_of: AwareDatetime
    value: list[GroupVm]
    continuation_token: str | Absent = None


class DeploymentImage(Shape):
    """What was asked for, the exact image that it is, and what the set's model said before."""

    requested: str | None
    pinned: str | None
    previous: str | None


class Duration(Shape):
    """How long a plan takes, and what that is taken from."""

    seconds: int
    basis: str


class Surge(Shape):
    """How many more VMs, and cores where the VM size could be read, there are at most."""

    vms: int
    cores: int | None


class PlanBatch(Shape):
    """One batch of a plan."""

    number: int
    blue: int
    green: int
    canary: bool
    approval: bool
    vms: list[str]


class Skipped(Shape):
    """A VM that is left as it is."""

    name: str
    reason: str


class Plan(Shape):
    """What a deployment would do. Where the set or its image is not there nothing can be planned: values are null."""

    can_start: bool
    image: DeploymentImage
    target_size: int | None
    number_of_batches: int | None
    batches: list[PlanBatch]
    kept: list[str]
    skipped: list[Skipped]
    changes: list[dict[str, Any]]
    duration: Duration | None
    surge: Surge | None
    serving_floor: int | None
    findings: list[shape(Finding)]  # type: ignore[valid-type]


class ImageVersion(Shape):
    """An image version that can be deployed; ``regions`` maps a region to the state of its replication."""

    version: str
    id: str
    provisioning_state: str
    exclude_from_latest: bool
    os_type: str | None
    published_at: AwareDatetime | None
    regions: dict[str, str]


class Durable(RootModel[dict[str, Any]]):
    """The status of the orchestration, as the Durable Functions SDK writes it."""


class Document(RootModel[dict[str, Any]]):
    """An OpenAPI 3.1 document."""


class Check(Shape):
    """What works: ``storage``, ``armToken``, or a timer, with when it ran last and what it left for its next run."""

    name: str
    last_run: AwareDatetime | None
    left: list[str]


class Health(Shape):
    """That the app runs; and what was looked at, where that was asked for."""

    status: Literal["healthy"]
    checks: list[Check] | Absent = None


class Permission(Shape):
    """Whether the caller may give a command, and the least role that may."""

    allowed: bool
    needs: Role


class Me(Shape):
    """Who the caller is to Teal. ``recordedAs``: what starts and commands say of who asked for them."""

    mode: Mode
    name: str
    recorded_as: str
    roles: list[Role]
    may: dict[str, Permission]


class SignalKey(Shape):
    """What the group's VMs send with their signals: ``key``, as the header that ``header`` names."""

    group_id: str
    header: str
    key: str


class ErrorDetail(Shape):
    """One fault among several: a field that is wrong, or a finding of the preflight with its remedy."""

    code: str
    message: str
    target: str | Absent = None
    remedy: str | Absent = None


class ErrorBody(Shape):
    """What is wrong. ``target``: the field, query parameter or deployment at fault."""

    code: Code
    message: str
    target: str | Absent = None
    details: list[ErrorDetail]


class Error(Shape):
    """The envelope of every refusal."""

    error: ErrorBody


class EventList(Shape):
    """Events in sequence. ``next`` is the ``after`` that goes on from here, now or later."""

    value: list[shape(Event)]  # type: ignore[valid-type]
    next: str
    continuation_token: str | Absent = None


class Danger(Shape):
    """What stands between a scale set and order until it is mended."""

    code: str
    since: AwareDatetime
    message: str
    remedy: str


DANGERS: Any = {"dangers": list[Danger]}
FINDINGS: Any = list[shape(Finding)]  # type: ignore[misc]

ASKED = partly(StartRequest, "Asked", omit=("on_conflict", "retry_of"))
IMAGE_RULE = derived(ImageRule, "ImageRule", instead={"deployment": ASKED})
SCHEDULE = derived(Schedule, "Schedule", omit=("since",), instead={"deployment": ASKED})
SCHEDULE_RUN = derived(ScheduleRun, "ScheduleRun", omit=("group_id", "name", "trying"))


class Scheduled(Shape):
    """When a schedule runs next, and what became of its last time; ``nextRun`` is null where it does not run again."""

    name: str
    next_run: AwareDatetime | None
    last_run: SCHEDULE_RUN | None  # type: ignore[valid-type]


SCHEDULED: Any = {"scheduled": list[Scheduled]}

#: Numbers are null, and there are no reasons, where ``error`` says why it is not known.
ROLL_NEEDED = derived(
    RollNeeded,
    "RollNeeded",
    instead={
        "as_of": AwareDatetime | None,
        "outdated": int | None,
        "total": int | None,
        "error": as_sent(Problem | None),
    },
)
_READ: Any = {
    "state": State,
    "roll_needed": ROLL_NEEDED,
    "needs_attention": as_sent(Attention | None),
    "latest": LatestDeployment | None,
}

_RULES: Any = {"image_rule": IMAGE_RULE | None, "schedules": list[SCHEDULE]}  # type: ignore[valid-type]
#: Of a list the definition alone; the answers about one group tell more.
GROUP = derived(Group, "Group", instead=_RULES, more={**SCHEDULED, **_READ, **DANGERS, "findings": FINDINGS})

#: What is shown otherwise than it is kept (``api.handlers.rendering.render_parameters``).
_ASKED = {"approvals": str | list[int], "batch_size_percentage": int | None}
PARAMETERS = derived(Parameters, "Parameters", omit=("approval_batches",), instead=_ASKED)


class Possible(Shape):
    """Whether a deployment can be given a command now, and why not."""

    command: CommandKind
    possible: bool
    reason: str


class ServingNow(Shape):
    """How many VMs serve, by their image."""

    previous_image: int
    new_image: int


#: What of a deployment's row is Teal's own affair.
_INNER = (
    *("scale_set_id", "epoch", "settled", "left_out", "sequence", "heard", "gate", "waiting", "paused_from"),
    *("idempotency_key", "continues", "former", "inheritance", "left", "findings", "looked_at", "ahead", "expected"),
    "revision",
)
_SHOWN = {
    "can_be": list[Possible],
    "serving": ServingNow | None,
    "queue_position": int | None,
    "expected_end_at": AwareDatetime | None,
    "expected_end_without_waits": bool,
    "image": DeploymentImage,
    "health_check_types": list[HealthCheckType],
    "grace_period": Seconds,
    "comment": str,
    "parameters": PARAMETERS,
}
COMMAND = derived(
    Command, "Command", omit=("kind", "all_gates", "accepted_after"), instead={"command": CommandKind, "all": bool}
)
BATCH = derived(
    Batch,
    "Batch",
    omit=(
        *("sequence", "asked", "refused_pools", "gateway_draining", "stages", "vm_writes", "judged"),
        *("failure", "relaunched", "notes"),
    ),
    instead={"deleting_at": AwareDatetime | None, "phases": list[shape(Stage)]},  # type: ignore[misc]
)
VM = derived(
    VmRecord,
    "Vm",
    omit=(
        *("detached_at", "moved_to", "unjudged", "taken_out", "idle", "passed", "trouble", "trouble_at"),
        *("unmade", "relaunched_at", "launched_at"),
    ),
)
#: What is new of a deployment, where it was asked for.
_INCLUDED: Any = {
    "batches": list[BATCH],  # type: ignore[valid-type]
    "vms": list[VM],  # type: ignore[valid-type]
    "events": list[shape(Event)],  # type: ignore[misc]
    "commands": list[COMMAND],  # type: ignore[valid-type]
    "next": str,
    "vms_since": str,
}
#: One model for all answers, so that a client has one: what some of them tell besides may be missing.
DEPLOYMENT = derived(
    Deployment,
    "Deployment",
    omit=_INNER,
    instead=_SHOWN,
    more={**DANGERS, "findings": FINDINGS, "command": COMMAND, **_INCLUDED},
)


class OperationStatus(Shape):
    """A deployment as Azure Resource Manager records an operation. ``properties``: the deployment."""

    id: str
    name: str
    status: Literal["InProgress", "Succeeded", "Failed", "Canceled"]
    percent_complete: int
    start_time: AwareDatetime
    end_time: AwareDatetime | Absent = None
    error: ErrorBody | Absent = None
    properties: DEPLOYMENT  # type: ignore[valid-type]


EVIDENCE = derived(VmEvidence, "Evidence")
NOTIFICATION = derived(NotificationRecord, "Notification", omit=("key",), instead={"outcome": NotificationOutcome})
SIGNAL = derived(Signal, "Signal", omit=("type",), instead={"signal_type": SignalType, "group_id": str})


class UnreadableItem(Shape):
    """What a list tells in the place of an item that this release of Teal cannot read."""

    id: str
    code: Literal[Code.WRITTEN_BY_NEWER_RELEASE]
    message: str


def listed(item: type[Shape], *, told: bool = False) -> type[Shape]:
    """The envelope of a list; ``continuationToken`` where there is more.

    ``told``: items that cannot be read are told beside the others.
    """
    fields: dict[str, Any] = {"value": (list[item], ...), "continuation_token": (str | Absent, None)}  # type: ignore[valid-type]
    if told:
        fields["unreadable"] = (list[UnreadableItem] | Absent, None)
    return create_model(f"{item.__name__}List", __base__=Shape, __doc__="One page of a list.", **fields)
