"""Uniform scale sets and their VMs (``rollout.ports.ScaleSets``)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from azure.core import MatchConditions
from azure.core.exceptions import DecodeError, ResourceNotFoundError
from azure.core.pipeline import PipelineResponse
from azure.core.rest import HttpRequest

from adapters.arm.client import ComputeClients
from adapters.arm.errors import translated
from adapters.arm.reading import Json, read_scale_set, read_vm
from adapters.arm.resource_ids import ScaleSetId, subscription_of
from rollout.codec import encode
from rollout.errors import Busy, Refused
from rollout.pacing import until_refilled
from rollout.scale_set import ImageReference, ScaleSet, VmList

#: What azure-mgmt-compute 39 itself sends with a request for a set's VMs; a test holds the two together.
VM_LIST_API_VERSION = "2026-04-01"

#: A set has at most 1,000 VMs, so a list this long has lost its way.
MOST_PAGES = 1000


class UniformScaleSets:
    """The scale sets API. ``read`` serves both orchestration modes, so that a Flexible set is known for what it is."""

    def __init__(self, clients: ComputeClients) -> None:
        self._clients = clients

    async def read(self, scale_set_id: str) -> ScaleSet | None:
        """``GET …/virtualMachineScaleSets/{name}``."""
        parsed = ScaleSetId.parse(scale_set_id)
        sets = self._clients.of(scale_set_id).virtual_machine_scale_sets
        with translated():
            try:
                answer: Any = await sets.get(parsed.resource_group, parsed.name, cls=_http_response)
            except ResourceNotFoundError:
                return None
        return read_scale_set(answer.json(), answer.headers.get("ETag"))

    async def list_vms(self, scale_set_id: str) -> VmList:
        """``GET …/virtualMachines?$expand=instanceView``, every page; ``Stale`` where the set is gone.

        This goes through the client's ``send_request``: its ``list`` makes model objects of all that a page holds,
        which costs thirty times the CPU of the JSON alone, half a second at 900 VMs, at every poll.
        """
        url = _vm_list_url(scale_set_id)
        bodies: list[Json] = []
        for requests in range(1, MOST_PAGES + 1):
            try:
                page, headers = await self._get(scale_set_id, url)
            except Busy as busy:
                raise _whole_list_later(busy, requests) from busy
            bodies += page.get("value") or ()
            if not page.get("nextLink"):
                vms = (read_vm(body) for body in bodies)
                return VmList(tuple(vm for vm in vms if vm is not None), requests, _remaining(headers))
            url = page["nextLink"]
        raise Refused("tooManyPages", f"The list of the VMs of {scale_set_id} has more than {MOST_PAGES} pages")

    async def set_image(self, scale_set: ScaleSet, image: ImageReference) -> None:
        """``PATCH`` of ``imageReference`` alone.

        The reference's own fields are sent and no nulls for the others. Azure refuses to change the kind of image of a
        set, from the marketplace to a gallery or back (409 ``OperationNotAllowed``, azure-docs#89791), so the fields of
        one kind never have to be cleared for those of another.
        """
        reference: Any = {name: value for name, value in encode(image).items() if value is not None}
        await self._update(
            scale_set, {"properties": {"virtualMachineProfile": {"storageProfile": {"imageReference": reference}}}}
        )

    async def raise_capacity(self, scale_set: ScaleSet, capacity: int) -> None:
        """``PATCH`` of the set's ``sku`` with another capacity, whole, as every client on record sends it."""
        sku = {"name": scale_set.sku_name, "tier": scale_set.sku_tier, "capacity": capacity}
        await self._update(scale_set, {"sku": {name: value for name, value in sku.items() if value is not None}})

    async def delete_vms(self, scale_set: ScaleSet, instance_ids: Sequence[str]) -> None:
        """``POST …/delete``. The operation takes no ``If-Match``; an instance that is gone makes it ``Stale``."""
        # "*" is every VM of the set: https://learn.microsoft.com/cli/azure/vmss#az-vmss-delete-instances
        if not instance_ids or "*" in instance_ids:
            raise ValueError(f"delete_vms needs the VMs one by one, not {list(instance_ids)}")
        parsed = ScaleSetId.parse(scale_set.id)
        sets = self._clients.of(scale_set.id).virtual_machine_scale_sets
        with translated():
            await sets.begin_delete_instances(
                parsed.resource_group, parsed.name, {"instanceIds": list(instance_ids)}, polling=False
            )

    async def _update(self, scale_set: ScaleSet, change: Any) -> None:
        if not scale_set.etag:
            # The SDK would leave out If-Match, and the write would overwrite whatever came between.
            raise Refused("etagMissing", f"Azure gave no ETag for {scale_set.name}: a change of it cannot be guarded")
        parsed = ScaleSetId.parse(scale_set.id)
        sets = self._clients.of(scale_set.id).virtual_machine_scale_sets
        with translated():
            await sets.begin_update(
                parsed.resource_group,
                parsed.name,
                change,
                etag=scale_set.etag,
                match_condition=MatchConditions.IfNotModified,
                polling=False,
            )

    async def _get(self, scale_set_id: str, url: str) -> tuple[Json, Mapping[str, str]]:
        with translated():
            # As a stream, so that the SDK's pipeline does not parse the body once before it is parsed here.
            response = await self._clients.of(scale_set_id).send_request(
                HttpRequest("GET", url, headers={"Accept": "application/json"}), stream=True
            )
            await response.read()
            response.raise_for_status()
            try:
                return response.json(), response.headers
            except ValueError as error:
                raise DecodeError("the answer is not JSON", response=response, error=error) from error


def _http_response(response: PipelineResponse[Any, Any], *_: Any) -> Any:
    """An SDK ``cls`` callback that hands out the answer itself, whose headers the model does not have."""
    return response.http_response


def _whole_list_later(busy: Busy, requests: int) -> Busy:
    """A list that was throttled at a later page begins again at the first, so all its pages have to be refilled.

    Azure's ``Retry-After`` speaks of one request: heeding only that, a list of ten pages would be refused for ever.
    """
    if busy.retry_after is None or requests == 1:
        return busy
    return Busy(busy.code, busy.message, max(busy.retry_after, until_refilled(requests)))


def _remaining(headers: Mapping[str, str]) -> int | None:
    """How many more requests of the answered kind Azure would take now; ``None`` where it does not say.

    ``x-ms-ratelimit-remaining-resource: Microsoft.Compute/HighCostGetVMScaleSet3Min;177,…`` names every policy that the
    request was charged to, with what it has left: the least of them decides
    (https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/troubleshooting-throttling-errors).
    """
    counts = re.findall(r";\s*(\d+)\s*(?:,|$)", headers.get("x-ms-ratelimit-remaining-resource", ""))
    return min(map(int, counts), default=None)


def _vm_list_url(scale_set_id: str) -> str:
    """What the SDK's own ``virtual_machine_scale_set_vms.list(…, expand="instanceView")`` asks for."""
    parsed = ScaleSetId.parse(scale_set_id)
    return (
        f"/subscriptions/{quote(subscription_of(scale_set_id), safe='')}"
        f"/resourceGroups/{quote(parsed.resource_group, safe='')}"
        f"/providers/Microsoft.Compute/virtualMachineScaleSets/{quote(parsed.name, safe='')}"
        f"/virtualMachines?api-version={VM_LIST_API_VERSION}&$expand=instanceView"
    )
