"""What an orchestration newly starts, as the event that records it and the message that sets it going."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from local.durable.errors import Complaint, HostError
from local.durable.history import Event, HistoryEventType, format_time, new_event
from local.durable.instances import OrchestrationInstance, Parent, start_event
from local.durable.messages import ActivityItem, InstanceMessage, Message
from local.durable.ports import Worker
from local.durable.replay import ActionStart


@dataclass(frozen=True)
class Starter:
    """Turns starts into messages; ``new_id`` makes the execution ids of sub-orchestrations."""

    worker: Worker
    new_id: Callable[[], str]
    default_version: str | None

    def message(
        self, start: ActionStart, event: Event, instance: OrchestrationInstance, execution_id: str, now: datetime
    ) -> Message:
        """The message for a ``start`` of ``instance`` in its generation ``execution_id``, recorded as ``event``.

        Raise ``HostError`` if there is nobody it could go to: on Azure the instance would hang.
        """
        if start.kind is HistoryEventType.TIMER_CREATED:
            fired = new_event(HistoryEventType.TIMER_FIRED, _due(start), TimerId=start.task_id, FireAt=event["FireAt"])
            return InstanceMessage(instance.id, fired, execution_id, due=start.fire_at)
        if start.kind is HistoryEventType.TASK_SCHEDULED:
            name = self.worker.find_activity(start.action["functionName"])
            if name is None:
                raise _nobody("activity", start, instance)
            data = json.dumps([start.action.get("input")])
            return ActivityItem(instance.id, execution_id, start.task_id, name, data)
        return self._start_child(start, event["InstanceId"], instance, execution_id, now)

    def _start_child(
        self, start: ActionStart, child_id: str, instance: OrchestrationInstance, execution_id: str, now: datetime
    ) -> InstanceMessage:
        name = self.worker.find_orchestrator(start.action["functionName"])
        if name is None or child_id == instance.id:
            raise _nobody("orchestrator", start, instance)
        parent = Parent(instance.id, execution_id, start.task_id)
        version = start.action.get("version") or self.default_version
        child_execution_id, text = self.new_id(), json.dumps(start.action.get("input"))
        event = start_event(name, version, text, child_id, child_execution_id, parent, now)
        return InstanceMessage(child_id, event, child_execution_id)


def start_record(start: ActionStart, execution_id: str, now: datetime) -> Event:
    """The event that records a ``start`` of the generation ``execution_id``."""
    if start.kind is HistoryEventType.TIMER_CREATED:
        return new_event(start.kind, now, start.task_id, FireAt=format_time(_due(start)))
    fields = {"Name": start.action["functionName"], "Version": start.action.get("version") or ""}
    if start.kind is HistoryEventType.SUB_ORCHESTRATION_CREATED:
        # An id that is not given is new in every generation.
        fields["InstanceId"] = start.action.get("instanceId") or f"{execution_id}:{start.task_id}"
    return new_event(start.kind, now, start.task_id, **fields)


def _due(start: ActionStart) -> datetime:
    assert start.fire_at is not None, "every timer has a time"
    return start.fire_at


def _nobody(kind: str, start: ActionStart, instance: OrchestrationInstance) -> HostError:
    name = start.action["functionName"]
    message = f"{instance.name} calls {kind} '{name}', which cannot be started"
    return HostError(Complaint.UNKNOWN_FUNCTION, message, instance.id)
