"""How many writes of VMs may be under way at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.vm_writes import MOST_AT_ONCE, VmWrites

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "taken", "refused", "after"),
    [
        (VmWrites(), 100, False, VmWrites()),
        (VmWrites(), 3, True, VmWrites(1, 0, True)),
        (VmWrites(1, 0, True), 9, False, VmWrites(1, 9, True)),
        (VmWrites(1, 9, True), 1, False, VmWrites(2, 0, True)),
        (VmWrites(2, 4, True), 16, False, VmWrites(8, 0, True)),
        (VmWrites(64, 0, True), 10, False, VmWrites(100, 0, True)),
        (VmWrites(8, 7, True), 2, True, VmWrites(4, 0, True)),
        (VmWrites(1, 7, True), 0, True, VmWrites(1, 0, True)),
    ],
)
def test_pace_follows_what_azure_takes(before: VmWrites, taken: int, refused: bool, after: VmWrites) -> None:
    assert before.sent(taken, refused=refused) == after


@given(st.lists(st.tuples(st.integers(0, 100), st.booleans())))
def test_pace_never_stands_still_and_never_runs_away(answers: list[tuple[int, bool]]) -> None:
    writes = VmWrites()
    for taken, refused in answers:
        writes = writes.sent(taken, refused=refused)
        assert 1 <= writes.at_once <= MOST_AT_ONCE
        assert writes.room(0) >= 1
        assert writes.room(writes.at_once) == 0


def test_progress_is_fewer_vms_at_a_look() -> None:
    first = VmWrites().looked(5, NOON)
    assert (first.left, first.moved_at) == (5, None)
    assert first.looked(5, NOON + timedelta(minutes=1)).moved_at is None
    later = NOON + timedelta(minutes=2)
    assert first.looked(4, later).moved_at == later
