"""Values become columns that Table Storage takes, and come back."""

from __future__ import annotations

import dataclasses
import types
import typing
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.tables.columns import from_columns, to_columns
from rollout.model.group import Group
from rollout.model.rows.deployment import Batch, Deployment, Event, Intent, VmRecord
from rollout.model.rows.lock import Lock

ROW_KINDS = [Group, Deployment, Batch, VmRecord, Event, Intent, Lock]


@dataclass(frozen=True)
class Note:
    text: str
    size: int = 0
    share: float = 0.5
    loud: bool = False
    other: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    words: tuple[str, ...] = ()


def test_a_scalar_is_a_column_and_a_nested_field_is_json_text() -> None:
    note = Note("née", 7, words=("a", "ö"), data={"b": [1]})
    assert to_columns(note) == {
        "text": "née",
        "size": 7,
        "share": 0.5,
        "loud": False,
        "data_json": '{"b":[1]}',
        "words_json": '["a","ö"]',
    }


TEXTS = st.one_of(st.text(), st.text(min_size=1, max_size=3).map(lambda text: text * 20_000))


@given(text=TEXTS, word=TEXTS, size=st.integers(), loud=st.booleans(), other=st.none() | st.text())
def test_any_value_comes_back_from_columns_that_are_small_enough(
    text: str, word: str, size: int, loud: bool, other: str | None
) -> None:
    note = Note(text, size, 1.5, loud, other, {"text": text}, (word, text))
    columns = to_columns(note)
    assert from_columns(Note, columns) == note
    texts = [value for value in columns.values() if isinstance(value, str)]
    assert max(len(text.encode("utf-16-le")) for text in texts) <= 65_536


def test_unknown_columns_are_ignored_and_missing_ones_are_defaulted() -> None:
    assert from_columns(Note, {"text": "a", "colour": "mauve", "rings_json": "not JSON", "size_2": "b"}) == Note("a")


def test_a_row_without_a_field_that_has_no_default_is_an_error_that_names_it() -> None:
    with pytest.raises(ValueError, match="Note needs text"):
        from_columns(Note, {"size": 1})


@pytest.mark.parametrize("kind", ROW_KINDS)
def test_none_is_the_default_of_every_field_that_may_be_none_since_it_is_stored_as_no_column(kind: type[Any]) -> None:
    hints = typing.get_type_hints(kind)
    optional = [f for f in dataclasses.fields(kind) if isinstance(hints[f.name], types.UnionType)]
    # Of one without a default the codec makes None, too.
    assert [f.name for f in optional if f.default not in (None, dataclasses.MISSING)] == []


@pytest.mark.parametrize("kind", ROW_KINDS)
def test_no_field_has_the_name_of_a_key(kind: type[Any]) -> None:
    assert {f.name for f in dataclasses.fields(kind)}.isdisjoint({"partition_key", "row_key", "timestamp"})
