"""Promises about what people are shown of VMs: it is what Azure says of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from local.virtual.checkers.looked import MAY_BE, misshown
from local.virtual.checkers.watched import WatchedSet
from rollout.model.rows.deployment import Deployment, VmRecord
from rollout.model.status import Status
from rollout.steps.others import without_doubles
from rollout.steps.retirement import DELETED

#: Two looks, the time that Azure takes until its list has what happened, and the end itself.
TWO_LOOKS = timedelta(minutes=2)


async def vms_shown_as_in_azure(watched: WatchedSet) -> list[str]:
    """No VM is shown otherwise than it has been in Azure for two looks of the deployment."""
    ids = set(await watched.deployments())
    return [f"{deployment} {words}" for deployment, words in watched.shown.found if deployment in ids]


async def vms_shown_at_the_end(watched: WatchedSet) -> list[str]:
    """A finished deployment shows each VM as it has been in Azure for a while, and leaves out none that came meanwhile.

    After another end nobody looks any more.
    """
    found: list[str] = []
    for row in await watched.rows():
        if row.status is not Status.FINISHED or row.ended_at is None or not row.number_of_batches:
            continue
        states = _steady_states(watched, row.ended_at)
        records = without_doubles(await watched.platform.store.vms.all(row.id))
        said = filter(None, (misshown(one, states.get(one.vm_id, "")) for one in records if not _noted_later(one, row)))
        left_out = sorted(_came(watched, row) & _there(states) - {record.vm_id for record in records})
        found += [f"{row.id} {words}" for words in (*said, *(f"does not show {vm_id}" for vm_id in left_out))]
    return found


def _came(watched: WatchedSet, row: Deployment) -> set[str]:
    """The VMs that nobody had heard of before the deployment had begun."""
    changes, begun = watched.platform.cloud.changes, row.started_at or row.created_at
    return {one.vm_id for one in changes} - {one.vm_id for one in changes if one.time <= begun}


def _there(states: Mapping[str, str]) -> set[str]:
    return {vm_id for vm_id, state in states.items() if state in ("serving", "notServing", "stopped", "failed")}


def _steady_states(watched: WatchedSet, at: datetime) -> dict[str, str]:
    """By ``vmId``, what each VM of the set had been for two looks then; empty where it changed in between."""
    states: dict[str, str] = {}
    for change in watched.platform.cloud.changes:
        if change.time <= at and change.state in MAY_BE and change.scale_set.lower() == watched.scale_set_id.lower():
            states[change.vm_id] = change.state if change.time <= at - TWO_LOOKS else ""
    return states


def _noted_later(record: VmRecord, row: Deployment) -> bool:
    """Whether the row tells of what became of the VM after the deployment's end: it may have gone since."""
    at = record.updated_at if record.reason == DELETED else record.trouble_at
    return at is not None and row.ended_at is not None and at > row.ended_at
