"""A random walk through the API: what is called, and that every promise is kept meanwhile."""

from __future__ import annotations

import pytest

from local.soak.calls import NAMES, ROUTES, call_at_random
from local.soak.player import STEPS, play
from local.soak.script import Seed, write_script, write_walk

#: Calls of each walk: a few hundred in all.
CALLS = 60


@pytest.mark.slow
@pytest.mark.parametrize("number", range(6))
def test_a_walk_through_the_api_keeps_every_promise(number: int) -> None:
    seed = Seed(number, faulty=False)
    assert play(seed, script=write_walk(seed, CALLS)).problems == []


def test_every_route_is_called() -> None:
    assert {route.name for route in ROUTES} | {"notification"} == set(NAMES)
    assert STEPS["calls"] is call_at_random


def test_the_number_decides_the_walk() -> None:
    one, other = (Seed(number, faulty=False) for number in (1, 2))
    assert write_walk(one, CALLS) == write_walk(one, CALLS) != write_walk(other, CALLS)
    assert sum(step.with_["times"] for step in write_walk(one, CALLS).steps if step.kind == "calls") == CALLS


def test_the_soak_s_own_runs_have_calls_in_them_too() -> None:
    having = [any(step.kind == "calls" for step in write_script(Seed(n, faulty=False)).steps) for n in range(300)]
    assert 30 < sum(having) < 100
