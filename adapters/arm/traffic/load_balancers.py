"""Standard load balancers: the state of a pool's members, and the health behind a rule.

https://learn.microsoft.com/azure/load-balancer/admin-state-overview and
https://learn.microsoft.com/azure/load-balancer/load-balancer-manage-health-status.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from adapters.arm.traffic.requests import ArmRequests, Json
from rollout.model.azure.balancers import BackendServer, StubbornPool
from rollout.model.azure.pools import AdminState, balancer_of
from rollout.ports.errors import Busy, Refused

#: What a pool whose members are network interfaces may answer to a write of its own. In the body of its load balancer
#: the same change may be taken (public comments at bicep-registry-modules#3395).
INLINE_ONLY = "ModificationOfNICIpConfigBackendPoolNotSupported"

#: The fields of a pool that a write may carry; the others are Azure's to say.
_WRITABLE = ("drainPeriodInSeconds", "location", "syncMode", "tunnelInterfaces", "virtualNetwork")


class LoadBalancers:
    """Backend pools and rules of load balancers."""

    def __init__(self, requests: ArmRequests) -> None:
        self._requests = requests

    async def down(self, pool: str) -> frozenset[str]:
        """The ids, in lower case, of the IP configurations that are Down in a pool; none where it is gone."""
        body = await self._requests.get_if_there(pool) or {}
        return frozenset(
            _configuration(address)
            for address in _addresses(body)
            if str(address["properties"].get("adminState")).lower() == AdminState.DOWN.lower()
        )

    async def set_state(self, pool: str, configurations: Collection[str], state: AdminState) -> None:
        """Set the ``adminState`` of these members in one write of their pool, if it is still as it was read.

        ``Refused`` where that would not keep new connections away: a member that the pool does not list, a rule without
        a probe, or inbound NAT rules, which know no ``adminState``.
        """
        if state is AdminState.DOWN and (why := _why_not(await self._requests.get(balancer_of(pool)), pool)):
            raise Refused(why.code, f"{pool}: {why.text}, so its members cannot be Down")
        body = await self._requests.get(pool)
        properties = body.get("properties") or {}
        if str(properties.get("provisioningState")).lower() == "updating":
            raise Busy("poolUpdating", f"{pool} is being changed")
        addresses = _changed(pool, body, configurations, state)
        if addresses == _addresses(body):
            return
        writable = {name: properties[name] for name in _WRITABLE if properties.get(name) is not None}
        change = {"name": body["name"], "properties": {**writable, "loadBalancerBackendAddresses": addresses}}
        try:
            await self._requests.put(pool, change, body.get("etag") or "")
        except Refused as refused:
            if refused.code != INLINE_ONLY:
                raise
            if not await self._set_inline(pool, configurations, state):
                raise

    async def _set_inline(self, pool: str, configurations: Collection[str], state: AdminState) -> bool:
        """The same in one write of the whole balancer; whether that has the pool."""
        balancer = await self._requests.get(balancer_of(pool))
        pools = (balancer.get("properties") or {}).get("backendAddressPools") or ()
        body = next((each for each in pools if str(each.get("id")).lower() == pool.lower()), None)
        if body is None:
            return False
        body["properties"]["loadBalancerBackendAddresses"] = _changed(pool, body, configurations, state)
        await self._requests.put(balancer_of(pool), balancer, balancer.get("etag") or "")
        return True

    async def stubborn(self, pools: Collection[str]) -> tuple[StubbornPool, ...]:
        """The pools in which no member can be Down, by their balancers' rules."""
        found = list[StubbornPool]()
        for balancer in sorted({balancer_of(pool) for pool in pools}):
            body = await self._requests.get_if_there(balancer) or {}
            mine = (pool for pool in sorted(pools) if balancer_of(pool) == balancer)
            found += [StubbornPool(pool, why.text) for pool in mine if (why := _why_not(body, pool))]
        return tuple(found)

    async def rules(self, pools: Collection[str]) -> tuple[str, ...]:
        """The ids of the rules that send traffic to any of these pools."""
        found = [
            rule["id"].lower()
            for balancer in sorted({balancer_of(pool) for pool in pools})
            for rule in _rules(await self._requests.get(balancer))
            if _pools(rule) & set(pools)
        ]
        return tuple(found)


@dataclass(frozen=True)
class _Reason:
    """Why no member of a pool can be Down. https://learn.microsoft.com/azure/load-balancer/admin-state-overview."""

    code: str
    text: str


def _why_not(balancer: Json, pool: str) -> _Reason | None:
    rules = [rule for rule in _rules(balancer) if pool.lower() in _pools(rule)]
    if any(not (rule["properties"].get("probe") or {}).get("id") for rule in rules):
        return _Reason("ruleWithoutProbe", "one of its rules has no health probe")
    if any(_is_of(rule, balancer, pool) for rule in (balancer.get("properties") or {}).get("inboundNatRules") or ()):
        return _Reason("inboundNatRules", "it is behind inbound NAT rules")
    return None


def _is_of(rule: Json, balancer: Json, pool: str) -> bool:
    """Whether an inbound NAT rule leads to a pool, or to one of its members."""
    if pool.lower() in _pools(rule):
        return True
    target = str(((rule.get("properties") or {}).get("backendIPConfiguration") or {}).get("id") or "").lower()
    pools = (balancer.get("properties") or {}).get("backendAddressPools") or ()
    mine = (each.get("properties") or {} for each in pools if str(each.get("id")).lower() == pool.lower())
    return bool(target) and any(
        str(each.get("id")).lower() == target for body in mine for each in body.get("backendIPConfigurations") or ()
    )


def read_rule_health(body: Json) -> Iterable[BackendServer]:
    """``LoadBalancerHealthPerRule``: a server for each backend address. The id of a configuration may be an object."""
    for address in body.get("loadBalancerBackendAddresses") or ():
        named = address.get("networkInterfaceIPConfigurationId") or ""
        configuration = named.get("id") or "" if isinstance(named, dict) else named
        yield BackendServer(
            configuration.lower(),
            address.get("ipAddress") or "",
            address.get("state") or "",
            address.get("reason") or "",
        )


def _addresses(pool: Json) -> list[Json]:
    return list((pool.get("properties") or {}).get("loadBalancerBackendAddresses") or ())


def _configuration(address: Json) -> str:
    named = (address.get("properties") or {}).get("networkInterfaceIPConfiguration") or {}
    return str(named.get("id") or "").lower()


def _changed(pool: str, body: Json, wanted: Collection[str], state: AdminState) -> list[Json]:
    """The pool's members with those in this state that are ``wanted``."""
    addresses = [_with_state(address, wanted, state) for address in _addresses(body)]
    if unlisted := set(wanted) - {_configuration(address) for address in addresses}:
        raise Refused("memberNotListed", f"{pool} does not list {len(unlisted)} of its members")
    return addresses


def _with_state(address: Json, wanted: Collection[str], state: AdminState) -> Json:
    if _configuration(address) not in wanted:
        return address
    return {**address, "properties": {**address["properties"], "adminState": str(state)}}


def _rules(balancer: Json) -> list[Json]:
    return list((balancer.get("properties") or {}).get("loadBalancingRules") or ())


def _pools(rule: Json) -> set[str]:
    properties = rule.get("properties") or {}
    named = [properties.get("backendAddressPool"), *(properties.get("backendAddressPools") or ())]
    return {pool["id"].lower() for pool in named if pool}
