"""The script of a run: what is done when, all of it decided by the run's number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

from local.soak.breakage import BREAKAGE
from local.soak.interference import ACTS
from local.soak.requests import choose_parameters, choose_request
from local.soak.worlds import Setting, choose_setting
from rollout.model.order import PART_SIZE

#: Trouble that takes its time, so that the player sees to it itself.
OUTAGES = ("hostKilled", "hostAsleep", "suspended", "clockSet")

#: All trouble there is.
TROUBLE = tuple(sorted([*ACTS, *BREAKAGE, *OUTAGES]))

#: The share of runs with one deployment alone: so more are played in the same time. Sequences find other things.
ALONE = 0.4

#: What a person says who has not looked. Most do look, and say what can be said then.
COMMANDS = ("pause", "resume", "approve", "stop", "rollBack")
SENSIBLE = "what it can be told"


@dataclass(frozen=True)
class Seed:
    """Which run: its number, and whether anything but Teal and an Azure that behaves takes part."""

    number: int
    faulty: bool

    @property
    def half(self) -> str:
        """The half of the runs that it belongs to, as the command line names it."""
        return "faulty" if self.faulty else "clean"

    @property
    def command(self) -> str:
        """What plays it again, and shows it."""
        return f"python -m local.soak --seed {self.number} --{self.half}"

    def dice(self, what: str) -> Random:
        """Dice of their own for one part of the run, so that no part depends on how often another throws."""
        return Random(f"{self.number}/{what}")


@dataclass(frozen=True)
class ScriptStep:
    """Something that is done so long after the step before. ``kind`` is a key of the player's table."""

    after: timedelta
    kind: str
    with_: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind} {', '.join(f'{name}={value}' for name, value in self.with_.items())}".rstrip()


@dataclass(frozen=True)
class Script:
    """A run, before it is played."""

    seed: Seed
    setting: Setting
    steps: tuple[ScriptStep, ...]


def write_script(seed: Seed) -> Script:
    """The script that the seed decides. A faulty run is the clean one of its number, and what breaks besides."""
    setting = _setting(seed)
    steps = list(_story(seed.dice("story"), setting))
    calls = seed.dice("calls")
    if calls.random() < CALLERS:
        for _ in range(calls.randint(1, 4)):
            steps.insert(calls.randint(1, len(steps)), _called(calls, calls.choice([3, 6, 12])))
    if seed.faulty:
        steps = _troubled(seed.dice("trouble"), steps)
    return Script(seed, setting, tuple(steps))


def _setting(seed: Seed) -> Setting:
    """The seed's setting. With dice of their own, many looks of a few VMs are read in parts."""
    # A look costs most of what a run costs, so most runs look each minute.
    return replace(
        choose_setting(seed.dice("setting")),
        part_size=seed.dice("parts").choice([1, 2, PART_SIZE]),
        poll_interval=seed.dice("looks").choice([15, 60, 60, 60]),
    )


#: In how many runs somebody walks through the API besides, and how many calls are made of a script that is all walk.
CALLERS = 0.2


def write_walk(seed: Seed, calls: int) -> Script:
    """A script of so many calls, three at a time, with deployments and others' interference between."""
    dice = seed.dice("walk")
    setting = _setting(seed)
    steps: list[ScriptStep] = []
    while calls > 0:
        times = min(calls, dice.choice([3, 6, 9]))
        calls -= times
        steps.append(_called(dice, times))
        if dice.random() < 0.5:
            steps.append(ScriptStep(some_time(dice, 300), "deploy", choose_request(dice, setting)))
        if dice.random() < 0.3:
            steps.append(ScriptStep(some_time(dice, 300), dice.choice(sorted(ACTS)), {"draw": dice.randint(0, 2**32)}))
    return Script(seed, setting, tuple(steps))


def some_time(dice: Random, longest: float = 3600) -> timedelta:
    """Any time from a second on; short ones as often as long ones."""
    return timedelta(seconds=round(longest ** dice.random()))


def _story(dice: Random, setting: Setting) -> Iterator[ScriptStep]:
    """One deployment, or two to five after each other or into each other, and what is said meanwhile."""
    for number in range(1 if dice.random() < ALONE else dice.randint(2, 5)):
        if number and dice.random() < 0.25:
            yield ScriptStep(
                some_time(dice, 600), "retry", choose_parameters(dice, setting) if dice.random() < 0.3 else {}
            )
        else:
            yield ScriptStep(some_time(dice, 600), "deploy", choose_request(dice, setting))
        for _ in range(dice.choice([0, 0, 1, 1, 2, 3])):
            yield _said(dice)
        if dice.random() < 0.6:
            yield ScriptStep(timedelta(seconds=1), "untilQuiet", {"hours": dice.choice([1, 6])})


def _called(dice: Random, times: int) -> ScriptStep:
    return ScriptStep(some_time(dice, 600), "calls", {"times": times, "pause": some_time(dice, 60)})


def _said(dice: Random) -> ScriptStep:
    if dice.random() < 0.1:
        return ScriptStep(some_time(dice), "takeBack")
    said = SENSIBLE if dice.random() < 0.75 else dice.choice(COMMANDS)
    command = {"command": said, "nth": dice.choice([0, 0, 0, 1]), "all": dice.random() < 0.4}
    # A deployment of a few VMs takes a few minutes.
    after = timedelta(seconds=dice.randint(5, 400)) if dice.random() < 0.7 else some_time(dice)
    return ScriptStep(after, "say", command)


def _troubled(dice: Random, steps: list[ScriptStep]) -> list[ScriptStep]:
    """The same story with one to four kinds of trouble in between, each up to three times."""
    kinds = dice.sample(TROUBLE, dice.randint(1, 4))
    for kind in kinds:
        for _ in range(dice.choice([1, 1, 2, 3])):
            # The first start is never before the first trouble, else nothing is under way.
            steps.insert(
                dice.randint(1, len(steps)), ScriptStep(some_time(dice), kind, {"draw": dice.randint(0, 2**32)})
            )
    return steps
