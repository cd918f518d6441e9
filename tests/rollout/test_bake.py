"""Green VMs in service are held to the threshold of their batches, but not for a single bad look."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rollout.bake import judge_bake
from rollout.deployment import Parameters

POLL = timedelta(seconds=15)


@pytest.mark.parametrize(
    ("sick", "seconds", "vms", "passes"),
    [(0, 0, 4, True), (4, 0, 4, True), (2, 15, 4, True), (3, 15, 4, False), (4, 600, 4, False), (0, 0, 0, True)],
)
def test_bake_passes_while_enough_vms_are_healthy(sick: int, seconds: int, vms: int, passes: bool) -> None:
    unhealthy = {f"web_{number}": timedelta(seconds=seconds) for number in range(sick)}
    judged = judge_bake(unhealthy, vms, POLL, Parameters("1.1.0", batch_min_healthy_percentage=50))
    counted = sick if seconds >= 15 else 0
    assert (judged.passes, judged.sick, judged.healthy) == (passes, counted, vms - counted)


def test_sick_vms_are_named_but_not_all_of_many() -> None:
    sick = {f"web_{number}": POLL for number in range(9)}
    reason = judge_bake(sick, 9, POLL, Parameters("1.1.0")).reason
    assert reason == "0 of 9 VMs healthy; not healthy: web_0, web_1, web_2, web_3, web_4 and 4 more"
