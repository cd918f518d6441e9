"""English for numbers."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """
    >>> counted(1, "blue VM"), counted(2, "batch")
    ('1 blue VM', '2 batches')
    """
    plural = "es" if noun.endswith(("ch", "sh", "s")) else "s"
    return f"{number} {noun}" + ("" if number == 1 else plural)
