"""Text from outside gives no commands, to a terminal or to a pipeline."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teal_cli.show.plain import markdown, plain, plain_json

ATTACKS = (
    "##vso[task.setvariable variable=x]y",
    "fine ##vso[task.complete result=Succeeded]",
    "##VSO[task.setvariable variable=x]y",
    "##[error]x",
    "###[error]x",
    "::error::x",
    "  ::set-output name=x::y",
    "fine\n::error::x",
    "fine\r\n::add-mask::x",
    "fine\u2028::error::x",
    "\x1b]0;title\x07",
    "\x1b[2J",
    "\u202ereversed",
)


def obeyed(text: str) -> bool:
    """Whether a runner or an agent would obey any line of it: actions/runner ActionCommand.cs, agent Command.cs."""
    lines = re.split(r"[\r\n\u2028\u2029\x85]", text)
    return any(line.lstrip().startswith("::") or re.search(r"##(vso)?\[", line, re.IGNORECASE) for line in lines)


@pytest.mark.parametrize("attack", ATTACKS)
def test_nobody_obeys_what_is_printed(attack: str) -> None:
    assert not obeyed(plain(attack))
    assert not obeyed(markdown(attack))
    assert not obeyed(plain_json({"comment": attack}))
    assert plain(attack).isprintable()


@given(st.text(alphabet=st.sampled_from("#:[]vso \n\r\tx")))
def test_nobody_obeys_any_mixture(text: str) -> None:
    assert not obeyed(plain(text))
    assert not obeyed(plain_json([text], None))


@given(st.text())
def test_json_says_the_same(text: str) -> None:
    assert json.loads(plain_json({"a": text})) == {"a": text}
    assert plain_json(text).isascii()


def test_ordinary_words_stay_as_they_are() -> None:
    words = "Batch 2 of 5: 1.0.0 → 1.1.0 # 3, see a::b, C#[1], 100 %"
    assert plain(words) == words
