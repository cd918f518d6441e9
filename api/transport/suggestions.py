"""Guesses at what somebody meant by a name that is not known."""

from __future__ import annotations

from collections.abc import Sequence

#: A longer name is no misspelt one.
_LENGTH_MAX = 60


def suggestion(name: str, known: Sequence[str]) -> str:
    """The nearest known name, else all of them.

    >>> suggestion("dryrun", ["dryRun"])
    'did you mean dryRun?'
    >>> suggestion("x", [])
    'none is known'
    """
    # Loaded only for who has misspelt something: a cold start need not wait for it.
    from difflib import get_close_matches

    # The name's case is what is got wrong most often, and difflib minds it; hyphens and underscores come next.
    folded = {_folded(one): one for one in known}
    near = get_close_matches(_folded(name[:_LENGTH_MAX]), folded, n=1)
    if near:
        return f"did you mean {folded[near[0]]}?"
    return f"known are {', '.join(known)}" if known else "none is known"


def _folded(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
