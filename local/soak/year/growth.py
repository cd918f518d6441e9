"""How much there is of everything after some months, and what of it grows though nothing more happens."""

from __future__ import annotations

import gc
import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: The tables whose rows are deployments' own: there are as many as deployments were made while rows are kept.
OWN = frozenset({"Deployments", "Batches", "Vms", "Events", "Intents", "Commands", "Evidence"})

#: The first month by whose end all that is forgotten after a time has begun to be forgotten.
RETAINED = 3

#: What chance may add to a line: a share, and so many.
SHARE, FEW = 1.5, 20


@dataclass(frozen=True)
class Growth:
    """The lines of one month's end."""

    month: int
    lines: Mapping[str, int]


def growing(samples: Sequence[Growth]) -> list[str]:
    """The lines, but for deployments' own, that have grown since the retention was reached."""
    kept = [sample for sample in samples if sample.month >= RETAINED]
    if len(kept) < 2:
        return []
    *before, last = kept
    most = {name: max(sample.lines.get(name, 0) for sample in before) for name in last.lines}
    return [
        f"{name} grows: {most[name]} up to month {before[-1].month}, {value} after {last.month}"
        for name, value in last.lines.items()
        if name.removeprefix("rows of ") not in OWN and value > SHARE * most[name] + FEW
    ]


def table_lines(samples: Sequence[Growth]) -> list[str]:
    """The table of growth, a line for each thing that was counted."""
    names = sorted({name for sample in samples for name in sample.lines})
    head = "| after months | " + " | ".join(str(sample.month) for sample in samples) + " |"
    rows = [f"| {name} | " + " | ".join(str(sample.lines.get(name, 0)) for sample in samples) + " |" for name in names]
    return [head, "|---|" + "---:|" * len(samples), *rows]


def memory() -> int:
    """The megabytes that this process has in memory; where that is not told, the most that it ever had."""
    gc.collect()
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize() // 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
