"""One turn of an orchestration: its code is replayed, and what it newly wants becomes events and messages.

Nothing here changes anything: a ``Turn`` says what is to be saved, and the engine saves it in one step. A
continue-as-new runs its next generation in the same turn.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from local.durable.actions import Action, ActionType, OrchestratorAnswer, extends, parse_answer, parse_failure
from local.durable.context import context_text
from local.durable.errors import Complaint, HostError
from local.durable.history import SCHEDULED, Event, History, HistoryEventType, new_event
from local.durable.instances import OrchestrationInstance, RuntimeStatus, start_event
from local.durable.messages import Message
from local.durable.ports import Worker
from local.durable.replay import ActionStart, NonDeterminism, Replay, UnsupportedAction
from local.durable.starts import Starter, start_record

#: An orchestrator that continues as new without ever waiting would keep its turn for ever.
GENERATIONS_PER_TURN_MAX = 100


@dataclass(frozen=True)
class Execution:
    """One call of an orchestrator: how much history it replayed, and what that cost.

    ``events`` counts past and new ones, ``context_bytes`` is the size of the JSON that the SDK was given,
    ``cpu_seconds`` the SDK's own time.
    """

    instance_id: str
    name: str
    generation: int
    events: int
    new_events: int
    context_bytes: int
    cpu_seconds: float
    at: datetime


@dataclass
class Turn:
    """What a turn leaves to be saved. ``replaces_history``: after a continue-as-new, ``events`` are all there is."""

    execution_id: str
    generation: int
    input: str | None
    custom_status: str | None
    status: RuntimeStatus = RuntimeStatus.RUNNING
    output: str | None = None
    replaces_history: bool = False
    actions: list[Action] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    errors: list[HostError] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    open_ids: list[int] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)


#: Hears of every call of an orchestrator: its name, the context's JSON text, and what it answered.
Listener = Callable[[str, str, OrchestratorAnswer], None]


class TurnTaker:
    """Takes turns: ``worker`` runs the code, ``new_id`` makes execution ids."""

    def __init__(
        self, worker: Worker, new_id: Callable[[], str], default_version: str | None, *, cross_check: bool
    ) -> None:
        self.worker = worker
        self.new_id = new_id
        self.starter = Starter(worker, new_id, default_version)
        self.cross_check = cross_check
        self.listener: Listener | None = None

    def take(self, instance: OrchestrationInstance, arrived: list[Event], now: datetime) -> Turn:
        """The turn of ``instance`` with the events that ``arrived``, in their order."""
        return _Run(self, instance, now).run(arrived)


class _Run:
    """The taking of one turn: ``past`` and ``earlier`` actions are those of the generation that runs."""

    def __init__(self, taker: TurnTaker, instance: OrchestrationInstance, now: datetime) -> None:
        self.taker = taker
        self.instance = instance
        self.now = now
        self.past = instance.history
        self.earlier = instance.actions
        self.turn = Turn(instance.execution_id, instance.generation, instance.input, instance.custom_status)

    def run(self, arrived: list[Event]) -> Turn:
        end = _find_termination(arrived)
        self.turn.events = [
            self._event(HistoryEventType.ORCHESTRATOR_STARTED),
            *arrived[: None if end is None else end + 1],
        ]
        if end is not None:
            self._finish(RuntimeStatus.TERMINATED, arrived[end]["Input"])
        elif not any(self._run_generation() for _ in range(GENERATIONS_PER_TURN_MAX)):
            self._complain(Complaint.UNSUPPORTED, f"{self.instance.name} continues as new without ever waiting")
        self.turn.events.append(self._event(HistoryEventType.ORCHESTRATOR_COMPLETED))
        return self.turn

    def _run_generation(self) -> bool:
        """Run the code once; whether the turn is over, which it is not after a continue-as-new."""
        answer = self._call()
        if answer.custom_status is not None or not self.turn.replaces_history:
            self.turn.custom_status = answer.custom_status
        replay = self._walk(answer)
        if replay is None:
            return True
        is_over = replay.is_finished and (answer.is_done or answer.error is not None)
        if not is_over or replay.open_ids or replay.is_suspended:
            self._go_on(replay)
        elif answer.error is not None or replay.continued_with is None:
            self._end(answer, replay)
        else:
            self._continue_as_new(replay, replay.continued_with)
            return False
        return True

    def _call(self) -> OrchestratorAnswer:
        context = self._context()
        begun = time.thread_time()
        try:
            answer = parse_answer(self.taker.worker.run_orchestrator(self.instance.name, context))
        except Exception as error:
            answer = parse_failure(error)
        cpu_seconds = time.thread_time() - begun
        if self.taker.listener is not None:
            self.taker.listener(self.instance.name, context, answer)
        execution = Execution(
            instance_id=self.instance.id,
            name=self.instance.name,
            generation=self.turn.generation,
            events=len(self.past) + len(self.turn.events),
            new_events=len(self.turn.events),
            context_bytes=len(context),
            cpu_seconds=cpu_seconds,
            at=self.now,
        )
        self.turn.executions.append(execution)
        return answer

    def _walk(self, answer: OrchestratorAnswer) -> Replay | None:
        """Find what is new; None if the answer cannot be followed, and what becomes of the instance is decided."""
        if answer.is_broken:
            self._finish(RuntimeStatus.FAILED, self._failure(answer.error))
            return None
        if not extends(self.earlier, answer.actions):
            message = f"{self.instance.name} has answered other actions than in its previous turn"
            self._complain(Complaint.NON_DETERMINISM, message)
        replay = Replay(answer.actions)
        try:
            replay.run([*self.past.events, *self.turn.events])
        except NonDeterminism as error:
            self._complain(Complaint.NON_DETERMINISM, str(error))
            self._finish(RuntimeStatus.FAILED, self._failure(str(error)))
            return None
        except UnsupportedAction as error:
            self._complain(Complaint.UNSUPPORTED, str(error))
            return None
        self.turn.actions = list(answer.actions)
        self.turn.open_ids, self.turn.waits = replay.open_ids, replay.waits
        if self.taker.cross_check and not replay.is_suspended and replay.continued_with is None:
            self._compare_with_sdk(replay)
        return replay

    def _compare_with_sdk(self, replay: Replay) -> None:
        """The SDK's new sequence numbers are the host's, or the two have come apart."""
        held = self.taker.worker.scheduled_by_sdk(self.instance.name, self._context())
        known = {event["EventId"] for event in self.past.events if event["EventType"] in SCHEDULED}
        by_sdk = sorted(held - known)
        by_host = [start.task_id for start in replay.new]
        if by_sdk != by_host:
            kinds = [HistoryEventType(event["EventType"]).name for event in self.turn.events]
            message = f"after {kinds} new are {by_host} by the host's rule, {by_sdk} by the SDK's"
            self._complain(Complaint.DIVERGENCE, message)

    def _go_on(self, replay: Replay) -> None:
        if replay.is_suspended:
            self.turn.status = RuntimeStatus.SUSPENDED
        for start in replay.new:
            event = start_record(start, self.turn.execution_id, self.now)
            self._check_child(start, event)
            self.turn.events.append(event)
            try:
                message = self.taker.starter.message(start, event, self.instance, self.turn.execution_id, self.now)
            except HostError as error:
                self.turn.errors.append(error)
            else:
                self.turn.messages.append(message)

    def _check_child(self, start: ActionStart, event: Event) -> None:
        """Complain of a child's id that the generation has begun before.

        The extension says nothing: it replaces an instance that has ended, history and all, and of one that runs the
        parent may wait for ever. A retry is meant to begin its child again.
        """
        if start.action["actionType"] != ActionType.CALL_SUB_ORCHESTRATOR:
            return
        before = [*self.past.events, *self.turn.events]
        if any(event["InstanceId"] == one.get("InstanceId") for one in before):
            message = f"{self.instance.name} begins the child '{event['InstanceId']}' twice in one generation"
            self._complain(Complaint.CHILD_BEGUN_TWICE, message)

    def _continue_as_new(self, replay: Replay, text: str) -> None:
        """Begin the next generation, with the events that came after the end of this one."""
        instance, turn = self.instance, self.turn
        turn.execution_id, turn.generation = self.taker.new_id(), turn.generation + 1
        turn.input, turn.replaces_history = json.dumps(text), True
        started = start_event(
            instance.name, instance.version, turn.input, instance.id, turn.execution_id, instance.parent, self.now
        )
        turn.events = [
            self._event(HistoryEventType.ORCHESTRATOR_STARTED),
            started,
            *replay.unconsumed,
            self._event(HistoryEventType.ORCHESTRATOR_COMPLETED),
        ]
        self.past, self.earlier = History(), []

    def _end(self, answer: OrchestratorAnswer, replay: Replay) -> None:
        # Only cancelled timers are left: they are recorded, and their message would find nobody.
        self.turn.events += [start_record(start, self.turn.execution_id, self.now) for start in replay.new]
        if answer.error is None:
            self._complete(RuntimeStatus.COMPLETED, answer.output, replay.counter)
        else:
            self._complete(RuntimeStatus.FAILED, self._failure(answer.error), replay.counter)

    def _finish(self, status: RuntimeStatus, output: str | None) -> None:
        """End at once, without asking what is open."""
        self.turn.open_ids, self.turn.waits = [], []
        self._complete(status, output, sum(event["EventType"] in SCHEDULED for event in self.past.events))

    def _complete(self, status: RuntimeStatus, output: str | None, task_id: int) -> None:
        self.turn.status, self.turn.output = status, output
        fields = {"OrchestrationStatus": status.value, "Result": output}
        self.turn.events.append(new_event(HistoryEventType.EXECUTION_COMPLETED, self.now, task_id, **fields))

    def _event(self, kind: HistoryEventType) -> Event:
        return new_event(kind, self.now)

    def _context(self) -> str:
        return context_text(self.instance, self.turn.input, self.past, self.turn.events)

    def _complain(self, complaint: Complaint, message: str) -> None:
        self.turn.errors.append(HostError(complaint, message, self.instance.id))

    def _failure(self, error: str | None) -> str:
        return f"Orchestrator function '{self.instance.name}' failed: {error}"


def _find_termination(arrived: list[Event]) -> int | None:
    kinds = [event["EventType"] for event in arrived]
    return (
        kinds.index(HistoryEventType.EXECUTION_TERMINATED) if HistoryEventType.EXECUTION_TERMINATED in kinds else None
    )
