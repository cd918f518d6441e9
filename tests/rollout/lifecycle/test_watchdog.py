"""What becomes of deployments whose orchestration is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.lifecycle.lock import reclaimed
from rollout.lifecycle.watchdog import (
    LOST_AFTER,
    Remedy,
    Suspect,
    diagnose,
    is_gone,
    last_words,
    letting_go_run,
    may_let_go,
    restoring_run,
)
from rollout.model.azure.scale_set import ImageReference
from rollout.model.names import is_restoring, release_instance_id, restore_instance_id, wait_instance_id
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Image
from rollout.model.rows.holds import Hold
from rollout.model.rows.lock import Lock
from rollout.model.status import Status
from rollout.ports.durable import InstanceState

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ID = "web-20260101T000000Z-1a2b3c"
POLL = timedelta(seconds=15)
IMAGE = Image("1.1.0", ImageReference(id="new"), ImageReference(id="old"))
LIVE = [status for status in Status if not status.ended]
ENDED = [status for status in Status if status.ended]
MINE, FREE, OTHERS = (Lock("/set", owner, 4, NOW - LOST_AFTER) for owner in (ID, "", "web-2"))


def row(status: Status = Status.IN_PROGRESS) -> Deployment:
    return Deployment(ID, "web", "/Set", Parameters("1.1.0"), IMAGE, NOW, status=status, reason="Batch 1 of 2: started")


@pytest.mark.parametrize(
    ("state", "seconds", "gone"),
    [
        (InstanceState.RUNNING, 3600, False),
        (InstanceState.SUSPENDED, 3600, False),
        (InstanceState.ABSENT, 599, False),
        (InstanceState.ABSENT, 600, True),
        (InstanceState.ENDED, 599, False),
        (InstanceState.ENDED, 600, True),
    ],
)
def test_what_runs_waits_or_has_just_begun_is_not_gone(state: InstanceState, seconds: int, gone: bool) -> None:
    assert is_gone(state, NOW - timedelta(seconds=seconds), NOW) is gone


@pytest.mark.parametrize("status", LIVE)
def test_the_locks_holder_is_restored_in_every_status(status: Status) -> None:
    assert diagnose(Suspect(ID, row(status), MINE)).remedy is Remedy.RESTORE


@pytest.mark.parametrize("status", ENDED)
def test_one_that_has_ended_is_looked_after_only_while_it_holds_the_lock(status: Status) -> None:
    assert diagnose(Suspect(ID, row(status), MINE)).remedy is Remedy.RESTORE
    for lock in (FREE, OTHERS, None):
        assert diagnose(Suspect(ID, row(status), lock)).remedy is Remedy.NOTHING


CASES = [
    ("no row", None, MINE, Remedy.FREE),
    ("no row, free", None, FREE, Remedy.NOTHING),
    ("queued, free", Status.QUEUED, FREE, Remedy.WRITE_END),
    ("queued, never held", Status.QUEUED, None, Remedy.WRITE_END),
    ("queued behind another", Status.QUEUED, OTHERS, Remedy.WRITE_END),
    ("taken over", Status.IN_PROGRESS, OTHERS, Remedy.WRITE_END),
    ("freed, no end written", Status.IN_PROGRESS, FREE, Remedy.RESTORE),
    ("no lock", Status.PENDING, None, Remedy.WRITE_END),
]


@pytest.mark.parametrize(("status", "lock", "remedy"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_done_follows_from_the_row_and_the_lock(
    status: Status | None, lock: Lock | None, remedy: Remedy
) -> None:
    diagnosis = diagnose(Suspect(ID, row(status) if status else None, lock))
    assert diagnosis.remedy is remedy
    assert diagnosis.reason


def test_what_another_has_not_taken_over_yet_is_not_written_off() -> None:
    """Found by the soak: that other one failed at its plan, and nobody put anything back any more."""
    assert diagnose(Suspect(ID, row(Status.IN_PROGRESS), OTHERS, planning=True)).remedy is Remedy.NOTHING
    assert diagnose(Suspect(ID, row(Status.QUEUED), OTHERS, planning=True)).remedy is Remedy.WRITE_END


@given(
    st.sampled_from([None, *Status]),
    st.sampled_from([MINE, FREE, OTHERS, None]),
    st.lists(st.sampled_from([f"{ID}:batch-1", f"{ID}:batch-1:launch_green-e1"]), min_size=1),
)
def test_as_long_as_a_part_of_it_is_not_final_nothing_else_is_done(
    status: Status | None, lock: Lock | None, children: list[str]
) -> None:
    suspect = Suspect(ID, row(status) if status else None, lock, tuple(children))
    assert diagnose(suspect).remedy in (Remedy.END_CHILDREN, Remedy.NOTHING)
    own = f"{ID}:restore-3"
    restoring = replace(suspect, children=(own, f"{own}:restore_image-e4"))
    assert diagnose(restoring).remedy is Remedy.NOTHING


def test_only_the_orchestration_itself_counts_as_restoring() -> None:
    restore, release = restore_instance_id(ID, 3), release_instance_id(ID, 3)
    assert is_restoring(ID, restore)
    assert is_restoring(ID, release)
    for other in (
        wait_instance_id(restore, "reclaim", 0, 1, 0, 3),
        wait_instance_id(ID, "release_group", 0, 1, 0, 3),
        wait_instance_id(ID, "restore_image", 0, 1, 0, 3),
        f"{ID}:batch-3",
    ):
        assert not is_restoring(ID, other)


def test_the_run_acts_for_the_deployment_from_where_its_row_says_it_was() -> None:
    was = replace(row(), current_batch=2, number_of_batches=5, sequence=17, started_at=NOW)
    run = restoring_run(Suspect(ID, was, MINE))
    assert (run.epoch, run.batch, run.batches, run.sequence) == (4, 2, 5, 17)
    assert (run.acting, run.changed, run.steered, run.keep) == (f"{ID}:restore-4", True, False, False)


def test_the_image_comes_back_unless_it_is_not_known_or_was_dealt_with() -> None:
    unplanned = replace(row(), image=replace(IMAGE, previous=None))
    assert not restoring_run(Suspect(ID, unplanned, MINE)).changed
    assert not restoring_run(Suspect(ID, row(Status.FINISHED), MINE)).changed


def test_what_a_stop_keeps_is_kept_where_it_was_under_way() -> None:
    assert restoring_run(Suspect(ID, row(Status.STOPPING), MINE)).keep


def test_nothing_is_not_restored() -> None:
    with pytest.raises(ValueError, match="nothing to restore"):
        restoring_run(Suspect(ID, None, MINE))


@pytest.mark.parametrize(
    ("keep_until", "lock", "lets_go"),
    [
        (NOW - POLL, FREE, True),
        (NOW, FREE, True),
        (NOW + POLL, FREE, False),
        (None, FREE, False),
        (NOW, MINE, False),
        (NOW, OTHERS, False),
        (NOW, None, False),
    ],
)
def test_what_was_kept_goes_when_its_time_is_over_and_nobody_deploys(
    keep_until: datetime | None, lock: Lock | None, lets_go: bool
) -> None:
    assert may_let_go(Hold("/set", ID, (), NOW, keep_until), lock, NOW) is lets_go


def test_the_run_that_lets_go_changes_no_image() -> None:
    run = letting_go_run(Hold("/set", ID, (), NOW, NOW, discard_batch=2), FREE)
    assert (run.deployment_id, run.epoch, run.acting, run.changed) == (ID, 4, f"{ID}:release-4", False)


def test_last_words_say_where_it_was() -> None:
    assert last_words(row()).endswith("while the deployment was inProgress: Batch 1 of 2: started")
    assert last_words(None)


@given(st.sampled_from(["", ID, "web-2"]), st.integers(1, 9), st.integers(1, 9))
def test_a_lock_is_taken_back_from_itself_or_nobody_in_the_epoch_that_was_seen(
    owner: str, is_now: int, seen: int
) -> None:
    taken = reclaimed(Lock("/set", owner, is_now, NOW), ID, seen, NOW + POLL)
    if owner == "web-2" or is_now != seen:
        assert taken is None
    else:
        assert taken == Lock("/set", ID, seen + 1, NOW + POLL, last_owner=owner)
    assert reclaimed(None, ID, seen, NOW) is None
