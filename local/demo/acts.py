"""What the demo plays, and how each act has to end: the data, and the judgement of what was seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: What both acts ask for besides their image: five batches of two VMs.
ASKED: Mapping[str, Any] = {"batchSizePercentage": 20, "gracePeriod": 300}


@dataclass(frozen=True)
class Act:
    """One deployment: what is said before it, its image, and how it has to end."""

    title: str
    image: str
    status: str
    error: str | None
    runs: str
    closing: str


@dataclass(frozen=True)
class Outcome:
    """What was seen of a deployment: its end, the VMs that served, and the images that the VMs run after it."""

    status: str
    error: str | None
    serving_before: int
    serving_least: int
    images: Mapping[str, int]
    model: str


GOOD = Act(
    title="Act 1. Image 1.1.0 is good.",
    image="1.1.0",
    status="finished",
    error=None,
    runs="1.1.0",
    closing="Every VM runs 1.1.0.",
)
BAD = Act(
    title="Act 2. Now 1.2.0, which boots and never becomes healthy.",
    image="1.2.0",
    status="failed",
    error="batchUnhealthy",
    runs="1.1.0",
    closing="1.2.0 is gone: every VM runs 1.1.0, the set's model names 1.1.0 again, and the group is free.",
)
ACTS = (GOOD, BAD)


def differences(act: Act, outcome: Outcome) -> list[str]:
    """What did not go as the act has it, in words; nothing: it went as told."""
    found = []
    if (outcome.status, outcome.error) != (act.status, act.error):
        found.append(f"it ended as {_end(outcome.status, outcome.error)}, not {_end(act.status, act.error)}")
    if outcome.images != Counter({act.runs: outcome.serving_before}):
        runs = ", ".join(f"{count} run {image}" for image, count in sorted(outcome.images.items())) or "there are none"
        found.append(f"of the VMs {runs}, not {outcome.serving_before} {act.runs}")
    if outcome.model != act.runs:
        found.append(f"the set's model names {outcome.model}, not {act.runs}")
    if outcome.serving_least < outcome.serving_before:
        found.append(f"only {outcome.serving_least} VMs served at one time, of {outcome.serving_before}")
    return found


def _end(status: str, error: str | None) -> str:
    return status if error is None else f"{status} ({error})"
