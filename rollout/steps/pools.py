"""Who is to leave which backend pools, or to come back, and by which writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from rollout.model.azure.pools import IpConfiguration, Membership, PoolMembership, interface_of, short_name, source_of
from rollout.model.azure.scale_set import ScaleSet
from rollout.model.choices import HealthCheckType

#: What a pool of a load balancer answers to any write while a network interface in it is in the state Failed
#: (cloud-provider-azure, pkg/consts).
MEMBER_FAILED = "ReferencedResourceNotProvisioned"

#: How often members may have to be set Down before the pool counts as one that takes the write and does not keep it.
#: More than a few, because tries count that found the balancer busy, and leaving the pool cuts connections.
ADMIN_STATE_TRIES = 8


@dataclass(frozen=True)
class PoolChange:
    """The writes that take IP configurations out of their pools, or put them back.

    ``states``: by a change of their ``adminState`` in the pools. ``networks``: by a change of their VMs' own network.
    """

    states: tuple[PoolMembership, ...] = ()
    networks: tuple[PoolMembership, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to write."""
        return not self.states and not self.networks

    def states_by_pool(self) -> Mapping[str, tuple[PoolMembership, ...]]:
        """What changes in each pool: one write does for all of it."""
        pools = sorted({pool for one in self.states for pool in one.pools})
        return {pool: tuple(replace(one, pools=(pool,)) for one in self.states if pool in one.pools) for pool in pools}

    def networks_of(self, vm_id: str) -> tuple[PoolMembership, ...]:
        """What changes in the network of one VM."""
        return tuple(one for one in self.networks if one.vm_id == vm_id)


def leaving_pools(members: Iterable[Membership], refused: Collection[str]) -> PoolChange:
    """How these VMs leave the pools they are in.

    A load balancer sets them Down: established connections go on, and one write does for all. Where it has
    ``refused`` that, and at application gateways, which know nothing like it, each VM's network configuration goes
    without the pool. An IP configuration that is Down has left.
    """

    def by_state(pool: str) -> bool:
        return source_of(pool) is HealthCheckType.LOAD_BALANCER and pool not in refused

    return _change(members, lambda _, each: each.pools - each.down, lambda _, pool: by_state(pool))


def by_their_own_networks(members: Iterable[Membership]) -> PoolChange:
    """How these VMs leave all their pools without a write of the pools: those in which they are Down as well."""
    return _change(members, lambda _, each: each.pools, lambda *_: False)


def returning_to_pools(
    members: Iterable[Membership], taken: Iterable[PoolMembership], missing: Collection[str] = ()
) -> PoolChange:
    """How these VMs come back into the pools that they were ``taken`` out of, and into no other.

    Where others took them out before, or set them Down, that stays as it is. Pools that are ``missing`` by now are
    passed over.
    """
    owed = owed_to(taken)

    def to_come_back(member: Membership, each: IpConfiguration) -> Collection[str]:
        return (owed[member.vm_id, each.id] - set(missing)) - (each.pools - each.down)

    return _change(members, to_come_back, lambda each, pool: pool in each.pools)


def cannot_be_had(members: Iterable[Membership], taken: Iterable[PoolMembership], missing: Collection[str]) -> str:
    """The pools and network interfaces, in words, into which VMs cannot come back, because they are gone."""
    here = {member.vm_id: {each.id for each in member.configurations} for member in members}
    owed = [(key, pools) for key, pools in owed_to(taken).items() if key[0] in here]
    pools = {short_name(pool) for _, wanted in owed for pool in wanted & set(missing)}
    cards = {interface_of(card).rpartition("/")[2] for (vm_id, card), _ in owed if card not in here[vm_id]}
    return ", ".join(sorted(pools) + sorted(cards))


def owed_to(taken: Iterable[PoolMembership]) -> Mapping[tuple[str, str], frozenset[str]]:
    """By VM and IP configuration, all the pools that it was taken out of, by however many writes."""
    found: defaultdict[tuple[str, str], frozenset[str]] = defaultdict(frozenset)
    for one in taken:
        found[one.vm_id, one.configuration] |= frozenset(one.pools)
    return found


def taken_by_model(members: Iterable[Membership], scale_set: ScaleSet) -> tuple[PoolMembership, ...]:
    """What must have been taken from VMs of which nobody wrote it down: all that the set's model names, or says Down.

    Rows of releases before that was written down ask for it.
    """
    return tuple(
        PoolMembership(member.vm_id, each.id, tuple(sorted(pools)))
        for member in members
        for each in member.configurations
        if (pools := each.down | scale_set.planned_pools(each.id))
    )


def _change(
    members: Iterable[Membership],
    wanted: Callable[[Membership, IpConfiguration], Collection[str]],
    by_state: Callable[[IpConfiguration, str], bool],
) -> PoolChange:
    """Sort the ``wanted`` pools of each IP configuration by the write that changes them."""
    states, networks = list[PoolMembership](), list[PoolMembership]()
    for member in members:
        for each in member.configurations:
            pools = sorted(wanted(member, each))
            for found, chosen in (
                (states, tuple(pool for pool in pools if by_state(each, pool))),
                (networks, tuple(pool for pool in pools if not by_state(each, pool))),
            ):
                if chosen:
                    found.append(PoolMembership(member.vm_id, each.id, chosen))
    return PoolChange(tuple(states), tuple(networks))
