"""`python -m local.soak [--seeds 2000] [--clean | --faulty] [--from 0] [--processes N] [--seed N] [--months N]`.

docs/local.md says what it is for.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence

from local.soak.pool import guarded, outcomes
from local.soak.report import Tally, broken_line, progress_line, summary
from local.soak.script import Seed
from local.soak.year.play import play_months
from local.soak.year.play import summary as summary_of_months
from rollout.model.words import counted

#: Seconds between two lines of progress.
PROGRESS_EVERY = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak; 1: a promise was broken, or not everything was tried."""
    options = _options(arguments)
    if options.months:
        return _months(options.months)
    halves = [False, True] if options.clean == options.faulty else [options.faulty]
    if options.seed is not None:
        return max(_again(Seed(options.seed, faulty)) for faulty in halves)
    numbers = range(options.first, options.first + options.seeds // len(halves))
    seeds = [Seed(number, faulty) for number in numbers for faulty in halves]
    return _soak(seeds, options.processes)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local.soak",
        description="Play random deployments in virtual time and hold them to every promise.",
    )
    parser.add_argument("--seeds", type=int, default=200, help="how many runs (200), half of them clean, half faulty")
    parser.add_argument("--clean", action="store_true", help="only runs in which nothing breaks and nobody interferes")
    parser.add_argument("--faulty", action="store_true", help="only runs in which something does")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the number of the first seed (0)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="runs at a time (one a processor)")
    parser.add_argument("--seed", type=int, help="play this one alone and show all that happens in it")
    parser.add_argument("--months", type=int, default=0, help="play so many months of six groups instead")
    parser.add_argument("--year", dest="months", action="store_const", const=12, help="play twelve (20 minutes)")
    return parser.parse_args(arguments)


def _months(months: int) -> int:
    """Months of operation, one after the other."""
    logging.disable(logging.CRITICAL)
    begun = time.process_time()
    outcome = play_months(months, lambda line: print(line, flush=True))
    print(*outcome.problems, summary_of_months(outcome), sep="\n")
    minutes = (time.process_time() - begun) / 60
    print(f"{counted(months, 'month')} in {minutes:.0f} minutes of a processor at commit {_commit()}")
    return 1 if outcome.problems else 0


def _again(seed: Seed) -> int:
    """One run, shown."""
    outcome = guarded(seed, print)
    print("", *(outcome.problems or ["every promise was kept"]), sep="\n")
    return 1 if outcome.problems else 0


def _soak(seeds: Sequence[Seed], processes: int) -> int:
    # A shell that starts this in the background has it ignore ^C; one that sends it all the same means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Whoever ends it otherwise is told as much, and leaves no process behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    tally = Tally(len(seeds))
    begun = time.monotonic()
    try:
        print(f"{len(seeds)} seeds on {processes} processes; ^C ends it and says how far it came", flush=True)
        _follow(tally, seeds, processes, begun)
    except KeyboardInterrupt:
        print()
    print(summary(tally, time.monotonic() - begun, _commit()))
    return 0 if tally.is_well else 1


def _follow(tally: Tally, seeds: Iterable[Seed], processes: int, begun: float) -> None:
    told = begun
    for outcome in outcomes(seeds, processes):
        tally.add(outcome)
        if outcome.problems:
            print(broken_line(outcome), flush=True)
        if time.monotonic() - told >= PROGRESS_EVERY:
            told = time.monotonic()
            print(progress_line(tally, told - begun), flush=True)


def _commit() -> str:
    """The commit that is tried, with a plus where files differ from it; empty outside of a repository."""
    try:
        asked = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
