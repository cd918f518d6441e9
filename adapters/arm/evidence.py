"""Azure's view of one VM: its instance view, and its serial console's last lines.

The log is a blob behind a signed address (SAS), which opens it to whoever has it: the address is asked for with the
shortest life that does, used at once, and neither kept nor logged, nor is any message of the storage service.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Mapping
from typing import Any, Protocol, TypeVar

from azure.core.exceptions import AzureError as SdkError
from azure.core.exceptions import ResourceNotFoundError
from azure.core.rest import AsyncHttpResponse, HttpRequest

from adapters.arm.answers import bare, json_of
from adapters.arm.client import ComputeClients
from adapters.arm.errors import translated
from adapters.arm.resource_ids import ScaleSetId
from rollout.model.azure.evidence import LOG_LENGTH, Inspection
from rollout.ports.errors import AzureError, Busy, Refused

T = TypeVar("T")

Json = Mapping[str, Any]

#: How long the instance view may take, and the log.
TIMEOUT_SECONDS = 10

#: Minutes that the signed address lives: enough for clocks that are not quite the same.
ADDRESS_MINUTES = 5


class VmSources(Protocol):
    """The two questions, as the API of one orchestration mode has them."""

    async def read_view(self, scale_set_id: str, vm_name: str, vm_id: str) -> Json | None:
        """The VM's instance view; ``None`` where the VM is gone."""
        ...

    async def read_log_address(self, scale_set_id: str, vm_name: str) -> str | None:
        """The signed address of the VM's serial log; ``None`` where there is no log."""
        ...


async def inspect_vm(
    clients: ComputeClients, sources: VmSources, scale_set_id: str, vm_name: str, vm_id: str
) -> Inspection | None:
    """What can be read of the VM, and in words what cannot; ``None`` where it is gone."""
    notes: list[str] = []
    view = await _in_time("instance view", sources.read_view(scale_set_id, vm_name, vm_id), notes)
    if view is None and not notes:
        return None
    log = await _in_time("serial log", _read_log(clients, sources, scale_set_id, vm_name), notes)
    return Inspection(view, log, tuple(notes))


async def _in_time(what: str, reading: Awaitable[T], notes: list[str]) -> T | None:
    """The answer; where there is none, ``None`` and a note of what could not be read and why."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await reading
    except AzureError as error:
        notes.append(f"The {what} could not be read: {error.code}: {error.message}")
    except TimeoutError:
        notes.append(f"The {what} could not be read: no answer within {TIMEOUT_SECONDS} s")
    return None


class UniformSources:
    """The scale set VMs API. A VM of set ``web`` with instance id 3 is ``web_3``."""

    def __init__(self, clients: ComputeClients) -> None:
        self._clients = clients

    async def read_view(self, scale_set_id: str, vm_name: str, vm_id: str) -> Json | None:
        """``GET …/virtualMachines/{instanceId}?$expand=instanceView``.

        The instance view alone would not say which VM it is of, and instance ids are used again.
        """
        parsed = ScaleSetId.parse(scale_set_id)
        vms = self._clients.of(scale_set_id).virtual_machine_scale_set_vms
        with translated():
            try:
                answer = await bare(
                    vms.get, parsed.resource_group, parsed.name, _instance_id(vm_name), expand="instanceView"
                )
            except ResourceNotFoundError:
                return None
            properties = json_of(answer).get("properties") or {}
        same = str(properties.get("vmId")).lower() == vm_id.lower()
        return properties.get("instanceView") or {} if same else None

    async def read_log_address(self, scale_set_id: str, vm_name: str) -> str | None:
        """``POST …/virtualMachines/{instanceId}/retrieveBootDiagnosticsData``."""
        parsed = ScaleSetId.parse(scale_set_id)
        vms = self._clients.of(scale_set_id).virtual_machine_scale_set_vms
        with translated():
            answer = await bare(
                vms.retrieve_boot_diagnostics_data,
                parsed.resource_group,
                parsed.name,
                _instance_id(vm_name),
                sas_uri_expiration_time_in_minutes=ADDRESS_MINUTES,
            )
            return _address(json_of(answer))


class FlexibleSources:
    """The VM API. Names of VMs are not used again: their ends are random."""

    def __init__(self, clients: ComputeClients) -> None:
        self._clients = clients

    async def read_view(self, scale_set_id: str, vm_name: str, vm_id: str) -> Json | None:
        """``GET …/virtualMachines/{name}/instanceView``, the one answer that has ``vmHealth``."""
        vms = self._clients.of(scale_set_id).virtual_machines
        with translated():
            try:
                answer = await bare(vms.instance_view, ScaleSetId.parse(scale_set_id).resource_group, vm_name)
            except ResourceNotFoundError:
                return None
            return json_of(answer)

    async def read_log_address(self, scale_set_id: str, vm_name: str) -> str | None:
        """``POST …/virtualMachines/{name}/retrieveBootDiagnosticsData``."""
        vms = self._clients.of(scale_set_id).virtual_machines
        with translated():
            answer = await bare(
                vms.retrieve_boot_diagnostics_data,
                ScaleSetId.parse(scale_set_id).resource_group,
                vm_name,
                sas_uri_expiration_time_in_minutes=ADDRESS_MINUTES,
            )
            return _address(json_of(answer))


async def _read_log(clients: ComputeClients, sources: VmSources, scale_set_id: str, vm_name: str) -> str:
    """The last ``LOG_LENGTH`` bytes of the blob, in two requests where it is longer.

    Blob storage knows no ranges that count from the end
    (https://learn.microsoft.com/rest/api/storageservices/specifying-the-range-header-for-blob-service-operations), and
    says in ``Content-Range`` how long the blob is. An empty blob has no range at all: 416.
    """
    address = await sources.read_log_address(scale_set_id, vm_name)
    if not address:
        raise Refused("noSerialLog", "Azure keeps none of this VM")
    response = await _read_range(clients, address, 0, LOG_LENGTH - 1)
    length = _length(response)
    if length > LOG_LENGTH:
        response = await _read_range(clients, address, length - LOG_LENGTH, length - 1)
    if response.status_code == 416:
        return ""
    if response.status_code not in (200, 206):
        raise Refused(f"http{response.status_code}", "the storage service refused to hand it out")
    return response.content[-LOG_LENGTH:].decode("utf-8", "replace")


async def _read_range(clients: ComputeClients, address: str, first: int, last: int) -> AsyncHttpResponse:
    """One part of the blob. Errors are told in words of our own: those of a client may hold the address."""
    request = HttpRequest("GET", address, headers={"Range": f"bytes={first}-{last}"})
    try:
        return await clients.anonymous.send_request(request)
    except SdkError:
        raise Busy("noAnswer", "the storage service did not answer") from None


def _length(response: AsyncHttpResponse) -> int:
    """How long the whole blob is: ``Content-Range: bytes 0-8191/21034``; 0 where the answer is no part of it."""
    match = re.fullmatch(r"bytes \d+-\d+/(\d+)", response.headers.get("Content-Range", ""))
    return int(match[1]) if match and response.status_code == 206 else 0


def _address(body: Json) -> str | None:
    address: str | None = body.get("serialConsoleLogBlobUri")
    return address


def _instance_id(vm_name: str) -> str:
    return vm_name.rpartition("_")[2]
