"""The core's values as the API shows them: field names and their order are a contract (docs/api.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from rollout.judging.group_state import NOT_READ, health_of, needs_attention
from rollout.model.azure.evidence import VmEvidence
from rollout.model.azure.pools import Membership
from rollout.model.azure.scale_set import ImageReference, PublishedVersion, Vm
from rollout.model.codec import Json, encode
from rollout.model.findings import Finding
from rollout.model.group import Group
from rollout.model.image_rule import ImageRule
from rollout.model.parameters import BATCHES, Parameters
from rollout.model.rows.commands import Command, CommandKind
from rollout.model.rows.danger import DangerRecord
from rollout.model.rows.deployment import Batch, Deployment, Event, Image, Problem, Reading, VmRecord
from rollout.model.rows.group_state import GroupState, Latest, SetSummary
from rollout.model.rows.notification import NotificationRecord
from rollout.model.rows.signals import Signal
from rollout.model.schedule import Schedule
from rollout.model.serving import told


def render_group(group: Group) -> Json:
    """A group's definition, with the names that ``PUT`` takes."""
    return {
        "id": group.id,
        "scaleSetId": group.scale_set_id,
        "imageId": group.image_id,
        "healthCheckTypes": encode(group.health_check_types),
        "signals": encode(group.signals),
        "drainingTimeout": encode(group.draining_timeout),
        "defaults": encode(group.defaults),
        "imageRule": _with_asked(group.image_rule) if group.image_rule else None,
        "schedules": [_with_asked(schedule) for schedule in group.schedules],
        "createdAt": encode(group.created_at),
        "updatedAt": encode(group.updated_at),
    }


def _with_asked(automatic: ImageRule | Schedule) -> Json:
    """An image rule or a schedule, as it was put; of its deployment what is asked for, and no more."""
    shown: Json = encode(automatic)
    shown.pop("since", None)
    asked = encode(automatic.deployment)
    return {**shown, "deployment": {name: value for name, value in asked.items() if value not in (None, "")}}


def render_group_state(state: GroupState, dangers: Iterable[DangerRecord]) -> Json:
    """How a group was last seen."""
    return {
        "state": _state(state),
        "rollNeeded": _roll(state),
        "needsAttention": encode(needs_attention(state, dangers)),
        "latest": _latest(state.latest) if state.latest is not None else None,
    }


def _state(state: GroupState) -> Json:
    never = Problem(NOT_READ, "Nobody has looked at the scale set yet; a timer does within some minutes")
    return {
        "asOf": encode(state.read_at),
        **(_scale_set(state.summary) if state.summary is not None else {}),
        "vms": state.vms,
        "images": [
            {"image": one.image.label, "imageReference": render_reference(one.image), "vms": one.vms}
            for one in state.images
        ],
        "health": encode(state.health),
        "error": encode(state.problem if state.read_at is not None else never),
    }


def _roll(state: GroupState) -> Json:
    """Whether a group's scale set needs a roll; ``error`` where that could not be read, or not in full."""
    needed = state.roll_needed
    return {
        "asOf": encode(needed.as_of if needed else state.read_at),
        "outdated": needed.outdated if needed else None,
        "total": needed.total if needed else None,
        "reasons": encode(needed.reasons) if needed else [],
        "error": encode(state.roll_problem),
    }


def _latest(latest: Latest) -> Json:
    return {
        "id": latest.id,
        "status": encode(latest.status),
        "reason": latest.reason,
        "progress": latest.progress,
        "image": latest.image.label,
        "createdAt": encode(latest.created_at),
        "endedAt": encode(latest.ended_at),
    }


def render_vm_now(vm: Vm, group: Group, member: Membership | None) -> Json:
    """One VM of a group's scale set as it is now."""
    health, reason = health_of(vm, group.health_check_types)
    down = member.down if member is not None else frozenset()
    return {
        "vmId": vm.vm_id,
        "name": vm.name,
        "image": vm.image.label,
        "imageReference": render_reference(vm.image),
        "zone": vm.zone,
        "health": health,
        "reason": reason,
        "provisioningState": vm.provisioning_state,
        "powerState": vm.power_state,
        "pools": [{"pool": pool, "down": pool in down} for pool in sorted(member.pools if member is not None else ())],
    }


def render_deployment(
    deployment: Deployment,
    reason: str,
    against: Mapping[CommandKind, str] | None = None,
    expected_end: datetime | None = None,
) -> Json:
    """The overview of a deployment; ``reason`` is the freshest sentence about it (``api.handlers.overview``).

    ``against``: why it can not be given a command now; empty where it can. ``expected_end``: when it will be over.
    """
    return {
        "id": deployment.id,
        "groupId": deployment.group_id,
        "status": encode(deployment.status),
        "reason": reason,
        "canBe": [
            {"command": encode(kind), "possible": not why, "reason": why} for kind, why in (against or {}).items()
        ],
        "decision": encode(deployment.decision),
        "progress": deployment.progress,
        "numberOfBatches": deployment.number_of_batches,
        "rollbackBatches": deployment.rollback_batches,
        "currentBatch": deployment.current_batch,
        "blueVms": deployment.blue_vms,
        "greenVms": deployment.green_vms,
        "remainingBlue": deployment.remaining_blue,
        "targetSize": deployment.target_size,
        "servingFloor": deployment.serving_floor,
        "serving": told(deployment.serving),
        "rollBack": encode(deployment.roll_back),
        "queuePosition": None if deployment.ahead is None else deployment.ahead + 1,
        "image": _image(deployment.image),
        "healthCheckTypes": encode(deployment.parameters.health_check_types),
        "gracePeriod": encode(deployment.parameters.grace_period),
        "createdAt": encode(deployment.created_at),
        "queuedAt": encode(deployment.queued_at),
        "startedAt": encode(deployment.started_at),
        "endedAt": encode(deployment.ended_at),
        "expectedEndAt": encode(expected_end),
        "expectedEndWithoutWaits": True,
        "startedBy": deployment.started_by,
        "comment": deployment.parameters.comment,
        "retryOf": deployment.retry_of,
        "parameters": render_parameters(deployment.parameters),
        "error": encode(deployment.error),
    }


def render_dangers(dangers: Iterable[DangerRecord]) -> list[Json]:
    """What stands between a scale set and order, as far as there is anything to tell."""
    return [
        {"code": one.code, "since": encode(one.since), "message": one.message, "remedy": one.remedy}
        for one in dangers
        if one.told
    ]


def render_parameters(parameters: Parameters) -> Json:
    """Every parameter, in the form in which it is asked for."""
    shown: Json = encode(parameters)
    numbers = shown.pop("approvalBatches")
    if parameters.approvals == BATCHES:
        shown["approvals"] = numbers
    if parameters.batch_size is not None:
        shown["batchSizePercentage"] = None
    return shown


def render_command(command: Command) -> Json:
    """What was said, and what became of it."""
    return {
        "number": command.number,
        "command": encode(command.kind),
        "all": command.all_gates,
        "at": encode(command.at),
        "by": command.by,
        "comment": command.comment,
        "heeded": encode(command.heeded),
    }


def render_finding(finding: Finding) -> Json:
    """What a preflight found without refusing."""
    shown: Json = encode(finding)
    return shown


def render_batch(batch: Batch) -> Json:
    """One batch."""
    return {
        "number": batch.number,
        "phase": encode(batch.phase),
        "canary": batch.canary,
        "back": batch.back,
        "round": batch.round,
        "reason": batch.reason,
        "blue": batch.blue,
        "green": batch.green,
        "startedAt": encode(batch.started_at),
        "launchedAt": encode(batch.launched_at),
        "healthyAt": encode(batch.healthy_at if batch.judged else None),
        "detachedAt": encode(batch.detached_at),
        "deletingAt": encode(batch.deleting_at),
        "endedAt": encode(batch.ended_at),
        "floor": batch.floor,
        "phases": encode(batch.stages),
    }


def render_vm(record: VmRecord) -> Json:
    """One VM's part in a deployment."""
    return {
        "vmId": record.vm_id,
        "name": record.name,
        "color": encode(record.color),
        "batch": record.batch,
        "status": encode(record.status),
        "reason": record.reason,
        "zone": record.zone,
        "replaced": record.replaced,
        "evidence": record.evidence,
        "launchedBy": record.launched_by,
        "readings": [_reading(reading) for reading in record.readings],
        "updatedAt": encode(record.updated_at),
    }


def render_evidence(evidence: VmEvidence) -> Json:
    """What is kept of a sick VM; ``notes`` say what of it is missing and why."""
    return {
        "vmId": evidence.vm_id,
        "name": evidence.name,
        "batch": evidence.batch,
        "takenAt": encode(evidence.taken_at),
        "status": encode(evidence.status),
        "reason": evidence.reason,
        "readings": [_reading(reading) for reading in evidence.readings],
        "instanceView": encode(evidence.instance_view),
        "serialLog": evidence.serial_log,
        "notes": encode(evidence.notes),
    }


def render_signal(signal: Signal, group: Group) -> Json:
    """What is recorded of a signal."""
    return {
        "vmId": signal.vm_id,
        "vmName": signal.vm_name,
        "signalType": encode(signal.type),
        "groupId": group.id,
        "receivedAt": encode(signal.received_at),
    }


def render_event(event: Event) -> Json:
    """One event."""
    return {
        "sequence": event.sequence,
        "at": encode(event.at),
        "type": event.type,
        "batch": event.batch,
        "message": event.message,
        "data": encode(event.data),
    }


def render_notification(record: NotificationRecord) -> Json:
    """One notification of Event Grid, and what it led to."""
    return {
        "id": record.id,
        "type": record.type,
        "subject": record.subject,
        "receivedAt": encode(record.received_at),
        "deliveries": record.deliveries,
        "imageId": record.image_id,
        "version": record.version,
        "outcome": encode(record.outcome),
        "reason": record.reason,
        "groups": encode(record.groups),
    }


def render_version(version: PublishedVersion) -> Json:
    """One image version with its replication: region to state."""
    return {
        "version": version.name,
        "id": version.id,
        "provisioningState": version.provisioning_state,
        "excludeFromLatest": version.exclude_from_latest,
        "osType": version.os_type,
        "publishedAt": encode(version.published_at),
        "regions": encode(version.regions or {}),
    }


def _scale_set(scale_set: SetSummary) -> Json:
    return {
        "name": scale_set.name,
        "location": scale_set.location,
        "orchestrationMode": encode(scale_set.mode),
        "capacity": scale_set.capacity,
        "provisioningState": scale_set.provisioning_state,
        "image": scale_set.image.label if scale_set.image else None,
        "imageReference": render_reference(scale_set.image),
        "zones": encode(scale_set.zones),
    }


def _image(image: Image) -> Json:
    return {
        "requested": image.requested,
        "pinned": render_reference(image.pinned),
        "previous": render_reference(image.previous),
    }


def render_reference(image: ImageReference | None) -> str | None:
    """A resource id, or a marketplace image as the Azure CLI writes it: ``publisher:offer:sku:version``."""
    if image is None:
        return None
    names = (image.publisher, image.offer, image.sku, image.version)
    return (
        image.id
        or image.shared_gallery_image_id
        or image.community_gallery_image_id
        or ":".join(name for name in names if name)
    )


def _reading(reading: Reading) -> Json:
    return {
        "source": encode(reading.source),
        "health": reading.health,
        "detail": reading.detail,
        "at": encode(reading.at),
    }
