"""Many runs at once, on processes of their own: what one does cannot reach another.

Hashes are the same in every process, so that a run goes the same way in each.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from types import FrameType

from local.soak.player import RunOutcome, Tell, play
from local.soak.script import Seed

#: A run takes a second or so of a processor; one that takes so many goes round in a circle.
SECONDS_MAX = 300

#: Runs that wait for each process, so that none is idle and ^C is heeded soon.
WAITING = 2


class TooLong(KeyboardInterrupt):
    """A run that does not end. The event loop lets a ``KeyboardInterrupt`` through at once, and nothing else."""


def outcomes(seeds: Iterable[Seed], processes: int) -> Iterator[RunOutcome]:
    """What became of each seed, in the order in which they end."""
    os.environ["PYTHONHASHSEED"] = "0"
    left = iter(seeds)
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_begin)
    try:
        with _undisturbed():
            running = {pool.submit(guarded, seed): seed for seed in islice(left, processes * WAITING)}
        while running:
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for one in ended:
                yield _outcome(one, running.pop(one))
                running |= {pool.submit(guarded, seed): seed for seed in islice(left, 1)}
    finally:
        children = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for child in children:
            child.terminate()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep ^C for later: a process that is being started must hear what it is to do."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _outcome(future: Future[RunOutcome], seed: Seed) -> RunOutcome:
    try:
        return future.result()
    except BrokenProcessPool:
        raise
    except Exception as error:
        return RunOutcome(seed, [f"the run itself failed: {type(error).__name__}: {error}"])


def guarded(seed: Seed, tell: Tell = lambda line: None) -> RunOutcome:
    """Play a seed; one that does not end is broken."""
    try:
        with _within(SECONDS_MAX):
            return play(seed, tell)
    except TooLong:
        return RunOutcome(seed, [f"the run has not ended after {SECONDS_MAX} s of a processor"])


@contextmanager
def _within(seconds: int) -> Iterator[None]:
    def expire(number: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGPROF, expire)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _begin() -> None:
    """What a process does first: ^C is for the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a run says of faults that it met itself is of no use to anybody.
    logging.disable(logging.CRITICAL)
    # A run leaves a world behind; to look for it at every 700 objects takes a tenth of the time.
    gc.set_threshold(100_000, 20)
