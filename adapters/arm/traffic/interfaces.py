"""Network interfaces: which pools VMs are in, and VMs' own network configurations with fewer or more of them."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any

from azure.core import MatchConditions

from adapters.arm.client import ComputeClients
from adapters.arm.errors import translated
from adapters.arm.resource_ids import ScaleSetId
from adapters.arm.traffic.requests import SCALE_SET_INTERFACES_API_VERSION, ArmRequests, Json
from rollout.model.azure.pools import IpConfiguration, Membership, PoolMembership, interface_of, source_of
from rollout.model.azure.scale_set import OrchestrationMode, ScaleSet, Vm
from rollout.model.choices import HealthCheckType
from rollout.ports.errors import Refused, Stale

#: The fields of an IP configuration that name pools.
POOL_FIELDS = ("loadBalancerBackendAddressPools", "applicationGatewayBackendAddressPools")

#: The properties of an IP configuration with other pools.
Rewrite = Callable[[Json, Collection[str]], Json]

#: What azure-mgmt-compute 39 itself sends for scale sets and their VMs.
COMPUTE_API_VERSION = "2026-04-01"

#: How many interfaces of a Flexible set are read at once. Resource Manager's own bucket of reads holds 250 and gets 25
#: a second (https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling): so many
#: reads come out of the full bucket, the others at the pace of its refill.
READERS = 20
READS_AT_ONCE = 10
PAUSE = timedelta(seconds=0.8)


class Interfaces:
    """The network interfaces of a scale set's VMs: below the VMs of a Uniform set, resources beside Flexible ones."""

    def __init__(self, clients: ComputeClients) -> None:
        self._clients = clients
        self._requests = ArmRequests(clients)

    async def memberships(self, scale_set: ScaleSet, vms: Collection[Vm]) -> tuple[Membership, ...]:
        """The pools that each VM is in, in the order of ``vms``; a VM without interfaces, as yet, is in none."""
        if scale_set.mode is OrchestrationMode.FLEXIBLE:
            bodies = await self._one_by_one({interface for vm in vms for interface in vm.network_interfaces})
        else:
            listed = await self._requests.list(f"{scale_set.id}/networkInterfaces", SCALE_SET_INTERFACES_API_VERSION)
            bodies = {body["id"].lower(): body for body in listed}
        return tuple(_membership(vm, bodies) for vm in vms)

    async def leave(self, scale_set: ScaleSet, vm: Vm, places: Collection[PoolMembership]) -> None:
        """Write the VM's network configuration without these pools. ``Stale``: it is not what it was."""
        await self._rewrite(scale_set, vm, places, _without)

    async def join(self, scale_set: ScaleSet, vm: Vm, places: Collection[PoolMembership]) -> None:
        """Write the VM's network configuration with these pools. ``Stale``: it is not what it was."""
        await self._rewrite(scale_set, vm, places, _with)

    async def _rewrite(self, scale_set: ScaleSet, vm: Vm, places: Collection[PoolMembership], change: Rewrite) -> None:
        if scale_set.mode is OrchestrationMode.FLEXIBLE:
            await self._rewrite_interfaces(vm, places, change)
        else:
            await self._rewrite_instance(scale_set, vm, places, change)

    async def _rewrite_interfaces(self, vm: Vm, places: Collection[PoolMembership], change: Rewrite) -> None:
        """Each interface is put whole, as it was read: the API has no smaller change."""
        for interface in vm.network_interfaces:
            mine = [place for place in places if interface_of(place.configuration) == interface.lower()]
            if not mine:
                continue
            body = await self._requests.get_if_there(interface)
            if body is None:
                raise Stale("interfaceGone", f"A network interface of {vm.name} is gone")
            if _apply(body, interface, mine, change):
                await self._requests.put(interface, body, body.get("etag") or "")

    async def _rewrite_instance(
        self, scale_set: ScaleSet, vm: Vm, places: Collection[PoolMembership], change: Rewrite
    ) -> None:
        """``PUT`` of the reduced body that cloud-provider-azure sends, which makes the VM's model its own."""
        parsed = ScaleSetId.parse(scale_set.id)
        body = await self._requests.get(f"{scale_set.id}/virtualMachines/{vm.instance_id}", COMPUTE_API_VERSION)
        properties = body.get("properties") or {}
        if (properties.get("vmId") or "").lower() != vm.vm_id.lower():
            raise Stale("vmGone", f"{vm.name} is another VM by now")
        network = copy.deepcopy(properties.get("networkProfileConfiguration"))
        if not network or not body.get("etag"):
            raise Refused(
                "networkConfigurationMissing", f"Azure does not say how the network of {vm.name} is configured"
            )
        parent = f"{scale_set.id}/virtualMachines/{vm.instance_id}/networkInterfaces"
        cards = network["networkInterfaceConfigurations"]
        changed = [_apply(card, f"{parent}/{card['name']}", places, change) for card in cards]
        if not any(changed):
            return
        reduced: Any = {
            "location": body["location"],
            "properties": {
                "hardwareProfile": properties.get("hardwareProfile"),
                "networkProfileConfiguration": network,
            },
        }
        vms = self._clients.of(scale_set.id).virtual_machine_scale_set_vms
        with translated():
            await vms.begin_update(
                parsed.resource_group,
                parsed.name,
                vm.instance_id,
                reduced,
                etag=body["etag"],
                match_condition=MatchConditions.IfNotModified,
                polling=False,
            )

    async def _one_by_one(self, ids: Collection[str]) -> dict[str, Json]:
        bodies: list[Json | None] = []
        ordered = sorted(ids)
        for start in range(0, len(ordered), READERS):
            if start >= READERS * READS_AT_ONCE:
                await asyncio.sleep(PAUSE.total_seconds())
            chunk = ordered[start : start + READERS]
            bodies += await asyncio.gather(*(self._requests.get_if_there(interface) for interface in chunk))
        return {body["id"].lower(): body for body in bodies if body}


def _membership(vm: Vm, bodies: Mapping[str, Json]) -> Membership:
    own = [body for interface in vm.network_interfaces if (body := bodies.get(interface.lower()))]
    return Membership(vm.vm_id, tuple(_configuration(each) for body in own for each in _ip_configurations(body)))


def _configuration(body: Json) -> IpConfiguration:
    properties = body.get("properties") or {}
    pools = frozenset(pool["id"].lower() for kind in POOL_FIELDS for pool in properties.get(kind) or ())
    return IpConfiguration(body["id"].lower(), pools, address=properties.get("privateIPAddress") or "")


def _ip_configurations(interface: Json) -> list[Json]:
    return list((interface.get("properties") or {}).get("ipConfigurations") or ())


def _apply(interface: Json, interface_id: str, places: Collection[PoolMembership], change: Rewrite) -> bool:
    """Change in place the pools of each IP configuration of an interface that a place names; whether any changed.

    The configurations of an instance have names alone. With the interface's id they are those of resources.
    """
    pools = {place.configuration: place.pools for place in places}
    changed = False
    for configuration in _ip_configurations(interface):
        if wanted := pools.get(f"{interface_id}/ipConfigurations/{configuration['name']}".lower()):
            before = configuration.get("properties") or {}
            configuration["properties"] = change(copy.deepcopy(before), wanted)
            changed = changed or configuration["properties"] != before
    return changed


def _without(properties: Json, pools: Collection[str]) -> Json:
    for kind in POOL_FIELDS:
        if kind in properties:
            properties[kind] = [pool for pool in properties[kind] or () if pool["id"].lower() not in pools]
    return properties


def _with(properties: Json, pools: Collection[str]) -> Json:
    there = {pool["id"].lower() for kind in POOL_FIELDS for pool in properties.get(kind) or ()}
    for pool in pools:
        if pool not in there:
            kind = POOL_FIELDS[source_of(pool) is HealthCheckType.APPLICATION_GATEWAY]
            properties[kind] = [*(properties.get(kind) or ()), {"id": pool}]
    return properties
