"""Where words go: progress, the record, and what only a pipeline reads. A reader that went away changes nothing."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from typing import Any, TextIO

from teal_cli.options import Form
from teal_cli.show.plain import plain_json


class Output:
    """Both streams of the command. Each line is flushed, and one that nobody takes is let go.

    Progress is on stderr. Azure Pipelines may count stderr as a failure of the task (``failOnStandardError``), so
    there it is on stdout, unless that is for JSON.
    """

    def __init__(self, form: Form, environment: Mapping[str, str] = os.environ) -> None:
        self.form = form
        azure = bool(environment.get("TF_BUILD"))
        self.words = sys.stdout if azure and form is Form.TEXT else sys.stderr
        self._lock = threading.Lock()
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")

    @property
    def unicode(self) -> bool:
        """Whether the words' stream takes more than ASCII."""
        return (self.words.encoding or "ascii").lower().replace("-", "") in ("utf8", "utf16", "utf32")

    def say(self, line: str) -> None:
        """One line for who looks on; it has been made plain where it holds words from outside."""
        self._write(self.words, line if self.unicode else _ascii(line))

    def result(self, line: str) -> None:
        """One line of what was asked for."""
        self._write(sys.stdout, line if _is_utf8(sys.stdout) else _ascii(line))

    def record(self, value: Any) -> None:
        """The one JSON document on stdout; of ``jsonl`` one line."""
        self._write(sys.stdout, plain_json(value, None if self.form is Form.JSONL else 2))

    def command(self, line: str) -> None:
        """A line for the pipeline's agent, which reads both streams: never on a stdout that is for JSON."""
        self._write(sys.stdout if self.form is Form.TEXT else sys.stderr, line)

    def _write(self, stream: TextIO, line: str) -> None:
        with self._lock:
            try:
                stream.write(line + "\n")
                stream.flush()
            except (OSError, ValueError):
                _let_go(stream)


def _let_go(stream: TextIO) -> None:
    """Nobody reads it any more: what is still written goes nowhere, and the interpreter's last flush does not fail."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        pass


def _is_utf8(stream: TextIO) -> bool:
    return (stream.encoding or "ascii").lower().replace("-", "") == "utf8"


_SIGNS = str.maketrans({"…": "...", "→": "->", "·": "|", "–": "-", "—": "-", "’": "'", "█": "#", "░": "."})


def _ascii(line: str) -> str:
    return line.translate(_SIGNS).encode("ascii", "backslashreplace").decode()
