"""Looks dealt out to parts: each VM is in one, none is too many, and Azure's pace is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.model.order import Order, PartOrder
from rollout.model.rows.deployment import VmRecord
from rollout.model.rows.health_part import HealthPart, VmHealthWord
from rollout.model.status import Color, VmStatus
from rollout.steps.parts import (
    MOST_PARTS,
    ROUND_MAX,
    VIEWS_AT_ONCE,
    VIEWS_PER_SECOND,
    health_parts,
    numbers_of,
    part_of,
    part_size,
    words_of,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ORDER = Order("d", "/scale/set", 1, 1, START, START, 15 * SECOND)


def vms(ids: Sequence[int]) -> list[VmRecord]:
    return [VmRecord(f"vm-{number:04}", f"web_{number}", Color.GREEN, 1, VmStatus.RUNNING) for number in ids]


@given(st.permutations(range(30)), st.integers(1, 40), st.sets(st.integers(0, 29)))
def test_the_parts_hold_each_wanted_vm_once_in_whatever_order_the_rows_come(
    ids: Sequence[int], size: int, wanted: set[int]
) -> None:
    records = vms(ids)
    names = {f"vm-{number:04}" for number in wanted}
    parts = [part_of(records, PartOrder(number, size)) for number in numbers_of(records, names, size)]
    read = [record.vm_id for part in parts for record in part]
    assert len(read) == len(set(read))
    assert names <= set(read)
    assert all(0 < len(part) <= size and names & {record.vm_id for record in part} for part in parts)


def test_part_of_vms_that_are_gone_since_is_empty() -> None:
    assert part_of(vms(range(3)), PartOrder(2, 2)) == []


@given(st.integers(0, 1000), st.integers(1, 1000))
def test_no_look_has_more_parts_than_a_history_holds_or_views_than_the_bucket(count: int, asked_for: int) -> None:
    size = part_size(count, asked_for)
    assert size >= asked_for
    assert -(-count // size) <= MOST_PARTS
    parts = health_parts("read", tuple(range(-(-count // size))), size)
    together = parts.together * parts.size
    assert parts.together == 1 or together <= VIEWS_AT_ONCE
    assert parts.pause >= timedelta(seconds=size / VIEWS_PER_SECOND)


@pytest.mark.parametrize(
    ("read", "asked", "counts"),
    [
        (0, None, False),
        (0, 0, True),
        (30, 0, True),
        (0, 1, False),
        (-1, 0, False),
        (100 - ROUND_MAX / SECOND, -100, True),
        (99 - ROUND_MAX / SECOND, -100, False),
    ],
)
def test_only_what_was_read_since_the_round_began_and_lately_counts(
    read: float, asked: float | None, counts: bool
) -> None:
    """The look is at second 100."""
    part = HealthPart(1, 0, START + read * SECOND, (VmHealthWord("a", "healthy"), VmHealthWord("b")))
    began = None if asked is None else START + asked * SECOND
    order = replace(ORDER, at=START + 100 * SECOND, asked=began)
    assert words_of([part], order) == ({"a": "healthy", "b": None} if counts else {})
