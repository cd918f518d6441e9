"""Changes of a scale set that are guarded by the ETag with which it was read."""

from __future__ import annotations

from typing import Any

from azure.core import MatchConditions

from adapters.arm.client import ComputeClients
from adapters.arm.errors import translated
from adapters.arm.resource_ids import ScaleSetId
from rollout.model.azure.scale_set import ScaleSet
from rollout.ports.errors import Refused


async def update_scale_set(clients: ComputeClients, scale_set: ScaleSet, change: Any) -> None:
    """``PATCH`` with ``If-Match``; ``Stale`` where the set is not as it was read. The operation is not waited for."""
    if not scale_set.etag:
        # The SDK would leave out If-Match, and the write would overwrite whatever came between.
        raise Refused("etagMissing", f"Azure gave no ETag for {scale_set.name}: a change of it cannot be guarded")
    parsed = ScaleSetId.parse(scale_set.id)
    with translated():
        await clients.of(scale_set.id).virtual_machine_scale_sets.begin_update(
            parsed.resource_group,
            parsed.name,
            change,
            etag=scale_set.etag,
            match_condition=MatchConditions.IfNotModified,
            polling=False,
        )
