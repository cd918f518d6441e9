"""Holds that outlive their deployment and become another's: whose history tells their end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from rollout.holds.holds import conflicts, held_kinds, label_of
from rollout.model.codec import Json
from rollout.model.rows.holds import Hold, HoldKind, ProcessHold


@dataclass(frozen=True)
class GivenBack:
    """What of that which ``left_by`` left held has come back: in words, and as its event has it."""

    left_by: str
    words: str
    data: Json


def taken_over(journal: Hold) -> tuple[ProcessHold, ...]:
    """What the journal of an earlier deployment still holds, with that one among those that left it so."""
    left_by = journal.deployment_id
    return tuple(item if item.restored else replace(item, left_by=(*item.left_by, left_by)) for item in journal.items)


def given_back(items: Iterable[ProcessHold], by: str) -> Iterator[GivenBack]:
    """What each earlier deployment is told of what ``by`` has brought back, or found to be somebody else's."""
    back = [item for item in items if item.restored]
    for left_by in dict.fromkeys(one for item in back for one in item.left_by):
        own = [item for item in back if left_by in item.left_by]
        restored, theirs = held_kinds(item for item in own if not item.conflict), conflicts(own)
        if restored or theirs:
            said = restored_words(restored, theirs)
            yield GivenBack(left_by, f"{said}, by {by}", {"restored": restored, "conflicts": theirs, "by": by})


def told(items: Iterable[ProcessHold]) -> tuple[ProcessHold, ...]:
    """The items, of which nobody is to be told again what has come back."""
    return tuple(replace(item, left_by=()) if item.restored else item for item in items)


def restored_words(kinds: Iterable[str], theirs: Iterable[str]) -> str:
    """``Restored: autoscale, automatic repairs``."""
    labels = named(kinds)
    return "; ".join([f"Restored: {labels}" if labels else "Nothing restored", *theirs])


def named(kinds: Iterable[str]) -> str:
    """The kinds as people call them."""
    return ", ".join(label_of(HoldKind(kind)) for kind in kinds)
