"""What a deployment leaves behind, in a form that is the same whatever went wrong on the way."""

from __future__ import annotations

import json
import re
from typing import Any

from local.azure.arm.resources import ScaleSetResource
from local.azure.compute.fabric import image_name
from local.virtual import VirtualPlatform
from local.virtual.checkers.watched import image_version
from rollout.model.codec import camel_case, encode
from rollout.model.events import EventType


async def end_state(platform: VirtualPlatform, deployment_id: str) -> dict[str, Any]:
    """What a deployment leaves behind, but for ids, times and what had to be tried again: always the same."""
    row = await platform.row(deployment_id)
    scale_set = platform.cloud.scale_set(row.scale_set_id)
    lock = await platform.store.locks.get(row.scale_set_id)
    hold = await platform.store.holds.get(row.scale_set_id)
    store = platform.store
    left = {
        "deployment": _timeless(encode(row)),
        "batches": [_timeless(encode(batch)) for batch in await store.batches.list(deployment_id)],
        "vms": [_timeless(encode(vm)) for vm in await store.vms.list(deployment_id)],
        "events": [
            _timeless(encode(event))
            for event in await store.events.list(deployment_id)
            if event.type != EventType.STEP_RETRIED
        ],
        "model": image_version(platform, row.scale_set_id),
        "capacity": scale_set.capacity,
        "lock": None if lock is None else lock.owner,
        "held": None if hold is None else _timeless(encode(hold)),
        **_azure(platform, scale_set),
    }
    named = _by_age(platform, scale_set, left)
    # They are kept by vmId, which is another in a run in which more was made up before.
    named["vms"], named["set"] = (sorted(map(str, named[part])) for part in ("vms", "set"))
    return named


def _azure(platform: VirtualPlatform, scale_set: ScaleSetResource) -> dict[str, Any]:
    """The set as a whole, its VMs, the pools of each and what scales it."""
    places = platform.cloud.places(scale_set.id)
    return {
        "body": scale_set.body,
        "repairsSuspended": scale_set.repairs_suspended,
        "set": [
            {
                "name": vm.name,
                "image": image_name(vm.image),
                "serving": vm.serving,
                "latest": vm.model == scale_set.model,
                "pools": {key: sorted(pools) for key, pools in places[vm.name].items()},
            }
            for vm in scale_set.active()
        ],
        "autoscale": platform.cloud.autoscale_settings(scale_set.id),
    }


_TIMES = frozenset(
    map(camel_case, ("id", "at", "created_at", "started_at", "launched_at", "healthy_at", "detached_at"))
)
#: How often the row was looked at, and how Azure took the writes of VMs, is what had to be tried again.
_TRIES = {"revision", "vmWrites"}
_TIMELESS = _TIMES | _TRIES | {"endedAt", "expected", "updatedAt", "deletingAt", "vmId", "sequence"}


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in _TIMELESS}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def _by_age(platform: VirtualPlatform, scale_set: ScaleSetResource, left: dict[str, Any]) -> dict[str, Any]:
    """The same with each VM of a Flexible set called by its age: Azure makes up its name."""
    if not scale_set.is_flexible:
        return left
    of_set = (change.name for change in platform.cloud.changes if change.scale_set == scale_set.key)
    ages = {name.rpartition("_")[2]: f"no{age}" for age, name in enumerate(dict.fromkeys(of_set))}
    found = re.compile("|".join(map(re.escape, ages)) or "$^")
    renamed: dict[str, Any] = json.loads(found.sub(lambda match: ages[match[0]], json.dumps(left)))
    return renamed
