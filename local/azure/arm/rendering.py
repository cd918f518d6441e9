"""The ARM bodies of scale sets and their VMs (compute API 2026-04-01, ``azure.mgmt.compute.models``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from local.azure.arm.messages import Json, encode
from local.azure.arm.resources import ScaleSetResource, VmInstance
from local.azure.compute.lifecycle import health_source
from local.azure.network.interface_shape import configurations, interface_id, is_kept

#: Level and text of each word behind ``HealthState/``. The text for `initializing` is assumed.
_HEALTH = {
    "healthy": ("Info", "The VM is reporting itself as healthy"),
    "unhealthy": ("Error", "The VM is reporting itself as unhealthy or is unreachable"),
    "unknown": ("Warning", "The VM health is unknown"),
    "initializing": ("Info", "The VM is initializing"),
}
_PROVISIONING = {
    "Creating": ("creating", "Info", "Creating"),
    "Updating": ("updating", "Info", "Updating"),
    "Deleting": ("deleting", "Info", "Deleting"),
    "Failed": ("failed", "Error", "Provisioning failed"),
    "Succeeded": ("succeeded", "Info", "Provisioning succeeded"),
}

#: What of a model its VMs say in the same words, in both modes and in Flexible sets alone: the fields that
#: ``VirtualMachineScaleSetVMProfile`` shares with ``VirtualMachineScaleSetVMProperties`` and
#: ``VirtualMachineProperties``.
_SHARED = ("diagnosticsProfile", "licenseType", "securityProfile")
_SHARED_IF_FLEXIBLE = ("billingProfile", "evictionPolicy", "priority", "scheduledEventsProfile")


class Rendering:
    """Bodies of VMs, kept encoded until the VM or the set's model changes: 900 of them are listed at every poll."""

    def __init__(self) -> None:
        self._encoded: dict[tuple[str, str, int], tuple[tuple[str, int, int, int], bytes]] = {}

    def instance(self, scale_set: ScaleSetResource, vm: VmInstance, *, with_view: bool) -> bytes:
        """The encoded body of a VM below its set, with its instance view if asked for."""
        return self._keep(
            f"instance {with_view}", scale_set, vm, lambda: instance_body(scale_set, vm, with_view=with_view)
        )

    def virtual_machine(
        self, scale_set: ScaleSetResource, vm: VmInstance, *, with_view: bool, with_health: bool = False
    ) -> bytes:
        """The encoded body of a Flexible set's VM as a resource of its own, with its instance view if asked for."""
        view = virtual_machine_view(scale_set, vm, with_health=with_health) if with_view else None
        kind = f"virtual machine {with_view} {with_health}"
        return self._keep(kind, scale_set, vm, lambda: virtual_machine_body(scale_set, vm, view))

    def _keep(self, kind: str, scale_set: ScaleSetResource, vm: VmInstance, build: Callable[[], Json]) -> bytes:
        key = kind, scale_set.key, vm.number
        state = vm.vm_id, vm.revision, vm.etag, scale_set.model
        kept = self._encoded.get(key)
        if kept is None or kept[0] != state:
            kept = state, encode(build())
            self._encoded[key] = kept
        return kept[1]


def scale_set_body(scale_set: ScaleSetResource) -> Json:
    """A set as GET answers it: what it was given, with the state and the ETag of now."""
    properties = {**scale_set.properties, "provisioningState": scale_set.provisioning_state}
    return {**scale_set.body, "properties": properties, "etag": scale_set.quoted_etag}


def instance_body(scale_set: ScaleSetResource, vm: VmInstance, *, with_view: bool) -> Json:
    """A VM as GET answers it."""
    body: Json = {
        "name": vm.name,
        "id": instance_id(scale_set, vm),
        "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
        "location": scale_set.location,
        "tags": vm.tags,
        "instanceId": scale_set.instance_id(vm),
        "sku": scale_set.sku_of(vm),
        "properties": _instance_properties(scale_set, vm),
        "etag": f'"{vm.etag}"',
    }
    if vm.zone is not None:
        body["zones"] = [vm.zone]
    if with_view and not vm.is_deleting:
        # cloud-provider-azure meets VMs without a view while they are deleted.
        body["properties"]["instanceView"] = instance_view(scale_set, vm)
    return body


def instance_id(scale_set: ScaleSetResource, vm: VmInstance) -> str:
    """The id of a VM below its set."""
    return f"{scale_set.id}/virtualMachines/{scale_set.instance_id(vm)}"


def virtual_machine_id(scale_set: ScaleSetResource, vm: VmInstance) -> str:
    """The id of a Flexible set's VM as a resource of its own."""
    group = scale_set.id.partition("/virtualMachineScaleSets/")[0]
    return f"{group}/virtualMachines/{vm.name}"


def virtual_machine_body(scale_set: ScaleSetResource, vm: VmInstance, view: Json | None) -> Json:
    """A Flexible set's VM as GET of the VM answers it."""
    shared = _instance_properties(scale_set, vm)
    names = ("hardwareProfile", "provisioningState", "vmId", "storageProfile", "osProfile", "timeCreated")
    properties: Json = {name: shared[name] for name in (*names, *_SHARED) if name in shared}
    properties |= _parts(scale_set.models[vm.model], _SHARED_IF_FLEXIBLE)
    properties["networkProfile"] = {
        "networkInterfaces": [
            {
                "id": interface_id(scale_set, vm, interface),
                "properties": {"primary": True, "deleteOption": "Detach" if is_kept(interface) else "Delete"},
            }
            for interface in configurations(scale_set, vm)
        ]
    }
    properties["virtualMachineScaleSet"] = {"id": scale_set.id}
    if view is not None and not vm.is_deleting:
        properties["instanceView"] = view
    body: Json = {
        "name": vm.name,
        "id": virtual_machine_id(scale_set, vm),
        "type": "Microsoft.Compute/virtualMachines",
        "location": scale_set.location,
        "tags": vm.tags,
        "properties": properties,
        "etag": f'"{vm.etag}"',
    }
    if vm.zone is not None:
        body["zones"] = [vm.zone]
    return body


def virtual_machine_view(scale_set: ScaleSetResource, vm: VmInstance, *, with_health: bool) -> Json:
    """The instance view of a Flexible set's VM."""
    view = instance_view(scale_set, vm)
    del view["placementGroupId"]
    if not with_health:
        view.pop("vmHealth", None)
    return view


def _instance_properties(scale_set: ScaleSetResource, vm: VmInstance) -> Json:
    profile = scale_set.models[vm.model]
    storage = profile.get("storageProfile") or {}
    interfaces = configurations(scale_set, vm)
    network = vm.network or {"networkInterfaceConfigurations": interfaces}
    is_own = vm.network is not None and not scale_set.is_flexible
    properties: Json = {
        "latestModelApplied": vm.model == scale_set.model,
        "modelDefinitionApplied": "VirtualMachine" if is_own else "VirtualMachineScaleSet",
        "networkProfileConfiguration": network,
        "provisioningState": vm.provisioning_state,
        "hardwareProfile": {"vmSize": scale_set.sku_of(vm).get("name"), **(profile.get("hardwareProfile") or {})},
        "resilientVMDeletionStatus": "Disabled",
        "vmId": vm.vm_id,
        "storageProfile": {
            "imageReference": vm.image,
            "osDisk": _os_disk(scale_set, vm, storage),
            "dataDisks": _data_disks(scale_set, vm, storage),
        },
        "osProfile": _os_profile(profile, vm),
        "networkProfile": {
            "networkInterfaces": [{"id": interface_id(scale_set, vm, interface)} for interface in interfaces]
        },
        "timeCreated": vm.created_at.isoformat(),
        **_parts(profile, _SHARED),
    }
    if vm.protection is not None:
        properties["protectionPolicy"] = vm.protection
    return properties


def _parts(profile: Json, names: tuple[str, ...]) -> Json:
    return {name: profile[name] for name in names if name in profile}


def _os_disk(scale_set: ScaleSetResource, vm: VmInstance, storage: Json) -> Json:
    # A set names the storage accounts of unmanaged disks; its VMs do not.
    given = {name: value for name, value in (storage.get("osDisk") or {}).items() if name != "vhdContainers"}
    return {**given, "name": _disk_name(scale_set, vm)}


def _data_disks(scale_set: ScaleSetResource, vm: VmInstance, storage: Json) -> list[Json]:
    """The model's, each with a name of its own. A VM in its own right says what becomes of it, by default `Delete`."""
    option = {"deleteOption": "Delete"} if scale_set.is_flexible else {}
    return [
        {**option, "name": f"{vm.name}_disk{disk.get('lun', 0)}", **disk} for disk in storage.get("dataDisks") or []
    ]


def _disk_name(scale_set: ScaleSetResource, vm: VmInstance) -> str:
    return f"{scale_set.name}_{vm.name}_OS__1_{vm.vm_id.replace('-', '')}"


def _computer_name(profile: Json, vm: VmInstance) -> str:
    if vm.computer_name is not None:
        return vm.computer_name
    prefix = (profile.get("osProfile") or {}).get("computerNamePrefix", "vm")
    digits, number = "", vm.number
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return f"{prefix}{digits:0>6}"


def _os_profile(profile: Json, vm: VmInstance) -> Json:
    given = {key: value for key, value in (profile.get("osProfile") or {}).items() if key != "computerNamePrefix"}
    return {"computerName": _computer_name(profile, vm), **given}


def instance_view(scale_set: ScaleSetResource, vm: VmInstance) -> Json:
    """A VM's instance view; ``vmHealth`` is there only while something reports the VM's health."""
    profile = scale_set.models[vm.model]
    view: Json = {
        "placementGroupId": scale_set.properties.get("uniqueId"),
        "platformUpdateDomain": vm.number % 5,
        "platformFaultDomain": vm.number % int(scale_set.properties.get("platformFaultDomainCount") or 1),
        "computerName": _computer_name(profile, vm),
        "disks": [{"name": _disk_name(scale_set, vm), "statuses": [_succeeded(vm.created_at)]}],
        "hyperVGeneration": "V2",
        "statuses": instance_statuses(vm),
    }
    if vm.booted_at:
        ready = {**_succeeded(vm.booted_at), "displayStatus": "Ready", "message": "Guest Agent is running"}
        view["vmAgent"] = {"vmAgentVersion": "2.11.1.4", "statuses": [ready]}
    if vm.health and vm.health_at:
        view["vmHealth"] = {"status": _health_status(vm.health, vm.health_at)}
        source = health_source(profile)
        if source and source.extension and vm.booted_at:
            view["extensions"] = [_extension(source.extension, profile, vm.booted_at)]
    return view


def _succeeded(at: datetime) -> Json:
    code, level, text = _PROVISIONING["Succeeded"]
    return {"code": f"ProvisioningState/{code}", "level": level, "displayStatus": text, "time": at.isoformat()}


def _health_status(health: str, at: datetime) -> Json:
    level, text = _HEALTH[health]
    return {"code": f"HealthState/{health}", "level": level, "displayStatus": text, "time": at.isoformat()}


def instance_statuses(vm: VmInstance) -> list[Json]:
    """A VM's provisioning state and power state."""
    word, level, text = _PROVISIONING[vm.provisioning_state]
    status: Json = {"code": f"ProvisioningState/{word}", "level": level, "displayStatus": text}
    if vm.provisioning_state == "Failed" and vm.failure:
        status |= {"code": f"ProvisioningState/failed/{vm.failure['code']}", "message": vm.failure["message"]}
    if vm.booted_at:
        status["time"] = vm.booted_at.isoformat()
    power = [{"code": f"PowerState/{vm.power}", "level": "Info", "displayStatus": f"VM {vm.power}"}] if vm.power else []
    return [status, *power]


def _extension(name: str, profile: Json, at: datetime) -> Json:
    extensions = profile["extensionProfile"]["extensions"]
    properties = next(extension["properties"] for extension in extensions if extension.get("name") == name)
    return {
        "name": name,
        "type": f"{properties['publisher']}.{properties['type']}",
        "typeHandlerVersion": properties.get("typeHandlerVersion", "1.0"),
        "statuses": [_succeeded(at)],
    }


def scale_set_view(scale_set: ScaleSetResource, now: datetime) -> Json:
    """The instance view of a set: how many VMs are in which state."""
    states = Counter(_PROVISIONING[vm.provisioning_state][0] for vm in scale_set.instances.values())
    word = scale_set.provisioning_state.lower()
    return {
        "virtualMachine": {
            "statusesSummary": [{"code": f"ProvisioningState/{name}", "count": count} for name, count in states.items()]
        },
        "extensions": _extension_summaries(scale_set),
        "statuses": [
            {
                "code": f"ProvisioningState/{word}",
                "level": "Error" if word == "failed" else "Info",
                "displayStatus": "Provisioning succeeded" if word == "succeeded" else word.capitalize(),
                "time": now.isoformat(),
            }
        ],
        "orchestrationServices": [
            {"serviceName": "AutomaticRepairs", "serviceState": _repairs(scale_set)},
            *(
                [{"serviceName": "AutomaticZoneRebalancing", "serviceState": "Running"}]
                if _rebalances(scale_set)
                else []
            ),
        ],
    }


def _rebalances(scale_set: ScaleSetResource) -> bool:
    """Whether Azure moves VMs between zones by itself.

    https://learn.microsoft.com/azure/virtual-machine-scale-sets/auto-zone-balance-enable
    """
    policy = (scale_set.properties.get("resiliencyPolicy") or {}).get("automaticZoneRebalancingPolicy") or {}
    return bool(policy.get("enabled"))


def _repairs(scale_set: ScaleSetResource) -> str:
    policy = scale_set.properties.get("automaticRepairsPolicy") or {}
    if scale_set.repairs_suspended:
        return "Suspended"
    return "Running" if policy.get("enabled") else "NotRunning"


def _extension_summaries(scale_set: ScaleSetResource) -> list[Json]:
    booted = sum(1 for vm in scale_set.instances.values() if vm.booted_at)
    names = [
        str(extension.get("name"))
        for extension in (scale_set.profile.get("extensionProfile") or {}).get("extensions") or []
    ]
    return [
        {"name": name, "statusesSummary": [{"code": "ProvisioningState/succeeded", "count": booted}]} for name in names
    ]
