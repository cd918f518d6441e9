"""What the reading commands show: groups, plans, deployments, events and VMs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from teal_cli.options import Form
from teal_cli.session import now
from teal_cli.show.durations import show_duration
from teal_cli.show.narrating import event_line, gate_lines, moment, state_line
from teal_cli.show.output import Output
from teal_cli.show.plain import plain
from teal_cli.show.tables import table

if TYPE_CHECKING:
    from teal_cli.api.models import Deployment, Event, Finding, Group, Plan, PlanBatch, Vm

#: The states in which a deployment is not over.
LIVE = "queued,pending,inProgress,paused,awaitingApproval,baking,stopping,rollingBack"


def show(output: Output, value: Any, lines: Sequence[str]) -> None:
    """The value for programs, or its lines for people."""
    if output.form is Form.TEXT:
        for line in lines:
            output.result(line)
    elif output.form is Form.JSONL and isinstance(value, list):
        for item in value:
            output.record(item)
    else:
        output.record(value)


def group_lines(groups: Sequence[Group]) -> list[str]:
    """One group a line."""
    return table(("group", "scale set", "VMs", "image", "to roll", "last", "attention"), map(_group_row, groups))


def _group_row(group: Group) -> tuple[object, ...]:
    state, roll, latest = group.get("state"), group.get("rollNeeded"), group.get("latest")
    attention = group.get("needsAttention")
    return (
        plain(group["id"]),
        _last(group["scaleSetId"]),
        state.get("capacity", "?") if state else "?",
        plain(str((state.get("image") if state else None) or "?")),
        "?" if roll is None or roll["outdated"] is None else roll["outdated"],
        plain(latest["status"]) if latest else "",
        plain(attention["reason"]) if attention else "",
    )


def one_group_lines(group: Group) -> list[str]:
    """A group with its set, and whether there is something to roll."""
    state, roll = group["state"], group["rollNeeded"]
    image = plain(str(state.get("image") or "an image that is not known"))
    lines = [f"{plain(group['id'])}: {_last(group['scaleSetId'])}, {state.get('capacity', '?')} VMs, {image}"]
    if roll.get("outdated") is not None:
        lines.append(f"{roll['outdated']} of {roll['total']} VMs are to be replaced")
    lines += [f"  {reason['vms']} VMs: {plain(reason['message'])}" for reason in roll.get("reasons", [])]
    for problem in (state.get("error"), roll.get("error")):
        lines += [f"  {plain(problem['code'])}: {plain(problem['message'])}"] if problem else []
    lines += [f"  next run of {plain(one['name'])}: {one['nextRun']}" for one in group["scheduled"] if one["nextRun"]]
    return lines + danger_lines(group)


def danger_lines(shown: Group | Deployment) -> list[str]:
    """What stands between a set and order."""
    return [f"DANGER {plain(one['message'])}. {plain(one['remedy'])}" for one in shown.get("dangers", [])]


def plan_lines(plan: Plan) -> list[str]:
    """Batches, cost, and what speaks for and against it."""
    image = plan["image"]
    lines = [f"Image: {_last(image['previous'])} -> {_last(image['pinned'] or image['requested'])}"]
    rows = [
        (one["number"], one["blue"], one["green"], _marks(one), " ".join(plain(name) for name in one["vms"]))
        for one in plan["batches"]
    ]
    lines += table(("batch", "go", "come", "", "VMs that go"), rows) if rows else ["No VM is to be replaced"]
    lines += [f"Stays: {plain(one['name'])} ({plain(one['reason'])})" for one in plan["skipped"]]
    lines += [f"Changes: {plain(one['message'])}" for one in plan["changes"]]
    if plan["duration"]:
        took = show_duration(timedelta(seconds=plan["duration"]["seconds"]))
        lines.append(f"Takes about {took} ({plain(plan['duration']['basis'])})")
    if plan["surge"]:
        cores = f", {plan['surge']['cores']} cores" if plan["surge"]["cores"] is not None else ""
        lines.append(f"Surge: {plan['surge']['vms']} VMs{cores}")
    lines += finding_lines(plan["findings"])
    return [*lines, "Can be started" if plan["canStart"] else "Would be refused"]


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """Each finding with its remedy."""
    return [f"{one['severity']}: {plain(one['message'])}. {plain(one['remedy'])} ({one['code']})" for one in findings]


def _marks(batch: PlanBatch) -> str:
    return ", ".join(word for word, there in (("canary", batch["canary"]), ("approval", batch["approval"])) if there)


def status_lines(deployment: Deployment, page: str) -> list[str]:
    """Where one deployment stands."""
    image = deployment["image"]
    lines = [
        f"{plain(deployment['id'])}: {state_line(deployment, now()).partition(' ')[2]}",
        f"  image: {_last(image['previous'])} -> {_last(image['pinned'] or image['requested'])}",
        f"  batch {deployment['currentBatch']} of {deployment['numberOfBatches']}; "
        f"{deployment['blueVms']} blue VMs, {deployment['greenVms']} green",
        f"  started {moment(deployment['createdAt'])} by {plain(deployment['startedBy'])}",
    ]
    serving = deployment["serving"]
    if serving is not None:
        lines.append(f"  serving: {serving['previousImage']} of the previous image, {serving['newImage']} of the new")
    lines += [f"  comment: {plain(deployment['comment'])}"] if deployment["comment"] else []
    can = [one["command"] for one in deployment["canBe"] if one["possible"]]
    lines += [f"  can be told: {', '.join(can)}"] if can else []
    lines += gate_lines(deployment, page)
    error = deployment["error"]
    lines += [f"  {plain(error['code'])}: {plain(error['message'])}"] if error else []
    return [*lines, *danger_lines(deployment), f"  {page}"]


def history_lines(deployments: Sequence[Deployment]) -> list[str]:
    """One deployment a line."""
    rows = [
        (plain(one["id"]), one["status"], f"{one['progress']} %", _last(one["image"]["pinned"]), plain(one["reason"]))
        for one in deployments
    ]
    return table(("deployment", "status", "done", "image", "why"), rows)


def event_lines(events: Sequence[Event]) -> list[str]:
    """One event a line."""
    return [event_line(event) for event in events]


def vm_lines(vms: Sequence[Vm]) -> list[str]:
    """One VM a line."""
    rows = [
        (one["batch"], one["color"] or "others", plain(one["name"]), one["status"], plain(one["reason"])) for one in vms
    ]
    return table(("batch", "color", "name", "status", "why"), rows)


def _last(identifier: Any) -> str:
    """What people know a resource by: the last part of its id."""
    return plain(str(identifier).rpartition("/")[2]) if identifier else "?"
