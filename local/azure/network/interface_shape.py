"""Network interfaces: how a VM's are configured, what they are called, and their ARM bodies.

Shapes: network API 2026-03-01 (``azure.mgmt.network.models.NetworkInterface``).
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator

from local.azure.arm.messages import Json
from local.azure.arm.resources import ScaleSetResource, VmInstance

INTERFACE_TYPE = "Microsoft.Network/networkInterfaces"

#: The fields of an IP configuration that name pools.
POOL_FIELDS = ("loadBalancerBackendAddressPools", "applicationGatewayBackendAddressPools")


def configurations(scale_set: ScaleSetResource, vm: VmInstance) -> list[Json]:
    """The network interfaces of a VM, as configured: its own, or its model's."""
    network = vm.network or scale_set.models[vm.model].get("networkProfile") or {}
    return list(network.get("networkInterfaceConfigurations") or [])


def interface_id(scale_set: ScaleSetResource, vm: VmInstance, interface: Json) -> str:
    """The resource id of a VM's network interface: below a Uniform VM, beside a Flexible one."""
    if not scale_set.is_flexible:
        return f"{scale_set.id}/virtualMachines/{vm.number}/networkInterfaces/{interface['name']}"
    group = scale_set.id.partition("/providers/")[0]
    return f"{group}/providers/{INTERFACE_TYPE}/{interface['name']}-{vm.name.rpartition('_')[2]}"


def address_key(interface: Json, configuration: Json) -> str:
    """Under which an IP configuration's address is kept."""
    return f"{interface['name']}/{configuration['name']}"


def ip_configurations(interface: Json) -> list[Json]:
    """The IP configurations of an interface's configuration."""
    return list((interface.get("properties") or {}).get("ipConfigurations") or [])


def pool_keys(interface: Json) -> Iterator[str]:
    """The ids, in lower case, of the pools that an interface is in."""
    for configuration in ip_configurations(interface):
        yield from pool_keys_of(configuration)


def pool_keys_of(configuration: Json) -> Iterator[str]:
    """The ids, in lower case, of the pools that an IP configuration is in."""
    properties = configuration.get("properties") or {}
    for name in POOL_FIELDS:
        for reference in properties.get(name) or []:
            yield str(reference["id"]).lower()


def without_pool(interfaces: list[Json], pool_id: str) -> list[Json]:
    """The configurations of network interfaces as they are, but in one pool less."""
    copies = copy.deepcopy(interfaces)
    for configuration in (each for interface in copies for each in ip_configurations(interface)):
        properties = configuration["properties"]
        for name in POOL_FIELDS:
            if name in properties:
                properties[name] = [one for one in properties[name] if one["id"].lower() != pool_id.lower()]
    return copies


def is_kept(interface: Json) -> bool:
    """Whether the interface of a Flexible VM outlives it."""
    return str((interface.get("properties") or {}).get("deleteOption", "Detach")) != "Delete"


def etag_of(*parts: object) -> str:
    """A network resource's ETag: another one whenever one of the parts is another one."""
    return f'W/"{uuid.uuid5(uuid.NAMESPACE_URL, "/".join(str(part) for part in parts))}"'


def interface_bodies(scale_set: ScaleSetResource, vm: VmInstance) -> Iterator[Json]:
    """The network interfaces of a VM, as GET answers them."""
    for interface in configurations(scale_set, vm):
        yield interface_body(scale_set, vm, interface)


def interface_body(scale_set: ScaleSetResource, vm: VmInstance, interface: Json) -> Json:
    """A network interface, from its configuration."""
    identifier = interface_id(scale_set, vm, interface)
    properties = interface.get("properties") or {}
    etag = etag_of(vm.vm_id, interface["name"], vm.etag, vm.interface_etag, vm.interface_failed)
    state = "Failed" if vm.interface_failed else "Succeeded"
    body: Json = {
        "name": identifier.rpartition("/")[2],
        "id": identifier,
        "etag": etag,
        "properties": {
            "provisioningState": state,
            "resourceGuid": _guid(vm, interface["name"]),
            "ipConfigurations": [
                _ip_configuration(vm, interface, configuration, f"{identifier}/ipConfigurations", etag, state)
                for configuration in properties.get("ipConfigurations") or []
            ],
            "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
            "primary": bool(properties.get("primary", True)),
            "enableAcceleratedNetworking": bool(properties.get("enableAcceleratedNetworking")),
            "enableIPForwarding": bool(properties.get("enableIPForwarding")),
            "virtualMachine": {"id": _vm_id(scale_set, vm)},
            "hostedWorkloads": [],
            "tapConfigurations": [],
        },
    }
    if scale_set.is_flexible:
        body |= {"type": INTERFACE_TYPE, "location": scale_set.location, "tags": {}}
    return body


def _vm_id(scale_set: ScaleSetResource, vm: VmInstance) -> str:
    if not scale_set.is_flexible:
        return f"{scale_set.id}/virtualMachines/{vm.number}"
    return f"{scale_set.id.partition('/virtualMachineScaleSets/')[0]}/virtualMachines/{vm.name}"


def _guid(vm: VmInstance, name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{vm.vm_id}/{name}"))


def _ip_configuration(vm: VmInstance, interface: Json, configuration: Json, parent: str, etag: str, state: str) -> Json:
    given = configuration.get("properties") or {}
    properties: Json = {
        "provisioningState": state,
        "privateIPAddress": vm.addresses.get(address_key(interface, configuration), ""),
        "privateIPAllocationMethod": "Dynamic",
        "subnet": given.get("subnet"),
        "primary": bool(given.get("primary", True)),
        "privateIPAddressVersion": given.get("privateIPAddressVersion", "IPv4"),
    }
    properties |= {name: given[name] for name in POOL_FIELDS if given.get(name)}
    return {
        "name": configuration["name"],
        "id": f"{parent}/{configuration['name']}",
        "etag": etag,
        "properties": properties,
    }
