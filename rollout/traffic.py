"""Traffic: the backend pools that VMs are in, what the balancers' probes say of them, and who is to leave which pool.

Pools are named by their resource ids in lower case: ARM's names know no case.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from rollout.group import HealthCheckType
from rollout.health import Health, Observation

#: The sources of health that are asked of balancers.
TRAFFIC_SOURCES = (HealthCheckType.LOAD_BALANCER, HealthCheckType.APPLICATION_GATEWAY)

#: What a pool of a load balancer answers to any write while a network interface in it is in the state Failed
#: (cloud-provider-azure, pkg/consts).
MEMBER_FAILED = "ReferencedResourceNotProvisioned"

#: How often members may have to be set Down before the pool counts as one that takes the write and does not keep it.
#: More than a few, because tries count that found the balancer busy, and leaving the pool cuts connections.
ADMIN_STATE_TRIES = 8


class AdminState(StrEnum):
    """``adminState`` of a member of a load balancer's pool: ``None`` leaves it to the probe.

    https://learn.microsoft.com/azure/load-balancer/admin-state-overview
    """

    NONE = "None"
    DOWN = "Down"


@dataclass(frozen=True)
class Asked:
    """A question that Azure takes its time to answer: about which ``subject``, and where the answer will be.

    ``subject`` is the id of an application gateway or of a load balancer's rule; ``url`` is a path with its query.
    """

    subject: str
    url: str


@dataclass(frozen=True)
class Membership:
    """The pools that one VM's network interfaces are in, and in which of them it is ``down``: gets no new connections.

    ``configurations`` (ids of IP configurations, in lower case) and ``addresses`` are what balancers call the VM.
    """

    vm_id: str
    pools: frozenset[str] = frozenset()
    down: frozenset[str] = frozenset()
    configurations: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Server:
    """What a balancer says of one of its servers: a ``word``, and ``detail`` where it explains itself.

    ``configuration`` is the id of an IP configuration in lower case, empty where the balancer names the address only.
    """

    configuration: str
    address: str
    word: str
    detail: str = ""

    def is_of(self, member: Membership) -> bool:
        """Whether it is this VM. Addresses are used again, so the configuration decides where it is named."""
        if self.configuration:
            return self.configuration in member.configurations
        return self.address in member.addresses


@dataclass(frozen=True)
class Probe:
    """What the balancers of one kind answered: ``servers`` is ``None`` while an answer is outstanding."""

    servers: tuple[Server, ...] | None
    asked: tuple[Asked, ...] = ()


@dataclass(frozen=True)
class Change:
    """The writes that take VMs out of their pools, or put them back.

    ``states``: by pool, the VMs whose ``adminState`` changes. ``configurations``: by VM, the pools that its own network
    configuration is to leave, or to join.
    """

    states: Mapping[str, frozenset[str]] = field(default_factory=dict)
    configurations: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to write."""
        return not self.states and not self.configurations


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


def leaving_pools(members: Iterable[Membership], refused: Collection[str]) -> Change:
    """How these VMs leave the pools they are in.

    A load balancer sets them Down: established connections go on, and one write does for all. Where it has
    ``refused`` that, and at application gateways, which know nothing like it, each VM's network configuration goes
    without the pool. A VM that is Down has left.
    """
    states: defaultdict[str, set[str]] = defaultdict(set)
    configurations: defaultdict[str, set[str]] = defaultdict(set)
    for member in members:
        for pool in member.pools - member.down:
            if source_of(pool) is HealthCheckType.LOAD_BALANCER and pool not in refused:
                states[pool].add(member.vm_id)
            else:
                configurations[member.vm_id].add(pool)
    return _change(states, configurations)


def returning_to_pools(members: Iterable[Membership], pools: Iterable[str]) -> Change:
    """How these VMs come back into all of the set's pools, and are no longer Down in any."""
    expected = frozenset(pool.lower() for pool in pools)
    states: defaultdict[str, set[str]] = defaultdict(set)
    configurations: defaultdict[str, set[str]] = defaultdict(set)
    for member in members:
        for pool in member.down:
            states[pool].add(member.vm_id)
        if missing := expected - member.pools:
            configurations[member.vm_id] = set(missing)
    return _change(states, configurations)


def _change(states: Mapping[str, set[str]], configurations: Mapping[str, set[str]]) -> Change:
    return Change(
        {pool: frozenset(vm_ids) for pool, vm_ids in sorted(states.items())},
        {vm_id: frozenset(pools) for vm_id, pools in sorted(configurations.items())},
    )


def gets_traffic(member: Membership | None, pools: Iterable[str]) -> bool:
    """Whether a VM is in every pool that the set's model names, and Down in none."""
    expected = {pool.lower() for pool in pools}
    return not expected or (member is not None and expected <= member.pools - member.down)


def observe_pools(state: Observation, member: Membership | None, pools: Iterable[str]) -> Observation:
    """The word on a running VM's state, given where it stands: one that misses a pool serves less than was planned."""
    pools = tuple(pools)
    if state.health is not Health.HEALTHY or gets_traffic(member, pools):
        return state
    member = member or Membership("")
    missing = sorted({pool.lower() for pool in pools} - member.pools)
    words = f"not in {_short(missing[0])}" if missing else f"Down in {_short(min(member.down))}"
    return Observation(state.source, Health.WAITING, f"{state.detail}, but {words}")


#: Gateways say ``Healthy`` and ``Unhealthy`` on the wire, though azure-mgmt-network lists ``Up``, ``Down``,
#: ``Partial``, ``Draining`` and ``Unknown`` (``ApplicationGatewayBackendHealthServerHealth``). Load balancers say
#: ``Up`` and ``Down`` (https://learn.microsoft.com/azure/load-balancer/load-balancer-manage-health-status).
_HEALTHY_WORDS = ("up", "healthy")


def observe_servers(
    source: HealthCheckType,
    member: Membership | None,
    servers: Iterable[Server] | None,
    earlier: Observation | None = None,
) -> Observation:
    """What the balancers of one kind say of a VM: the worst of the pools and rules that list it.

    A VM that none lists yet waits. While the answer is outstanding the ``earlier`` one holds.
    """
    if servers is None:
        return earlier or Observation(source, Health.WAITING, "asked, not answered yet")
    said = [server for server in servers if member is not None and server.is_of(member)]
    if not said:
        return Observation(source, Health.WAITING, "not listed by any pool yet")
    sick = [server for server in said if server.word.lower() not in _HEALTHY_WORDS]
    if not sick:
        return Observation(source, Health.HEALTHY, said[0].word.lower())
    detail = f": {sick[0].detail}" if sick[0].detail else ""
    return Observation(source, Health.UNHEALTHY, f"{sick[0].word.lower()}{detail}"[:300])


def draining_time(asked_for: timedelta, gateways: timedelta) -> timedelta:
    """How long detached VMs are left alone: as asked, and as long as the gateways themselves let connections end."""
    return max(asked_for, gateways)


def _short(pool: str) -> str:
    """``api-lb/api``: the balancer's name and the pool's."""
    return f"{balancer_of(pool).rpartition('/')[2]}/{pool.rpartition('/')[2]}"
