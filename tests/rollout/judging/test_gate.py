"""The gate before each batch."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollout.judging.gate import judge_group
from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.choices import HealthCheckType
from rollout.model.parameters import Parameters

GOOD = Vm("id", "web_1", "1", ImageReference(), "Succeeded", "running")
SICK = replace(GOOD, power_state="stopped")
GONE = replace(GOOD, provisioning_state="Deleting")


@pytest.mark.parametrize(
    ("sick", "allowed", "passes"), [(0, 1, True), (2, 20, True), (2, 19, False), (2, 21, True), (10, 99, False)]
)
def test_more_than_the_allowed_share_of_all_vms_fails(sick: int, allowed: int, passes: bool) -> None:
    parameters = Parameters("1.1.0", max_unhealthy_percentage=allowed, health_check_types=(HealthCheckType.VM_STATE,))
    progress = judge_group([SICK] * sick + [GOOD] * (10 - sick) + [GONE], parameters)
    assert progress.done is passes
    assert progress.reason.startswith(f"{sick} of all 10 VMs are unhealthy")
    assert progress.code == ("" if passes else "groupUnhealthy")


def test_an_empty_set_passes() -> None:
    assert judge_group([], Parameters("1.1.0", max_unhealthy_percentage=1)).done
