"""The page as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from local.rehearsal.outcome import Rehearsal, Run
from local.rehearsal.words import ASSUMED, finding, headings, remarks, rows

WIDTH = 110
_LABEL, _COLUMN = 24, 28


def text_page(rehearsals: Sequence[Rehearsal], source: str) -> str:
    """Everything about each set, one after the other."""
    lines = [line for rehearsal in rehearsals for line in _set(rehearsal, source)]
    return "\n".join([*lines, *_wrapped(ASSUMED, "")])


def _set(rehearsal: Rehearsal, source: str) -> Iterator[str]:
    title = f"{rehearsal.name}, rehearsed from {source}"
    yield from (title, "=" * len(title))
    yield from _wrapped(rehearsal.facts, "")
    yield ""
    yield from _wrapped(rehearsal.verdict, "")
    yield ""
    for found in rehearsal.findings:
        severity, what, remedy = finding(found)
        yield from _wrapped(f"{severity:<8} {what}", " " * 9)
        if remedy:
            yield from _wrapped(f"{'':<8} -> {remedy}", " " * 12)
    if not rehearsal.findings:
        yield "Nothing speaks against a deployment."
    yield ""
    if rehearsal.runs:
        yield from _table(rehearsal.runs)
        yield ""
    for remark in remarks(rehearsal):
        yield from _wrapped(f"* {remark}", "  ")
    yield ""


def _table(runs: Sequence[Run]) -> Iterator[str]:
    for label, cells in (("", headings(runs)), *rows(runs)):
        wrapped = [textwrap.wrap(cell, _COLUMN - 2) or [""] for cell in cells]
        for number in range(max(len(cell) for cell in wrapped)):
            parts = [cell[number] if number < len(cell) else "" for cell in wrapped]
            begin = label if number == 0 else ""
            yield f"{begin:<{_LABEL}}" + "".join(f"{part:<{_COLUMN}}" for part in parts).rstrip()


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [""]
