"""How VMs will leave their backend pools."""

from __future__ import annotations

from collections.abc import Iterator

from rollout.model.azure.pools import pools_of, short_name
from rollout.model.azure.scale_set import OrchestrationMode, ScaleSet
from rollout.model.azure.surroundings import Surroundings
from rollout.model.choices import HealthCheckType
from rollout.model.findings import Finding, info


def check_draining(surroundings: Surroundings) -> Iterator[Finding]:
    """Whether VMs leave a load balancer's pool by a write each, because none can be set Down in it."""
    if surroundings.stubborn:
        pools = "; ".join(f"{short_name(one.pool)}: {one.why}" for one in surroundings.stubborn)
        yield info(
            "drainsVmByVm",
            f"VMs cannot be set Down in all their pools ({pools}): each leaves by a write of its own network "
            "configuration, which may cut connections",
            "Give every rule of the pool a health probe, and take inbound NAT rules away; or leave it so",
        )


def writes_each_vm(scale_set: ScaleSet, surroundings: Surroundings) -> bool:
    """Whether VMs leave pools by writes of a Uniform set's VMs, which Azure may take one at a time."""
    gateways = pools_of(scale_set.backend_pools, HealthCheckType.APPLICATION_GATEWAY)
    return scale_set.mode is OrchestrationMode.UNIFORM and bool(gateways or surroundings.stubborn)
