"""Fields that a set's model and its VMs share, as texts by Azure's paths
(``rollout.judging.roll_needed``).

A path is that of the set's body without ``properties``, and names items of lists: ``sku.name``,
``virtualMachineProfile.storageProfile.dataDisks[0].caching``. ``VirtualMachineScaleSetVMProfile`` shares these fields
with ``VirtualMachineScaleSetVMProperties`` (Uniform) and ``VirtualMachineProperties`` (Flexible) of Microsoft.Compute
2026-04-01, as azure-mgmt-compute 39 declares them. Real bodies of Uniform sets and their VMs in the recordings of
kubernetes-sigs/cloud-provider-azure (``pkg/azclient``, 2025-04-01) state both sides alike: disks, ``osProfile``,
``hardwareProfile``, ``networkProfileConfiguration``.

Left out is what Azure does not give back (passwords, ``customData``, ``userData``, protected settings), what differs
from VM to VM (names, zones), what VMs do not tell (``priority`` in Uniform sets, networks in Flexible ones, settings of
extensions), and tags, which are no part of the model and are changed by many.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

_PROFILE = "virtualMachineProfile"
_DISKS = f"{_PROFILE}.storageProfile.dataDisks"
_KEYS = f"{_PROFILE}.osProfile.linuxConfiguration.ssh.publicKeys"
_SECRETS = f"{_PROFILE}.osProfile.secrets"
_INTERFACES = f"{_PROFILE}.networkProfile.networkInterfaceConfigurations"
_EXTENSIONS = f"{_PROFILE}.extensionProfile.extensions"

NONE = "none"

#: The size of a set whose VMs may be of several (https://learn.microsoft.com/azure/virtual-machine-scale-sets/instance-mix-overview).
_MIX = "mix"


def _parts(*paths: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((path, tuple(path.split("."))) for path in paths)


_PLAIN = _parts(
    "billingProfile.maxPrice",
    "capacityReservation.capacityReservationGroup.id",
    "diagnosticsProfile.bootDiagnostics.enabled",
    "diagnosticsProfile.bootDiagnostics.storageUri",
    "evictionPolicy",
    "hardwareProfile.vmSizeProperties.vCPUsAvailable",
    "hardwareProfile.vmSizeProperties.vCPUsPerCore",
    "licenseType",
    "osProfile.adminUsername",
    "osProfile.allowExtensionOperations",
    "osProfile.linuxConfiguration.disablePasswordAuthentication",
    "osProfile.linuxConfiguration.patchSettings.assessmentMode",
    "osProfile.linuxConfiguration.patchSettings.patchMode",
    "osProfile.linuxConfiguration.provisionVMAgent",
    "osProfile.windowsConfiguration.enableAutomaticUpdates",
    "osProfile.windowsConfiguration.patchSettings.assessmentMode",
    "osProfile.windowsConfiguration.patchSettings.enableHotpatching",
    "osProfile.windowsConfiguration.patchSettings.patchMode",
    "osProfile.windowsConfiguration.provisionVMAgent",
    "osProfile.windowsConfiguration.timeZone",
    "priority",
    "scheduledEventsProfile.osImageNotificationProfile.enable",
    "scheduledEventsProfile.osImageNotificationProfile.notBeforeTimeout",
    "scheduledEventsProfile.terminateNotificationProfile.enable",
    "scheduledEventsProfile.terminateNotificationProfile.notBeforeTimeout",
    "securityProfile.encryptionAtHost",
    "securityProfile.securityType",
    "securityProfile.uefiSettings.secureBootEnabled",
    "securityProfile.uefiSettings.vTpmEnabled",
    "storageProfile.diskControllerType",
    "storageProfile.osDisk.caching",
    "storageProfile.osDisk.deleteOption",
    "storageProfile.osDisk.diffDiskSettings.option",
    "storageProfile.osDisk.diffDiskSettings.placement",
    "storageProfile.osDisk.diskSizeGB",
    "storageProfile.osDisk.managedDisk.diskEncryptionSet.id",
    "storageProfile.osDisk.managedDisk.securityProfile.securityEncryptionType",
    "storageProfile.osDisk.managedDisk.storageAccountType",
    "storageProfile.osDisk.writeAcceleratorEnabled",
)
_OF_DISK = _parts(
    *("caching", "deleteOption", "diskSizeGB", "writeAcceleratorEnabled"),
    *("managedDisk.diskEncryptionSet.id", "managedDisk.storageAccountType"),
)
_OF_INTERFACE = _parts("enableAcceleratedNetworking", "enableIPForwarding", "networkSecurityGroup.id")
_OF_ADDRESS = _parts("subnet.id", "publicIPAddressConfiguration.name", "privateIPAddressVersion")
#: Where these are left out there are none: Azure puts a VM into no pool by itself.
_POOLS = ("applicationGatewayBackendAddressPools", "loadBalancerBackendAddressPools")
_GROUPS = ("applicationSecurityGroups", "loadBalancerInboundNatPools")


class Fields(Mapping[str, str]):
    """Made when first asked for: 900 VMs are read at every poll of a deployment, which does not ask."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Iterable[tuple[str, str]]]) -> None:
        self._make: Callable[[], Iterable[tuple[str, str]]] | None = make
        self._made: dict[str, str] = {}

    def _fields(self) -> dict[str, str]:
        if self._make is not None:
            self._made, self._make = dict(self._make()), None
        return self._made

    def __getitem__(self, path: str) -> str:
        return self._fields()[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields())

    def __len__(self) -> int:
        return len(self._fields())


def fields_of_set(body: Json) -> Fields:
    """What the model of a set says, from the set's body."""
    return Fields(lambda: _of_set(body))


def fields_of_vm(body: Json) -> Fields:
    """What a VM of either mode says of the same, from the VM's body."""
    return Fields(lambda: _of_vm(body))


def _of_set(body: Json) -> Iterator[tuple[str, str]]:
    profile = _at(body, ("properties", "virtualMachineProfile")) or {}
    size = _at(body, ("sku", "name"))
    if str(size).lower() != _MIX:
        yield from _told("sku.name", size)
    yield from _of_profile(profile)
    yield from _of_interfaces(_at(profile, ("networkProfile", "networkInterfaceConfigurations")))
    yield from _of_extensions(_at(profile, ("extensionProfile", "extensions")))


def _of_vm(body: Json) -> Iterator[tuple[str, str]]:
    properties = body.get("properties") or {}
    # Uniform VMs have a ``sku`` as well; old ones have had no more than that.
    yield from _told("sku.name", _at(body, ("sku", "name")) or _at(properties, ("hardwareProfile", "vmSize")))
    yield from _of_profile(properties)
    yield from _of_interfaces(_at(properties, ("networkProfileConfiguration", "networkInterfaceConfigurations")))
    yield from _of_extensions(body.get("resources"))


def _of_profile(profile: Json) -> Iterator[tuple[str, str]]:
    """What is at the same path below a ``virtualMachineProfile`` and the ``properties`` of a VM."""
    yield from _plain(_PROFILE, profile, _PLAIN)
    yield from _of_disks(_at(profile, ("storageProfile", "dataDisks")))
    keys = _at(profile, ("osProfile", "linuxConfiguration", "ssh", "publicKeys"))
    if keys is not None:
        yield _KEYS, _joined(_fingerprint(key.get("keyData") or "") for key in keys)
    secrets = _at(profile, ("osProfile", "secrets"))
    if secrets is not None:
        certificates = [each for secret in secrets for each in secret.get("vaultCertificates") or ()]
        yield _SECRETS, _joined(str(each.get("certificateUrl")) for each in certificates)


def _of_disks(disks: Iterable[Json] | None) -> Iterator[tuple[str, str]]:
    """Which there are counts without those that come with the image, or were attached to one VM."""
    if disks is None:
        return
    own = [disk for disk in disks if str(disk.get("createOption")).lower() == "empty"]
    yield _DISKS, _joined(f"lun {disk.get('lun')}" for disk in own)
    for disk in disks:
        yield from _plain(f"{_DISKS}[{disk.get('lun')}]", disk, _OF_DISK)


def _of_interfaces(interfaces: Iterable[Json] | None) -> Iterator[tuple[str, str]]:
    for interface in interfaces or ():
        path, properties = f"{_INTERFACES}[{interface.get('name')}]", interface.get("properties") or {}
        yield from _plain(path, properties, _OF_INTERFACE)
        servers = _at(properties, ("dnsSettings", "dnsServers"))
        if servers is not None:
            yield f"{path}.dnsSettings.dnsServers", _joined(servers)
        for address in properties.get("ipConfigurations") or ():
            yield from _of_address(f"{path}.ipConfigurations[{address.get('name')}]", address.get("properties") or {})


def _of_address(path: str, address: Json) -> Iterator[tuple[str, str]]:
    yield from _plain(path, address, _OF_ADDRESS)
    for name in (*_POOLS, *_GROUPS):
        members = address.get(name)
        if members is not None or name in _POOLS:
            yield f"{path}.{name}", _joined(str(member.get("id")) for member in members or ())


def _of_extensions(extensions: Iterable[Json] | None) -> Iterator[tuple[str, str]]:
    """A VM has further ones, of policies for example; its versions may be raised by Azure where that is asked for."""
    for extension in extensions or ():
        name, properties = str(extension.get("name")).rpartition("/")[2], extension.get("properties") or {}
        path = f"{_EXTENSIONS}[{name}]"
        yield from _told(f"{path}.publisher", properties.get("publisher"))
        yield from _told(f"{path}.type", properties.get("type"))
        if not properties.get("enableAutomaticUpgrade"):
            yield from _told(f"{path}.typeHandlerVersion", properties.get("typeHandlerVersion"))


def _plain(prefix: str, values: Json, paths: Iterable[tuple[str, tuple[str, ...]]]) -> Iterator[tuple[str, str]]:
    for path, parts in paths:
        value = _at(values, parts)
        if value is not None:
            yield f"{prefix}.{path}", _text(value)


def _told(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if value is not None:
        yield path, _text(value)


def _text(value: Any) -> str:
    """As JSON has it: ``true``, ``127``, and texts without their quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(sorted(texts, key=str.lower)) or NONE


def _fingerprint(key: str) -> str:
    """Of a public key, what ``ssh-keygen -l`` shows."""
    words = key.split()
    try:
        content = base64.b64decode(words[1], validate=True)
    except (IndexError, binascii.Error):
        content = key.strip().encode()
    digest = base64.b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    return f"SHA256:{digest}"


def _at(value: Any, parts: tuple[str, ...]) -> Any:
    for part in parts:
        if value is None:
            return None
        value = value.get(part)
    return value
