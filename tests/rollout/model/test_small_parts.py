"""Names, parameters, pacing, statuses, succession: the small decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.model.azure.scale_set import ImageReference, Vm, VmList
from rollout.model.choices import HealthCheckType
from rollout.model.group import Group
from rollout.model.names import deployment_id, parse_deployment_id
from rollout.model.status import TRANSITIONS, Status, may_follow
from rollout.steps.pacing import before_another_look, before_next_step, until_next_look, until_refilled

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
GROUP = Group("web-2", "/set", health_check_types=(HealthCheckType.VM_STATE,))


def test_a_deployment_s_id_says_its_group_and_its_time() -> None:
    name = parse_deployment_id(deployment_id("web-2", NOW, "1a2b3c"))
    assert name is not None
    assert (name.group_id, name.at, name.token) == ("web-2", NOW, "1a2b3c")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "web",
        "web-20261123T081500Z-1A2B3C",
        "web-20261399T081500Z-1a2b3c",
        "../x",
        "web-２0261123T081500Z-1a2b3c",
        "W-20261123T081500Z-1a2b3c",
    ],
)
def test_what_is_no_deployment_s_id(text: str) -> None:
    assert parse_deployment_id(text) is None


@pytest.mark.parametrize(
    ("requests", "remaining", "look", "step"),
    [
        (1, None, 15, 0),
        (2, None, 24, 0),
        (10, None, 120, 120),
        (1, 1, 15, 0),
        (1, 0, 60, 60),
        (2, 28, 15, 0),
        (10, 20, 60, 0),
        (10, 10, 60, 0),
        (10, 9, 60, 60),
        (10, 5, 60, 60),
        (10, 4, 120, 120),
        (10, 0, 120, 120),
    ],
)
def test_a_large_set_is_read_less_often(requests: int, remaining: int | None, look: int, step: int) -> None:
    listed = VmList((), requests, remaining)
    assert until_next_look(timedelta(seconds=15), listed) == timedelta(seconds=look)
    assert before_next_step(listed) == timedelta(seconds=step)


@pytest.mark.parametrize(("more_vms", "step"), [(0, 0), (1, 60), (90, 60), (450, 60), (600, 120)])
def test_the_vms_that_will_be_there_by_then_are_paid_for(more_vms: int, step: int) -> None:
    vm = Vm("a", "web_0", "0", ImageReference(), "Succeeded")
    listed = VmList((vm,) * 900, requests=9, remaining=9)
    assert before_next_step(listed, more_vms) == timedelta(seconds=step)


def test_the_poll_interval_is_never_shortened() -> None:
    assert until_next_look(timedelta(minutes=5), VmList((), 10, 0)) == timedelta(minutes=5)


@given(
    requests=st.integers(1, 12),
    size=st.sampled_from([15, 30, 450, 900]),
    interval=st.integers(6, 60),
    is_told=st.booleans(),
    first_refill=st.integers(1, 60),
)
def test_looking_for_ever_is_never_throttled(
    requests: int, size: int, interval: int, is_told: bool, first_refill: int
) -> None:
    """At each mode's buckets and at half of them, whenever in the minute they are refilled, told or not."""
    now, tokens, refill_at = timedelta(0), size, timedelta(seconds=first_refill)
    for _ in range(60):
        while refill_at <= now:
            refill_at += timedelta(minutes=1)
            tokens = min(size, tokens + size // 3)
        assert tokens >= requests
        tokens -= requests
        listed = VmList((), requests, tokens if is_told else None, refill=10 if size <= 30 else 300)
        now += until_next_look(timedelta(seconds=interval), listed)


@pytest.mark.parametrize(
    ("requests", "remaining", "seconds"), [(1, 29, 0), (2, 0, 0), (3, 27, 18), (10, 20, 60), (10, 0, 120)]
)
def test_only_a_small_set_is_read_twice_in_one_moment(requests: int, remaining: int, seconds: int) -> None:
    listed = VmList((), requests, remaining)
    assert before_another_look(timedelta(seconds=15), listed) == timedelta(seconds=seconds)


@pytest.mark.parametrize(("requests", "minutes"), [(0, 0), (1, 1), (5, 1), (6, 2), (10, 2), (11, 3)])
def test_a_refill_is_counted_in_whole_minutes(requests: int, minutes: int) -> None:
    assert until_refilled(requests, 10) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("remaining", "views", "look", "step"),
    [(890, 0, 15, 0), (None, 0, 15, 0), (0, 0, 60, 60), (890, 90, 15, 0), (890, 500, 40, 0)],
)
def test_a_large_flexible_set_is_read_as_often_as_its_buckets_allow(
    remaining: int | None, views: int, look: int, step: int
) -> None:
    listed = VmList((), 10, remaining, refill=300, views=views)
    assert until_next_look(timedelta(seconds=15), listed) == timedelta(seconds=look)
    assert before_next_step(listed) == timedelta(seconds=step)
    assert before_another_look(timedelta(seconds=15), VmList((), 10, 890, refill=300)) == timedelta(0)


def test_an_end_is_for_ever() -> None:
    ends = {status for status in Status if status.ended}
    assert ends == {Status.FINISHED, Status.FAILED, Status.STOPPED, Status.ROLLED_BACK}
    assert not any(may_follow(end, status) for end in ends for status in Status if status is not end)


def test_every_status_leads_to_an_end() -> None:
    reached = {status for status in Status if status.ended}
    for _ in Status:
        reached |= {status for status in Status if TRANSITIONS[status] & reached}
    assert reached == set(Status)
