"""Standard load balancers: the state of a pool's members, and the health behind a rule.

https://learn.microsoft.com/azure/load-balancer/admin-state-overview and
https://learn.microsoft.com/azure/load-balancer/load-balancer-manage-health-status.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from adapters.arm.traffic.requests import ArmRequests, Json
from rollout.model.azure.balancers import BackendServer
from rollout.model.azure.pools import AdminState, balancer_of
from rollout.ports.errors import Busy, Refused

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

        ``Refused`` where that would not keep new connections away: a member that the pool does not list, or a rule
        without a probe, which knows no ``adminState``.
        """
        if state is AdminState.DOWN:
            await self._check_probes(pool)
        body = await self._requests.get(pool)
        properties = body.get("properties") or {}
        if str(properties.get("provisioningState")).lower() == "updating":
            raise Busy("poolUpdating", f"{pool} is being changed")
        addresses = [_with_state(address, configurations, state) for address in _addresses(body)]
        if unlisted := set(configurations) - {_configuration(address) for address in addresses}:
            raise Refused("memberNotListed", f"{pool} does not list {len(unlisted)} of its members")
        if addresses == _addresses(body):
            return
        writable = {name: properties[name] for name in _WRITABLE if properties.get(name) is not None}
        change = {"name": body["name"], "properties": {**writable, "loadBalancerBackendAddresses": addresses}}
        await self._requests.put(pool, change, body.get("etag") or "")

    async def rules(self, pools: Collection[str]) -> tuple[str, ...]:
        """The ids of the rules that send traffic to any of these pools."""
        found = [
            rule["id"].lower()
            for balancer in sorted({balancer_of(pool) for pool in pools})
            for rule in _rules(await self._requests.get(balancer))
            if _pools(rule) & set(pools)
        ]
        return tuple(found)

    async def _check_probes(self, pool: str) -> None:
        rules = [rule for rule in _rules(await self._requests.get(balancer_of(pool))) if pool in _pools(rule)]
        if any(not (rule["properties"].get("probe") or {}).get("id") for rule in rules):
            raise Refused("ruleWithoutProbe", f"A rule of {pool} has no health probe, so its members cannot be Down")


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
