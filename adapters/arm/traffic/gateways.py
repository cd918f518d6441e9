"""Application gateways: what their probes say, and how long they let connections end.

Shapes: ``ApplicationGateway`` and ``ApplicationGatewayBackendHealth`` of azure-mgmt-network.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta

from adapters.arm.traffic.requests import ArmRequests, Json
from rollout.model.azure.balancers import BackendServer
from rollout.model.azure.pools import balancer_of


class Gateways:
    """Backend pools and HTTP settings of application gateways."""

    def __init__(self, requests: ArmRequests) -> None:
        self._requests = requests

    async def draining_time(self, pools: Collection[str]) -> timedelta:
        """The longest ``drainTimeoutInSec`` of the HTTP settings by which a rule sends traffic to any of these pools.

        https://learn.microsoft.com/azure/application-gateway/configuration-http-settings#connection-draining
        """
        longest = timedelta(0)
        for gateway in sorted({balancer_of(pool) for pool in pools}):
            properties = (await self._requests.get_if_there(gateway) or {}).get("properties") or {}
            used = {settings for pool, settings in _routes(properties) if pool in pools}
            for settings in properties.get("backendHttpSettingsCollection") or ():
                if settings["id"].lower() in used:
                    longest = max(longest, _draining(settings))
        return longest


def read_backend_health(body: Json, pools: Collection[str]) -> Iterable[BackendServer]:
    """The servers of these pools, once for each of the HTTP settings by which they are probed."""
    for pool in body.get("backendAddressPools") or ():
        if ((pool.get("backendAddressPool") or {}).get("id") or "").lower() not in pools:
            continue
        for settings in pool.get("backendHttpSettingsCollection") or ():
            for server in settings.get("servers") or ():
                configuration = (server.get("ipConfiguration") or {}).get("id") or ""
                log = server.get("healthProbeLog") or ""
                yield BackendServer(configuration.lower(), server.get("address") or "", server.get("health") or "", log)


def _draining(settings: Json) -> timedelta:
    draining = (settings.get("properties") or {}).get("connectionDraining") or {}
    return timedelta(seconds=draining.get("drainTimeoutInSec") or 0) if draining.get("enabled") else timedelta(0)


def _routes(properties: Json) -> Iterator[tuple[str, str]]:
    """Pool and HTTP settings, as ids in lower case, of each rule and of each path that a rule may take."""
    for rule in properties.get("requestRoutingRules") or ():
        yield from _route(rule.get("properties") or {}, "backendAddressPool", "backendHttpSettings")
    for paths in properties.get("urlPathMaps") or ():
        given = paths.get("properties") or {}
        yield from _route(given, "defaultBackendAddressPool", "defaultBackendHttpSettings")
        for rule in given.get("pathRules") or ():
            yield from _route(rule.get("properties") or {}, "backendAddressPool", "backendHttpSettings")


def _route(properties: Json, pool: str, settings: str) -> Iterator[tuple[str, str]]:
    named = (properties.get(pool) or {}).get("id"), (properties.get(settings) or {}).get("id")
    if named[0] and named[1]:
        yield named[0].lower(), named[1].lower()
