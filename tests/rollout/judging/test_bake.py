"""Green VMs in service are held to the threshold of their batches, but not for a single bad look."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rollout.judging.bake import judge_bake
from rollout.model.choices import Canary, HealthCheckType
from rollout.model.parameters import Parameters
from rollout.planning.bakes import bakes_after, bakings

POLL = timedelta(seconds=15)
CHECKED = Parameters("1.1.0", health_check_types=(HealthCheckType.VM_STATE,))
NEVER, FIVE, TEN = timedelta(0), timedelta(minutes=5), timedelta(minutes=10)


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize(
    ("batch", "of", "after_canary", "before_the_end", "time"),
    [
        (0, 0, None, TEN, NEVER),
        (0, 0, FIVE, TEN, NEVER),
        (1, 1, None, TEN, TEN),
        (1, 1, NEVER, TEN, TEN),
        (1, 1, FIVE, NEVER, FIVE),
        (1, 1, FIVE, TEN, TEN),
        (1, 1, TEN, FIVE, TEN),
        (1, 3, None, TEN, NEVER),
        (1, 3, FIVE, TEN, FIVE),
        (2, 3, FIVE, TEN, NEVER),
        (3, 3, FIVE, TEN, TEN),
        (3, 3, FIVE, NEVER, NEVER),
    ],
)
def test_green_vms_bake_after_the_canary_and_before_the_end(
    batch: int, of: int, after_canary: timedelta | None, before_the_end: timedelta, time: timedelta, back: bool
) -> None:
    canary = None if after_canary is None else Canary(1, bake_time=after_canary)
    baking = bakes_after(batch, of, back, canary, before_the_end)
    assert (baking.batch, baking.time) == (batch, NEVER if back else time)
    assert baking.reason


@pytest.mark.parametrize(("batches", "after"), [(0, []), (1, [1]), (2, [1, 2]), (5, [1, 5])])
def test_no_batch_bakes_twice(batches: int, after: list[int]) -> None:
    parameters = Parameters("1.1.0", canary=Canary(1, bake_time=FIVE), bake_time=TEN)
    assert [baking.batch for baking in bakings(batches, parameters)] == after


@pytest.mark.parametrize(
    ("sick", "seconds", "vms", "passes"),
    [(0, 0, 4, True), (4, 0, 4, True), (2, 15, 4, True), (3, 15, 4, False), (4, 600, 4, False), (0, 0, 0, True)],
)
def test_bake_passes_while_enough_vms_are_healthy(sick: int, seconds: int, vms: int, passes: bool) -> None:
    unhealthy = [(f"web_{number}", timedelta(seconds=seconds)) for number in range(sick)]
    judged = judge_bake(unhealthy, vms, POLL, CHECKED)
    counted = sick if seconds >= 15 else 0
    assert (judged.passes, judged.sick, judged.healthy) == (passes, counted, vms - counted)


def test_vm_that_has_the_name_of_one_that_is_sick_and_gone_does_not_stand_for_it() -> None:
    judged = judge_bake([("web_4", POLL), ("web_4", POLL)], 3, POLL, CHECKED)
    assert (judged.healthy, judged.sick, judged.passes) == (1, 2, False)


def test_sick_vms_are_named_but_not_all_of_many() -> None:
    sick = [(f"web_{number}", POLL) for number in range(9)]
    reason = judge_bake(sick, 9, POLL, CHECKED).reason
    assert reason == "0 of 9 VMs healthy; not healthy: web_0, web_1, web_2, web_3, web_4 and 4 more"


def test_vms_that_nothing_judges_are_said_to_run() -> None:
    sick = [(f"web_{number}", POLL) for number in range(9)]
    assert judge_bake([], 9, POLL, Parameters("1.1.0")).reason == "9 of 9 VMs running, no health check"
    judged = judge_bake(sick[:8], 9, POLL, Parameters("1.1.0"))
    assert (judged.passes, judged.reason) == (
        True,
        "1 of 9 VMs running, no health check; not running: web_0, web_1, web_2, web_3, web_4 and 3 more",
    )
    assert not judge_bake(sick, 9, POLL, Parameters("1.1.0")).passes
