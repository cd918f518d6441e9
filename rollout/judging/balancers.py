"""Meaning of balancers' probes, and a VM's state where it is not in its pools."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from rollout.model.azure.balancers import BackendServer
from rollout.model.azure.health import Observation, VmHealth
from rollout.model.azure.pools import Membership, gets_traffic, short_name
from rollout.model.choices import HealthCheckType


def observe_pools(state: Observation, member: Membership | None, pools: Iterable[str]) -> Observation:
    """The word on a running VM's state, given where it stands: one that misses a pool serves less than was planned."""
    pools = tuple(pools)
    if state.health is not VmHealth.HEALTHY or gets_traffic(member, pools):
        return state
    member = member or Membership("")
    missing = sorted({pool.lower() for pool in pools} - member.pools)
    words = f"not in {short_name(missing[0])}" if missing else f"Down in {short_name(min(member.down))}"
    return Observation(state.source, VmHealth.WAITING, f"{state.detail}, but {words}")


#: Gateways say ``Healthy`` and ``Unhealthy`` on the wire, though azure-mgmt-network lists ``Up``, ``Down``,
#: ``Partial``, ``Draining`` and ``Unknown`` (``ApplicationGatewayBackendHealthServerHealth``). Load balancers say
#: ``Up`` and ``Down`` (https://learn.microsoft.com/azure/load-balancer/load-balancer-manage-health-status).
_HEALTHY_WORDS = ("up", "healthy")


def observe_servers(
    source: HealthCheckType,
    member: Membership | None,
    servers: Iterable[BackendServer] | None,
    earlier: Observation | None = None,
) -> Observation:
    """What the balancers of one kind say of a VM: the worst of the pools and rules that list it.

    A VM that none lists yet waits. While the answer is outstanding the ``earlier`` one holds.
    """
    if servers is None:
        return earlier or Observation(source, VmHealth.WAITING, "asked, not answered yet")
    said = [server for server in servers if member is not None and server.is_of(member)]
    if not said:
        return Observation(source, VmHealth.WAITING, "not listed by any pool yet")
    sick = [server for server in said if server.word.lower() not in _HEALTHY_WORDS]
    if not sick:
        return Observation(source, VmHealth.HEALTHY, said[0].word.lower())
    detail = f": {sick[0].detail}" if sick[0].detail else ""
    return Observation(source, VmHealth.UNHEALTHY, f"{sick[0].word.lower()}{detail}"[:300])


def draining_time(asked_for: timedelta, gateways: timedelta) -> timedelta:
    """How long detached VMs are left alone: as asked, and as long as the gateways themselves let connections end."""
    return max(asked_for, gateways)
