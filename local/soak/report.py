"""What the soak prints: each broken seed at once, the progress now and then, and the counts at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from local.soak.forecasts import ForecastError, told
from local.soak.player import RunOutcome
from local.soak.script import TROUBLE
from rollout.model.words import counted

#: Of so many faulty seeds every kind of trouble is to be had; fewer may miss one.
MANY = 1000

#: Problems of a broken seed that are printed; the others are in its own run.
PROBLEMS_SHOWN = 3


@dataclass
class Tally:
    """The sum of all runs so far."""

    wanted: int
    runs: int = 0
    faulty: int = 0
    broken: int = 0
    injected: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    forecasts: list[ForecastError] = field(default_factory=list)

    def add(self, outcome: RunOutcome) -> None:
        """Count a run."""
        self.runs += 1
        self.faulty += outcome.seed.faulty
        self.broken += bool(outcome.problems)
        self.injected += outcome.injected
        self.checks += outcome.checks
        self.ends += outcome.ends
        self.forecasts += outcome.forecasts

    @property
    def never_injected(self) -> list[str]:
        """The kinds of trouble that no run had, where there were enough for all of them."""
        return [kind for kind in TROUBLE if not self.injected[kind]] if self.faulty >= MANY else []

    @property
    def is_well(self) -> bool:
        """Whether every seed that was wanted has kept every promise, and had the chance to break it."""
        return self.runs == self.wanted and not self.broken and not self.never_injected


def broken_line(outcome: RunOutcome) -> str:
    """A broken seed: what plays it again, and what broke first."""
    shown = [f"    {problem[:300]}" for problem in outcome.problems[:PROBLEMS_SHOWN]]
    if more := len(outcome.problems) - len(shown):
        shown.append(f"    and {more} more")
    return "\n".join([f"BROKEN  {outcome.seed.command}", *shown])


def progress_line(tally: Tally, seconds: float) -> str:
    """How far it has come."""
    return f"{tally.runs} of {tally.wanted} seeds, {tally.runs / max(seconds, 0.001):.1f} a second, {_broken(tally)}"


def summary(tally: Tally, seconds: float, commit: str) -> str:
    """All there is to say in the end. The first line is the one for docs/performance.md."""
    at = f" at commit {commit}" if commit else ""
    clean = tally.runs - tally.faulty
    lines = [
        f"{clean} clean and {tally.faulty} faulty seeds in {_time(seconds)}, "
        f"{tally.runs / max(seconds, 0.001):.1f} a second{at}: {_broken(tally)}",
        f"deployments: {_counts(tally.ends)}",
        f"checks: {_counts(tally.checks)}",
        f"expected end: {told(tally.forecasts)}",
    ]
    if tally.faulty:
        lines.append(f"trouble: {_counts(tally.injected)}")
    if tally.runs < tally.wanted:
        lines.append(f"stopped before the other {counted(tally.wanted - tally.runs, 'seed')} of {tally.wanted}")
    if tally.never_injected:
        lines.append(f"never injected: {', '.join(tally.never_injected)}")
    return "\n".join(lines)


def _broken(tally: Tally) -> str:
    return f"{tally.broken} broken" if tally.broken else "none broken"


def _counts(counts: Counter[str]) -> str:
    return _words(f"{name} {number}" for name, number in sorted(counts.items())) or "none"


def _words(words: Iterable[str]) -> str:
    return ", ".join(words)


def _time(seconds: float) -> str:
    minutes, left = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{left:02}"
