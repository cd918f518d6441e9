"""When each stage of a batch began and ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class StageName(StrEnum):
    """What is done with a batch, in this order; ``discard``: its sick green VMs go, and others come."""

    LAUNCH = "launch"
    HEALTH = "health"
    DISCARD = "discard"
    DETACH = "detach"
    DRAIN = "drain"
    DELETE = "delete"


@dataclass(frozen=True)
class Stage:
    """One of them. ``round`` 2: of the VMs that came in the place of sick ones."""

    name: StageName
    round: int
    started_at: datetime
    ended_at: datetime | None = None


def turn(stages: tuple[Stage, ...], at: datetime, name: StageName | None, round_: int = 1) -> tuple[Stage, ...]:
    """The stages after one ended, and ``name`` began; ``None``: none did."""
    ended = tuple(stage if stage.ended_at is not None else replace(stage, ended_at=at) for stage in stages)
    return ended if name is None else (*ended, Stage(name, round_, at))


def begins_to_delete(stages: tuple[Stage, ...], at: datetime) -> tuple[Stage, ...]:
    """The stages after the first VM of a drained batch was asked to be deleted. Again: the same."""
    if not stages or stages[-1].name is not StageName.DRAIN or stages[-1].ended_at is not None:
        return stages
    return turn(stages, at, StageName.DELETE, stages[-1].round)
