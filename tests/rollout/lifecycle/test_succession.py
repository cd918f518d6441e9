"""What a deployment begins with, what it takes over, whom it waits for, and what it may go on from."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rollout.lifecycle.succession import (
    DeploymentStart,
    came_after,
    cannot_retry,
    first_row,
    inherit,
    latest_first,
    lost,
    queued_row,
    took_part,
)
from rollout.model.azure.scale_set import ImageReference
from rollout.model.group import Group
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Image
from rollout.model.status import Status

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
GROUP = Group("web-2", "/Set")
NEW, GOOD = ImageReference(id="new"), ImageReference(id="good")
START = DeploymentStart("web-2-x", GROUP, Parameters("1.2.0", retry_of="web-2-w"), NEW, NOW, "ann")


def previous_run(settled: bool) -> Deployment:
    return Deployment(
        "web-1",
        "web-2",
        "/set",
        Parameters("1.1.0"),
        Image("1.1.0", ImageReference(id="bad"), GOOD),
        NOW,
        status=Status.IN_PROGRESS,
        target_size=10,
        settled=settled,
    )


def row(number: int, **fields: Any) -> Deployment:
    at = NOW + timedelta(seconds=number)
    return replace(previous_run(True), **{"id": f"web-{number}", "created_at": at, **fields})


def test_a_deployment_inherits_what_an_unsettled_one_left() -> None:
    inheriting = inherit(first_row(START, 7), previous_run(settled=False))
    assert (inheriting.target_size, inheriting.image, inheriting.settled, inheriting.epoch) == (
        10,
        Image("1.2.0", NEW, GOOD),
        False,
        7,
    )
    assert (inheriting.retry_of, inheriting.started_by, inheriting.status) == ("web-2-w", "ann", Status.PENDING)


@pytest.mark.parametrize("predecessor", [None, previous_run(settled=True)])
def test_nothing_is_inherited_from_a_settled_one(predecessor: Deployment | None) -> None:
    assert inherit(first_row(START, 7), predecessor) == first_row(START, 7)
    # Found out anew, it replaces what was found out before.
    assert inherit(inherit(first_row(START, 7), previous_run(settled=False)), predecessor) == first_row(START, 7)


def test_a_queued_deployment_says_whom_it_waits_for_and_has_no_epoch() -> None:
    queued = queued_row(START, "web-1")
    assert (queued.status, queued.epoch, queued.queued_at) == (Status.QUEUED, 0, NOW)
    assert queued.reason == "Waiting for deployment web-1"
    assert queued_row(START, "").reason == "Waiting for the scale set"


def test_a_lost_deployment_gets_its_end_once() -> None:
    ended = lost(previous_run(settled=False), NOW)
    assert (ended.status, ended.settled) == (Status.FAILED, False)
    assert ended.error is not None
    assert ended.error.code == "orchestratorLost"
    assert lost(ended, NOW + timedelta(1)) == ended


def test_who_never_had_the_lock_took_no_part() -> None:
    assert took_part(previous_run(True), "/SET")
    assert not took_part(previous_run(True), "/other")
    assert not took_part(queued_row(START, "web-1"), "/set")
    assert not took_part(replace(queued_row(START, "web-1"), status=Status.STOPPED), "/set")


FAILED = row(1, status=Status.FAILED)


@pytest.mark.parametrize(
    ("found", "later", "words"),
    [
        (None, None, "has no deployment"),
        (replace(FAILED, group_id="api"), None, "has no deployment"),
        (row(1), None, "is inProgress"),
        (row(1, status=Status.FINISHED), None, "has finished"),
        (FAILED, row(2, status=Status.STOPPED), "web-2 came after"),
        (FAILED, None, ""),
        (row(1, status=Status.STOPPED), None, ""),
        (row(1, status=Status.ROLLED_BACK), None, ""),
    ],
)
def test_what_can_be_retried(found: Deployment | None, later: Deployment | None, words: str) -> None:
    reason = cannot_retry(found, "web-1", GROUP, later)
    assert (words in reason) if words else reason == ""


@pytest.mark.parametrize(
    ("other", "came"),
    [
        (row(2, status=Status.STOPPED), True),
        (row(2, status=Status.FINISHED), True),
        (row(2), False),
        (row(2, status=Status.STOPPED, epoch=0), False),
        (row(0, status=Status.FAILED), False),
        (FAILED, False),
    ],
)
def test_only_one_that_had_the_set_later_and_has_ended_came_after(other: Deployment, came: bool) -> None:
    assert came_after(other, FAILED) is came


def test_the_last_one_that_took_the_lock_is_followed_whenever_it_was_asked_for() -> None:
    waited, asked_later, twin = row(1, epoch=7), row(2, epoch=6), row(3, epoch=7)
    assert [one.id for one in latest_first([asked_later, waited, twin], "web-1")] == ["web-1", "web-3", "web-2"]
