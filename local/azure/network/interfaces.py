"""Network interfaces on the wire: below the VMs of Uniform sets to read, beside those of Flexible ones to write too.

A write of an interface is answered at once, without an operation, as Azure does.
"""

from __future__ import annotations

import copy
from http import HTTPStatus

from local.azure.arm.calls import ArmCall
from local.azure.arm.errors import (
    ArmError,
    invalid_content,
    network_busy,
    network_precondition_failed,
    resource_not_found,
)
from local.azure.arm.messages import ArmResponse, Json, json_response
from local.azure.arm.resources import ScaleSetResource, VmInstance
from local.azure.network.interface_shape import (
    INTERFACE_TYPE,
    POOL_FIELDS,
    configurations,
    interface_bodies,
    interface_body,
    interface_id,
)


def list_of_scale_set(call: ArmCall) -> ArmResponse:
    """GET the interfaces of all VMs of a Uniform set; for a Flexible one 404, as Azure does."""
    scale_set = _uniform(call)
    vms = [vm for _, vm in sorted(scale_set.instances.items())]
    value = [body for vm in vms for body in interface_bodies(scale_set, vm)]
    return json_response(HTTPStatus.OK, {"value": value})


def list_of_instance(call: ArmCall) -> ArmResponse:
    """GET the interfaces of one VM of a Uniform set."""
    scale_set = _uniform(call)
    return json_response(HTTPStatus.OK, {"value": list(interface_bodies(scale_set, call.instance(scale_set)))})


def read_of_instance(call: ArmCall) -> ArmResponse:
    """GET one interface of one VM of a Uniform set."""
    scale_set = _uniform(call)
    for body in interface_bodies(scale_set, call.instance(scale_set)):
        if body["name"].lower() == call.names["interface"].lower():
            return json_response(HTTPStatus.OK, body, {"etag": body["etag"]})
    raise _not_found(call)


def _uniform(call: ArmCall) -> ScaleSetResource:
    scale_set = call.scale_set(as_parent=True)
    if scale_set.is_flexible:
        raise resource_not_found(
            "Microsoft.Compute/virtualMachineScaleSets", f"{scale_set.name}/networkInterfaces", scale_set.resource_group
        )
    return scale_set


def _not_found(call: ArmCall) -> ArmError:
    return resource_not_found(INTERFACE_TYPE, call.names["interface"], call.names["group"])


def _find(call: ArmCall) -> tuple[ScaleSetResource, VmInstance, Json]:
    """The interface in the path, of a VM of a Flexible set."""
    name = call.names["interface"].lower()
    group = call.group_id().lower()
    for scale_set in call.state.scale_sets.values():
        if not scale_set.is_flexible or not scale_set.key.startswith(f"{group}/"):
            continue
        likely = scale_set.instance(f"{scale_set.name}_{name.rpartition('-')[2]}")
        for vm in [likely] if likely else scale_set.instances.values():
            for interface in configurations(scale_set, vm):
                if interface_id(scale_set, vm, interface).lower().rpartition("/")[2] == name:
                    return scale_set, vm, interface
    raise _not_found(call)


def list_in_group(call: ArmCall) -> ArmResponse:
    """GET the interfaces of a resource group: those of the VMs of its Flexible sets, and those that outlived theirs."""
    prefix = f"{call.group_id()}/".lower()
    sets = [each for each in call.state.scale_sets.values() if each.is_flexible and each.key.startswith(prefix)]
    value = [body for each in sets for vm in each.instances.values() for body in interface_bodies(each, vm)]
    value += [body for key, body in call.state.interfaces.items() if key.startswith(prefix)]
    return json_response(HTTPStatus.OK, {"value": value})


def read(call: ArmCall) -> ArmResponse:
    """GET an interface."""
    left = call.state.interfaces.get(f"{call.group_id()}/providers/{INTERFACE_TYPE}/{call.names['interface']}".lower())
    body = left or interface_body(*_find(call))
    return json_response(HTTPStatus.OK, body, {"etag": body["etag"]})


def put(call: ArmCall) -> ArmResponse:
    """PUT an interface of a Flexible set's VM: its pools are then those of the body, at once."""
    scale_set, vm, interface = _find(call)
    current = interface_body(scale_set, vm, interface)
    given = call.request.header("if-match")
    if given is not None and given not in (current["etag"], "*"):
        raise network_precondition_failed(given, current["etag"], current["id"])
    if vm.provisioning_state in ("Creating", "Deleting"):
        raise network_busy(current["id"])
    changed = copy.deepcopy(interface)
    _set_pools(changed, call.body().get("properties") or {})
    call.fabric.network.check_pools([changed], current["id"])
    every = configurations(scale_set, vm)
    vm.network = {
        "networkInterfaceConfigurations": [changed if one["name"] == interface["name"] else one for one in every]
    }
    vm.interface_etag += 1
    vm.interface_failed = False
    call.fabric.rewire(scale_set, vm)
    body = interface_body(scale_set, vm, changed)
    return json_response(HTTPStatus.OK, body)


def _set_pools(interface: Json, properties: Json) -> None:
    wanted = {
        str(configuration.get("name")): configuration.get("properties") or {}
        for configuration in properties.get("ipConfigurations") or []
    }
    for configuration in interface["properties"]["ipConfigurations"]:
        if configuration["name"] not in wanted:
            raise invalid_content(f"The body has no ipConfiguration named '{configuration['name']}'.")
        given = wanted[configuration["name"]]
        for name in POOL_FIELDS:
            configuration["properties"][name] = [{"id": pool["id"]} for pool in given.get(name) or []]
