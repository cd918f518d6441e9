"""The beginning of a world: its scale sets with their ARM bodies and their first VMs."""

from __future__ import annotations

import copy
import uuid
from typing import Any

from local.azure.arm.calls import SCALE_SET_TYPE
from local.azure.arm.messages import Json
from local.azure.arm.resources import ScaleSetResource
from local.azure.compute.fabric import Fabric
from local.azure.compute.scale_sets import merge
from local.azure.images.galleries import GALLERY_TYPE
from local.azure.network.interface_shape import POOL_FIELDS
from local.azure.network.network import GATEWAY_TYPE, LOAD_BALANCER_TYPE
from local.azure.world import ScaleSetSpec, World


def populate(fabric: Fabric) -> None:
    """Put the world's scale sets into the fabric's state, with their VMs."""
    for spec in fabric.world.scale_sets:
        scale_set = begin_scale_set(scale_set_body(spec, fabric.world))
        scale_set.lists_latest_model = spec.lists_latest_model
        fabric.state.scale_sets[scale_set.key] = scale_set
        fabric.populate(scale_set, spec.attached_vms)
    for body in fabric.world.resources:
        scale_set = begin_scale_set(body)
        fabric.state.scale_sets[scale_set.key] = scale_set
        fabric.populate(scale_set)


def begin_scale_set(body: Json) -> ScaleSetResource:
    """A set from its ARM body, which is served back as it is."""
    body = copy.deepcopy(body)
    properties = body.setdefault("properties", {})
    # No operation of the real set is known here: what was under way there has ended well.
    state = "Failed" if properties.get("provisioningState") == "Failed" else "Succeeded"
    etag = str(body.pop("etag", "")).strip('"')
    return ScaleSetResource(
        id=str(body["id"]),
        body=body,
        models={1: properties.get("virtualMachineProfile") or {}},
        etag=int(etag) if etag.isdecimal() else 1,
        provisioning_state=state,
    )


def scale_set_bodies(world: World) -> list[Json]:
    """The ARM bodies of all scale sets that the world begins with."""
    return [*(scale_set_body(spec, world) for spec in world.scale_sets), *world.resources]


def scale_set_body(spec: ScaleSetSpec, world: World) -> Json:
    """The ARM body of a set in short form, as GET answers it."""
    group = f"/subscriptions/{world.subscription_id}/resourceGroups/{spec.resource_group}"
    identifier = f"{group}/providers/{SCALE_SET_TYPE}/{spec.name}"
    body: Json = {
        "name": spec.name,
        "id": identifier,
        "type": SCALE_SET_TYPE,
        "location": world.location,
        "tags": {},
        "sku": {"name": spec.sku, "tier": "Standard", "capacity": spec.capacity},
        "properties": {
            "singlePlacementGroup": spec.single_placement_group,
            "orchestrationMode": spec.orchestration_mode,
            "virtualMachineProfile": _profile(spec, world, group),
            "provisioningState": "Succeeded",
            "uniqueId": str(uuid.uuid5(uuid.NAMESPACE_URL, identifier)),
            "platformFaultDomainCount": 1 if spec.zones else 5,
            "timeCreated": "2025-01-01T00:00:00+00:00",
        },
    }
    if spec.orchestration_mode == "Uniform":
        body["properties"] |= {
            "upgradePolicy": _upgrade_policy(spec),
            "overprovision": spec.overprovision,
            "doNotRunExtensionsOnOverprovisionedVMs": False,
        }
    if spec.zones:
        body["zones"] = list(spec.zones)
    return merge(body, spec.overrides)


def _upgrade_policy(spec: ScaleSetSpec) -> Json:
    automatic = {"enableAutomaticOSUpgrade": False, "useRollingUpgradePolicy": False, "disableAutomaticRollback": False}
    return {"mode": spec.upgrade_mode, "automaticOSUpgradePolicy": automatic}


def _profile(spec: ScaleSetSpec, world: World, group: str) -> Json:
    profile: Json = {
        "osProfile": _os_profile(spec),
        "storageProfile": {
            "osDisk": {
                "osType": spec.os_type,
                "createOption": "FromImage",
                "caching": "ReadWrite",
                "managedDisk": {"storageAccountType": "Premium_LRS"},
                **({"deleteOption": "Delete"} if spec.orchestration_mode == "Flexible" else {}),
                "diskSizeGB": 30,
            },
            "imageReference": image_reference(spec.image, spec.resource_group, world),
        },
        "networkProfile": _network_profile(spec, world, group),
    }
    if spec.boot_diagnostics:
        profile["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": True}}
    if spec.health in ("binary", "rich"):
        profile["extensionProfile"] = {"extensions": [_health_extension(spec)]}
    return profile


def _os_profile(spec: ScaleSetSpec) -> Json:
    profile: Json = {"computerNamePrefix": spec.name, "adminUsername": "azureuser"}
    if spec.os_type == "Windows":
        profile["windowsConfiguration"] = {"provisionVMAgent": True, "enableAutomaticUpdates": False}
    else:
        profile["linuxConfiguration"] = {"disablePasswordAuthentication": True, "provisionVMAgent": True}
    return {**profile, "secrets": [], "allowExtensionOperations": True, "requireGuestProvisionSignal": True}


def _network_profile(spec: ScaleSetSpec, world: World, group: str) -> Json:
    network = f"{group}/providers/Microsoft.Network"
    address: Json = {
        "subnet": {"id": f"{network}/virtualNetworks/{spec.name}/subnets/{spec.name}"},
        "privateIPAddressVersion": "IPv4",
        **_pool_references(spec, world),
    }
    interface: Json = {
        "primary": True,
        "enableAcceleratedNetworking": False,
        "dnsSettings": {"dnsServers": []},
        "enableIPForwarding": False,
        "ipConfigurations": [{"name": spec.name, "properties": address}],
    }
    if spec.orchestration_mode == "Flexible":
        interface["deleteOption"] = "Delete"
    profile: Json = {"networkInterfaceConfigurations": [{"name": spec.name, "properties": interface}]}
    if spec.orchestration_mode == "Flexible":
        profile["networkApiVersion"] = "2020-11-01"
    if spec.health == "probe":
        profile["healthProbe"] = {"id": f"{network}/loadBalancers/{spec.name}/probes/{spec.name}"}
    return profile


def _pool_references(spec: ScaleSetSpec, world: World) -> Json:
    """The pools of a set, where its IP configuration names them."""
    prefix = f"/subscriptions/{world.subscription_id}/resourceGroups"
    references: Json = {}
    for field, kind, balancers in (
        (POOL_FIELDS[0], LOAD_BALANCER_TYPE, world.load_balancers),
        (POOL_FIELDS[1], GATEWAY_TYPE, world.application_gateways),
    ):
        ids = [
            f"{prefix}/{balancer.resource_group}/providers/{kind}/{balancer.name}/backendAddressPools/{pool}"
            for balancer in balancers
            for pool in balancer.pools
            if f"{balancer.name}/{pool}" in spec.backend_pools
        ]
        if ids:
            references[field] = [{"id": identifier} for identifier in ids]
    return references


def _health_extension(spec: ScaleSetSpec) -> Json:
    settings: dict[str, Any] = {"protocol": "http", "port": 80, "requestPath": "/health"}
    if spec.health == "rich":
        settings |= {"intervalInSeconds": 5, "numberOfProbes": 1, "gracePeriod": 600}
    properties = {
        "autoUpgradeMinorVersion": True,
        "publisher": "Microsoft.ManagedServices",
        "type": f"ApplicationHealth{spec.os_type}",
        "typeHandlerVersion": "2.0" if spec.health == "rich" else "1.0",
        "settings": settings,
    }
    return {"name": "HealthExtension", "properties": properties}


def image_reference(image: str, resource_group: str, world: World) -> Json:
    """The image reference of a set whose image is written in any of the world's ways."""
    if image.count(":") == 3:
        return dict(zip(("publisher", "offer", "sku", "version"), image.split(":"), strict=True))
    for kind in ("shared", "community"):
        if image.lower().startswith(f"/{kind}galleries/"):
            return {f"{kind}GalleryImageId": image}
    return {"id": image_id(image, resource_group, world)}


def image_id(image: str, resource_group: str, world: World) -> str:
    """The resource id of an image that is written ``gallery/image[/version]``; a resource id stays what it is."""
    if image.startswith("/"):
        return image
    gallery, name, *version = image.split("/")
    owner = next((item for item in world.galleries if item.name.lower() == gallery.lower()), None)
    subscription = (owner and owner.subscription_id) or world.subscription_id
    group = owner.resource_group if owner else resource_group
    identifier = (
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{GALLERY_TYPE}/{gallery}/images/{name}"
    )
    return f"{identifier}/versions/{version[0]}" if version else identifier
