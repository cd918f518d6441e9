"""Backend pools: which VMs are in them, configuration by configuration.

Pools and IP configurations are named by their resource ids in lower case: ARM's names know no case, and a name alone
is unique only within its parent. Two network interfaces of one VM may each have an IP configuration ``primary``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rollout.model.choices import HealthCheckType


class AdminState(StrEnum):
    """``adminState`` of a member of a load balancer's pool: ``None`` leaves it to the probe.

    https://learn.microsoft.com/azure/load-balancer/admin-state-overview
    """

    NONE = "None"
    DOWN = "Down"


@dataclass(frozen=True)
class IpConfiguration:
    """One IP configuration of a VM's network interfaces: the pools it is in, and in which of them it is ``down``.

    One that is down gets no new connections. ``address`` is what a balancer may call it that does not name it.
    """

    id: str
    pools: frozenset[str] = frozenset()
    down: frozenset[str] = frozenset()
    address: str = ""


@dataclass(frozen=True)
class Membership:
    """Where one VM stands: its IP configurations. It is in a pool, or down there, if any of them is."""

    vm_id: str
    configurations: tuple[IpConfiguration, ...] = ()

    @property
    def pools(self) -> frozenset[str]:
        """The pools that the VM is in."""
        return frozenset[str]().union(*(each.pools for each in self.configurations))

    @property
    def down(self) -> frozenset[str]:
        """Those of them in which it is down."""
        return frozenset[str]().union(*(each.down for each in self.configurations))


@dataclass(frozen=True)
class PoolMembership:
    """Pools that an IP configuration of a VM is to leave, is to join, or was taken out of.

    The VM is named too: interfaces of Uniform sets are named by instance ids, which Azure gives to new VMs again.
    """

    vm_id: str
    configuration: str
    pools: tuple[str, ...]


def source_of(pool: str) -> HealthCheckType:
    """Which kind of balancer a pool belongs to."""
    is_gateway = "/applicationgateways/" in pool.lower()
    return HealthCheckType.APPLICATION_GATEWAY if is_gateway else HealthCheckType.LOAD_BALANCER


def pools_of(pools: Iterable[str], source: HealthCheckType) -> tuple[str, ...]:
    """The pools of one kind of balancer."""
    return tuple(pool.lower() for pool in pools if source_of(pool) is source)


def balancer_of(part: str) -> str:
    """The id of the balancer that a pool or a rule belongs to: ``…/loadBalancers/api/backendAddressPools/web``."""
    return part.rpartition("/")[0].rpartition("/")[0]


def interface_of(configuration: str) -> str:
    """The id of the network interface that an IP configuration belongs to."""
    return configuration.rpartition("/")[0].rpartition("/")[0]


def short_name(pool: str) -> str:
    """``api-lb/api``: the balancer's name and the pool's."""
    return f"{balancer_of(pool).rpartition('/')[2]}/{pool.rpartition('/')[2]}"


def gets_traffic(member: Membership | None, pools: Iterable[str]) -> bool:
    """Whether a VM is in every pool that the set's model names, and Down in none."""
    expected = {pool.lower() for pool in pools}
    return not expected or (member is not None and expected <= member.pools - member.down)
