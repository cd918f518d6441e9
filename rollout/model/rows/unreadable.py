"""Rows that this release cannot read: releases land, and are taken back, while rows stay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

#: What is said of such a row in the place of its value. Only a newer release, or a hand, writes one.
WRITTEN_BY_NEWER_RELEASE = "writtenByNewerRelease"


@dataclass(frozen=True)
class UnreadableRow:
    """A row in the place of its value. ``id`` is that of what the row is about, as far as the row tells."""

    id: str
    message: str


def readable(rows: Iterable[T | UnreadableRow]) -> list[T]:
    """The rows that can be read."""
    return [row for row in rows if not isinstance(row, UnreadableRow)]


def unreadable(rows: Iterable[object]) -> list[UnreadableRow]:
    """The rows that cannot be read."""
    return [row for row in rows if isinstance(row, UnreadableRow)]
