"""Answers of balancers' probes about VMs."""

from __future__ import annotations

from dataclasses import dataclass

from rollout.model.azure.pools import Membership
from rollout.model.choices import HealthCheckType

#: The sources of health that are asked of balancers.
TRAFFIC_SOURCES = (HealthCheckType.LOAD_BALANCER, HealthCheckType.APPLICATION_GATEWAY)


@dataclass(frozen=True)
class StubbornPool:
    """A load balancer's pool in which no member can be set Down, and ``why``, as it was read."""

    pool: str
    why: str


@dataclass(frozen=True)
class PendingAnswer:
    """A question that Azure takes its time to answer: about which ``subject``, and where the answer will be.

    ``subject`` is the id of an application gateway or of a load balancer's rule; ``url`` is a path with its query.
    """

    subject: str
    url: str


@dataclass(frozen=True)
class BackendServer:
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
            return any(self.configuration == each.id for each in member.configurations)
        return any(self.address == each.address for each in member.configurations if each.address)


@dataclass(frozen=True)
class Probe:
    """What the balancers of one kind answered: ``servers`` is ``None`` while an answer is outstanding."""

    servers: tuple[BackendServer, ...] | None
    asked: tuple[PendingAnswer, ...] = ()
