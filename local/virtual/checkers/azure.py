"""Promises about what Azure is asked, and what that does to VMs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from local.azure.arm.errors import OPERATION_PREEMPTED
from local.azure.arm.resources import AuditEntry
from local.azure.compute.serving import cut_off
from local.virtual.checkers.watched import WatchedSet, places
from rollout.lifecycle.watchdog import ORCHESTRATOR_LOST
from rollout.model.azure.scale_set import ImageReference
from rollout.model.codec import decode
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import IntentKind
from rollout.model.rows.signals import certain_wait
from rollout.model.status import Status, VmStatus


async def never_fewer_serving(watched: WatchedSet) -> list[str]:
    """At every moment as many VMs serve as served at the start."""
    return watched.serving.violations()


async def no_vm_cut_off(watched: WatchedSet) -> list[str]:
    """No VM is deleted while a pool sends it connections, or before the shortest draining that was asked for."""
    rows = [await watched.platform.row(deployment) for deployment in await watched.deployments()]
    draining = min((_draining(row.parameters) for row in rows), default=timedelta(0))
    return cut_off(watched.platform.cloud, watched.scale_set_id, draining)


def _draining(parameters: Parameters) -> timedelta:
    """How long a detached VM is certainly left alone."""
    return certain_wait(parameters.draining_timeout, parameters.signals)


async def only_meant_vms_created(watched: WatchedSet) -> list[str]:
    """Every rise of the capacity is one that a launch intent meant: from its nominal capacity to its target."""
    meant = {(i.nominal, i.target) for i in await watched.intents() if i.kind is IntentKind.LAUNCH}
    raises = [entry for entry in watched.writes if entry.created]
    return [
        f"{entry.time}: the capacity went from {entry.capacity_before} to {entry.capacity_after}, meant: {meant}"
        for entry in raises
        if (entry.capacity_before, entry.capacity_after) not in meant
        or len(entry.created) != (entry.capacity_after or 0) - (entry.capacity_before or 0)
    ]


async def only_meant_vms_deleted(watched: WatchedSet) -> list[str]:
    """Every VM that a write deleted is named by a delete intent."""
    meant = {vm for i in await watched.intents() if i.kind is IntentKind.DELETE for vm in i.vm_ids}
    return [
        f"{entry.time}: {entry.method} deleted {vm}, which no intent names"
        for entry in watched.writes
        for vm in entry.deleted
        if vm.lower() not in {one.lower() for one in meant}
    ]


async def no_vm_deleted_twice(watched: WatchedSet) -> list[str]:
    """No VM is asked to go again while it goes: each deletion is one call's."""
    deleted = [vm for entry in watched.writes for vm in entry.deleted]
    return [f"{vm} was deleted {deleted.count(vm)} times" for vm in sorted(set(deleted)) if deleted.count(vm) > 1]


async def only_meant_images_applied(watched: WatchedSet) -> list[str]:
    """Every image that a write put into the model is one that an intent names."""
    meant = {i.image.full_name.lower() for i in await watched.intents() if i.image is not None}
    return [
        f"{entry.time}: the model got image {image}, which no intent names"
        for entry in watched.writes
        if (image := _image_of(entry)) is not None and image.lower() not in meant
    ]


async def no_profile_written_as_it_was(watched: WatchedSet) -> list[str]:
    """No write says how VMs are made without saying anything new: by that alone Azure outdates every VM."""
    return [f"{entry.time}: a {entry.method} wrote the profile as it was" for entry in watched.writes if entry.outdated]


async def capacity_never_lowered(watched: WatchedSet) -> list[str]:
    """No PATCH lowers the capacity: Azure would choose the VMs that go."""
    return [
        f"{entry.time}: a PATCH lowered the capacity from {entry.capacity_before} to {entry.capacity_after}"
        for entry in watched.writes
        if entry.method == "PATCH" and (entry.capacity_after or 0) < (entry.capacity_before or 0)
    ]


async def vms_in_their_pools(watched: WatchedSet) -> list[str]:
    """Once the last deployment has ended, a VM of the beginning that stands is in the pools in which it was.

    Each of its IP configurations is, unless somebody interfered. A stop leaves the VMs as they are, and so does whoever
    puts in order what a lost deployment left.
    """
    if not watched.left_alone:
        return []
    rows = await watched.rows()
    stopped = {
        record.vm_id
        for row in rows
        if row.status is Status.STOPPED or (row.error is not None and row.error.code == ORCHESTRATOR_LOST)
        for record in await watched.platform.store.vms.list(row.id)
        if record.detached_at is not None or record.status is VmStatus.DETACHED
    }
    now = places(watched.platform, watched.scale_set_id)
    return [
        f"{vm}: {configuration} was in {sorted(pools)} and is in {sorted(now[vm].get(configuration, ()))}"
        for vm, before in watched.places.items()
        if vm in now and vm not in stopped
        for configuration, pools in before.items()
        if now[vm].get(configuration) != pools
    ]


async def writes_never_overlap(watched: WatchedSet) -> list[str]:
    """One operation on the set at a time, whether Azure refuses a second one or lets it cancel the first.

    A step that the host delivers twice at the same moment may ask for the same twice: then nothing is under way yet.
    """
    operations = watched.platform.cloud.snapshot()["state"]["operations"].values()
    ours = [one for one in operations if one["holds"] == watched.scale_set_id.lower()]
    ours.sort(key=lambda one: datetime.fromisoformat(one["started_at"]))
    preempted = [one for one in ours if (one["error"] or {}).get("code") == OPERATION_PREEMPTED["code"]]
    preempted = [one for one in preempted if one["ends_at"] != one["started_at"]]
    return [f"the operation of {one['started_at']} was canceled by the next one" for one in preempted] + overlaps(ours)


def overlaps(operations: list[dict[str, Any]]) -> list[str]:
    """Operations, ``{started_at, ends_at}`` in order, that began while the one before went on, in words."""
    return [
        f"an operation began at {later['started_at']} while another went on until {earlier['ends_at']}"
        for earlier, later in pairwise(operations)
        if datetime.fromisoformat(later["started_at"]) < datetime.fromisoformat(earlier["ends_at"])
    ]


def _image_of(entry: AuditEntry) -> str | None:
    for reference in _references(entry.body):
        return decode(ImageReference, reference).full_name
    return None


def _references(body: Any) -> Iterator[dict[str, Any]]:
    if isinstance(body, dict):
        for key, value in body.items():
            if key == "imageReference" and isinstance(value, dict):
                yield value
            else:
                yield from _references(value)
