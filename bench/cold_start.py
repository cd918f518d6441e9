"""What importing the app costs over what importing the bare SDKs costs anyway."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
SDKS = "azure.functions, azure.durable_functions"
APP = "function_app"

#: Fresh interpreters for each; the fastest counts, as everything else on the machine only ever adds.
INTERPRETERS = 5

#: The app over the SDKs.
GOAL = 1.6


@dataclass(frozen=True)
class ColdStart:
    """Seconds of the fastest import of each; ``compiled``: with the byte code at hand, as after a first start."""

    compiled: bool
    sdks: float
    app: float

    @property
    def ratio(self) -> float:
        """The app over the SDKs."""
        return self.app / self.sdks


def measure_imports() -> tuple[ColdStart, ...]:
    """Import each in fresh interpreters, in turn, so that both meet the same machine."""
    return _measure(compiled=True), _measure(compiled=False)


def _measure(compiled: bool) -> ColdStart:
    with TemporaryDirectory() as folder:
        pairs = [
            (seconds_of_import(SDKS, folder, compiled), seconds_of_import(APP, folder, compiled))
            for _ in range(INTERPRETERS)
        ]
    return ColdStart(compiled, min(sdks for sdks, _ in pairs), min(app for _, app in pairs))


def seconds_of_import(modules: str, folder: str, compiled: bool, cores: Collection[int] = ()) -> float:
    """Byte code is kept in ``folder`` and nowhere else, or, where ``compiled`` is false, not at all.

    With ``cores`` it runs on these alone.
    """
    program = f"import time; begun = time.perf_counter(); import {modules}; print(time.perf_counter() - begun)"
    if cores and hasattr(os, "sched_setaffinity"):
        program = f"import os; os.sched_setaffinity(0, {set(cores)}); {program}"
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": "" if compiled else "1"}
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return float(answer.stdout.splitlines()[-1])
