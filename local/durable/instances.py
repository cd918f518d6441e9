"""An orchestration instance: what the host knows of it between two turns."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from local.durable.history import Event, History, HistoryEventType, format_time, new_event, parse_time
from local.state import Json


class RuntimeStatus(StrEnum):
    """The statuses of the HTTP API (the SDK's ``OrchestrationRuntimeStatus``) that the stand-in can reach."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    COMPLETED = "Completed"
    FAILED = "Failed"
    TERMINATED = "Terminated"

    @property
    def is_ended(self) -> bool:
        """Whether the instance will never run again."""
        return self in (RuntimeStatus.COMPLETED, RuntimeStatus.FAILED, RuntimeStatus.TERMINATED)


@dataclass(frozen=True)
class Parent:
    """The instance that waits for a sub-orchestration, and under which sequence number."""

    instance_id: str
    execution_id: str
    task_id: int


@dataclass
class OrchestrationInstance:
    """One instance as it is stored; changed only when a turn, or an order from outside, is saved.

    ``input``, ``output`` and ``custom_status`` are texts as stored: JSON, except that a failure's or a termination's
    output is plain text. ``turns`` counts the saved turns of the generation; ``actions`` are those of the previous
    answer in it, kept for the replay check and not stored.
    """

    id: str
    name: str
    version: str | None
    input: str | None
    execution_id: str
    parent: Parent | None
    created: datetime
    updated: datetime
    status: RuntimeStatus = RuntimeStatus.PENDING
    generation: int = 1
    turns: int = 0
    output: str | None = None
    custom_status: str | None = None
    history: History = field(default_factory=History, repr=False)
    actions: list[Any] = field(default_factory=list, repr=False)

    def encode(self) -> Json:
        """What is stored of it, but for the history."""
        return {
            "id": self.id,
            "name": self.name,
            "version": self.version,
            "input": self.input,
            "executionId": self.execution_id,
            "parent": self.parent and asdict(self.parent),
            "created": format_time(self.created),
            "updated": format_time(self.updated),
            "status": self.status.value,
            "generation": self.generation,
            "turns": self.turns,
            "output": self.output,
            "customStatus": self.custom_status,
        }


def decode_instance(value: Json) -> OrchestrationInstance:
    """The instance that was stored as ``value``, without its history."""
    return OrchestrationInstance(
        id=value["id"],
        name=value["name"],
        version=value["version"],
        input=value["input"],
        execution_id=value["executionId"],
        parent=value["parent"] and Parent(**value["parent"]),
        created=parse_time(value["created"]),
        updated=parse_time(value["updated"]),
        status=RuntimeStatus(value["status"]),
        generation=value["generation"],
        turns=value["turns"],
        output=value["output"],
        custom_status=value["customStatus"],
    )


@dataclass(frozen=True)
class InstanceStatus:
    """What one sees of an instance from outside; input, output and custom status are decoded once, as the API does."""

    id: str
    name: str
    status: RuntimeStatus
    input: Json
    output: Json
    custom_status: Json
    created: datetime
    updated: datetime


def read_status(instance: OrchestrationInstance) -> InstanceStatus:
    """The instance as seen from outside."""
    return InstanceStatus(
        id=instance.id,
        name=instance.name,
        status=instance.status,
        input=decode_value(instance.input),
        output=decode_value(instance.output),
        custom_status=decode_value(instance.custom_status),
        created=instance.created,
        updated=instance.updated,
    )


def decode_value(text: str | None) -> Json:
    """A stored text decoded once; what is no JSON (a termination's reason) stays as it is."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def start_event(
    name: str,
    version: str | None,
    text: str | None,
    instance_id: str,
    execution_id: str,
    parent: Parent | None,
    now: datetime,
) -> Event:
    """The event that begins a generation; ``text`` is its input as stored."""
    reference = parent and {
        "OrchestrationInstance": {"InstanceId": parent.instance_id, "ExecutionId": parent.execution_id},
        "TaskScheduleId": parent.task_id,
    }
    return new_event(
        HistoryEventType.EXECUTION_STARTED,
        now,
        Name=name,
        Version=version,
        Input=text,
        OrchestrationInstance={"InstanceId": instance_id, "ExecutionId": execution_id},
        ParentInstance=reference,
        Tags=None,
    )


def read_parent(event: Event) -> Parent | None:
    """The parent that a start event names."""
    reference = event["ParentInstance"]
    if reference is None:
        return None
    where = reference["OrchestrationInstance"]
    return Parent(where["InstanceId"], where["ExecutionId"], reference["TaskScheduleId"])


def begin_instance(event: Event, now: datetime) -> OrchestrationInstance:
    """The instance that a start event begins, before its first turn."""
    where = event["OrchestrationInstance"]
    return OrchestrationInstance(
        id=where["InstanceId"],
        name=event["Name"],
        version=event["Version"],
        input=event["Input"],
        execution_id=where["ExecutionId"],
        parent=read_parent(event),
        created=now,
        updated=now,
    )
