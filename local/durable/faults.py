"""Faults on demand: what goes wrong with which delivery of which piece of work.

A rule names its victim by function name and instance id (shell patterns, ``fnmatch``) and counts the deliveries that
match from 1; ``delivery=3`` strikes the third only, no number strikes the first delivery of every item. Counts live in
the ``DurableFaults`` object and survive a killed host that is replaced by another with the same faults.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TypeVar


class ActivityLoss(StrEnum):
    """What happens to an activity's delivery."""

    BEFORE_EFFECT = "beforeEffect"
    """It does not run; it is delivered again after the redelivery delay."""
    AFTER_EFFECT = "afterEffect"
    """It runs and its result is lost; it is delivered, and runs, again."""
    TWICE = "twice"
    """It is delivered twice at once: it runs twice, and both completions are sent."""
    LATE = "late"
    """It runs as it should, and once more later: after a time, or when a condition holds."""


class TurnLoss(StrEnum):
    """What happens to a turn."""

    BEFORE_MESSAGES = "beforeMessages"
    """The code ran, nothing was saved or sent; the same inbox comes again after the redelivery delay."""
    AFTER_MESSAGES = "afterMessages"
    """Messages went out and the history was not saved, as Azure Storage may do it: all that it started starts twice."""


@dataclass(frozen=True)
class ActivityFault:
    """A rule for activities. ``after`` and ``until`` are for ``LATE``; ``until`` is asked after every save."""

    loss: ActivityLoss
    activity: str = "*"
    instance: str = "*"
    delivery: int | None = None
    after: timedelta = timedelta(0)
    until: Callable[[], bool] | None = None


@dataclass(frozen=True)
class TurnFault:
    """A rule for turns of orchestrators."""

    loss: TurnLoss
    orchestrator: str = "*"
    instance: str = "*"
    delivery: int | None = None


R = TypeVar("R", ActivityFault, TurnFault)


@dataclass(frozen=True)
class Delivery:
    """One piece of work about to be done. ``number`` counts all deliveries from 1; ``attempt`` those of this item."""

    number: int
    kind: str
    name: str
    instance_id: str
    attempt: int


@dataclass
class DurableFaults:
    """The rules, and a hook that sees every delivery first and may kill the host or terminate an instance there.

    ``on_answer`` is given the input of each activity that has answered, before anybody else hears of the answer.
    ``struck`` counts what the rules have done.
    """

    activities: Sequence[ActivityFault] = ()
    turns: Sequence[TurnFault] = ()
    on_delivery: Callable[[Delivery], None] | None = None
    on_answer: Callable[[str], Awaitable[None]] | None = None
    deliveries: int = 0
    struck: Counter[ActivityLoss | TurnLoss] = field(default_factory=Counter)
    _seen: dict[int, int] = field(default_factory=dict, repr=False)

    def announce(self, kind: str, name: str, instance_id: str, attempt: int) -> Delivery:
        """Count a delivery of ``kind`` "activity" or "turn", and show it to the hook."""
        self.deliveries += 1
        delivery = Delivery(self.deliveries, kind, name, instance_id, attempt)
        if self.on_delivery:
            self.on_delivery(delivery)
        return delivery

    def find_activity_fault(self, delivery: Delivery) -> ActivityFault | None:
        """The first rule that strikes this delivery of an activity."""
        return self._first([rule for rule in self.activities if self._strikes(rule, rule.activity, delivery)])

    def find_turn_fault(self, delivery: Delivery) -> TurnFault | None:
        """The first rule that strikes this turn."""
        return self._first([rule for rule in self.turns if self._strikes(rule, rule.orchestrator, delivery)])

    def _first(self, rules: Sequence[R]) -> R | None:
        if not rules:
            return None
        self.struck[rules[0].loss] += 1
        return rules[0]

    def _strikes(self, rule: ActivityFault | TurnFault, name: str, delivery: Delivery) -> bool:
        if not (fnmatchcase(delivery.name, name) and fnmatchcase(delivery.instance_id, rule.instance)):
            return False
        count = self._seen[id(rule)] = self._seen.get(id(rule), 0) + 1
        return delivery.attempt == 1 if rule.delivery is None else rule.delivery == count
