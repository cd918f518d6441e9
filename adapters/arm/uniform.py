"""The VMs of a Uniform scale set: child resources of the set, with their health in one list."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import quote

from azure.core.exceptions import ResourceNotFoundError

from adapters.arm.answers import bare, json_of
from adapters.arm.client import ComputeClients
from adapters.arm.errors import translated
from adapters.arm.pages import VM_API_VERSION, read_pages
from adapters.arm.reading import read_vm
from adapters.arm.resource_ids import ScaleSetId, subscription_of
from rollout.model.azure.scale_set import Vm, VmList

#: Refill a minute of the bucket of a set's high-cost reads, to which lists of its VMs are charged
#: (https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits).
LIST_REFILL_PER_MINUTE = 10


class UniformVms:
    """The scale set VMs API."""

    def __init__(self, clients: ComputeClients) -> None:
        self._clients = clients

    async def list_vms(self, scale_set_id: str, share_min: float = 0.0) -> VmList:
        """``GET …/virtualMachines?$expand=instanceView``, every page; ``Stale`` where the set is gone."""
        pages = await read_pages(
            self._clients, scale_set_id, _list_url(scale_set_id), LIST_REFILL_PER_MINUTE, share_min
        )
        vms = (read_vm(item) for item in pages.items)
        return VmList(
            tuple(vm for vm in vms if vm is not None), pages.requests, pages.remaining, LIST_REFILL_PER_MINUTE
        )

    async def with_health(self, scale_set_id: str, listed: VmList, vm_ids: Collection[str]) -> VmList:
        """The list as it is: the expanded instance views hold ``vmHealth``."""
        return listed

    async def health_of(self, scale_set_id: str, vm_names: Collection[str]) -> Mapping[str, str | None]:
        """Nothing: the list has told it."""
        return {}

    async def read_vm(self, scale_set_id: str, vm_name: str) -> Vm | None:
        """``GET …/virtualMachines/{instanceId}?$expand=instanceView``: a VM of set ``web`` with id 3 is ``web_3``."""
        name, _, instance_id = vm_name.rpartition("_")
        parsed = ScaleSetId.parse(scale_set_id)
        if name.lower() != parsed.name.lower() or not (instance_id.isascii() and instance_id.isdigit()):
            return None
        vms = self._clients.of(scale_set_id).virtual_machine_scale_set_vms
        with translated():
            try:
                answer = await bare(vms.get, parsed.resource_group, parsed.name, instance_id, expand="instanceView")
            except ResourceNotFoundError:
                return None
            return read_vm(json_of(answer))


def _list_url(scale_set_id: str) -> str:
    """What the SDK's own ``virtual_machine_scale_set_vms.list(…, expand="instanceView")`` asks for."""
    parsed = ScaleSetId.parse(scale_set_id)
    return (
        f"/subscriptions/{quote(subscription_of(scale_set_id), safe='')}"
        f"/resourceGroups/{quote(parsed.resource_group, safe='')}"
        f"/providers/Microsoft.Compute/virtualMachineScaleSets/{quote(parsed.name, safe='')}"
        f"/virtualMachines?api-version={VM_API_VERSION}&$expand=instanceView"
    )
