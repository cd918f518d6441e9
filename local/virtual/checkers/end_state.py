"""What a deployment leaves behind, in a form that is the same whatever went wrong on the way."""

from __future__ import annotations

from typing import Any

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
    store = platform.store
    return {
        "deployment": _timeless(encode(row)),
        "batches": [_timeless(encode(batch)) for batch in await store.batches.list(deployment_id)],
        "vms": sorted(map(str, (_timeless(encode(vm)) for vm in await store.vms.list(deployment_id)))),
        "events": [
            _timeless(encode(event))
            for event in await store.events.list(deployment_id)
            if event.type != EventType.STEP_RETRIED
        ],
        "set": sorted((vm.name, image_name(vm.image), vm.serving) for vm in scale_set.active()),
        "model": image_version(platform, row.scale_set_id),
        "capacity": scale_set.capacity,
        "lock": None if lock is None else lock.owner,
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
