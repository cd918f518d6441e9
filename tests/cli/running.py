"""Runs the command as users and pipelines do: a process with an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

#: Commands that look again and again, and are to do so quickly here.
_WAITS = ("deploy", "retry", "watch", "wait")


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def record(self) -> Any:
        """stdout, where it is one JSON document."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Teal:
    """The command in an environment. ``folder`` is its home, and where a pipeline's files are."""

    environment: Mapping[str, str]
    folder: Path
    program: tuple[str, ...] = (sys.executable, "-m", "teal_cli")

    def given(self, **more: str) -> Teal:
        """The same with more variables."""
        return Teal({**self.environment, **more}, self.folder, self.program)

    @property
    def variables(self) -> dict[str, str]:
        """The whole environment: nothing of the machine's own but where programs are."""
        path = os.environ["PATH"]
        own = {"PATH": path, "HOME": str(self.folder), "PYTHONPATH": str(ROOT / "cli"), "LANG": "C.UTF-8"}
        return {**own, **self.environment}

    def command(self, *arguments: str) -> list[str]:
        """What is run."""
        quick = ("--interval", "100ms") if arguments[0] in _WAITS and "--interval" not in arguments else ()
        return [*self.program, *arguments, *quick]

    def __call__(self, *arguments: str, timeout: float = 90) -> Ran:
        done = subprocess.run(
            self.command(*arguments), env=self.variables, capture_output=True, text=True, timeout=timeout, check=False
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def read(self, path: str) -> Any:
        """What the API itself says, to hold the command to."""
        with urllib.request.urlopen(f"{self.environment['TEAL_URL']}/api/{path}", timeout=30) as answer:
            return json.load(answer)

    def newest(self, group: str) -> list[Any]:
        """The group's deployments, newest first."""
        return list(self.read(f"groups/{group}/deployments")["value"])

    def start(self, *arguments: str) -> Started:
        """Run it, and go on meanwhile."""
        return Started(self.command(*arguments), self.variables)


@dataclass
class Started:
    """A command that runs, and what it has said so far."""

    command: list[str]
    variables: Mapping[str, str]
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            env=dict(self.variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as said:
            for line in said:
                with self._news:
                    self.lines.append(line.rstrip("\n"))
                    self._news.notify_all()

    def until(self, words: str, timeout: float = 60) -> str:
        """Wait until it has said so; the line."""
        with self._news:
            said = self._news.wait_for(lambda: [line for line in self.lines if words in line], timeout)
        assert said, f"{words!r} was not said:\n{self.text}"
        return str(said[0])

    def end(self, timeout: float = 60) -> int:
        """Wait for its end; the code."""
        code = self.process.wait(timeout)
        self._reader.join(10)
        return code

    @property
    def text(self) -> str:
        """All that it said on both streams."""
        return "\n".join(self.lines)

    def kill(self) -> None:
        """Whatever becomes of the test, it does not go on."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
