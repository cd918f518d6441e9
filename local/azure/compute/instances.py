"""The VMs of a scale set on the wire, below the set: list, get, instance view, update.

Of a Flexible set the list has names and no states, as on Azure, and only a VM's protection can be changed
(https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-orchestration-modes-api-comparison).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from local.azure.arm.calls import INSTANCE_TYPE, ArmCall
from local.azure.arm.errors import invalid_parameter, models_exhausted, not_of_flexible, not_simulated
from local.azure.arm.messages import ArmResponse, Json, encode, json_response, raw_response
from local.azure.arm.pages import page
from local.azure.arm.rendering import instance_body, instance_id, instance_view
from local.azure.arm.resources import ScaleSetResource, VmInstance
from local.azure.compute.scale_sets import MODELS_LIMIT, models_in_use

#: The filters and selections that the service documents (``virtual_machine_scale_set_vms.list``).
_MODEL_FILTER = re.compile(r"properties/latestModelApplied\s+eq\s+(true|false)", re.IGNORECASE)
_POWER_FILTER = re.compile(r"startswith\(instanceView/statuses/code,\s*'PowerState'\)\s+eq\s+true", re.IGNORECASE)
_SELECTIONS = ("instanceview", "instanceview/statuses")

#: The first api-version in which a VM of a Flexible set can be protected.
FLEXIBLE_PROTECTION_SINCE = "2023-09-01"

#: What an update of a VM may change; the rest has to be as it is.
_UPDATABLE = frozenset({"networkProfileConfiguration", "protectionPolicy"})


def list_instances(call: ArmCall) -> ArmResponse:
    """GET the VMs of a set, page by page."""
    scale_set = call.scale_set(as_parent=True)
    if scale_set.is_flexible:
        return page(call, list(scale_set.instances.values()), partial(_flexible_item, scale_set))
    query = call.request.query
    expand, select = query.get("$expand", "").lower(), query.get("$select", "").lower()
    if expand not in ("", "instanceview") or select not in ("", *_SELECTIONS):
        raise invalid_parameter("$expand", "The value of $expand or $select is not supported: only instanceView is.")
    keep = _filter(scale_set, query.get("$filter", ""))
    vms = [vm for _, vm in sorted(scale_set.instances.items()) if keep(vm)]
    with_view = bool(expand or select)

    def item(vm: VmInstance) -> bytes:
        if select:
            return encode(_selected(scale_set, vm, select))
        return call.rendering.instance(scale_set, vm, with_view=with_view)

    return page(call, vms, item)


def _filter(scale_set: ScaleSetResource, text: str) -> Callable[[VmInstance], bool]:
    if not text:
        return lambda vm: True
    if match := _MODEL_FILTER.fullmatch(text.strip()):
        wanted = match[1].lower() == "true"
        return lambda vm: (vm.model == scale_set.model) == wanted
    if _POWER_FILTER.fullmatch(text.strip()):
        return lambda vm: vm.power is not None
    raise invalid_parameter("$filter", f"The filter '{text}' is not supported.")


def _selected(scale_set: ScaleSetResource, vm: VmInstance, select: str) -> Json:
    body, picture = instance_body(scale_set, vm, with_view=False), instance_view(scale_set, vm)
    if select.endswith("/statuses"):
        picture = {"statuses": picture["statuses"]}
    return {
        "name": body["name"],
        "id": body["id"],
        "instanceId": body["instanceId"],
        "properties": {"instanceView": picture},
    }


def _flexible_item(scale_set: ScaleSetResource, vm: VmInstance) -> bytes:
    identifier = f"{scale_set.id}/virtualMachines/{vm.name}"
    body: Json = {"name": vm.name, "id": identifier, "type": INSTANCE_TYPE, "location": scale_set.location}
    body["instanceId"] = vm.name
    if scale_set.lists_latest_model:
        body["properties"] = {"latestModelApplied": vm.model == scale_set.model}
    return encode(body)


def read(call: ArmCall) -> ArmResponse:
    """GET one VM."""
    scale_set = call.scale_set(as_parent=True)
    vm = call.instance(scale_set)
    with_view = call.request.query.get("$expand", "").lower() == "instanceview"
    return raw_response(
        HTTPStatus.OK, call.rendering.instance(scale_set, vm, with_view=with_view), {"etag": f'"{vm.etag}"'}
    )


def view(call: ArmCall) -> ArmResponse:
    """GET one VM's instance view."""
    scale_set = call.scale_set(as_parent=True)
    return json_response(HTTPStatus.OK, instance_view(scale_set, call.instance(scale_set)))


def put(call: ArmCall) -> ArmResponse:
    """PUT one VM: a Uniform one's own network configuration, which makes its model custom, and its protection."""
    scale_set = call.scale_set(as_parent=True)
    vm = call.instance(scale_set)
    call.check_etag(f'"{vm.etag}"')
    key = call.check_instance_free(scale_set, vm)
    wanted = call.body().get("properties") or {}
    current = instance_body(scale_set, vm, with_view=True)["properties"]
    if different := [name for name in wanted.keys() - _UPDATABLE if not _is_part(wanted[name], current.get(name))]:
        raise not_simulated(f"changing {', '.join(sorted(different))} of one VM")
    if (network := wanted.get("networkProfileConfiguration")) and network != current["networkProfileConfiguration"]:
        if scale_set.is_flexible:
            raise not_of_flexible("PUT networkProfileConfiguration", scale_set.name)
        call.fabric.network.check_pools(network["networkInterfaceConfigurations"], instance_id(scale_set, vm))
        _check_models(call, scale_set, vm)
        vm.network = network
        call.fabric.rewire(scale_set, vm)
    if "protectionPolicy" in wanted:
        if scale_set.is_flexible and call.request.query["api-version"] < FLEXIBLE_PROTECTION_SINCE:
            raise not_of_flexible("PUT protectionPolicy", scale_set.name)
        vm.protection = wanted["protectionPolicy"]
    vm.etag += 1
    operation = call.operations.begin(key, scale_set.key, call.state.now + call.world.platform.update_time, call.fault)
    vm.provisioning_state = "Updating"
    if call.operations.one_at_a_time(scale_set) and scale_set.provisioning_state == "Succeeded":
        scale_set.provisioning_state = "Updating"
    body = instance_body(scale_set, vm, with_view=False)
    headers = {**call.async_headers(operation), **call.operations.retry_after(), "etag": f'"{vm.etag}"'}
    return json_response(HTTPStatus.OK, body, headers)


def _check_models(call: ArmCall, scale_set: ScaleSetResource, vm: VmInstance) -> None:
    counted = call.world.platform.own_models == "counted" and vm.network is None
    if counted and models_in_use(call, scale_set) >= MODELS_LIMIT:
        raise models_exhausted(scale_set.name, HTTPStatus.BAD_REQUEST)


def _is_part(wanted: object, current: object) -> bool:
    """Whether ``wanted`` says nothing that is not so: a client may leave out what it does not change."""
    if wanted is None:
        return True
    if isinstance(wanted, dict) and isinstance(current, dict):
        return all(_is_part(value, current.get(name)) for name, value in wanted.items())
    return wanted == current
