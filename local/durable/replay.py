"""Which of an orchestrator's actions are new: the host's own walk through them.

No sequence numbers cross the wire. The SDK and the host count from zero, each for itself, and agree only while both
start the same things in the same order. This is the host's order: the extension's ``OutOfProcOrchestrationShim.cs``
(top-level actions are awaited one after the other) on DurableTask.Core's ``TaskOrchestrationContext.cs`` and
``TaskOrchestrationExecutor.cs`` (events are matched to what was started). Retries are those of
``RetryInterceptor.cs``.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.durable.actions import Action, ActionType
from local.durable.history import COMPLETIONS, FAILURES, MESSAGES, SCHEDULED, Event, HistoryEventType, parse_time


class NonDeterminism(Exception):
    """The history says that something else was started than the orchestrator starts now."""


class UnsupportedAction(Exception):
    """The orchestrator asks for what this stand-in does not do: entities, durable HTTP."""


@dataclass(frozen=True)
class ActionStart:
    """One thing to start, by its sequence number. ``kind`` is the event that will say that it was started."""

    task_id: int
    kind: HistoryEventType
    action: Action
    fire_at: datetime | None = None

    def matches(self, event: Event) -> bool:
        """Whether ``event`` records this start: same kind, same name; inputs are not compared."""
        name = self.action.get("functionName")
        return event["EventType"] == self.kind and (
            name is None or str(event.get("Name", "")).casefold() == str(name).casefold()
        )


class _Task:
    """The end of something, awaited by callbacks that run at once when it comes."""

    __slots__ = ("_callbacks", "has_failed", "is_ended")

    def __init__(self) -> None:
        self.is_ended = False
        self.has_failed = False
        self._callbacks: list[Callable[[], None]] = []

    def end(self, *, has_failed: bool = False) -> None:
        if self.is_ended:
            return
        self.is_ended, self.has_failed = True, has_failed
        for callback in self._callbacks:
            callback()

    def then(self, callback: Callable[[], None]) -> None:
        if self.is_ended:
            callback()
        else:
            self._callbacks.append(callback)


class Replay:
    """One walk through an answer's actions along a history, old events and new.

    Afterwards ``new`` is what to start now; ``open_ids`` are the activities, timers and sub-orchestrations begun and
    not ended; ``is_finished`` says that the orchestrator's last action was passed; ``continued_with`` is the input of
    a continue-as-new; ``waits`` are the external events waited for; ``unconsumed`` are events that came after the
    finish.
    """

    def __init__(self, actions: Sequence[Action]) -> None:
        self._actions = actions
        self._position = 0
        self._pending: dict[int, ActionStart] = {}
        self._open: dict[int, _Task] = {}
        self._waits: defaultdict[str, list[_Task]] = defaultdict(list)
        self._early: defaultdict[str, deque[Event]] = defaultdict(deque)
        self._queue: list[Event] = []
        self._now = ""
        self.counter = 0
        self.is_finished = False
        self.is_suspended = False
        self.continued_with: str | None = None
        self.unconsumed: list[Event] = []

    @property
    def new(self) -> list[ActionStart]:
        """What to start now, by sequence number; nothing while the instance is suspended."""
        return [] if self.is_suspended else [self._pending[task_id] for task_id in sorted(self._pending)]

    @property
    def open_ids(self) -> list[int]:
        """What was started, or is to be, and has not ended."""
        return sorted(self._open)

    @property
    def waits(self) -> list[str]:
        """The names of the external events that are waited for, in lower case."""
        return sorted(name for name, tasks in self._waits.items() if any(not task.is_ended for task in tasks))

    def run(self, events: Iterable[Event]) -> None:
        """Walk; raise ``NonDeterminism`` or ``UnsupportedAction``."""
        for event in events:
            self._read(event)

    def _read(self, event: Event) -> None:
        kind = event["EventType"]
        if kind == HistoryEventType.ORCHESTRATOR_STARTED:
            self._now = event["Timestamp"]
        elif kind == HistoryEventType.EXECUTION_SUSPENDED:
            self.is_suspended = True
        elif kind == HistoryEventType.EXECUTION_RESUMED:
            self.is_suspended = False
            held, self._queue = self._queue, []
            for one in held:
                self._read(one)
        elif self.is_suspended and kind in MESSAGES:
            self._queue.append(event)
        else:
            self._apply(event)

    def _apply(self, event: Event) -> None:
        kind = event["EventType"]
        if kind == HistoryEventType.EXECUTION_STARTED:
            self._drive()
        elif kind in SCHEDULED:
            self._strike(event)
        elif kind in COMPLETIONS:
            # An unknown number is a duplicate, or a cancelled timer's: ignored.
            task = self._open.pop(event[COMPLETIONS[kind]], None)
            if task:
                task.end(has_failed=kind in FAILURES)
        elif kind == HistoryEventType.EVENT_RAISED:
            self._raise(event)

    def _strike(self, event: Event) -> None:
        start = self._pending.pop(event["EventId"], None)
        if start is None or not start.matches(event):
            found = "nothing" if start is None else f"{start.kind.name} {start.action.get('functionName', '')}".strip()
            raise NonDeterminism(
                f"Non-Deterministic workflow detected: the history has {HistoryEventType(event['EventType']).name} "
                f"{event.get('Name', '')} with sequence number {event['EventId']}; the orchestrator has {found} there."
            )

    def _raise(self, event: Event) -> None:
        name = event["Name"].casefold()
        if self.is_finished:
            self.unconsumed.append(event)
        elif self._waits[name]:
            # The newest wait first: the extension keeps a stack for each name.
            self._waits[name].pop().end()
        else:
            self._early[name].append(event)

    def _drive(self) -> None:
        """Start and await the top-level actions in turn, whatever their outcome."""
        while self._position < len(self._actions):
            task = self._start(self._actions[self._position])
            self._position += 1
            if not task.is_ended:
                task.then(self._drive)
                return
        self.is_finished = True

    def _start(self, action: Action) -> _Task:
        kind = action["actionType"]
        if kind == ActionType.WHEN_ALL:
            return self._when_all([self._start(child) for child in action["compoundActions"]])
        if kind == ActionType.WHEN_ANY:
            return self._when_any([self._start(child) for child in action["compoundActions"]])
        if kind in (ActionType.CALL_ACTIVITY_WITH_RETRY, ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY):
            return _Attempts(self, action).task
        if kind == ActionType.WAIT_FOR_EXTERNAL_EVENT:
            return self._wait(action["externalEventName"].casefold())
        if kind == ActionType.CREATE_TIMER:
            return self.start_timer(action, parse_time(action["fireAt"]), is_cancelled=action.get("isCanceled", False))
        if kind == ActionType.CONTINUE_AS_NEW:
            self.continued_with = action["input"]
            return _ended()
        return self.start_call(action)

    def start_call(self, action: Action) -> _Task:
        """Start an activity or a sub-orchestration."""
        if action["actionType"] in (ActionType.CALL_ACTIVITY, ActionType.CALL_ACTIVITY_WITH_RETRY):
            return self._leaf(HistoryEventType.TASK_SCHEDULED, action)
        if action["actionType"] in (ActionType.CALL_SUB_ORCHESTRATOR, ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY):
            return self._leaf(HistoryEventType.SUB_ORCHESTRATION_CREATED, action)
        raise UnsupportedAction(f"{ActionType(action['actionType']).name} is not supported by the local host")

    def start_timer(self, action: Action, fire_at: datetime, *, is_cancelled: bool = False) -> _Task:
        """Start a timer. A cancelled one is created all the same, and has ended for whoever awaits it."""
        return self._leaf(HistoryEventType.TIMER_CREATED, action, fire_at, is_open=not is_cancelled)

    def start_delay(self, delay: timedelta) -> _Task:
        """Start the timer that comes before another attempt."""
        return self.start_timer({"actionType": int(ActionType.CREATE_TIMER)}, parse_time(self._now) + delay)

    def _leaf(
        self, kind: HistoryEventType, action: Action, fire_at: datetime | None = None, *, is_open: bool = True
    ) -> _Task:
        task_id, self.counter = self.counter, self.counter + 1
        self._pending[task_id] = ActionStart(task_id, kind, action, fire_at)
        if not is_open:
            return _ended()
        return self._open.setdefault(task_id, _Task())

    def _wait(self, name: str) -> _Task:
        if self._early[name]:
            self._early[name].popleft()
            return _ended()
        task = _Task()
        self._waits[name].append(task)
        return task

    def _when_all(self, tasks: list[_Task]) -> _Task:
        """Ends when all have ended, even if one has failed before."""
        whole = _Task()
        left = len(tasks)

        def count() -> None:
            nonlocal left
            left -= 1
            if not left:
                whole.end(has_failed=any(task.has_failed for task in tasks))

        for task in tasks:
            task.then(count)
        return whole if tasks else _ended()

    def _when_any(self, tasks: list[_Task]) -> _Task:
        """Ends when the first has ended; .NET's ``Task.WhenAny`` throws if there is none."""
        if not tasks:
            raise NonDeterminism("The tasks argument contains no tasks. (Parameter 'tasks')")
        first = _Task()
        for task in tasks:
            task.then(first.end)
        return first


class _Attempts:
    """A call with retries: attempt, timer, attempt, and so on; each takes a sequence number.

    After the last failure one more timer, due at once, takes one, and only when it has fired does the call fail: the
    SDK (``RetryAbleTask`` in ``models/Task.py``) waits for it. Two attempts: numbers 2 (activity), 3 (timer), 4, 5
    (timer).
    """

    def __init__(self, replay: Replay, action: Action) -> None:
        self._replay = replay
        self._action = action
        options = action["retryOptions"]
        self._interval = timedelta(milliseconds=options["firstRetryIntervalInMilliseconds"])
        self._left: int = options["maxNumberOfAttempts"]
        self.task = _Task()
        self._attempt()

    def _attempt(self) -> None:
        self._left -= 1
        call = self._replay.start_call(self._action)
        call.then(lambda: self._judge(call))

    def _judge(self, call: _Task) -> None:
        if not call.has_failed:
            self.task.end()
        elif self._left > 0:
            self._replay.start_delay(self._interval).then(self._attempt)
        else:
            self._replay.start_delay(timedelta(0)).then(lambda: self.task.end(has_failed=True))


def _ended() -> _Task:
    task = _Task()
    task.end()
    return task
