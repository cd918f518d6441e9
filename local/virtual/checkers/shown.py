"""Promises about what people are shown of VMs: it is what Azure says of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from local.virtual.checkers.watched import WatchedSet
from rollout.model.status import Status, VmStatus
from rollout.steps.known import shown
from rollout.steps.retirement import DELETED

#: Two looks, the time that Azure takes until its list has what happened, and the end itself.
TWO_LOOKS = timedelta(minutes=2)

#: What may be shown of a VM by what has become of it.
_MAY_BE: dict[str, frozenset[VmStatus]] = {
    "deleting": frozenset(VmStatus),
    "gone": frozenset({VmStatus.DELETED}),
    "stopped": frozenset({VmStatus.UNHEALTHY, VmStatus.DETACHED}),
    "failed": frozenset({VmStatus.UNHEALTHY, VmStatus.DETACHED}),
    "serving": frozenset(VmStatus) - {VmStatus.DELETED},
    "notServing": frozenset(VmStatus) - {VmStatus.DELETED},
}


async def vms_shown_as_in_azure(watched: WatchedSet) -> list[str]:
    """At the end of a finished deployment no VM is shown otherwise than it has been in Azure for the last two looks.

    Of one that did not finish nobody looks after its last step.
    """
    found = []
    for row in await watched.rows():
        if row.status is not Status.FINISHED or row.ended_at is None or not row.number_of_batches:
            continue
        states = _steady_states(watched, row.ended_at)
        for record in await watched.platform.store.vms.list(row.id):
            if record.reason == DELETED and record.updated_at is not None and record.updated_at > row.ended_at:
                continue  # A later deployment deleted it.
            state = states.get(record.vm_id, "")
            status, reason = shown(record)
            if not record.moved_to and status not in _MAY_BE.get(state, frozenset(VmStatus)):
                found.append(f"{row.id} shows {record.name} as {status} ({reason}), and it is {state}")
    return found


def _steady_states(watched: WatchedSet, at: datetime) -> dict[str, str]:
    """By ``vmId``, what each VM had been for two looks then; empty where it changed in between."""
    states: dict[str, str] = {}
    for change in watched.platform.cloud.changes:
        if change.time <= at and change.state in _MAY_BE:
            states[change.vm_id] = change.state if change.time <= at - TWO_LOOKS else ""
    return states
