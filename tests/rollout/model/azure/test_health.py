"""What the sources say of one VM."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollout.model.azure.health import VmHealth, observe, serves, worst
from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.choices import HealthCheckType

VM = Vm("id", "web_1", "1", ImageReference(id="new"), "Succeeded", "running", "healthy")
BOTH = (HealthCheckType.VM_STATE, HealthCheckType.APPLICATION_HEALTH)


@pytest.mark.parametrize(
    ("provisioning", "power", "health"),
    [
        ("Succeeded", "running", VmHealth.HEALTHY),
        ("Updating", "running", VmHealth.HEALTHY),
        ("Creating", None, VmHealth.WAITING),
        ("Creating", "running", VmHealth.WAITING),
        ("Succeeded", None, VmHealth.WAITING),
        ("Succeeded", "starting", VmHealth.WAITING),
        ("Succeeded", "stopped", VmHealth.UNHEALTHY),
        ("Succeeded", "deallocated", VmHealth.UNHEALTHY),
        ("Failed", "running", VmHealth.UNHEALTHY),
        ("Deleting", "running", VmHealth.UNHEALTHY),
    ],
)
def test_vm_state(provisioning: str, power: str | None, health: VmHealth) -> None:
    (seen,) = observe(replace(VM, provisioning_state=provisioning, power_state=power), [HealthCheckType.VM_STATE])
    assert seen.health is health


@pytest.mark.parametrize(
    ("reported", "health"),
    [
        ("healthy", VmHealth.HEALTHY),
        ("initializing", VmHealth.WAITING),
        (None, VmHealth.WAITING),
        ("unhealthy", VmHealth.UNHEALTHY),
        ("unknown", VmHealth.UNHEALTHY),
        ("inventedLater", VmHealth.UNHEALTHY),
    ],
)
def test_application_health(reported: str | None, health: VmHealth) -> None:
    assert worst(observe(replace(VM, health=reported), BOTH)).health is health
    assert serves(replace(VM, health=reported), BOTH) is (health is VmHealth.HEALTHY)


def test_a_vm_that_does_not_exist_is_unhealthy_in_every_source() -> None:
    assert {seen.health for seen in observe(None, BOTH)} == {VmHealth.UNHEALTHY}


def test_the_vm_state_is_looked_at_even_where_nothing_is_checked() -> None:
    (seen,) = observe(replace(VM, power_state="stopped"), [])
    assert seen.health is VmHealth.UNHEALTHY
