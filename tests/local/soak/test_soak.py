"""The soak itself: some of its runs, and what it does when one is broken, or somebody stops it.

``make soak ARGS="--seeds 2000"`` plays more of them. A run that was broken once is one more number here.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.soak.player import play
from local.soak.pool import outcomes
from local.soak.script import Seed

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]

CLEAN = (*range(12), 18, 348, 2001121, 8000554, 8000569)
FAULTY = (*range(12), 1000005, 1000110, 2001163, 2001223, 7000016, 8001320)


@pytest.mark.parametrize("number", CLEAN)
def test_a_run_in_which_nothing_breaks_keeps_every_promise(number: int) -> None:
    assert play(Seed(number, faulty=False)).problems == []


@pytest.mark.parametrize("number", FAULTY)
def test_a_run_in_which_something_breaks_keeps_every_promise(number: int) -> None:
    assert play(Seed(number, faulty=True)).problems == []


def told(number: int, hashes: str) -> str:
    """What a run tells in a process of its own; the ends of deployments' ids are made up anew each time."""
    command = [sys.executable, "-m", "local.soak", "--seed", str(number), "--faulty"]
    asked = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hashes}, capture_output=True)
    return re.sub(r"(Z-)[0-9a-f]{6}", r"\1", asked.stdout.decode())


def test_a_run_goes_the_same_way_in_every_process() -> None:
    first, second = told(3, "1"), told(3, "2")
    assert first.splitlines() == second.splitlines()
    assert "deploy image=" in first


def test_runs_in_a_pool_are_those_of_their_numbers() -> None:
    seeds = [Seed(0, faulty=False), Seed(3, faulty=True)]
    pooled = {outcome.seed: outcome for outcome in outcomes(seeds, processes=2)}
    assert pooled == {seed: play(seed) for seed in seeds}


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_order_when_somebody_stops_it(told: signal.Signals) -> None:
    command = [sys.executable, "-u", "-m", "local.soak", "--seeds", "100000", "--processes", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as soak:
        assert soak.stdout is not None
        assert "^C ends it" in soak.stdout.readline()
        soak.send_signal(told)
        rest = soak.stdout.read()
    assert re.search(r"stopped before the other \d+ seeds of 100000", rest), rest
    assert "Traceback" not in rest
    assert soak.returncode == 1
