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


def batch_named(number: int, of: int) -> str:
    """What is said of a batch begins so. How many there are is not always known.

    >>> batch_named(2, 5), batch_named(1, 0)
    ('Batch 2 of 5: ', 'Batch 1: ')
    """
    return f"Batch {number} of {of}: " if number <= of else f"Batch {number}: "


def by_image(words: str, coming: str, going: str) -> str:
    """The words with images for colours, where the VMs that come are those of the image before.

    >>> by_image("waiting for 1 of 2 green VMs to become healthy", "1.0.0", "1.1.0")
    'waiting for 1 of 2 VMs of 1.0.0 to become healthy'
    >>> by_image("1 blue VM kept in service, because green ones were not healthy", "1.0.0", "1.1.0")
    '1 VM of 1.1.0 kept in service, because those of 1.0.0 were not healthy'
    """
    images = {"green": coming, "blue": going}
    words = re.sub(r"\b(green|blue) (VMs?)\b", lambda match: f"{match[2]} of {images[match[1]]}", words)
    return re.sub(r"\b(green|blue) ones\b", lambda match: f"those of {images[match[1]]}", words)
