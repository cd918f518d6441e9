"""What is due when: the simulated world moves from one due event to the next, each at its exact time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime

from local.azure.arm.resources import CloudState, Due


class Agenda:
    """The due events of a state, carried out in order of time."""

    def __init__(self, state: CloudState) -> None:
        self._state = state
        self._handlers: dict[str, Callable[[Due], None]] = {}

    def on(self, kind: str, handler: Callable[[Due], None]) -> None:
        """Have ``handler`` carry out events of ``kind``."""
        self._handlers[kind] = handler

    def plan(self, at: datetime, kind: str, scale_set: str, subject: str, number: int = 0, boot: int = 0) -> None:
        """Have an event happen at ``at``; of a VM only in its boot number ``boot``."""
        self._state.orders += 1
        heapq.heappush(self._state.agenda, Due(at, self._state.orders, kind, scale_set, subject, number, boot))

    def advance(self, to: datetime) -> None:
        """Let everything happen that is due up to ``to``; the state's time never goes back."""
        while self._state.agenda and self._state.agenda[0].at <= to:
            due = heapq.heappop(self._state.agenda)
            self._state.now = max(self._state.now, due.at)
            self._handlers[due.kind](due)
        self._state.now = max(self._state.now, to)
