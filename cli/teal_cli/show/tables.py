"""Columns for people. The last one may be as long as it is: nothing is wrapped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Lines of columns, each as wide as its longest text but the last."""
    shown = [list(head), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in shown) for column in range(len(head) - 1)]
    return [
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in shown
    ]


def _cell(value: object) -> str:
    return "" if value is None else str(value)
