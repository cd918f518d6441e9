"""``rollout.ports.azure.Constraints``, what Azure allows around a scale set: sizes, quotas, locks, rolling upgrades."""

from __future__ import annotations

from urllib.parse import quote

from adapters.arm.client import ComputeClients
from adapters.arm.pages import VM_API_VERSION, find_json, read_pages
from adapters.arm.reading import Json, words_of
from adapters.arm.resource_ids import ScaleSetId, subscription_of
from rollout.model.azure.scale_set import ScaleSet, region_name
from rollout.model.azure.surroundings import ManagementLock, Usage, VmSize

#: The newest version of resource SKUs, and of locks.
SKUS_API_VERSION = "2021-07-01"
LOCKS_API_VERSION = "2020-05-01"

#: Reads of Resource Manager itself that come back a minute
#: (https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling).
REFILL_PER_MINUTE = 1500


class ArmConstraints:
    """The APIs of usages, SKUs, locks and rolling upgrades.

    The sizes of a region are a list of a thousand and more, and what is read of them never changes: they are
    remembered for the life of the process.
    """

    def __init__(self, clients: ComputeClients) -> None:
        self._clients = clients
        self._sizes: dict[tuple[str, str], dict[str, VmSize]] = {}

    async def size(self, scale_set: ScaleSet) -> VmSize | None:
        """``GET …/skus`` of the set's region."""
        subscription, region = subscription_of(scale_set.id), region_name(scale_set.location)
        if (subscription, region) not in self._sizes:
            condition = quote(f"location eq '{region}'", safe="")
            url = (
                f"/subscriptions/{quote(subscription, safe='')}/providers/Microsoft.Compute/skus"
                f"?api-version={SKUS_API_VERSION}&$filter={condition}"
            )
            items = (await read_pages(self._clients, scale_set.id, url, REFILL_PER_MINUTE)).items
            sizes = [size for item in items if (size := _size(item)) is not None]
            self._sizes[subscription, region] = {size.name.lower(): size for size in sizes}
        return self._sizes[subscription, region].get((scale_set.sku_name or "").lower())

    async def usages(self, scale_set: ScaleSet) -> tuple[Usage, ...]:
        """``GET …/locations/{location}/usages``."""
        subscription, region = quote(subscription_of(scale_set.id), safe=""), region_name(scale_set.location)
        url = (
            f"/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{quote(region, safe='')}/usages"
            f"?api-version={VM_API_VERSION}"
        )
        return tuple(map(_usage, (await read_pages(self._clients, scale_set.id, url, REFILL_PER_MINUTE)).items))

    async def locks(self, scale_set: ScaleSet) -> tuple[ManagementLock, ...]:
        """``GET …/locks`` of the set's resource group: those at, above and below it.

        https://learn.microsoft.com/powershell/module/az.resources/get-azresourcelock
        """
        group = quote(ScaleSetId.parse(scale_set.id).resource_group, safe="")
        url = (
            f"/subscriptions/{quote(subscription_of(scale_set.id), safe='')}/resourceGroups/{group}"
            f"/providers/Microsoft.Authorization/locks?api-version={LOCKS_API_VERSION}"
        )
        return tuple(map(_lock, (await read_pages(self._clients, scale_set.id, url, REFILL_PER_MINUTE)).items))

    async def rolling_upgrade(self, scale_set: ScaleSet) -> str | None:
        """``GET …/rollingUpgrades/latest``, which answers 404 where there never was one."""
        url = f"{quote(scale_set.id, safe='/')}/rollingUpgrades/latest?api-version={VM_API_VERSION}"
        latest = await find_json(self._clients, scale_set.id, url)
        status = ((latest or {}).get("properties") or {}).get("runningStatus") or {}
        return status.get("code")


def _size(item: Json) -> VmSize | None:
    """A SKU that is a VM size. Of sizes with constrained cores only some of the cores can be used, and are charged."""
    if str(item.get("resourceType")).lower() != "virtualmachines":
        return None
    told = {each.get("name"): each.get("value") for each in item.get("capabilities") or ()}
    cores = told.get("vCPUsAvailable") or told.get("vCPUs") or "0"
    return VmSize(
        item["name"],
        item.get("family") or "",
        int(cores),
        tuple(word.upper() for word in words_of(told.get("HyperVGenerations"))),
        told.get("CpuArchitectureType") or "",
        words_of(told.get("DiskControllerTypes")),
    )


def _usage(item: Json) -> Usage:
    name = item.get("name") or {}
    label = name.get("localizedValue") or name.get("value") or ""
    return Usage(name.get("value") or "", label, int(item.get("currentValue") or 0), int(item.get("limit") or 0))


def _lock(item: Json) -> ManagementLock:
    scope = item["id"].partition("/providers/Microsoft.Authorization/locks/")[0]
    return ManagementLock(item["name"], scope, (item.get("properties") or {}).get("level") or "")
