"""The judgement of a batch at, one below and one above each boundary."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rollout.judging.verdict import Verdict, judge
from rollout.model.azure.health import Observation, VmHealth
from rollout.model.choices import HealthCheckType
from rollout.model.threshold import Threshold

GRACE = timedelta(seconds=300)


def green(*healths: VmHealth) -> list[tuple[str, list[Observation]]]:
    return [
        (f"web_{number}", [Observation(HealthCheckType.APPLICATION_HEALTH, health, str(health))])
        for number, health in enumerate(healths, start=10)
    ]


GOOD, BAD, WAITING = VmHealth.HEALTHY, VmHealth.UNHEALTHY, VmHealth.WAITING


@pytest.mark.parametrize(
    ("vms", "planned", "waited", "asked", "verdict"),
    [
        ((GOOD, GOOD), 2, 0, 100, Verdict.HEALTHY),
        ((GOOD, BAD), 2, 299, 50, Verdict.NOT_YET),
        ((GOOD, BAD), 2, 300, 50, Verdict.HEALTHY),
        ((GOOD, BAD), 2, 300, 51, Verdict.UNHEALTHY),
        ((GOOD, BAD), 2, 300, 49, Verdict.HEALTHY),
        ((WAITING, WAITING), 2, 300, 1, Verdict.UNHEALTHY),
        ((GOOD,), 2, 0, 50, Verdict.NOT_YET),
        ((GOOD,), 2, 300, 50, Verdict.HEALTHY),
        ((GOOD,), 2, 300, 51, Verdict.UNHEALTHY),
        ((), 2, 300, 1, Verdict.UNHEALTHY),
        ((GOOD, GOOD, BAD), 3, 300, 66, Verdict.HEALTHY),
        ((GOOD, GOOD, BAD), 3, 300, 67, Verdict.UNHEALTHY),
    ],
)
def test_the_share_of_the_planned_vms_decides_at_the_end(
    vms: tuple[VmHealth, ...], planned: int, waited: int, asked: int, verdict: Verdict
) -> None:
    assert (
        judge(green(*vms), planned, timedelta(seconds=waited), GRACE, Threshold(asked), checked=True).verdict is verdict
    )


def test_without_a_health_check_the_whole_grace_period_is_waited() -> None:
    early = judge(green(GOOD), 1, timedelta(seconds=299), GRACE, Threshold(50), checked=False)
    late = judge(green(GOOD), 1, GRACE, GRACE, Threshold(50), checked=False)
    assert (early.verdict, late.verdict) == (Verdict.NOT_YET, Verdict.HEALTHY)


@pytest.mark.parametrize(
    ("vms", "planned", "verdict", "words"),
    [
        ((GOOD,) * 5, 5, Verdict.HEALTHY, "5 green VMs run; no health check, waited 300 s"),
        ((GOOD,), 1, Verdict.HEALTHY, "1 green VM runs; no health check, waited 300 s"),
        (
            (GOOD, BAD),
            3,
            Verdict.HEALTHY,
            "1 of 3 green VMs run; no health check, waited 300 s (web_11: applicationHealth unhealthy; "
            "1 never created)",
        ),
        ((), 2, Verdict.UNHEALTHY, "0 of 2 green VMs run; no health check, waited 300 s (2 never created)"),
    ],
)
def test_nothing_unjudged_is_called_healthy(
    vms: tuple[VmHealth, ...], planned: int, verdict: Verdict, words: str
) -> None:
    judgement = judge(green(*vms), planned, GRACE, GRACE, Threshold(50), checked=False)
    assert (judgement.verdict, judgement.reason) == (verdict, words)


def test_vm_that_has_the_name_of_one_that_is_gone_does_not_stand_for_it() -> None:
    (_, gone), (name, good) = green(BAD, GOOD)
    judgement = judge([(name, gone), (name, good)], 2, GRACE, GRACE, Threshold(50), checked=True)
    assert (judgement.healthy, judgement.sick) == (1, 1)
    unhealthy = judge([(name, gone), (name, good)], 2, GRACE, GRACE, Threshold(51), checked=True)
    assert "never created" not in unhealthy.reason


def test_the_reason_says_the_numbers_and_the_worst_vms() -> None:
    judgement = judge(green(BAD, WAITING), 3, GRACE, GRACE, Threshold(50), checked=True)
    assert judgement.reason == (
        "0 of 3 green VMs healthy after 300 s, 0 %: below the 50 % asked "
        "(web_10: applicationHealth unhealthy; web_11: applicationHealth waiting; 1 never created)"
    )
    assert (judgement.healthy, judgement.sick) == (0, 3)


@pytest.mark.parametrize(
    ("healthy", "asked", "verdict"),
    [(1, 50, Verdict.UNHEALTHY), (1, 51, Verdict.HEALTHY), (1, 49, Verdict.UNHEALTHY), (0, 100, Verdict.UNHEALTHY)],
)
def test_min_health_fails_when_the_unhealthy_share_reaches_it(healthy: int, asked: int, verdict: Verdict) -> None:
    vms = green(*[GOOD] * healthy, *[BAD] * (2 - healthy))
    judgement = judge(vms, 2, GRACE, GRACE, Threshold(None, asked), checked=True)
    assert judgement.verdict is verdict
    assert f"minHealth {asked} is {'not ' if verdict is Verdict.HEALTHY else ''}reached" in judgement.reason


@pytest.mark.parametrize(
    ("steady", "waited", "verdict"),
    [(29, 100, Verdict.NOT_YET), (30, 100, Verdict.HEALTHY), (31, 100, Verdict.HEALTHY), (0, 300, Verdict.HEALTHY)],
)
def test_all_healthy_must_stay_so_or_outlast_the_grace_period(steady: int, waited: int, verdict: Verdict) -> None:
    judgement = judge(
        green(GOOD, GOOD),
        2,
        timedelta(seconds=waited),
        GRACE,
        Threshold(50),
        checked=True,
        stable_for=timedelta(seconds=30),
        steady=timedelta(seconds=steady),
    )
    assert judgement.verdict is verdict
    if verdict is Verdict.NOT_YET:
        assert judgement.reason == "all 2 green VMs healthy: waiting 1 s more for them to stay so"


@given(healthy=st.integers(0, 50), sick=st.integers(0, 50), asked=st.integers(1, 100))
def test_the_two_thresholds_are_complements_but_at_the_boundary(healthy: int, sick: int, asked: int) -> None:
    planned = healthy + sick
    assume(planned)
    by_healthy = Threshold(100 - asked).passes(healthy, planned)
    by_unhealthy = Threshold(None, asked).passes(healthy, planned)
    at_the_boundary = 100 * sick == asked * planned
    assert by_unhealthy == (by_healthy and not at_the_boundary)
