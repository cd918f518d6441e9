"""The load balancers and application gateways of the world file."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from local.azure.world.parts import Duration, Name, Part, ResourceGroupName


class LoadBalancerSpec(Part):
    """A load balancer of SKU Standard, with a rule for each pool, which has the pool's name."""

    name: Name = Field(description="the load balancer's name")
    resource_group: ResourceGroupName = Field(description="its resource group")
    pools: tuple[Name, ...] = Field(min_length=1, description="its backend pools")
    probe: bool = Field(default=True, description="the rules have a health probe; without one every VM gets traffic")
    probe_delay: Duration = Field(
        default=timedelta(seconds=10), description="from a change of a VM's application to the probe's word for it"
    )
    admin_state: Literal["pool", "balancer", "never"] = Field(
        default="pool",
        description="`adminState` of members can be set by PUT of their pool; only by PUT of the balancer; else 400",
    )
    inbound_nat: bool = Field(
        default=False, description="each pool is behind an inbound NAT rule, so that `adminState` cannot be set"
    )
    health_answers: Literal["accepted", "atOnce"] = Field(
        default="accepted", description="a rule's health is answered with 202 and `Location`, or with 200"
    )


class ApplicationGatewaySpec(Part):
    """An application gateway, with HTTP settings for each pool, which have the pool's name."""

    name: Name = Field(description="the gateway's name")
    resource_group: ResourceGroupName = Field(description="its resource group")
    pools: tuple[Name, ...] = Field(min_length=1, description="its backend pools")
    drain_timeout: Duration | None = Field(
        default=timedelta(seconds=60), description="`connectionDraining` of the HTTP settings; none: not enabled"
    )
    probe_delay: Duration = Field(
        default=timedelta(seconds=30), description="from a change of a VM's application to the probe's word for it"
    )
    health_words: Literal["recorded", "documented", "lowerCase"] = Field(
        default="recorded", description="`Healthy`/`Unhealthy`, `Up`/`Down`, or the former in lower case"
    )
    health_overrides: dict[str, str] = Field(
        default={}, description="by VM name: a word for it, such as `Partial`, `Draining` or `Unknown`"
    )
    names_interfaces: bool = Field(default=True, description="servers carry `ipConfiguration.id` besides their address")
    health_time: Duration = Field(default=timedelta(seconds=10), description="how long `backendhealth` takes to answer")
