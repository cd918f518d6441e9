"""Durable Functions: starting orchestrations, and how they stand."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from rollout.model.codec import Json


class InstanceState(StrEnum):
    """What the orchestration that runs a deployment is doing."""

    ABSENT = "absent"
    RUNNING = "running"
    SUSPENDED = "suspended"
    ENDED = "ended"


class Instances(Protocol):
    """The orchestrations of the Durable Functions task hub."""

    async def start(self, recipe: str, instance_id: str, order: Json) -> None:
        """Start a recipe."""
        ...

    async def state(self, instance_id: str) -> InstanceState: ...

    async def wake(self, instance_id: str, event: str) -> None:
        """Raise an event of this name. An instance that does not listen, or is gone, is passed over."""
        ...

    async def terminate(self, instance_id: str, reason: str) -> None:
        """Ask the instance to end; one that has ended, or is absent, is passed over."""
        ...

    async def children(self, deployment_id: str) -> tuple[str, ...]:
        """The deployment's other orchestrations that have not ended, each parent before what it started.

        Of more than a page of them, some.
        """
        ...

    async def purge(self, created_from: datetime, created_to: datetime) -> int:
        """Forget the instances that have ended and were begun in this time; how many there were."""
        ...

    async def describe(self, instance_id: str) -> Json | None:
        """The Durable status as JSON, without history and keyed URLs; ``None``: no such instance."""
        ...
