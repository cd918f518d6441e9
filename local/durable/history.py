"""An orchestration's history: events as the Durable extension writes them to the SDK.

An event is a JSON object with ``HistoryEventType``, ``EventId`` (the sequence number of what it schedules, else -1),
``IsPlayed``, ``Timestamp`` (UTC, seven digits as .NET writes them) and the fields of its type. Read by the SDK in
``models/history/HistoryEvent.py`` and ``models/TaskOrchestrationExecutor.py``; written by DurableTask.Core.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

Event = dict[str, Any]


class HistoryEventType(IntEnum):
    """DurableTask.Core's ``HistoryEventType``, as far as the stand-in uses it."""

    EXECUTION_STARTED = 0
    EXECUTION_COMPLETED = 1
    EXECUTION_TERMINATED = 3
    TASK_SCHEDULED = 4
    TASK_COMPLETED = 5
    TASK_FAILED = 6
    SUB_ORCHESTRATION_CREATED = 7
    SUB_ORCHESTRATION_COMPLETED = 8
    SUB_ORCHESTRATION_FAILED = 9
    TIMER_CREATED = 10
    TIMER_FIRED = 11
    ORCHESTRATOR_STARTED = 12
    ORCHESTRATOR_COMPLETED = 13
    EVENT_RAISED = 15
    EXECUTION_SUSPENDED = 19
    EXECUTION_RESUMED = 20


#: Events that arrive from outside: the only ones that the extension marks as played.
MESSAGES = frozenset(
    {
        HistoryEventType.EXECUTION_STARTED,
        HistoryEventType.EXECUTION_TERMINATED,
        HistoryEventType.TASK_COMPLETED,
        HistoryEventType.TASK_FAILED,
        HistoryEventType.SUB_ORCHESTRATION_COMPLETED,
        HistoryEventType.SUB_ORCHESTRATION_FAILED,
        HistoryEventType.TIMER_FIRED,
        HistoryEventType.EVENT_RAISED,
        HistoryEventType.EXECUTION_SUSPENDED,
        HistoryEventType.EXECUTION_RESUMED,
    }
)

#: Events that say that an action was carried out.
SCHEDULED = frozenset(
    {HistoryEventType.TASK_SCHEDULED, HistoryEventType.SUB_ORCHESTRATION_CREATED, HistoryEventType.TIMER_CREATED}
)

#: The end of an action, and the field that names its sequence number.
COMPLETIONS = {
    HistoryEventType.TASK_COMPLETED: "TaskScheduledId",
    HistoryEventType.TASK_FAILED: "TaskScheduledId",
    HistoryEventType.SUB_ORCHESTRATION_COMPLETED: "TaskScheduledId",
    HistoryEventType.SUB_ORCHESTRATION_FAILED: "TaskScheduledId",
    HistoryEventType.TIMER_FIRED: "TimerId",
}
FAILURES = frozenset({HistoryEventType.TASK_FAILED, HistoryEventType.SUB_ORCHESTRATION_FAILED})


def format_time(time: datetime) -> str:
    """An aware UTC time as .NET writes it."""
    return f"{time:%Y-%m-%dT%H:%M:%S.%f}0Z"


def parse_time(text: str) -> datetime:
    """The aware UTC time of an ISO 8601 text; one without an offset is UTC."""
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def new_event(kind: HistoryEventType, time: datetime, event_id: int = -1, /, **fields: Any) -> Event:
    """An event that has not been played yet."""
    return {"EventType": int(kind), "EventId": event_id, "IsPlayed": False, "Timestamp": format_time(time), **fields}


class History:
    """One generation's events, and their JSON text: it is sent whole at every turn, so it is made only once."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.events: list[Event] = []
        self._texts: list[str] = []
        self._scheduled: set[int] = set()
        self.append(events)

    def __len__(self) -> int:
        return len(self.events)

    def append(self, events: Iterable[Event]) -> None:
        """Add a turn's events: from now on they are the past."""
        for event in events:
            past = {**event, "IsPlayed": event["EventType"] in MESSAGES}
            self.events.append(past)
            self._texts.append(_text(past))
            if event["EventType"] in SCHEDULED:
                self._scheduled.add(event["EventId"])

    def admits(self, event: Event) -> bool:
        """Whether ``event`` can come next: if it ends something, that was begun."""
        key = COMPLETIONS.get(event["EventType"])
        return key is None or event[key] in self._scheduled

    def text_with(self, new: Sequence[Event]) -> str:
        """The JSON array of the past events and the ``new`` ones."""
        return f"[{','.join([*self._texts, *map(_text, new)])}]"


def _text(event: Event) -> str:
    return json.dumps(event, separators=(",", ":"))
