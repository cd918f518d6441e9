"""What the Durable host needs of the functions host: somebody who runs the functions."""

from __future__ import annotations

from typing import Protocol


class Worker(Protocol):
    """Runs activities and orchestrators by their registered names, which are compared without regard to case."""

    def find_orchestrator(self, name: str) -> str | None:
        """The name as it was registered, or None."""

    def find_activity(self, name: str) -> str | None:
        """The name as it was registered, or None."""

    def run_orchestrator(self, name: str, context: str) -> str:
        """Call the SDK's handle with the context's JSON; return its JSON, or raise what it raises."""

    def scheduled_by_sdk(self, name: str, context: str) -> frozenset[int]:
        """The sequence numbers that the SDK itself holds open after the same call."""

    async def run_activity(self, name: str, data: str) -> str:
        """Call an activity with its input's JSON text; return its result's."""
