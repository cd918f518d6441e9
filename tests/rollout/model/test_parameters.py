"""Every parameter: the request's, else those of the deployment that is retried, else the group's, else Teal's."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.model.choices import Canary, HealthCheckType, OnConflict, OnFailure, VmPolicy
from rollout.model.group import Defaults, Group, SignalRule, SignalType
from rollout.model.parameters import Parameters, fill
from rollout.model.request import StartRequest
from rollout.model.rows.commands import Action

STATE = (HealthCheckType.VM_STATE,)
BY_SICK: dict[str, Any] = {"health_check_types": STATE, "batch_min_healthy_percentage": None, "min_health": 30}
GROUP = Group("web-2", "/set", health_check_types=STATE)
FULL = Defaults(
    batch_size=4,
    grace_period=timedelta(seconds=240),
    batch_min_healthy_percentage=70,
    canary=Canary(1),
    approvals="everyBatch",
    bake_time=timedelta(seconds=5),
    wait_timeout=timedelta(seconds=90),
    action_on_timeout=Action.APPROVE,
    on_failure=OnFailure.KEEP,
    keep_for=timedelta(seconds=7),
    protected_vms=VmPolicy.SKIP,
    stopped_vms=VmPolicy.SKIP,
    attached_vms=VmPolicy.REPLACE,
)


def test_teal_s_defaults_are_filled_in() -> None:
    assert fill(StartRequest("1.1.0"), GROUP) == Parameters("1.1.0", health_check_types=(HealthCheckType.VM_STATE,))
    assert fill(StartRequest(), GROUP).image is None


def test_the_group_s_defaults_come_before_teal_s_and_the_request_before_both() -> None:
    group = Group("web", "/set", draining_timeout=timedelta(0), defaults=Defaults(batch_size_percentage=50))
    filled = fill(StartRequest("1.1.0", grace_period=timedelta(seconds=300)), group)
    assert (filled.batch_size_percentage, filled.grace_period.seconds, filled.draining_timeout) == (
        50,
        300,
        timedelta(0),
    )
    assert fill(StartRequest("1.1.0", batch_size_percentage=10), group).batch_size_percentage == 10
    assert fill(StartRequest("1.1.0", health_check_types=()), group).health_check_types == ()


def test_every_default_of_a_group_is_filled_in() -> None:
    filled = fill(StartRequest("1.1.0"), replace(GROUP, defaults=FULL))
    for field in fields(Defaults):
        if field.name != "batch_size_percentage":
            assert getattr(filled, field.name) == getattr(FULL, field.name), field.name
    assert filled.allocation_timeout == FULL.grace_period


@pytest.mark.parametrize(
    ("asked", "defaults", "expected"),
    [
        (StartRequest(), Defaults(), (20, None)),
        (StartRequest(batch_size=3), Defaults(), (20, 3)),
        (StartRequest(batch_size=3), Defaults(batch_size_percentage=50), (20, 3)),
        (StartRequest(batch_size_percentage=30), Defaults(batch_size=5), (30, None)),
        (StartRequest(), Defaults(batch_size=5), (20, 5)),
    ],
)
def test_a_count_and_a_percentage_take_each_other_back(
    asked: StartRequest, defaults: Defaults, expected: tuple[int, int | None]
) -> None:
    filled = fill(asked, replace(GROUP, defaults=defaults))
    assert (filled.batch_size_percentage, filled.batch_size) == expected


@pytest.mark.parametrize(
    ("asked", "retried", "expected"),
    [
        (StartRequest(), None, (50, None)),
        (StartRequest(min_health=40), None, (None, 40)),
        (
            StartRequest(),
            Parameters("1", **BY_SICK),
            (None, 30),
        ),
        (
            StartRequest(batch_min_healthy_percentage=80),
            Parameters("1", **BY_SICK),
            (80, None),
        ),
        (StartRequest(min_health=10), Parameters("1", health_check_types=STATE), (None, 10)),
        (StartRequest(), Parameters("1"), (None, None)),
        (StartRequest(health_check_types=()), None, (None, None)),
    ],
)
def test_there_is_one_threshold(
    asked: StartRequest, retried: Parameters | None, expected: tuple[int | None, int | None]
) -> None:
    filled = fill(asked, GROUP, retried)
    assert (filled.batch_min_healthy_percentage, filled.min_health) == expected


@pytest.mark.parametrize(
    ("approvals", "expected"),
    [("afterCanary", ("afterCanary", ())), ((2, 4), ("batches", (2, 4))), (None, ("none", ()))],
)
def test_approvals_are_a_word_or_numbers(
    approvals: str | tuple[int, ...] | None, expected: tuple[str, tuple[int, ...]]
) -> None:
    filled = fill(StartRequest("1", approvals=approvals), GROUP)
    assert (filled.approvals, filled.approval_batches) == expected
    again = fill(StartRequest(), GROUP, filled)
    assert (again.approvals, again.approval_batches) == expected
    other = fill(StartRequest(approvals="none"), GROUP, filled)
    assert (other.approvals, other.approval_batches) == ("none", ())


def test_a_retry_takes_all_over_but_what_was_said_of_one_start() -> None:
    said = Parameters(
        "latest",
        batch_size=3,
        on_conflict=OnConflict.SUPERSEDE,
        force=True,
        adjust=True,
        comment="first",
        retry_of="web-1",
        grace_period=timedelta(seconds=333),
        allocation_timeout=timedelta(seconds=444),
        health_check_types=STATE,
        signals=(SignalRule(SignalType.VM_READY),),
    )
    filled = fill(StartRequest(retry_of="web-2"), GROUP, said, "/pinned")
    assert filled == replace(
        said, image="/pinned", on_conflict=OnConflict.REJECT, force=False, comment="", retry_of="web-2", signals=()
    )
    assert fill(StartRequest("1.2.0", retry_of="web-2"), GROUP, said, "/pinned").image == "1.2.0"


@given(
    percentage=st.none() | st.integers(1, 100),
    size=st.none() | st.integers(1, 1000),
    minimum=st.none() | st.integers(1, 100),
)
def test_a_retry_of_a_retry_says_the_same(percentage: int | None, size: int | None, minimum: int | None) -> None:
    asked = StartRequest(
        "1", batch_size_percentage=percentage, batch_size=None if percentage else size, min_health=minimum
    )
    first = fill(asked, replace(GROUP, defaults=FULL))
    second = fill(StartRequest(), replace(GROUP, defaults=FULL), first, "1")
    assert second == fill(StartRequest(), GROUP, second, "1") == first
