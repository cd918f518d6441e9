"""Keys that Table Storage takes, in the order in which people want the rows."""

from __future__ import annotations

import doctest
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout.model.group import SignalType
from rollout.model.names import deployment_id
from rollout.model.rows.deployment import IntentKind
from rollout.model.status import Color
from rollout.ports import keys
from rollout.ports.keys import (
    Key,
    KeyRange,
    batch_row,
    deployment_key,
    encode_key,
    event_row,
    events_after,
    evidence_key,
    group_key,
    intent_row,
    lock_key,
    rows_of_batch,
    signal_key,
    signals_of,
    vm_row,
)

TIMES = st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0))
BATCHES = st.integers(0, 99_999)


def within(row: str, rows: KeyRange) -> bool:
    return rows.start <= row < rows.end


def test_the_examples_in_the_documentation_are_right() -> None:
    assert doctest.testmod(keys) == (0, 2)


@given(st.text())
def test_a_key_has_no_character_that_azure_refuses(text: str) -> None:
    assert re.search(r"[/\\#?%\x00-\x1f\x7f-\x9f]", encode_key(text)) is None


@given(st.text())
def test_every_text_can_be_read_off_its_key(text: str) -> None:
    decoded = re.sub("=([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), encode_key(text))
    assert decoded == text


@given(TIMES, TIMES)
def test_of_two_deployments_the_newer_comes_first(one: datetime, other: datetime) -> None:
    first, second = (deployment_key(deployment_id("web", at, "1a2b3c")) for at in (one, other))
    assert first is not None
    assert second is not None
    assert (first.row < second.row) == (one > other)
    assert (first == second) == (one == other)


def test_deployments_of_one_second_have_keys_of_their_own() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    assert deployment_key(deployment_id("web", at, "000001")) != deployment_key(deployment_id("web", at, "000002"))


@pytest.mark.parametrize("group_id", ["web", "web-2", "a-20261123-b", "0"])
def test_a_deployments_partition_is_its_group(group_id: str) -> None:
    key = deployment_key(deployment_id(group_id, datetime(2026, 11, 23, tzinfo=UTC), "1a2b3c"))
    assert key is not None
    assert key.partition == group_id


@pytest.mark.parametrize("text", ["", "web", "web-20261123T081500Z", "web-20261123T081500Z-1A2B3C", "web-1a2b3c"])
def test_what_is_no_deployments_id_has_no_key(text: str) -> None:
    assert deployment_key(text) is None


@given(st.lists(st.tuples(BATCHES, st.sampled_from(list(Color)))))
def test_vms_are_ordered_by_batch_and_blue_before_green(parts: list[tuple[int, Color]]) -> None:
    rows = {vm_row(batch, color, "id"): (batch, color.value) for batch, color in parts}
    assert [rows[row] for row in sorted(rows)] == sorted(rows.values())


@given(BATCHES, BATCHES, st.sampled_from(list(Color)), st.text(), st.sampled_from(list(IntentKind)))
def test_the_rows_of_a_batch_are_its_own_and_all_of_them(
    batch: int, other: int, color: Color, vm_id: str, kind: IntentKind
) -> None:
    assert within(vm_row(batch, color, vm_id), rows_of_batch(other)) == (batch == other)
    assert within(intent_row(batch, kind, 1), rows_of_batch(other)) == (batch == other)


@given(st.integers(1, 10**10 - 1), st.integers())
def test_events_after_a_number_are_those_with_a_higher_one(sequence: int, after: int) -> None:
    assert within(event_row(sequence), events_after(after)) == (sequence > after)


@given(BATCHES, BATCHES)
def test_batches_are_ordered_by_number(one: int, other: int) -> None:
    assert (batch_row(one) < batch_row(other)) == (one < other)


@given(BATCHES, BATCHES)
def test_intents_of_a_kind_are_ordered_by_number(one: int, other: int) -> None:
    rows = [intent_row(1, IntentKind.DELETE, number) for number in (one, other)]
    assert (rows[0] < rows[1]) == (one < other)


@pytest.mark.parametrize("number", [-1, 100_000])
def test_a_number_that_would_break_the_order_is_an_error(number: int) -> None:
    with pytest.raises(ValueError, match=f"{number} does not fit"):
        batch_row(number)


def test_the_case_of_resource_ids_and_vm_ids_makes_no_difference() -> None:
    assert lock_key("/Subscriptions/S/Sets/Web") == lock_key("/subscriptions/s/sets/web")
    assert vm_row(1, Color.BLUE, "ABC") == vm_row(1, Color.BLUE, "abc")
    assert evidence_key("web-1", "ABC") == evidence_key("web-1", "abc") == Key("web-1", "abc")
    assert signal_key("/S/Web", "ABC", SignalType.VM_READY) == signal_key("/s/web", "abc", SignalType.VM_READY)


def test_a_signal_is_found_in_the_partition_of_its_scale_set() -> None:
    key = signal_key("/sets/web", "abc", SignalType.VM_READY)
    assert key == Key(signals_of("/sets/web"), "abc-vmReady")
    assert signals_of("/sets/web") == "=2Fsets=2Fweb"


def test_a_group_is_found_in_the_partition_of_all_groups() -> None:
    assert group_key("web") == Key("groups", "web")
