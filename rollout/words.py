"""English for numbers, and texts from outside that are made harmless."""

from __future__ import annotations

import re

#: Control characters, line ends, halves of characters, and what changes the direction of writing.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def plain(text: str) -> str:
    r"""The text on one line, with nothing in it that steers a terminal: such characters are shown by their codes.

    >>> plain("fine\n2026-11-23 Deployment web is finished \x1b[2K \u202e")
    'fine\\n2026-11-23 Deployment web is finished \\x1b[2K \\u202e'
    """
    return _STEERING.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def counted(number: int, noun: str) -> str:
    """
    >>> counted(1, "blue VM"), counted(2, "batch")
    ('1 blue VM', '2 batches')
    """
    plural = "es" if noun.endswith(("ch", "sh", "s")) else "s"
    return f"{number} {noun}" + ("" if number == 1 else plural)
