"""The one exception by which a command ends early: an exit code, and why."""

from __future__ import annotations

from collections.abc import Sequence

from teal_cli.exits import Exit


class Ended(Exception):
    """The end of a command before its work is done. ``lines`` say why and what to do; they hold no secret."""

    def __init__(self, code: Exit, *lines: str, error: str = "", target: str = "") -> None:
        super().__init__(lines[0] if lines else code.name)
        self.code = code
        self.lines: Sequence[str] = lines
        #: The API's code, where the API refused.
        self.error = error
        #: The deployment or field that the API named.
        self.target = target
