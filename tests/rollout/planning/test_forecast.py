"""How long a deployment will take."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.azure.vm_writes import VmWrites
from rollout.model.choices import Canary, HealthCheckType
from rollout.model.group import SignalRule, SignalType
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Batch
from rollout.model.stages import Stage, StageName
from rollout.model.status import Phase
from rollout.planning.batches import plan
from rollout.planning.forecast import Forecast, PastBatches, forecast

AT = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PARAMETERS = Parameters(
    "1.1.0",
    health_check_types=(HealthCheckType.VM_STATE,),
    grace_period=10 * MINUTE,
    draining_timeout=2 * MINUTE,
)
VMS = [Vm(f"id-{n}", f"web_{n}", str(n), ImageReference(), "Succeeded", "running") for n in range(4)]
PLANNED = plan(VMS, [], 4, 50)


def batch(number: int, minutes: int, **change: Any) -> Batch:
    row = Batch(number, 2, 2, Phase.TERMINATED, started_at=AT, ended_at=AT + minutes * MINUTE)
    return replace(row, **change)


def test_without_a_past_it_is_assumed_and_says_so() -> None:
    expected = forecast(PLANNED, PARAMETERS, [])
    assert expected.duration == 2 * (5 * MINUTE + timedelta(seconds=90) + 2 * MINUTE)
    assert expected.basis == (
        "No finished deployment to go by: assumed are half the grace period for a batch to become healthy, and 90 s "
        "more; with 120 s of draining, and without waiting for people"
    )


def test_batches_that_nothing_judges_wait_their_whole_grace_period() -> None:
    unchecked = replace(PARAMETERS, health_check_types=())
    assert forecast(PLANNED, unchecked, []).duration == 2 * (10 * MINUTE + timedelta(seconds=90) + 2 * MINUTE)


def test_the_past_counts_without_its_draining() -> None:
    past = [PastBatches(3 * MINUTE, (batch(1, 7), batch(2, 9))), PastBatches(MINUTE, (batch(1, 6),))]
    expected = forecast(PLANNED, PARAMETERS, past)
    # 4, 6 and 5 minutes, and 2 of draining, twice.
    assert expected.duration == 14 * MINUTE
    assert expected.basis.startswith("The mean of 3 batches of 2 finished deployments of the group; with 120 s")


def test_behind_pools_it_says_that_green_vms_that_go_are_drained_too() -> None:
    plain, behind = forecast(PLANNED, PARAMETERS, []), forecast(PLANNED, PARAMETERS, [], pools=True)
    assert behind.duration == plain.duration
    assert behind.basis == (
        f"{plain.basis}; a batch that fails, or whose sick VMs are replaced, takes up to 120 s longer, or as long as "
        "its gateways drain: its green VMs are drained too"
    )
    rule = SignalRule(SignalType.VM_READY_TO_SHUTDOWN, 10 * MINUTE)
    assert "up to 600 s longer" in forecast(PLANNED, replace(PARAMETERS, signals=(rule,)), [], pools=True).basis


def test_vms_that_leave_one_by_one_take_what_they_took_last_time_else_both_ends_are_said() -> None:
    def leaving(past: list[PastBatches]) -> Forecast:
        return forecast(PLANNED, PARAMETERS, past, vm_writes=True)

    unknown = leaving([PastBatches(2 * MINUTE, (batch(1, 7),))])
    assert unknown.duration == forecast(PLANNED, PARAMETERS, [PastBatches(2 * MINUTE, (batch(1, 7),))]).duration
    assert "; up to 160 s longer if Azure takes the writes of its VMs one at a time" in unknown.basis
    detach = (Stage(StageName.DETACH, 1, AT + MINUTE, AT + 3 * MINUTE),)
    slow = batch(1, 9, vm_writes=VmWrites(1, refused=True, left=1), stages=detach)
    aside = batch(1, 7, vm_writes=VmWrites(left=2))
    # Of 9 minutes 2 are draining and 2 the leaving of two VMs: four VMs take 4.
    learnt = leaving([PastBatches(2 * MINUTE, (slow,)), PastBatches(2 * MINUTE, (aside,))])
    assert learnt.duration == 2 * (5 + 2) * MINUTE + 4 * MINUTE
    assert "; VMs leave their pools one by one, in 60 s each, as last time" in learnt.basis
    together = leaving([PastBatches(2 * MINUTE, (aside,))])
    assert together == forecast(PLANNED, PARAMETERS, [PastBatches(2 * MINUTE, (aside,))])


def test_what_was_no_whole_batch_is_left_out() -> None:
    odd = (batch(1, 9, phase=Phase.FAILED), batch(2, 9, back=True), batch(3, 9, ended_at=None))
    assert forecast(PLANNED, PARAMETERS, [PastBatches(MINUTE, odd)]) == forecast(PLANNED, PARAMETERS, [])


def test_baking_is_added() -> None:
    baking = replace(PARAMETERS, bake_time=30 * MINUTE, canary=Canary(1, bake_time=5 * MINUTE))
    plain = replace(baking, bake_time=timedelta(0), canary=None)
    with_canary = plan(VMS, [], 4, 50, canary=1)
    assert forecast(with_canary, baking, []).duration == forecast(with_canary, plain, []).duration + 35 * MINUTE


def test_a_canary_that_is_all_is_watched_once_for_the_longer_time() -> None:
    plain = replace(PARAMETERS, canary=Canary(1))
    baking = replace(PARAMETERS, bake_time=30 * MINUTE, canary=Canary(1, bake_time=5 * MINUTE))
    only = plan(VMS[:1], VMS[1:], 4, 50, canary=1)
    assert forecast(only, baking, []).duration == forecast(only, plain, []).duration + 30 * MINUTE


def test_nothing_to_do_takes_no_time() -> None:
    assert forecast(plan([], VMS, 4, 50), replace(PARAMETERS, bake_time=MINUTE), []).duration == timedelta(0)
