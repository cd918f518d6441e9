"""The balancers before scale sets (``rollout.ports.azure.Traffic``)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from adapters.arm.client import ComputeClients
from adapters.arm.traffic.gateways import Gateways, read_backend_health
from adapters.arm.traffic.interfaces import Interfaces
from adapters.arm.traffic.load_balancers import LoadBalancers, read_rule_health
from adapters.arm.traffic.requests import ArmAnswer, ArmRequests
from rollout.model.azure.balancers import BackendServer, PendingAnswer, Probe, StubbornPool
from rollout.model.azure.pools import AdminState, IpConfiguration, Membership, PoolMembership, balancer_of, pools_of
from rollout.model.azure.scale_set import ScaleSet, Vm
from rollout.model.choices import HealthCheckType


class ArmTraffic:
    """Network interfaces, load balancers and application gateways over ARM."""

    def __init__(self, clients: ComputeClients) -> None:
        self._requests = ArmRequests(clients)
        self._interfaces = Interfaces(clients)
        self._load_balancers = LoadBalancers(self._requests)
        self._gateways = Gateways(self._requests)

    async def read(self, scale_set: ScaleSet, vms: Sequence[Vm]) -> tuple[Membership, ...]:
        """The interfaces tell who is in a pool, and each load balancer's pool who is Down in it."""
        members = await self._interfaces.memberships(scale_set, vms)
        every = frozenset[str]().union(*(member.pools for member in members))
        for pool in sorted(pools_of(every, HealthCheckType.LOAD_BALANCER)):
            down = await self._load_balancers.down(pool)
            members = tuple(_with_down(member, pool, down) for member in members)
        return members

    async def set_state(self, pool: str, configurations: Collection[str], state: AdminState) -> None:
        """One ``PUT`` of the pool, or of its balancer where that takes it only so, with ``If-Match``."""
        await self._load_balancers.set_state(pool, configurations, state)

    async def stubborn(self, pools: Collection[str]) -> tuple[StubbornPool, ...]:
        """One ``GET`` for each load balancer."""
        return await self._load_balancers.stubborn(pools_of(pools, HealthCheckType.LOAD_BALANCER))

    async def leave(self, scale_set: ScaleSet, vm: Vm, places: Collection[PoolMembership]) -> None:
        """One ``PUT`` of a Uniform set's instance, or of each interface that a Flexible set's VM has, guarded."""
        await self._interfaces.leave(scale_set, vm, places)

    async def join(self, scale_set: ScaleSet, vm: Vm, places: Collection[PoolMembership]) -> None:
        """As ``leave``."""
        await self._interfaces.join(scale_set, vm, places)

    async def missing(self, pools: Collection[str]) -> frozenset[str]:
        """One ``GET`` for each balancer, which lists its pools."""
        there = set[str]()
        for balancer in sorted({balancer_of(pool) for pool in pools}):
            body = await self._requests.get_if_there(balancer) or {}
            there |= {pool["id"].lower() for pool in (body.get("properties") or {}).get("backendAddressPools") or ()}
        return frozenset(pools) - there

    async def draining_time(self, pools: Collection[str]) -> timedelta:
        """One ``GET`` for each gateway."""
        return await self._gateways.draining_time(pools_of(pools, HealthCheckType.APPLICATION_GATEWAY))

    async def probe(self, source: HealthCheckType, pools: Collection[str], asked: Sequence[PendingAnswer]) -> Probe:
        """``POST …/backendhealth`` of each gateway, or ``POST …/health`` of each rule, and ``GET`` of their answers.

        An answer can be read as often as one likes, so a round of questions is over only when the last is answered.
        """
        mine = pools_of(pools, source)
        answered: dict[str, Any] = {}
        for question in asked:
            answer = await self._requests.follow(question.subject, question.url)
            if answer is not None and answer.status == 202:
                return Probe(None, tuple(asked))
            if answer is not None:
                answered[question.subject] = answer.body
        again, at_once = await self._ask(await self._subjects(source, mine))
        answered |= at_once
        subjects = {question.subject for question in again} | at_once.keys()
        if not subjects <= answered.keys():
            return Probe(None, again)
        servers = [server for subject in sorted(subjects) for server in _servers(source, answered[subject], mine)]
        return Probe(tuple(servers), again)

    async def _subjects(self, source: HealthCheckType, pools: Collection[str]) -> Sequence[str]:
        if source is HealthCheckType.LOAD_BALANCER:
            return await self._load_balancers.rules(pools)
        return sorted({balancer_of(pool) for pool in pools})

    async def _ask(self, subjects: Sequence[str]) -> tuple[tuple[PendingAnswer, ...], dict[str, Any]]:
        """What was asked, and what was answered at once."""
        asked, answered = list[PendingAnswer](), dict[str, Any]()
        for subject in subjects:
            kind = "backendhealth" if "/applicationgateways/" in subject else "health"
            answer: ArmAnswer = await self._requests.ask(f"{subject}/{kind}")
            if answer.status == 202:
                asked.append(PendingAnswer(subject, answer.location))
            else:
                answered[subject] = answer.body
        return tuple(asked), answered


def _with_down(member: Membership, pool: str, down: Collection[str]) -> Membership:
    """The VM with those of its IP configurations Down in the pool that are among those that are ``down``."""

    def seen(each: IpConfiguration) -> IpConfiguration:
        return replace(each, down=each.down | {pool}) if each.id in down else each

    return replace(member, configurations=tuple(seen(each) for each in member.configurations))


def _servers(source: HealthCheckType, body: Any, pools: Collection[str]) -> Sequence[BackendServer]:
    if source is HealthCheckType.LOAD_BALANCER:
        return tuple(read_rule_health(body or {}))
    return tuple(read_backend_health(body or {}, pools))
