"""The task hub in a ``Storage``: instances, histories and messages, one transaction per turn.

Everything is in one space, so that one save is one step. A history is stored turn by turn and never written twice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local.durable.history import Event
from local.durable.instances import OrchestrationInstance, decode_instance
from local.durable.messages import Message, decode_message, encode_message
from local.state import Json, Storage

SPACE = "durable"


class Hub:
    """All durable state, in memory and in the storage; ``counter`` numbers messages and ids and is never reused."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.instances: dict[str, OrchestrationInstance] = {}
        self.messages: dict[int, Message] = {}
        self.counter = 0

    def load(self) -> None:
        """Read what an earlier host on the same storage has saved."""
        entries = self._storage.load(SPACE)
        self.counter = entries.get("counter", 0)
        for key, value in entries.items():
            kind, _, name = key.partition("/")
            if kind == "instance":
                self.instances[name] = decode_instance(value)
            elif kind == "message":
                self.messages[int(name)] = decode_message(value)
        for key, value in entries.items():
            kind, _, name = key.partition("/")
            if kind == "turn":
                self.instances[name.rpartition("/")[0]].history.append(value)

    def next_number(self) -> int:
        """A number that no message and no id of this hub has had; stored with the next save."""
        self.counter += 1
        return self.counter

    def change(self) -> HubChange:
        """Begin a change, to be saved in one step."""
        return HubChange(self, self._storage)


class HubChange:
    """Changes to a hub that are saved, and take effect in memory, in one step."""

    def __init__(self, hub: Hub, storage: Storage) -> None:
        self._hub = hub
        self._storage = storage
        self._values: dict[str, Json | None] = {}
        self._instances: dict[str, OrchestrationInstance | None] = {}
        self._messages: dict[int, Message | None] = {}

    def put_instance(self, instance: OrchestrationInstance) -> None:
        """Store the instance, without its history."""
        self._instances[instance.id] = instance
        self._values[f"instance/{instance.id}"] = instance.encode()

    def append_turn(self, instance: OrchestrationInstance, events: list[Event]) -> None:
        """Store the events of the instance's turn, which is its latest."""
        self._values[f"turn/{instance.id}/{instance.turns:06}"] = events

    def delete_turns(self, instance: OrchestrationInstance) -> None:
        """Delete the stored history; turns appended to this change later replace it."""
        for turn in range(1, instance.turns + 1):
            self._values[f"turn/{instance.id}/{turn:06}"] = None

    def delete_instance(self, instance: OrchestrationInstance) -> None:
        """Delete the instance and its history."""
        self.delete_turns(instance)
        self._instances[instance.id] = None
        self._values[f"instance/{instance.id}"] = None

    def put_message(self, message: Message) -> Message:
        """Store a message under a new number; return it with the number."""
        numbered: Any = replace(message, number=self._hub.next_number())
        self._messages[numbered.number] = numbered
        self._values[f"message/{numbered.number:010}"] = encode_message(numbered)
        return numbered  # type: ignore[no-any-return]

    def delete_message(self, number: int) -> None:
        """Delete a message that was dealt with."""
        self._messages[number] = None
        self._values[f"message/{number:010}"] = None

    def save(self) -> None:
        """Save everything in one step."""
        self._storage.save(SPACE, {**self._values, "counter": self._hub.counter})
        _apply(self._hub.instances, self._instances)
        _apply(self._hub.messages, self._messages)


def _apply(target: dict[Any, Any], changes: dict[Any, Any]) -> None:
    for key, value in changes.items():
        if value is None:
            target.pop(key, None)
        else:
            target[key] = value
