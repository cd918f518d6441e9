"""ARM's JSON to the values of ``rollout.model.azure.scale_set``.

The field names are those of ``Microsoft.Compute`` 2026-04-01 (scale sets and their VMs), as azure-mgmt-compute 39
declares them in ``models/_models.py``. What an answer leaves out reads as ``None``, empty or false. Images are read in
``image_bodies.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from adapters.arm.model_fields import fields_of_set, fields_of_vm
from rollout.model.azure.images import at_version
from rollout.model.azure.scale_set import (
    ImageReference,
    OrchestrationMode,
    PlannedConfiguration,
    PriorityMix,
    PurchasePlan,
    ScaleSet,
    Vm,
)
from rollout.model.codec import decode_time
from rollout.model.words import told_reason

Json = Mapping[str, Any]

_HEALTH_EXTENSIONS = ("applicationhealthlinux", "applicationhealthwindows")
_BACKEND_POOLS = ("loadBalancerBackendAddressPools", "applicationGatewayBackendAddressPools")


def read_scale_set(body: Json, etag_header: str | None = None) -> ScaleSet:
    """One scale set of either orchestration mode; the ETag is in the body and in the header."""
    properties = body.get("properties") or {}
    profile = properties.get("virtualMachineProfile") or {}
    policy = properties.get("upgradePolicy") or {}
    flexible = str(properties.get("orchestrationMode")).lower() == "flexible"
    return ScaleSet(
        id=body["id"],
        name=body["name"],
        location=body["location"],
        etag=body.get("etag") or etag_header or "",
        capacity=_at(body, "sku", "capacity") or 0,
        sku_name=_at(body, "sku", "name"),
        sku_tier=_at(body, "sku", "tier"),
        mixed_sizes=tuple(each["name"] for each in _at(properties, "skuProfile", "vmSizes") or ()),
        provisioning_state=properties.get("provisioningState") or "",
        image=_model_image(profile),
        mode=OrchestrationMode.FLEXIBLE if flexible else OrchestrationMode.UNIFORM,
        os_type=_at(profile, "storageProfile", "osDisk", "osType"),
        upgrade_mode=policy.get("mode") or "Manual",
        overprovision=bool(properties.get("overprovision")),
        automatic_os_upgrade=bool(_at(policy, "automaticOSUpgradePolicy", "enableAutomaticOSUpgrade")),
        single_placement_group=bool(properties.get("singlePlacementGroup")),
        reports_health=_reports_health(profile),
        backend_pools=_backend_pools(profile),
        zones=tuple(body.get("zones") or ()),
        tags=dict(body.get("tags") or {}),
        service_fabric=any(publisher == "microsoft.azure.servicefabric" for publisher, _ in _extensions(profile)),
        zone_balance=bool(properties.get("zoneBalance")),
        spot=str(profile.get("priority") or "").lower() in ("spot", "low"),
        priority_mix=PriorityMix(
            _at(properties, "priorityMixPolicy", "baseRegularPriorityCount") or 0,
            _at(properties, "priorityMixPolicy", "regularPriorityPercentageAboveBase") or 0,
        ),
        health_grace=_health_grace(profile),
        terminate_notice=_terminate_notice(profile),
        security_type=_at(profile, "securityProfile", "securityType"),
        plan=read_plan(body.get("plan")),
        # A set whose image is specialized may have a profile of switches alone.
        has_os_profile=bool(
            _at(profile, "osProfile", "computerNamePrefix") or _at(profile, "osProfile", "adminUsername")
        ),
        planned_network=_planned_network(profile),
        computer_name_prefix=_at(profile, "osProfile", "computerNamePrefix"),
        created_at=_time(properties.get("timeCreated")),
        unique_id=properties.get("uniqueId") or "",
        model=fields_of_set(body),
    )


def read_vm(body: Json) -> Vm | None:
    """One VM of a Uniform set; ``None`` for one without a ``vmId``, which Azure has not begun to make."""
    properties = body.get("properties") or {}
    if not properties.get("vmId"):
        return None
    return Vm(
        vm_id=properties["vmId"],
        name=body["name"],
        instance_id=body["instanceId"],
        image=_vm_image(_at(properties, "storageProfile", "imageReference") or {}),
        provisioning_state=properties.get("provisioningState") or "",
        power_state=_power_state(properties),
        health=read_health(properties.get("instanceView") or {}),
        zone=next(iter(body.get("zones") or ()), None),
        protected=bool(_at(properties, "protectionPolicy", "protectFromScaleSetActions")),
        created_at=_time(properties.get("timeCreated")),
        computer_name=_at(properties, "osProfile", "computerName"),
        network_interfaces=tuple(each["id"] for each in _at(properties, "networkProfile", "networkInterfaces") or ()),
        latest_model=properties.get("latestModelApplied"),
        data_disks=_lost_disks(properties, unless="Detach"),
        failure=_failure(properties),
        model=fields_of_vm(body),
    )


def read_flexible_vm(body: Json) -> Vm | None:
    """One VM of a Flexible set, from the VM API; ``None`` for one without a ``vmId``.

    Such a VM has no ``instanceId``: its name is one. Somebody may have made it and attached it
    (``rollout.model.azure.ownership``).
    """
    vm = read_vm({"instanceId": body["name"], **body})
    if vm is None:
        return None
    properties = body.get("properties") or {}
    disks = [_at(properties, "storageProfile", "osDisk") or {}, *(_at(properties, "storageProfile", "dataDisks") or ())]
    interfaces = [each.get("properties") or {} for each in _at(properties, "networkProfile", "networkInterfaces") or ()]
    return replace(
        vm,
        data_disks=_lost_disks(properties, only="Delete"),
        left_disks=_detached(disks),
        left_interfaces=_detached(interfaces),
    )


def _detached(parts: Iterable[Json]) -> int:
    """How many are detached when their VM is deleted; where nothing is stated nothing is counted."""
    return sum(1 for part in parts if str(part.get("deleteOption")).lower() == "detach")


def read_health(view: Json) -> str | None:
    """``vmHealth`` of an instance view, in lower case; ``None`` where nothing reports it."""
    return _after_slash(_at(view, "vmHealth", "status", "code"))


def words_of(text: str | None) -> tuple[str, ...]:
    """What a capability or a feature lists with commas.

    >>> words_of("SCSI, NVMe"), words_of(None)
    (('SCSI', 'NVMe'), ())
    """
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def read_plan(body: Json | None) -> PurchasePlan | None:
    """The ``plan`` of a scale set or of a marketplace image, or the ``purchasePlan`` of a gallery's image."""
    if not body:
        return None
    return PurchasePlan(body.get("publisher") or "", body.get("product") or "", body.get("name") or "")


def _at(body: Json, *path: str) -> Any:
    """The value at a path; ``None`` where any step is absent or null."""
    value: Any = body
    for name in path:
        value = value.get(name) if value is not None else None
    return value


def _model_image(profile: Json) -> ImageReference | None:
    """The reference of the set's model, just as it is: "latest" stays "latest"."""
    reference = _at(profile, "storageProfile", "imageReference")
    return _image(reference) if reference else None


def _vm_image(reference: Json) -> ImageReference:
    """The image that a VM was made from, to the version: ``exactVersion`` says what "latest" was at the time."""
    image, exact = _image(reference), reference.get("exactVersion")
    return at_version(image, exact) if exact and not image.exact else image


def _image(reference: Json) -> ImageReference:
    return ImageReference(
        id=reference.get("id"),
        publisher=reference.get("publisher"),
        offer=reference.get("offer"),
        sku=reference.get("sku"),
        version=reference.get("version"),
        shared_gallery_image_id=reference.get("sharedGalleryImageId"),
        community_gallery_image_id=reference.get("communityGalleryImageId"),
    )


def _reports_health(profile: Json) -> bool:
    """Whether VMs have a ``vmHealth``.

    https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-health-extension
    """
    extensions = _extensions(profile)
    managed = any(
        publisher == "microsoft.managedservices" and kind in _HEALTH_EXTENSIONS for publisher, kind in extensions
    )
    return managed or bool(_at(profile, "networkProfile", "healthProbe", "id"))


def _health_grace(profile: Json) -> timedelta | None:
    """What the Application Health extension's settings say; without it the grace period is the probes' own time."""
    for extension in _at(profile, "extensionProfile", "extensions") or ():
        properties = extension.get("properties") or {}
        seconds = _at(properties, "settings", "gracePeriod")
        if str(properties.get("type")).lower() in _HEALTH_EXTENSIONS and isinstance(seconds, int):
            return timedelta(seconds=seconds)
    return None


def _terminate_notice(profile: Json) -> timedelta | None:
    """``notBeforeTimeout``, 5 to 15 minutes as ``PT5M``, 5 where it is left out.

    https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-terminate-notification
    """
    notice = _at(profile, "scheduledEventsProfile", "terminateNotificationProfile")
    if not notice or not notice.get("enable"):
        return None
    minutes = re.fullmatch(r"PT(\d+)M", notice.get("notBeforeTimeout") or "PT5M")
    return timedelta(minutes=int(minutes[1])) if minutes else timedelta(minutes=5)


def _lost_disks(properties: Json, only: str = "", unless: str = "") -> tuple[str, ...]:
    """The data disks that are deleted with their VM, by name or number.

    Where ``deleteOption`` is left out, a Uniform set's VM takes them with it, and a VM in its own right leaves them.
    """
    disks = _at(properties, "storageProfile", "dataDisks") or ()
    return tuple(
        str(disk.get("name") or f"disk {disk.get('lun')}")
        for disk in disks
        if (only and disk.get("deleteOption") == only) or (unless and disk.get("deleteOption") != unless)
    )


def _extensions(profile: Json) -> list[tuple[str, str]]:
    """Publisher and type of each extension of the model, in lower case."""
    found = [extension.get("properties") or {} for extension in _at(profile, "extensionProfile", "extensions") or ()]
    return [((each.get("publisher") or "").lower(), (each.get("type") or "").lower()) for each in found]


def _backend_pools(profile: Json) -> tuple[str, ...]:
    """The ids of the load balancer and application gateway pools that new VMs join, each once."""
    return tuple(dict.fromkeys(pool for _, address in _addresses(profile) for pool in _pools(address)))


def _planned_network(profile: Json) -> tuple[PlannedConfiguration, ...]:
    """The IP configurations of new VMs, with the ids of their pools in lower case."""
    return tuple(
        PlannedConfiguration(
            card.get("name") or "", address.get("name") or "", frozenset(pool.lower() for pool in _pools(address))
        )
        for card, address in _addresses(profile)
    )


def _addresses(profile: Json) -> list[tuple[Json, Json]]:
    """Each IP configuration of the model, with its network interface."""
    cards = _at(profile, "networkProfile", "networkInterfaceConfigurations") or ()
    return [(card, address) for card in cards for address in _at(card, "properties", "ipConfigurations") or ()]


def _pools(address: Json) -> list[str]:
    return [pool["id"] for kind in _BACKEND_POOLS for pool in _at(address, "properties", kind) or ()]


def _power_state(properties: Json) -> str | None:
    codes = [status.get("code") or "" for status in _at(properties, "instanceView", "statuses") or ()]
    return next((_after_slash(code) for code in codes if code.lower().startswith("powerstate/")), None)


def _failure(properties: Json) -> str:
    """``AllocationFailed: We do not have sufficient capacity…`` of a VM in the state ``Failed``.

    The code is the end of ``ProvisioningState/failed/{code}``, where Azure gives one.
    """
    for status in _at(properties, "instanceView", "statuses") or ():
        kind, _, rest = (status.get("code") or "").partition("/")
        word, _, reason = rest.partition("/")
        if (kind.lower(), word.lower()) == ("provisioningstate", "failed"):
            return told_reason(reason, status.get("message") or "")
    return ""


def _after_slash(code: str | None) -> str | None:
    """``PowerState/running`` is ``running``, ``HealthState/healthy`` is ``healthy``."""
    return code.rpartition("/")[2].lower() if code else None


def _time(text: str | None) -> datetime | None:
    return decode_time(text) if text else None
