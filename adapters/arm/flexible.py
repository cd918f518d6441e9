"""The VMs of a Flexible scale set: VMs in their own right, which say that they belong to the set.

The set's own list holds no more than their names, and the expanded list of the VM API no ``vmHealth``
(https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-orchestration-modes-api-comparison),
so health costs a request a VM. ``protectionPolicy`` is no field of the VM API: protection is not seen, and does not
keep Azure from deleting a VM that it is told to delete
(https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-instance-protection).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

from azure.core.exceptions import ResourceNotFoundError

from adapters.arm.answers import bare, json_of
from adapters.arm.client import ComputeClients
from adapters.arm.errors import translated
from adapters.arm.pages import VM_API_VERSION, find_json, read_pages
from adapters.arm.reading import read_flexible_vm, read_health
from adapters.arm.resource_ids import ScaleSetId, subscription_of
from rollout.model.azure.scale_set import Vm, VmList
from rollout.ports.errors import Busy

#: Refill a minute of the bucket of VM lists, which the whole subscription shares
#: (https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits).
LIST_REFILL_PER_MINUTE = 300

#: How many instance views are asked for at once.
CHUNK = 20

#: Resource Manager's own bucket of reads holds 250 and gets 25 a second
#: (https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling): so many chunks
#: come out of the full bucket, the others at the pace of its refill.
CHUNKS_AT_ONCE = 10
PAUSE_BETWEEN_CHUNKS = timedelta(seconds=0.8)


class FlexibleVms:
    """The VM API, as far as it speaks of a set's VMs."""

    def __init__(self, clients: ComputeClients) -> None:
        self._clients = clients

    async def list_vms(self, scale_set_id: str, share_min: float = 0.0) -> VmList:
        """``GET …/virtualMachines`` of the set's resource group with the scale set filter and ``$expand``, every page.

        Azure keeps a set's VMs in the set's resource group, so the identity needs no right on the subscription.
        """
        pages = await read_pages(
            self._clients, scale_set_id, _list_url(scale_set_id), LIST_REFILL_PER_MINUTE, share_min
        )
        vms = tuple(vm for item in pages.items if (vm := read_flexible_vm(item)) is not None)
        return VmList(vms, pages.requests, pages.remaining, LIST_REFILL_PER_MINUTE, by_view=True)

    async def with_health(self, scale_set_id: str, listed: VmList, vm_ids: Collection[str]) -> VmList:
        """The view of each of these VMs that runs and has no health yet."""
        wanted = set(vm_ids)
        asked = {vm.vm_id: vm.name for vm in listed.vms if vm.vm_id in wanted and vm.health is None and vm.running}
        health = await self.health_of(scale_set_id, tuple(asked.values()))
        vms = tuple(replace(vm, health=health[vm.name]) if vm.vm_id in asked else vm for vm in listed.vms)
        return replace(listed, vms=vms, views=listed.views + len(asked))

    async def health_of(self, scale_set_id: str, vm_names: Collection[str]) -> Mapping[str, str | None]:
        """``GET …/virtualMachines/{name}/instanceView`` of each of these VMs.

        Large numbers take their time, 900 VMs half a minute. A view that is not answered is asked for once more, or
        hardly any look at hundreds of VMs would succeed while Azure fails now and then.
        """
        asked = tuple(vm_names)
        health: dict[str, str | None] = {}
        for start in range(0, len(asked), CHUNK):
            if start >= CHUNK * CHUNKS_AT_ONCE:
                await asyncio.sleep(PAUSE_BETWEEN_CHUNKS.total_seconds())
            health |= await self._read_views(scale_set_id, asked[start : start + CHUNK])
        return health

    async def read_vm(self, scale_set_id: str, vm_name: str) -> Vm | None:
        """``GET …/virtualMachines/{name}?$expand=instanceView``, if that VM is the set's."""
        parsed = ScaleSetId.parse(scale_set_id)
        suffix = vm_name.lower().removeprefix(f"{parsed.name.lower()}_")
        if suffix == vm_name.lower() or not (suffix.isascii() and suffix.isalnum()):
            return None
        vms = self._clients.of(scale_set_id).virtual_machines
        with translated():
            try:
                answer = await bare(vms.get, parsed.resource_group, vm_name, expand="instanceView")
            except ResourceNotFoundError:
                return None
            body = json_of(answer)
        belongs = ((body.get("properties") or {}).get("virtualMachineScaleSet") or {}).get("id") or ""
        return read_flexible_vm(body) if belongs.lower() == scale_set_id.lower() else None

    async def _read_views(self, scale_set_id: str, vm_names: Sequence[str]) -> dict[str, str | None]:
        """The health of each; an error only once all have answered."""
        answers = await asyncio.gather(
            *(self._read_view_twice(scale_set_id, name) for name in vm_names), return_exceptions=True
        )
        health: dict[str, str | None] = {}
        for name, answer in zip(vm_names, answers, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            health[name] = answer
        return health

    async def _read_view_twice(self, scale_set_id: str, vm_name: str) -> str | None:
        try:
            return await self._read_view(scale_set_id, vm_name)
        except Busy as busy:
            if busy.retry_after is not None:
                raise
            return await self._read_view(scale_set_id, vm_name)

    async def _read_view(self, scale_set_id: str, vm_name: str) -> str | None:
        """One VM's health; ``None`` where nothing reports it, or the VM has gone since it was listed."""
        path = f"{_vms_url(scale_set_id)}/{quote(vm_name, safe='')}/instanceView"
        view = await find_json(self._clients, scale_set_id, f"{path}?api-version={VM_API_VERSION}")
        return read_health(view) if view is not None else None


def _list_url(scale_set_id: str) -> str:
    """What the SDK's own ``virtual_machines.list(…, filter=…, expand="instanceView")`` asks for.

    The filter is documented with the id in quotes: https://learn.microsoft.com/rest/api/compute/virtual-machines/list.
    """
    condition = quote(f"'virtualMachineScaleSet/id' eq '{scale_set_id}'", safe="")
    return f"{_vms_url(scale_set_id)}?api-version={VM_API_VERSION}&$filter={condition}&$expand=instanceView"


def _vms_url(scale_set_id: str) -> str:
    """The VMs of the set's resource group."""
    subscription = quote(subscription_of(scale_set_id), safe="")
    group = quote(ScaleSetId.parse(scale_set_id).resource_group, safe="")
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines"
