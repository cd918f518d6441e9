"""What of a model and of its VMs can be compared: by bodies, and by what the simulated Azure shows."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from adapters.arm.client import ComputeClients
from adapters.arm.model_fields import fields_of_set, fields_of_vm
from adapters.arm.scale_sets import ArmScaleSets
from local.azure.arm.transport import InProcessTransport
from local.azure.cloud import Cloud
from local.azure.world import demo_world
from local.clock import VIRTUAL_START, PlatformClock, run_virtual
from rollout.judging.roll_needed import roll_needed
from rollout.model.azure.roll_needed import RollNeeded
from settings import Settings

DEMO = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo/providers"
PROFILE = "virtualMachineProfile"
DISK = f"{PROFILE}.storageProfile.osDisk"
CARD = f"{PROFILE}.networkProfile.networkInterfaceConfigurations[vmss1]"
ADDRESS = f"{CARD}.ipConfigurations[vmss1]"

SUBNET = {"id": f"{DEMO}/Microsoft.Network/virtualNetworks/vnet1/subnets/subnet1"}
INTERFACE = {
    "primary": True,
    "enableAcceleratedNetworking": False,
    "dnsSettings": {"dnsServers": []},
    "enableIPForwarding": True,
    "ipConfigurations": [{"name": "vmss1", "properties": {"subnet": SUBNET, "privateIPAddressVersion": "IPv4"}}],
}
STORAGE = {
    "osDisk": {
        "osType": "Windows",
        "createOption": "FromImage",
        "caching": "None",
        "managedDisk": {"storageAccountType": "Premium_LRS"},
        "diskSizeGB": 127,
    },
}
OS = {
    "adminUsername": "sample-user",
    "windowsConfiguration": {"provisionVMAgent": True, "enableAutomaticUpdates": True},
    "secrets": [],
    "allowExtensionOperations": True,
}


def set_body(**profile: Any) -> dict[str, Any]:
    """A set as ``vmss_put_update`` of cloud-provider-azure's recordings has it, with other parts of its profile."""
    usual = {
        "osProfile": {"computerNamePrefix": "vmss", **OS},
        "storageProfile": STORAGE,
        "networkProfile": {"networkInterfaceConfigurations": [{"name": "vmss1", "properties": INTERFACE}]},
    }
    sku = {"name": "Standard_D2s_v3", "tier": "Standard", "capacity": 1}
    return copy.deepcopy({"sku": sku, "properties": {"virtualMachineProfile": {**usual, **profile}}})


def vm_body(**properties: Any) -> dict[str, Any]:
    """A VM as the list in cloud-provider-azure's recordings has it, with other properties."""
    usual = {
        "networkProfileConfiguration": {"networkInterfaceConfigurations": [{"name": "vmss1", "properties": INTERFACE}]},
        "hardwareProfile": {"vmSize": "Standard_D2s_v3"},
        "storageProfile": {**STORAGE, "dataDisks": []},
        "osProfile": {"computerName": "vmss000000", **OS},
    }
    sku = {"name": "Standard_D2s_v3", "tier": "Standard"}
    return copy.deepcopy({"sku": sku, "properties": {**usual, **properties}})


def differing(model: Mapping[str, str], of_vm: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {path: (model[path], of_vm[path]) for path in model if path in of_vm and model[path] != of_vm[path]}


def test_a_vm_of_the_model_states_nothing_else() -> None:
    model, of_vm = fields_of_set(set_body()), fields_of_vm(vm_body())
    assert differing(model, of_vm) == {}
    assert set(model) < set(of_vm)
    assert (of_vm["sku.name"], of_vm[f"{DISK}.diskSizeGB"], of_vm[f"{CARD}.enableIPForwarding"]) == (
        "Standard_D2s_v3",
        "127",
        "true",
    )
    assert len(model) == len(dict(model))


def disk(lun: int, **fields: Any) -> dict[str, Any]:
    return {"lun": lun, "createOption": "Empty", "diskSizeGB": 32, "caching": "None", **fields}


def storage(*disks: Any, **os_disk: Any) -> dict[str, Any]:
    return {"storageProfile": {"osDisk": {**STORAGE["osDisk"], **os_disk}, "dataDisks": list(disks)}}


def linux(*keys: str, mode: str = "ImageDefault") -> dict[str, Any]:
    ssh = {"publicKeys": [{"path": "/home/a/.ssh/authorized_keys", "keyData": key} for key in keys]}
    return {"osProfile": {"linuxConfiguration": {"ssh": ssh, "patchSettings": {"patchMode": mode}}}}


def network(where: str, properties: Any = None, address: Any = None) -> dict[str, Any]:
    card = {**INTERFACE, **(properties or {})}
    card["ipConfigurations"] = [{"name": "vmss1", "properties": {"subnet": SUBNET, **(address or {})}}]
    return {where: {"networkInterfaceConfigurations": [{"name": "vmss1", "properties": card}]}}


DISKS = f"{PROFILE}.storageProfile.dataDisks"
SECURE = {"securityProfile": {"securityType": "TrustedLaunch", "uefiSettings": {"secureBootEnabled": True}}}
INSECURE = {"securityProfile": {"securityType": "Standard", "uefiSettings": {"secureBootEnabled": False}}}
ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a@b"
ED25519_PRINT = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"

#: What the profile says, what the VM says, the paths that differ.
FIELDS: list[tuple[dict[str, Any], dict[str, Any], dict[str, tuple[str, str]]]] = [
    (
        storage(managedDisk={"storageAccountType": "StandardSSD_LRS"}, diskSizeGB=64, deleteOption="Delete"),
        storage(deleteOption="Detach"),
        {
            f"{DISK}.managedDisk.storageAccountType": ("StandardSSD_LRS", "Premium_LRS"),
            f"{DISK}.diskSizeGB": ("64", "127"),
            f"{DISK}.deleteOption": ("Delete", "Detach"),
        },
    ),
    (storage(disk(0), disk(1)), storage(disk(0)), {DISKS: ("lun 0, lun 1", "lun 0")}),
    (storage(disk(0)), storage(), {DISKS: ("lun 0", "none")}),
    (storage(disk(0, caching="ReadOnly")), storage(disk(0)), {f"{DISKS}[0].caching": ("ReadOnly", "None")}),
    # The image's own disks, and those that were attached to one VM, are not the model's.
    (storage(), storage(disk(3, createOption="FromImage"), disk(4, createOption="Attach")), {}),
    (
        SECURE,
        INSECURE,
        {
            f"{PROFILE}.securityProfile.securityType": ("TrustedLaunch", "Standard"),
            f"{PROFILE}.securityProfile.uefiSettings.secureBootEnabled": ("true", "false"),
        },
    ),
    (SECURE, {}, {}),
    ({"licenseType": "RHEL_BYOS"}, {"licenseType": "None"}, {f"{PROFILE}.licenseType": ("RHEL_BYOS", "None")}),
    ({"priority": "Spot"}, {"priority": "Regular"}, {f"{PROFILE}.priority": ("Spot", "Regular")}),
    (linux(f"{ED25519}\n"), linux(ED25519), {}),
    (
        linux(ED25519, mode="AutomaticByPlatform"),
        linux(),
        {
            f"{PROFILE}.osProfile.linuxConfiguration.ssh.publicKeys": (ED25519_PRINT, "none"),
            f"{PROFILE}.osProfile.linuxConfiguration.patchSettings.patchMode": ("AutomaticByPlatform", "ImageDefault"),
        },
    ),
    (
        network("networkProfile", {"enableAcceleratedNetworking": True, "dnsSettings": {"dnsServers": ["10.0.0.4"]}}),
        network("networkProfileConfiguration"),
        {
            f"{CARD}.enableAcceleratedNetworking": ("true", "false"),
            f"{CARD}.dnsSettings.dnsServers": ("10.0.0.4", "none"),
        },
    ),
    # A VM that names no pool is in none.
    (
        network(
            "networkProfile", address={"loadBalancerBackendAddressPools": [{"id": "/pools/b"}, {"id": "/pools/a"}]}
        ),
        network("networkProfileConfiguration"),
        {f"{ADDRESS}.loadBalancerBackendAddressPools": ("/pools/a, /pools/b", "none")},
    ),
    # Of network security groups nobody has seen whether a VM always names them.
    (
        network("networkProfile", {"networkSecurityGroup": {"id": "/nsg"}}),
        network("networkProfileConfiguration"),
        {},
    ),
    (
        {"osProfile": {"secrets": [{"vaultCertificates": [{"certificateUrl": "https://v/secrets/c/2"}]}]}},
        {"osProfile": {"secrets": []}},
        {f"{PROFILE}.osProfile.secrets": ("https://v/secrets/c/2", "none")},
    ),
]


@pytest.mark.parametrize(("profile", "properties", "expected"), FIELDS)
def test_fields_that_differ(
    profile: dict[str, Any], properties: dict[str, Any], expected: dict[str, tuple[str, str]]
) -> None:
    assert differing(fields_of_set(set_body(**profile)), fields_of_vm(vm_body(**properties))) == expected


def extension(version: str, **properties: Any) -> dict[str, Any]:
    told = {"publisher": "Microsoft.ManagedServices", "type": "ApplicationHealthLinux", "typeHandlerVersion": version}
    return {"name": "HealthExtension", "properties": {**told, **properties}}


def test_extensions_are_compared_by_what_vms_tell_of_them() -> None:
    def look(wanted: Any, *found: Any) -> dict[str, tuple[str, str]]:
        body = set_body(extensionProfile={"extensions": [wanted]})
        return differing(fields_of_set(body), fields_of_vm({**vm_body(), "resources": list(found)}))

    path = f"{PROFILE}.extensionProfile.extensions[HealthExtension].typeHandlerVersion"
    other = {"name": "AzurePolicy", "properties": {"type": "ConfigurationForLinux"}}
    assert look(extension("1.0", settings={"port": 80}), extension("1.0", settings={}), other) == {}
    assert look(extension("2.0"), {**extension("1.0"), "name": "web_0/HealthExtension"}) == {path: ("2.0", "1.0")}
    assert look(extension("2.0", enableAutomaticUpgrade=True), extension("1.0")) == {}


def test_a_set_of_mixed_sizes_wants_none_in_particular_and_old_vms_tell_theirs_in_one_place() -> None:
    mixed = {**set_body(), "sku": {"name": "Mix", "capacity": 3}}
    assert "sku.name" not in fields_of_set(mixed)
    assert fields_of_vm({"sku": {"name": "Standard_A1"}, "properties": {"hardwareProfile": {}}})["sku.name"] == (
        "Standard_A1"
    )
    assert fields_of_vm({"properties": {"hardwareProfile": {"vmSize": "Standard_A1"}}})["sku.name"] == "Standard_A1"
    assert dict(fields_of_set({"properties": {}})) == {}
    assert dict(fields_of_vm({})) == {}


#: The set's name, its mode, and whether Azure tells which model its VMs run.
MODES = [("web", "Uniform"), ("api", "Flexible")]


@pytest.mark.parametrize(("name", "mode"), MODES)
def test_what_a_person_changes_shows_in_the_simulated_azure(name: str, mode: str, credential: Any) -> None:
    scale_set_id = f"{DEMO}/Microsoft.Compute/virtualMachineScaleSets/{name}"

    async def scene() -> None:
        clock = PlatformClock(VIRTUAL_START)
        cloud = Cloud(demo_world(), clock)
        clients = ComputeClients(Settings(), credential, lambda: InProcessTransport(cloud))
        scale_sets = ArmScaleSets(clients)

        async def look() -> RollNeeded:
            found = await scale_sets.read(scale_set_id)
            assert found is not None
            assert found.mode == mode
            return roll_needed(clock.now(), found, (await scale_sets.list_vms(scale_set_id)).vms, None)

        assert (await look()).reasons == ()
        profile = {
            "storageProfile": {"osDisk": {"managedDisk": {"storageAccountType": "StandardSSD_LRS"}}},
            "osProfile": {"linuxConfiguration": {"provisionVMAgent": False}},
        }
        changes = {"sku": {"name": "Standard_D4s_v5"}, "properties": {"virtualMachineProfile": profile}}
        cloud.interfere.patch(scale_set_id, changes)
        needed = await look()
        assert needed.outdated == needed.total > 0
        assert [(reason.field, reason.wanted, reason.found, reason.vms) for reason in needed.reasons] == [
            ("sku.name", "Standard_D4s_v5", "Standard_D2s_v5", needed.total),
            (
                f"{PROFILE}.osProfile.linuxConfiguration.provisionVMAgent",
                "false",
                "true",
                needed.total,
            ),
            (f"{DISK}.managedDisk.storageAccountType", "StandardSSD_LRS", "Premium_LRS", needed.total),
        ]
        # Azure says of Uniform VMs alone that they run another model: here in what no VM shows.
        cloud.interfere.patch(scale_set_id, {"sku": {"name": "Standard_D2s_v5"}})
        undone = {
            "storageProfile": {"osDisk": {"managedDisk": {"storageAccountType": "Premium_LRS"}}},
            "osProfile": {"linuxConfiguration": {"provisionVMAgent": True}, "customData": "IyEvYmluL3No"},
        }
        cloud.interfere.patch(scale_set_id, {"properties": {"virtualMachineProfile": undone}})
        hidden = [reason.field for reason in (await look()).reasons]
        assert hidden == ([PROFILE] if mode == "Uniform" else [])
        await clients.close()

    run_virtual(scene())
