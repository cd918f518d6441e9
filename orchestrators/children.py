"""The ids of a recipe's children. No generation begins two under one id, whatever its recipe does."""

from __future__ import annotations

from collections import Counter
from weakref import WeakKeyDictionary

#: What each generation has begun. The SDK makes a context anew whenever it replays one, and so the count begins anew.
_BEGUN: WeakKeyDictionary[object, Counter[str]] = WeakKeyDictionary()


def own_id(context: object, name: str) -> str:
    """The id for a child of this ``name``: the name itself, and where it is begun again a numbered one.

    Durable Functions would silently put a second child in the place of the first, or never tell the parent of its end.
    """
    begun = _BEGUN.setdefault(context, Counter())
    begun[name] += 1
    return name if begun[name] == 1 else f"{name}-{begun[name]}"
