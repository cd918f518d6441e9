"""A group as people see it without asking Azure: one row, by whoever just looked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from rollout.judging.roll_needed import DEPLOYMENT, while_under_way
from rollout.model.azure.health import VmHealth, observe, worst
from rollout.model.azure.roll_needed import RollNeeded
from rollout.model.azure.scale_set import ScaleSet, Vm
from rollout.model.choices import HealthCheckType
from rollout.model.group import Group
from rollout.model.rows.commands import CommandKind
from rollout.model.rows.danger import DangerRecord
from rollout.model.rows.deployment import Deployment, Problem
from rollout.model.rows.group_state import GroupState, HealthCount, ImageCount, Latest, SetSummary
from rollout.model.status import Status
from rollout.model.words import counted

#: Of a set that nobody has looked at, or not since a deployment ended.
NOT_READ = "notReadYet"

#: Before any look.
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class GroupLook:
    """One look at a set. ``needed`` ``None`` without a ``problem``: it was not asked, and what is known of it stays."""

    at: datetime
    scale_set: ScaleSet | None
    vms: Sequence[Vm] | None = None
    problem: Problem | None = None
    needed: RollNeeded | None = None
    roll_problem: Problem | None = None
    pause: timedelta = timedelta(0)


def of_group(state: GroupState | None, group_id: str, scale_set_id: str) -> GroupState:
    """The row, or a new one where there is none, or it is that of another set."""
    if state is None or state.scale_set_id.lower() != scale_set_id.lower():
        return GroupState(group_id, scale_set_id)
    return state


def looked(state: GroupState, look: GroupLook, types: Iterable[HealthCheckType]) -> GroupState:
    """The row after a look; one that came before what it holds already changes nothing."""
    if state.read_at is not None and look.at < state.read_at:
        return state
    again = look.at + look.pause if look.pause else state.again
    if look.scale_set is None:
        unread = replace(state, read_at=look.at, problem=look.problem, again=again)
        return replace(unread, roll_needed=None, roll_problem=look.roll_problem)
    known = replace(state, read_at=look.at, summary=SetSummary.of(look.scale_set), problem=None, again=again)
    if look.vms is not None:
        standing = [vm for vm in look.vms if not vm.leaving]
        known = replace(known, vms=len(standing), images=_images(standing), health=_health(standing, list(types)))
    if look.needed is not None or look.roll_problem is not None:
        known = replace(known, roll_needed=look.needed, roll_problem=look.roll_problem)
    return known


def with_latest(state: GroupState, row: Deployment, now: datetime) -> GroupState:
    """The row after something happened to a deployment; an older one, or an older event, changes nothing.

    While it has the set, the VMs that are to go are what needs a roll. At its end the set is due to be looked at.
    """
    known = state.latest
    newer = known is None or (row.created_at, row.id) > (known.created_at, known.id)
    if not newer and (known is None or known.id != row.id or known.sequence > row.sequence):
        return state
    state = replace(state, latest=Latest.of(row))
    if row.status.ended:
        return _over(replace(state, again=None), row)
    needed = while_under_way(row, now) if row.status is not Status.QUEUED else None
    return state if needed is None else replace(state, roll_needed=needed, roll_problem=None)


def _over(state: GroupState, row: Deployment) -> GroupState:
    """What was left for the deployment to do is nothing that anybody has seen of the set."""
    of_deployment = state.roll_needed is not None and any(one.field == DEPLOYMENT for one in state.roll_needed.reasons)
    if not of_deployment:
        return state
    message = f"Deployment {row.id} has ended, and nobody has looked at the scale set since; a timer does"
    return replace(state, roll_needed=None, roll_problem=Problem(NOT_READ, message))


def due(states: Iterable[GroupState], now: datetime, most: int) -> tuple[GroupState, ...]:
    """Which sets the timer may look at now: those first of which nothing is known since a deployment ended, or at all,
    then those that were looked at longest ago.
    """
    ready = [state for state in states if state.again is None or state.again <= now]
    oldest = sorted(ready, key=lambda state: (state.again is not None, state.read_at or _NEVER, state.group_id))
    return tuple(oldest[:most])


class AttentionCode(StrEnum):
    """What makes a group one to look at, the most urgent first."""

    DANGER = "danger"
    APPROVAL_AWAITED = "approvalAwaited"
    PAUSED = "paused"
    DEPLOYMENT_FAILED = "deploymentFailed"
    DEPLOYMENT_ROLLED_BACK = "deploymentRolledBack"
    DEPLOYMENT_STOPPED = "deploymentStopped"
    NOT_READABLE = "notReadable"
    VMS_UNHEALTHY = "vmsUnhealthy"


@dataclass(frozen=True)
class Attention:
    """Why somebody should look at a group. ``deployment_id``: which deployment it is about, if one."""

    code: AttentionCode
    reason: str
    deployment_id: str | None = None


_ENDS = {
    Status.FAILED: AttentionCode.DEPLOYMENT_FAILED,
    Status.ROLLED_BACK: AttentionCode.DEPLOYMENT_ROLLED_BACK,
}


def needs_attention(state: GroupState, dangers: Iterable[DangerRecord]) -> Attention | None:
    """The most urgent reason for somebody to look at the group, or that there is none.

    While a deployment changes the set, VMs come and go: their health is its affair.
    """
    for danger in dangers:
        if danger.told:
            return Attention(AttentionCode.DANGER, danger.message, danger.deployment_id or None)
    latest = state.latest
    if latest is not None:
        if latest.decision is not None:
            asks = latest.decision.asked is CommandKind.APPROVE
            code = AttentionCode.APPROVAL_AWAITED if asks else AttentionCode.PAUSED
            return Attention(code, latest.reason, latest.id)
        if latest.status in _ENDS:
            return Attention(_ENDS[latest.status], latest.reason, latest.id)
        if latest.status is Status.STOPPED and not latest.settled:
            return Attention(AttentionCode.DEPLOYMENT_STOPPED, latest.reason, latest.id)
    if state.problem is not None:
        return Attention(AttentionCode.NOT_READABLE, state.problem.message)
    if state.health is not None and state.health.unhealthy and (latest is None or latest.status.ended):
        return Attention(
            AttentionCode.VMS_UNHEALTHY, f"{state.health.unhealthy} of {counted(state.vms or 0, 'VM')} unhealthy"
        )
    return None


def _images(vms: Iterable[Vm]) -> tuple[ImageCount, ...]:
    tally = Counter(vm.image for vm in vms)
    ordered = sorted(tally.items(), key=lambda item: (-item[1], item[0].full_name))
    return tuple(ImageCount(image, number) for image, number in ordered)


def health_of(vm: Vm, types: Iterable[HealthCheckType]) -> tuple[str, str]:
    """``healthy``, ``unhealthy`` or ``unknown``, and why. Where nobody asked for its health, its state alone tells.

    Of a group that checks nothing a VM that runs is not called healthy.
    """
    types = list(types)
    asked = [kind for kind in types if kind is not HealthCheckType.APPLICATION_HEALTH or vm.health is not None]
    decisive = worst(observe(vm, asked))
    words = {VmHealth.HEALTHY: "healthy", VmHealth.UNHEALTHY: "unhealthy", VmHealth.WAITING: "unknown"}
    health = words[decisive.health] if types or decisive.health is not VmHealth.HEALTHY else "unknown"
    return health, f"{decisive.source}: {decisive.detail}"


def _health(vms: Iterable[Vm], types: Sequence[HealthCheckType]) -> HealthCount:
    tally = Counter(health_of(vm, types)[0] for vm in vms)
    return HealthCount(tally["healthy"], tally["unhealthy"], tally["unknown"])


def of_all(groups: Iterable[Group], states: Iterable[GroupState]) -> dict[str, GroupState]:
    """The row of each group, new ones where there is none."""
    known = {state.group_id: state for state in states}
    return {group.id: of_group(known.get(group.id), group.id, group.scale_set_id) for group in groups}
