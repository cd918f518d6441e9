"""What a deployment's recipes began, batch by batch, and how long each look took."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from local.durable.actions import Action, ActionType, OrchestratorAnswer

#: The messages that each costs: an activity and a sub-orchestration are told what to do, and tell how it ended.
MESSAGES = {ActionType.CALL_ACTIVITY: 2, ActionType.CALL_SUB_ORCHESTRATOR: 2, ActionType.CREATE_TIMER: 1}

#: One that is tried again where it raises is an activity all the same.
_SAME = {ActionType.CALL_ACTIVITY_WITH_RETRY: ActionType.CALL_ACTIVITY}

#: The steps whose looks are timed: they read the health of all their VMs, and change nothing.
LOOKS = ("judge_batch", "bake")


@dataclass(frozen=True)
class LookTime:
    """How often a step looked, how many activities its largest look took, and how long looks took."""

    step: str
    looks: int
    activities_max: int
    median: timedelta
    longest: timedelta


def messages(begun: Counter[ActionType]) -> int:
    """How many messages that is."""
    return sum(count * MESSAGES.get(kind, 0) for kind, count in begun.items())


@dataclass
class _Wait:
    """A wait of one step: how many actions its generation has answered, and the look that is under way."""

    events: int = 0
    answered: int = 0
    begun: datetime | None = None
    activities: int = 0
    deciding: bool = False


@dataclass
class TurnWatch:
    """Hears of every turn (``local.durable.turn.Listener``)."""

    now: Callable[[], datetime]
    begun: dict[str, Counter[ActionType]] = field(default_factory=lambda: defaultdict(Counter))
    took: dict[str, list[tuple[timedelta, int]]] = field(default_factory=lambda: defaultdict(list))
    _waits: dict[str, _Wait] = field(default_factory=lambda: defaultdict(_Wait))

    def hear(self, name: str, context: str, answer: OrchestratorAnswer) -> None:
        """Note what is new in the answer."""
        told = json.loads(context)
        instance, events = told["instanceId"], len(told["history"])
        wait = self._waits[instance]
        if events < wait.events:
            wait.answered = 0
        leaves = list(_leaves(answer.actions))
        fresh, wait.answered, wait.events = leaves[wait.answered :], len(leaves), events
        self.begun[instance].update(kind for kind, _ in fresh)
        for step in LOOKS:
            if instance.rpartition(":")[2].startswith(f"{step}-"):
                self._time(step, wait, [function for kind, function in fresh if kind is ActionType.CALL_ACTIVITY])

    def of_batches(self) -> Mapping[str, Counter[ActionType]]:
        """What the orchestrations of each batch began, those of its waits among them."""
        batches: dict[str, Counter[ActionType]] = defaultdict(Counter)
        for instance, begun in self.begun.items():
            parts = instance.split(":")
            if len(parts) > 1 and parts[1].startswith("batch-"):
                batches[parts[1]] += begun
        return batches

    def looks(self) -> Iterator[LookTime]:
        """How long the looks of each step took."""
        for step, took in self.took.items():
            times = [time for time, _ in took]
            most = max(activities for _, activities in took)
            yield LookTime(step, len(took), most, sorted(times)[len(times) // 2], max(times))

    def _time(self, step: str, wait: _Wait, activities: Sequence[str]) -> None:
        """A look is over when what decides has answered, and asks for no parts before it is called again."""
        if wait.deciding and not activities and wait.begun is not None:
            self.took[step].append((self.now() - wait.begun, wait.activities))
            wait.begun, wait.activities = None, 0
        if activities:
            wait.begun = wait.begun or self.now()
            wait.activities += len(activities)
        wait.deciding = step in activities


def _leaves(actions: Sequence[Action]) -> Iterator[tuple[ActionType, str]]:
    for action in actions:
        kind = ActionType(action["actionType"])
        if kind in (ActionType.WHEN_ALL, ActionType.WHEN_ANY):
            yield from _leaves(action["compoundActions"])
        else:
            yield _SAME.get(kind, kind), action.get("functionName", "")
