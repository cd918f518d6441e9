"""Who gets traffic: backend pools, the VMs in them, and what their probes say.

A VM is in the pools that its network interfaces name: for a VM of a Uniform set those of its own network configuration,
or of its model where it has none; for one of a Flexible set those of its interfaces. The set's model never changes that
afterwards. Pools that the world does not know count for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.azure.arm.errors import reference_not_found
from local.azure.arm.messages import Json
from local.azure.arm.resources import CloudState, ScaleSetResource, VmInstance
from local.azure.network.addresses import Addresses
from local.azure.network.interface_shape import (
    address_key,
    configurations,
    interface_body,
    interface_id,
    ip_configurations,
    is_kept,
    pool_keys,
    pool_keys_of,
)
from local.azure.world import World
from local.azure.world.network import ApplicationGatewaySpec, LoadBalancerSpec

LOAD_BALANCER_TYPE = "Microsoft.Network/loadBalancers"
GATEWAY_TYPE = "Microsoft.Network/applicationGateways"


@dataclass(frozen=True)
class Pool:
    """A backend pool; ``probe_delay`` is ``None`` where nothing probes."""

    id: str
    name: str
    balancer_id: str
    is_gateway: bool
    probe_delay: timedelta | None

    @property
    def key(self) -> str:
        """The id in lower case."""
        return self.id.lower()


@dataclass(frozen=True)
class Member:
    """An IP configuration of a VM's network interface. ``pools`` are ids in lower case, also of unknown pools."""

    scale_set: ScaleSetResource
    vm: VmInstance
    interface_id: str
    configuration_id: str
    address: str
    pools: frozenset[str]

    @property
    def key(self) -> str:
        """The IP configuration's id in lower case."""
        return self.configuration_id.lower()


class Network:
    """The network of a world: its balancers stay what they are, but for pools that somebody deletes; members change."""

    def __init__(self, world: World, state: CloudState) -> None:
        self._state = state
        self._addresses = Addresses(state)
        prefix = f"/subscriptions/{world.subscription_id}/resourceGroups/"
        self.location = world.location
        self.load_balancers: dict[str, tuple[str, LoadBalancerSpec]] = {}
        self.gateways: dict[str, tuple[str, ApplicationGatewaySpec]] = {}
        self.pools: dict[str, Pool] = {}
        for balancer in world.load_balancers:
            identifier = f"{prefix}{balancer.resource_group}/providers/{LOAD_BALANCER_TYPE}/{balancer.name}"
            self.load_balancers[identifier.lower()] = identifier, balancer
            self._add_pools(identifier, balancer.pools, False, balancer.probe_delay if balancer.probe else None)
        for gateway in world.application_gateways:
            identifier = f"{prefix}{gateway.resource_group}/providers/{GATEWAY_TYPE}/{gateway.name}"
            self.gateways[identifier.lower()] = identifier, gateway
            self._add_pools(identifier, gateway.pools, True, gateway.probe_delay)

    def _add_pools(self, balancer: str, names: tuple[str, ...], is_gateway: bool, delay: timedelta | None) -> None:
        for name in names:
            pool = Pool(f"{balancer}/backendAddressPools/{name}", name, balancer, is_gateway, delay)
            if pool.key not in self._state.deleted_pools:
                self.pools[pool.key] = pool

    def delete_pool(self, pool_id: str) -> None:
        """Have a pool be gone: no network interface can name it any more."""
        pool = self.pools.pop(pool_id.lower())
        self._state.deleted_pools.append(pool.key)
        self.touch(pool.balancer_id)

    def names_left(self, balancer_id: str, names: Iterable[str]) -> list[str]:
        """Those of a balancer's pools that nobody has deleted."""
        return [name for name in names if f"{balancer_id}/backendAddressPools/{name}".lower() in self.pools]

    def check_pools(self, interfaces: Iterable[Json], user_id: str) -> None:
        """Refuse a network configuration with a pool that is gone. Pools that never were count for nothing."""
        for interface in interfaces:
            if gone := sorted(set(pool_keys(interface)) & set(self._state.deleted_pools)):
                raise reference_not_found(gone[0], user_id)

    def join(self, scale_set: ScaleSetResource, vm: VmInstance) -> None:
        """Give a new VM its addresses, and a Flexible one interfaces of its own, made from the model."""
        if scale_set.is_flexible:
            vm.network = {"networkInterfaceConfigurations": configurations(scale_set, vm)}
        for interface in configurations(scale_set, vm):
            for configuration in ip_configurations(interface):
                vm.addresses[address_key(interface, configuration)] = self._addresses.take()

    def leave(self, scale_set: ScaleSetResource, vm: VmInstance) -> None:
        """Take back what a VM had that is gone, apart from interfaces that outlive it."""
        for interface in configurations(scale_set, vm):
            if scale_set.is_flexible and is_kept(interface):
                body = interface_body(scale_set, vm, interface)
                del body["properties"]["virtualMachine"]
                self._state.interfaces[str(body["id"]).lower()] = body
        self._addresses.give_back()
        for states in self._state.admin_states.values():
            for member in members(scale_set, vm):
                states.pop(member.key, None)

    def pools_of(self, scale_set: ScaleSetResource, vm: VmInstance) -> list[Pool]:
        """The pools that a VM is in."""
        keys = {key for interface in configurations(scale_set, vm) for key in pool_keys(interface)}
        return [self.pools[key] for key in sorted(keys & self.pools.keys())]

    def is_behind_pools(self, scale_set: ScaleSetResource) -> bool:
        """Whether the VMs of a set get their traffic from balancers."""
        interfaces = (scale_set.profile.get("networkProfile") or {}).get("networkInterfaceConfigurations") or []
        return any(key in self.pools for interface in interfaces for key in pool_keys(interface))

    def admin_state(self, pool: Pool, member: Member) -> str:
        """``Up``, ``Down`` or ``None``: what was set for a member of a load balancer's pool."""
        return self._state.admin_states.get(pool.key, {}).get(member.key, "None")

    def places(self, scale_set: ScaleSetResource, vm: VmInstance) -> dict[str, frozenset[str]]:
        """By the id of each IP configuration of a VM, the ids of the pools that may send it new connections."""
        return {
            member.key: frozenset(
                key for key in member.pools & self.pools.keys() if self.admin_state(self.pools[key], member) != "Down"
            )
            for member in members(scale_set, vm)
        }

    def set_state(self, pool: Pool, member: Member, state: str) -> None:
        """Set the ``adminState`` of one member of a load balancer's pool."""
        self._state.admin_states.setdefault(pool.key, {})[member.key] = state
        self.touch(pool.balancer_id)

    def may_send(self, pool: Pool, scale_set: ScaleSetResource, vm: VmInstance) -> bool:
        """Whether a pool that a VM is in may send it new connections."""
        mine = (member for member in members(scale_set, vm) if pool.key in member.pools)
        return any(self.admin_state(pool, member) != "Down" for member in mine)

    def is_up(self, pool: Pool, vm: VmInstance) -> bool:
        """What the pool's probe says of a VM: it lags behind the application."""
        if pool.probe_delay is None:
            return True
        if vm.answers_since is None:
            return False
        has_seen = self._state.now - vm.answers_since >= pool.probe_delay
        return vm.answers if has_seen else vm.answered

    def is_in_pool(self, scale_set: ScaleSetResource, vm: VmInstance) -> bool:
        """Whether any pool may send a VM new connections."""
        return any(self.may_send(pool, scale_set, vm) for pool in self.pools_of(scale_set, vm))

    def gets_traffic(self, scale_set: ScaleSetResource, vm: VmInstance) -> bool:
        """Whether traffic reaches a VM that answers; it does where the set is behind no balancer."""
        if not self.is_behind_pools(scale_set) and not vm.in_pool:
            return True
        return any(self.may_send(pool, scale_set, vm) and self.is_up(pool, vm) for pool in self.pools_of(scale_set, vm))

    def probe_times(self, scale_set: ScaleSetResource, vm: VmInstance) -> Iterator[datetime]:
        """When the probes will have seen the latest change of a VM's application."""
        for delay in {pool.probe_delay for pool in self.pools_of(scale_set, vm) if pool.probe_delay}:
            if vm.answers_since and vm.answers_since + delay > self._state.now:
                yield vm.answers_since + delay

    def members(self, pool: Pool) -> list[Member]:
        """The IP configurations in a pool."""
        sets = self._state.scale_sets.values()
        everyone = (
            member for scale_set in sets for vm in scale_set.instances.values() for member in members(scale_set, vm)
        )
        return [member for member in everyone if pool.key in member.pools]

    def etag(self, resource_id: str) -> int:
        """A counter of the writes to a network resource."""
        return self._state.network_etags.get(resource_id.lower(), 1)

    def touch(self, resource_id: str) -> None:
        """Note a write to a network resource."""
        self._state.network_etags[resource_id.lower()] = self.etag(resource_id) + 1


def members(scale_set: ScaleSetResource, vm: VmInstance) -> Iterator[Member]:
    """The IP configurations of a VM."""
    for interface in configurations(scale_set, vm):
        identifier = interface_id(scale_set, vm, interface)
        for configuration in ip_configurations(interface):
            yield Member(
                scale_set,
                vm,
                identifier,
                f"{identifier}/ipConfigurations/{configuration['name']}",
                vm.addresses.get(address_key(interface, configuration), ""),
                frozenset(pool_keys_of(configuration)),
            )
