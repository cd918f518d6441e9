"""Instances as the HTTP API shows them: status bodies, filters, pages.

The extension's ``HttpApiHandler.cs`` and the client's ``DurableOrchestrationStatus``.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from local.durable.history import COMPLETIONS, FAILURES, SCHEDULED, Event, HistoryEventType, parse_time
from local.durable.instances import OrchestrationInstance, RuntimeStatus, decode_value
from local.state import Json

PAGE_SIZE = 100

_NAMES = {
    HistoryEventType.EXECUTION_STARTED: "ExecutionStarted",
    HistoryEventType.EXECUTION_COMPLETED: "ExecutionCompleted",
    HistoryEventType.EXECUTION_TERMINATED: "ExecutionTerminated",
    HistoryEventType.TASK_COMPLETED: "TaskCompleted",
    HistoryEventType.TASK_FAILED: "TaskFailed",
    HistoryEventType.SUB_ORCHESTRATION_COMPLETED: "SubOrchestrationInstanceCompleted",
    HistoryEventType.SUB_ORCHESTRATION_FAILED: "SubOrchestrationInstanceFailed",
    HistoryEventType.TIMER_FIRED: "TimerFired",
    HistoryEventType.EVENT_RAISED: "EventRaised",
    HistoryEventType.EXECUTION_SUSPENDED: "ExecutionSuspended",
    HistoryEventType.EXECUTION_RESUMED: "ExecutionResumed",
    HistoryEventType.TASK_SCHEDULED: "TaskScheduled",
    HistoryEventType.SUB_ORCHESTRATION_CREATED: "SubOrchestrationInstanceCreated",
    HistoryEventType.TIMER_CREATED: "TimerCreated",
}


@dataclass(frozen=True)
class InstanceFilter:
    """Which instances a query means; None means any."""

    created_from: datetime | None = None
    created_to: datetime | None = None
    statuses: frozenset[RuntimeStatus] | None = None
    prefix: str = ""

    def admits(self, instance: OrchestrationInstance) -> bool:
        """Whether the instance is meant."""
        return (
            (self.created_from is None or instance.created >= self.created_from)
            and (self.created_to is None or instance.created <= self.created_to)
            and (self.statuses is None or instance.status in self.statuses)
            and instance.id.startswith(self.prefix)
        )


def parse_filter(query: Mapping[str, str]) -> InstanceFilter:
    """The filter of a query string; raise ``ValueError`` for what cannot be read."""
    known = {status.value.casefold(): status for status in RuntimeStatus}
    names = [name.strip().casefold() for name in query.get("runtimeStatus", "").split(",") if name.strip()]
    # Statuses that no local instance can have (Canceled, ContinuedAsNew) match none.
    statuses = frozenset(known[name] for name in names if name in known) if names else None
    return InstanceFilter(
        created_from=_read_time(query.get("createdTimeFrom")),
        created_to=_read_time(query.get("createdTimeTo")),
        statuses=statuses,
        prefix=query.get("instanceIdPrefix", ""),
    )


def take_page(
    instances: Iterable[OrchestrationInstance], size: int, token: str | None
) -> tuple[list[OrchestrationInstance], str | None]:
    """The page after ``token``, by id, and the token of the next one if there is more."""
    after = base64.b64decode(token).decode() if token else ""
    rest = sorted((one for one in instances if one.id > after), key=lambda one: one.id)
    page = rest[:size]
    more = base64.b64encode(page[-1].id.encode()).decode() if len(rest) > size and page else None
    return page, more


def status_body(
    instance: OrchestrationInstance,
    *,
    show_input: bool = True,
    show_history: bool = False,
    show_history_output: bool = False,
) -> Json:
    """The status of one instance; values are decoded once, so one started by the SDK shows its input as a text."""
    return {
        "name": instance.name,
        "instanceId": instance.id,
        "runtimeStatus": instance.status.value,
        "input": decode_value(instance.input) if show_input else None,
        "customStatus": decode_value(instance.custom_status),
        "output": decode_value(instance.output),
        "createdTime": _whole_seconds(instance.created),
        "lastUpdatedTime": _whole_seconds(instance.updated),
        "historyEvents": _edit_history(instance.history.events, show_history_output) if show_history else None,
    }


def _read_time(text: str | None) -> datetime | None:
    return parse_time(text) if text else None


def _whole_seconds(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"


def _edit_history(events: list[Event], show_output: bool) -> list[Json]:
    """The history as the API shows it: names for numbers, and what was scheduled told with its end."""
    scheduled = {event["EventId"]: event for event in events if event["EventType"] in SCHEDULED}
    ended = {event[COMPLETIONS[event["EventType"]]] for event in events if event["EventType"] in COMPLETIONS}
    shown = []
    for event in events:
        kind = event["EventType"]
        if kind in COMPLETIONS:
            shown.append(_edit_end(event, scheduled.get(event[COMPLETIONS[kind]]), show_output))
        elif kind in _NAMES and not (kind in SCHEDULED and event["EventId"] in ended):
            shown.append(_edit(event, show_output))
    return shown


def _edit(event: Event, show_output: bool) -> Json:
    hidden = {"EventId", "IsPlayed", "EventType", "OrchestrationInstance", "ParentInstance", "Tags", "Version"}
    fields = {key: value for key, value in event.items() if key not in hidden}
    if event["EventType"] == HistoryEventType.EXECUTION_STARTED:
        fields["FunctionName"] = fields.pop("Name")
        fields["Input"] = decode_value(fields["Input"])
    if "Result" in fields:
        fields["Result"] = decode_value(fields["Result"])
        if not show_output:
            del fields["Result"]
    return {"EventType": _NAMES[HistoryEventType(event["EventType"])], **fields}


def _edit_end(event: Event, start: Event | None, show_output: bool) -> Json:
    edited = _edit(event, show_output)
    edited.pop("TaskScheduledId", None)
    edited.pop("TimerId", None)
    if event["EventType"] in FAILURES:
        edited.pop("Details", None)
    if start is not None:
        edited["ScheduledTime"] = start["Timestamp"]
        if "Name" in start:
            edited["FunctionName"] = start["Name"]
    return edited
