"""The VMs of Flexible scale sets as resources of their own: list, get, instance view, delete.

The list carries no ``vmHealth``: Azure gives it for one VM at a time
(https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-health-extension).
"""

from __future__ import annotations

import re
from functools import partial
from http import HTTPStatus

from local.azure.arm.calls import ArmCall
from local.azure.arm.errors import invalid_parameter
from local.azure.arm.messages import ArmResponse, Json, encode, json_response, raw_response
from local.azure.arm.pages import page
from local.azure.arm.rendering import instance_statuses, virtual_machine_id, virtual_machine_view
from local.azure.arm.resources import ScaleSetResource, VmInstance

_SET_FILTER = re.compile(r"'virtualMachineScaleSet/id'\s+eq\s+'([^']*)'", re.IGNORECASE)


def list_in_subscription(call: ArmCall) -> ArmResponse:
    """GET the VMs of a subscription."""
    return _list(call, f"/subscriptions/{call.names['subscription']}/")


def list_in_group(call: ArmCall) -> ArmResponse:
    """GET the VMs of a resource group."""
    return _list(call, f"{call.group_id()}/")


def _list(call: ArmCall, scope: str) -> ArmResponse:
    query = call.request.query
    text, expand = query.get("$filter", ""), query.get("$expand", "").lower()
    status_only = query.get("statusonly", "").lower() == "true"
    match = _SET_FILTER.fullmatch(text.strip())
    if text and match is None:
        raise invalid_parameter("$filter", f"The filter '{text}' is not supported.")
    if expand not in ("", "instanceview") or (expand and match is None):
        raise invalid_parameter("$expand", "$expand=instanceView is supported with a filter on the scale set only.")
    wanted = match[1].lower() if match else None
    vms = [
        (scale_set, vm)
        for scale_set in call.state.scale_sets.values()
        if scale_set.is_flexible and scale_set.key.startswith(scope.lower()) and wanted in (None, scale_set.key)
        for vm in scale_set.instances.values()
    ]
    encoded = partial(_status_item) if status_only else partial(_item, call, with_view=bool(expand))
    return page(call, vms, encoded)


def _item(call: ArmCall, listed: tuple[ScaleSetResource, VmInstance], *, with_view: bool) -> bytes:
    return call.rendering.virtual_machine(*listed, with_view=with_view)


def _status_item(listed: tuple[ScaleSetResource, VmInstance]) -> bytes:
    scale_set, vm = listed
    body: Json = {
        "name": vm.name,
        "id": virtual_machine_id(scale_set, vm),
        "type": "Microsoft.Compute/virtualMachines",
        "location": scale_set.location,
        "properties": {
            "vmId": vm.vm_id,
            "provisioningState": vm.provisioning_state,
            "instanceView": {"statuses": instance_statuses(vm)},
        },
    }
    return encode(body)


def read(call: ArmCall) -> ArmResponse:
    """GET a VM."""
    scale_set, vm = call.virtual_machine()
    if call.request.query.get("$expand", "").lower() == "instanceview":
        body = call.rendering.virtual_machine(scale_set, vm, with_view=True, with_health=True)
    else:
        body = call.rendering.virtual_machine(scale_set, vm, with_view=False)
    return raw_response(HTTPStatus.OK, body, {"etag": f'"{vm.etag}"'})


def view(call: ArmCall) -> ArmResponse:
    """GET a VM's instance view, with its health."""
    return json_response(HTTPStatus.OK, virtual_machine_view(*call.virtual_machine(), with_health=True))


def deallocate(call: ArmCall) -> ArmResponse:
    """POST …/deallocate of a VM."""
    scale_set, vm = call.virtual_machine()
    key = call.check_instance_free(scale_set, vm)
    call.fabric.stop(scale_set, [vm], deallocate=True)
    ends_at = call.state.now + call.world.platform.stop_time
    return call.accepted(call.operations.begin(key, scale_set.key, ends_at, call.fault))


def delete(call: ArmCall) -> ArmResponse:
    """DELETE a VM. The set's capacity stays what it is: the set was not asked."""
    scale_set, vm = call.virtual_machine()
    call.check_etag(f'"{vm.etag}"')
    key = call.instance_key(scale_set, vm)
    if vm.is_deleting:
        call.operations.check_free(key)
    else:
        call.effect.deleted.append(vm.vm_id)
        call.effect.capacity_before = call.effect.capacity_after = scale_set.capacity
        call.fabric.delete(scale_set, [vm])
    ends_at = call.state.now + call.world.platform.delete_time
    return call.accepted(call.operations.begin(key, scale_set.key, ends_at, call.fault))
