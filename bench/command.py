"""What ``teal --help`` takes over what importing the bare typer takes anyway."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

#: Fresh interpreters for each; the fastest counts, as everything else on the machine only ever adds.
INTERPRETERS = 7

#: The help over the import.
GOAL = 1.5


@dataclass(frozen=True)
class HelpTime:
    """Seconds of the fastest interpreter that only imports typer, and of the fastest ``teal --help``."""

    typer: float
    help: float

    @property
    def ratio(self) -> float:
        """The help over the import."""
        return self.help / self.typer


def measure_help() -> HelpTime:
    """Run each in fresh interpreters, in turn, so that both meet the same machine."""
    pairs = [(_seconds("-c", "import typer"), _seconds("-m", "teal_cli", "--help")) for _ in range(INTERPRETERS)]
    return HelpTime(min(bare for bare, _ in pairs), min(shown for _, shown in pairs))


def _seconds(*arguments: str) -> float:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "cli")}
    begun = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, check=True)
    return time.perf_counter() - begun
