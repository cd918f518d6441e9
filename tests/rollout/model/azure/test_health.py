"""What the sources say of one VM."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollout.model.azure.health import Health, observe, serves, worst
from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.choices import HealthCheckType

VM = Vm("id", "web_1", "1", ImageReference(id="new"), "Succeeded", "running", "healthy")
BOTH = (HealthCheckType.VM_STATE, HealthCheckType.APPLICATION_HEALTH)


@pytest.mark.parametrize(
    ("provisioning", "power", "health"),
    [
        ("Succeeded", "running", Health.HEALTHY),
        ("Updating", "running", Health.HEALTHY),
        ("Creating", None, Health.WAITING),
        ("Creating", "running", Health.WAITING),
        ("Succeeded", None, Health.WAITING),
        ("Succeeded", "starting", Health.WAITING),
        ("Succeeded", "stopped", Health.UNHEALTHY),
        ("Succeeded", "deallocated", Health.UNHEALTHY),
        ("Failed", "running", Health.UNHEALTHY),
        ("Deleting", "running", Health.UNHEALTHY),
    ],
)
def test_vm_state(provisioning: str, power: str | None, health: Health) -> None:
    (seen,) = observe(replace(VM, provisioning_state=provisioning, power_state=power), [HealthCheckType.VM_STATE])
    assert seen.health is health


@pytest.mark.parametrize(
    ("reported", "health"),
    [
        ("healthy", Health.HEALTHY),
        ("initializing", Health.WAITING),
        (None, Health.WAITING),
        ("unhealthy", Health.UNHEALTHY),
        ("unknown", Health.UNHEALTHY),
        ("inventedLater", Health.UNHEALTHY),
    ],
)
def test_application_health(reported: str | None, health: Health) -> None:
    assert worst(observe(replace(VM, health=reported), BOTH)).health is health
    assert serves(replace(VM, health=reported), BOTH) is (health is Health.HEALTHY)


def test_a_vm_that_does_not_exist_is_unhealthy_in_every_source() -> None:
    assert {seen.health for seen in observe(None, BOTH)} == {Health.UNHEALTHY}


def test_the_vm_state_is_looked_at_even_where_nothing_is_checked() -> None:
    (seen,) = observe(replace(VM, power_state="stopped"), [])
    assert seen.health is Health.UNHEALTHY
