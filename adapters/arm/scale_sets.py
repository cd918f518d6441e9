"""Scale sets of both orchestration modes and their VMs (``rollout.ports.azure.ScaleSets``)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from azure.core.exceptions import ResourceNotFoundError

from adapters.arm.answers import bare, json_of
from adapters.arm.client import ComputeClients
from adapters.arm.errors import translated
from adapters.arm.evidence import FlexibleSources, UniformSources, VmSources, inspect_vm
from adapters.arm.flexible import FlexibleVms
from adapters.arm.reading import read_scale_set
from adapters.arm.resource_ids import ScaleSetId
from adapters.arm.uniform import UniformVms
from adapters.arm.updates import update_scale_set
from rollout.model.azure.evidence import Inspection
from rollout.model.azure.scale_set import ImageReference, OrchestrationMode, ScaleSet, Vm, VmList
from rollout.model.codec import encode
from rollout.ports.errors import Busy, Stale


class SetVms(Protocol):
    """The VMs of the scale sets of one orchestration mode: that part of ``rollout.ports.azure.ScaleSets``."""

    async def list_vms(self, scale_set_id: str, share_min: float = 0.0) -> VmList: ...
    async def with_health(self, scale_set_id: str, listed: VmList, vm_ids: Collection[str]) -> VmList: ...
    async def health_of(self, scale_set_id: str, vm_names: Collection[str]) -> Mapping[str, str | None]: ...
    async def read_vm(self, scale_set_id: str, vm_name: str) -> Vm | None: ...


class ArmScaleSets:
    """The scale sets API, which is the same for both orchestration modes, and for VMs the API of the set's mode.

    The mode of a set is remembered from every ``read``. Azure never changes it: at worst somebody has made another set
    of the same name, and then the next ``read``, with which every deployment begins, tells.
    """

    def __init__(self, clients: ComputeClients) -> None:
        self._clients = clients
        self._by_mode: Mapping[OrchestrationMode, SetVms] = {
            OrchestrationMode.UNIFORM: UniformVms(clients),
            OrchestrationMode.FLEXIBLE: FlexibleVms(clients),
        }
        self._sources: Mapping[OrchestrationMode, VmSources] = {
            OrchestrationMode.UNIFORM: UniformSources(clients),
            OrchestrationMode.FLEXIBLE: FlexibleSources(clients),
        }
        self._modes: dict[str, OrchestrationMode] = {}
        self._left: dict[str, float | None] = {}
        self._first_read = asyncio.Lock()

    async def read(self, scale_set_id: str) -> ScaleSet | None:
        """``GET …/virtualMachineScaleSets/{name}``."""
        parsed = ScaleSetId.parse(scale_set_id)
        sets = self._clients.of(scale_set_id).virtual_machine_scale_sets
        with translated():
            try:
                answer = await bare(sets.get, parsed.resource_group, parsed.name)
            except ResourceNotFoundError:
                return None
            found = read_scale_set(json_of(answer), answer.headers.get("ETag"))
        self._modes[scale_set_id.lower()] = found.mode
        return found

    async def list_vms(self, scale_set_id: str, share_min: float = 0.0) -> VmList:
        """Every VM of the set, as its mode's API tells of them; ``Stale`` where the set is gone.

        The VM API answers for a set that is gone as for one without VMs.
        """
        vms = await self._vms(scale_set_id)
        try:
            listed = await vms.list_vms(scale_set_id, share_min)
        except Busy:
            self._left[scale_set_id.lower()] = 0.0
            raise
        self._left[scale_set_id.lower()] = listed.left
        if not listed.vms and await self.read(scale_set_id) is None:
            raise Stale("scaleSetNotFound", f"There is no scale set {scale_set_id}")
        return listed

    async def with_health(self, scale_set_id: str, listed: VmList, vm_ids: Collection[str]) -> VmList:
        """The list with the health of these VMs, where the list itself could not tell it."""
        return await (await self._vms(scale_set_id)).with_health(scale_set_id, listed, vm_ids)

    async def health_of(self, scale_set_id: str, vm_names: Collection[str]) -> Mapping[str, str | None]:
        """What the VMs' own views say."""
        return await (await self._vms(scale_set_id)).health_of(scale_set_id, vm_names)

    def left(self, scale_set_id: str) -> float | None:
        """What the last list of this process, an HTTP trigger's or an activity's, said."""
        return self._left.get(scale_set_id.lower())

    async def read_vm(self, scale_set_id: str, vm_name: str) -> Vm | None:
        """The VM that has this name now."""
        return await (await self._vms(scale_set_id)).read_vm(scale_set_id, vm_name)

    async def inspect_vm(self, scale_set_id: str, vm_name: str, vm_id: str) -> Inspection | None:
        """The VM's instance view and the end of its serial log, as far as they can be read."""
        sources = self._sources[await self._mode(scale_set_id)]
        return await inspect_vm(self._clients, sources, scale_set_id, vm_name, vm_id)

    async def set_image(self, scale_set: ScaleSet, image: ImageReference) -> None:
        """``PATCH`` of ``imageReference`` alone.

        The reference's own fields are sent and no nulls for the others. Azure refuses to change the kind of image of a
        set, from the marketplace to a gallery or back (409 ``OperationNotAllowed``, azure-docs#89791), so the fields of
        one kind never have to be cleared for those of another.
        """
        reference: Any = {name: value for name, value in encode(image).items() if value is not None}
        await update_scale_set(
            self._clients,
            scale_set,
            {"properties": {"virtualMachineProfile": {"storageProfile": {"imageReference": reference}}}},
        )

    async def raise_capacity(self, scale_set: ScaleSet, capacity: int) -> None:
        """``PATCH`` of the set's ``sku`` with another capacity, whole, as every client on record sends it."""
        sku = {"name": scale_set.sku_name, "tier": scale_set.sku_tier, "capacity": capacity}
        change = {"sku": {name: value for name, value in sku.items() if value is not None}}
        await update_scale_set(self._clients, scale_set, change)

    async def delete_vms(self, scale_set: ScaleSet, instance_ids: Sequence[str]) -> None:
        """``POST …/delete``, by instance id, which in a Flexible set is the VM's name.

        The operation takes no ``If-Match``; an instance that is gone makes it ``Stale``.
        """
        # "*" is every VM of the set: https://learn.microsoft.com/cli/azure/vmss#az-vmss-delete-instances
        if not instance_ids or "*" in instance_ids:
            raise ValueError(f"delete_vms needs the VMs one by one, not {list(instance_ids)}")
        parsed = ScaleSetId.parse(scale_set.id)
        sets = self._clients.of(scale_set.id).virtual_machine_scale_sets
        with translated():
            await sets.begin_delete_instances(
                parsed.resource_group, parsed.name, {"instanceIds": list(instance_ids)}, polling=False
            )

    async def _vms(self, scale_set_id: str) -> SetVms:
        return self._by_mode[await self._mode(scale_set_id)]

    async def _mode(self, scale_set_id: str) -> OrchestrationMode:
        """The set's mode; that of a set that is not there is Uniform, whose VMs have the set itself as their parent.

        Many may ask at once for a set that this process has not read yet: one of them reads it.
        """
        if scale_set_id.lower() not in self._modes:
            async with self._first_read:
                if scale_set_id.lower() not in self._modes:
                    await self.read(scale_set_id)
        return self._modes.get(scale_set_id.lower(), OrchestrationMode.UNIFORM)
