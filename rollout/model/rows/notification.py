"""The row of an Event Grid notification, and what it led to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class NotificationOutcome(StrEnum):
    """What a notification led to."""

    STARTED = "started"
    WAITING = "waiting"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    IGNORED = "ignored"

    @property
    def final(self) -> bool:
        """Whether nothing else becomes of it."""
        return self is not NotificationOutcome.WAITING


@dataclass(frozen=True)
class Consequence:
    """What a notification led to in one group, and why. ``deployment_id``: the one that it started."""

    group_id: str
    outcome: NotificationOutcome
    reason: str
    at: datetime
    deployment_id: str | None = None


@dataclass(frozen=True)
class NotificationRecord:
    """One row of the notifications table.

    ``key`` is the row's own (``rollout.ports.keys.notification_key``). ``deliveries``: how often it came, for Event
    Grid delivers at least once. ``reason``: why it concerns no group; else it is empty, and ``groups`` tells what it
    led to. ``type`` and ``subject`` are what the sender put there.
    """

    key: str
    id: str
    type: str
    subject: str
    received_at: datetime
    deliveries: int = 1
    image_id: str | None = None
    version: str | None = None
    reason: str = ""
    groups: tuple[Consequence, ...] = ()
    schema_version: int = 1

    @property
    def outcome(self) -> NotificationOutcome:
        """The one of its groups' that people would want to know of first."""
        outcomes = {one.outcome for one in self.groups}
        return next((outcome for outcome in NotificationOutcome if outcome in outcomes), NotificationOutcome.IGNORED)

    def of(self, group_id: str) -> Consequence | None:
        """What it led to in a group; ``None``: that is not known yet."""
        return next((one for one in self.groups if one.group_id == group_id), None)

    def with_consequence(self, consequence: Consequence) -> NotificationRecord:
        """The row in which that is what it led to in the group; what is final there stays."""
        known = self.of(consequence.group_id)
        if known is not None and (known.outcome.final or replace(known, at=consequence.at) == consequence):
            return self
        others = tuple(one for one in self.groups if one.group_id != consequence.group_id)
        return replace(self, reason="", groups=(*others, consequence))

    def ignored(self, reason: str) -> NotificationRecord:
        """The row of one that concerns no group."""
        return replace(self, reason=reason)

    def delivered_again(self) -> NotificationRecord:
        """The row after another delivery."""
        return replace(self, deliveries=self.deliveries + 1)
