"""The judgement of a batch at, one below and one above each boundary."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rollout.group import HealthCheckType
from rollout.health import Health, Observation
from rollout.verdict import Verdict, judge

GRACE = timedelta(seconds=300)


def green(*healths: Health) -> dict[str, list[Observation]]:
    return {
        f"web_{number}": [Observation(HealthCheckType.APPLICATION_HEALTH, health, str(health))]
        for number, health in enumerate(healths, start=10)
    }


GOOD, BAD, WAITING = Health.HEALTHY, Health.UNHEALTHY, Health.WAITING


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
    vms: tuple[Health, ...], planned: int, waited: int, asked: int, verdict: Verdict
) -> None:
    assert judge(green(*vms), planned, timedelta(seconds=waited), GRACE, asked, checked=True).verdict is verdict


def test_without_a_health_check_the_whole_grace_period_is_waited() -> None:
    early = judge(green(GOOD), 1, timedelta(seconds=299), GRACE, 50, checked=False)
    late = judge(green(GOOD), 1, GRACE, GRACE, 50, checked=False)
    assert (early.verdict, late.verdict) == (Verdict.NOT_YET, Verdict.HEALTHY)


def test_the_reason_says_the_numbers_and_the_worst_vms() -> None:
    judgement = judge(green(BAD, WAITING), 3, GRACE, GRACE, 50, checked=True)
    assert judgement.reason == (
        "0 of 3 green VMs healthy after 300 s, 0 %: below the 50 % asked "
        "(web_10: applicationHealth unhealthy; web_11: applicationHealth waiting; 1 never created)"
    )
    assert (judgement.healthy, judgement.sick) == (0, 3)
