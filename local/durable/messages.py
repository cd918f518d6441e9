"""What is on its way: activity items, and messages to instances. Together with the instances, the whole durable state.

A message to an instance carries the execution id of the generation it is meant for; external events and control
messages carry none.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from local.durable.history import Event, format_time, parse_time
from local.state import Json


@dataclass(frozen=True)
class InstanceMessage:
    """An event for an instance's history, due at once or, a timer's, at ``due``."""

    instance_id: str
    event: Event
    execution_id: str | None = None
    due: datetime | None = None
    number: int = 0


@dataclass(frozen=True)
class ActivityItem:
    """An activity to run for an instance. ``data`` is the stored input: a JSON array of one JSON text."""

    instance_id: str
    execution_id: str
    task_id: int
    name: str
    data: str
    number: int = 0


Message = InstanceMessage | ActivityItem


def encode_message(message: Message) -> Json:
    """The message as it is stored."""
    fields = asdict(message)
    if isinstance(message, ActivityItem):
        return {"kind": "activity", **fields}
    return {"kind": "instance", **fields, "due": message.due and format_time(message.due)}


def decode_message(value: Json) -> Message:
    """The message that was stored as ``value``."""
    fields = {key: field for key, field in value.items() if key != "kind"}
    if value["kind"] == "activity":
        return ActivityItem(**fields)
    return InstanceMessage(**{**fields, "due": fields["due"] and parse_time(fields["due"])})
