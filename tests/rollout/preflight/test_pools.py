"""How VMs will leave their pools, by what was read of the balancers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollout.model.azure.balancers import StubbornPool
from rollout.model.azure.scale_set import ImageReference, OrchestrationMode, ScaleSet
from rollout.model.azure.surroundings import Surroundings
from rollout.preflight.pools import check_draining, writes_each_vm

NETWORK = "/subscriptions/5ab3/resourceGroups/demo/providers/Microsoft.Network"
POOL = f"{NETWORK}/loadBalancers/lb/backendAddressPools/web"
GATEWAY_POOL = f"{NETWORK}/applicationGateways/gw/backendAddressPools/web"
SET = ScaleSet("/set", "web", "eastus2", '"1"', 2, "Succeeded", ImageReference(), backend_pools=(POOL,))
NAT = Surroundings(stubborn=(StubbornPool(POOL.lower(), "it is behind inbound NAT rules"),))


def test_draining_that_falls_back_to_a_write_a_vm_is_told_before() -> None:
    (finding,) = check_draining(NAT)
    assert finding.code == "drainsVmByVm"
    assert "(lb/web: it is behind inbound NAT rules): each leaves by a write of its own" in finding.message
    assert list(check_draining(Surroundings())) == []


@pytest.mark.parametrize(
    ("pool", "surroundings", "mode", "expected"),
    [
        (POOL, Surroundings(), OrchestrationMode.UNIFORM, False),
        (POOL, NAT, OrchestrationMode.UNIFORM, True),
        (POOL, NAT, OrchestrationMode.FLEXIBLE, False),
        (GATEWAY_POOL, Surroundings(), OrchestrationMode.UNIFORM, True),
        (GATEWAY_POOL, Surroundings(), OrchestrationMode.FLEXIBLE, False),
    ],
)
def test_vms_of_a_uniform_set_are_written_to_one_by_one(
    pool: str, surroundings: Surroundings, mode: OrchestrationMode, expected: bool
) -> None:
    assert writes_each_vm(replace(SET, backend_pools=(pool,), mode=mode), surroundings) is expected
