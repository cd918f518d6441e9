"""Text from outside: comments, Azure's words, evidence. It must give no commands, to a terminal or to a pipeline.

GitHub's runner obeys ``::x::`` at the start of a line and ``##[x]`` anywhere, on both streams (actions/runner,
``ActionCommand.cs``); Azure's agent obeys ``##vso[`` anywhere (``Command.cs``).
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

#: ``##vso[``, ``##[``, and whatever an agent may learn to obey.
_HASHES = re.compile(r"##(?=\w*\[)")

#: ``::error::`` where a line begins. The runner passes over blanks before it.
_COLONS = re.compile(r"^(\s*)::", re.MULTILINE)

#: Control characters, line ends, and those that change the direction of writing.
_HIDDEN = {"Cc", "Cf", "Zl", "Zp", "Cs"}


def plain(text: str) -> str:
    """One line that gives no commands: what is hidden is shown by its code, what is a command is broken."""
    return _harmless("".join(_shown(character) for character in text))


def _harmless(text: str) -> str:
    """The same text with commands to pipelines broken: ``##vso[`` is shown as ``##_vso[``, ``::`` as ``_::``."""
    return _COLONS.sub(r"\1_::", _HASHES.sub("##_", text))


def plain_json(value: Any, indent: int | None = 2) -> str:
    """JSON in ASCII that says the same, and gives no commands: a ``#`` before ``#`` is written by its code."""
    return json.dumps(value, indent=indent, ensure_ascii=True).replace("##", "#\\u0023")


def markdown(text: str) -> str:
    """Plain text as Markdown that looks like it: no tags, links, mentions, tables or emphasis."""
    return re.sub(r"([\\`*_{}\[\]()#+!|~<>@&])", lambda found: f"&#{ord(found[0])};", plain(text))


def _shown(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN:
        return character
    number = ord(character)
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character]
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
