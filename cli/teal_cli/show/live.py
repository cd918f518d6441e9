"""The live view of a terminal: a bar of batches, VMs by status, time left, the latest events.

rich is imported here alone, and this module only where somebody looks on.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live as Screen
from rich.table import Table
from rich.text import Text

from teal_cli.session import now
from teal_cli.show.durations import show_duration
from teal_cli.show.narrating import Look, event_line, gate_lines, parse_time, time_left
from teal_cli.show.plain import plain

if TYPE_CHECKING:
    from teal_cli.api.models import Batch, Deployment, Event, Vm

#: How many events are shown.
EVENTS = 6

_COLORS = {
    "finished": "green",
    "failed": "red",
    "stopped": "yellow",
    "rolledBack": "yellow",
    "rollingBack": "yellow",
    "stopping": "yellow",
    "paused": "magenta",
    "awaitingApproval": "magenta",
    "healthy": "green",
    "unhealthy": "red",
    "detached": "bright_black",
    "running": "cyan",
    "pending": "yellow",
}


class Live:
    """Draws each look over the last. What goes to stdout stays there: rich would take it along."""

    def __init__(self, page: str, *, unicode: bool = True) -> None:
        self._page = page
        self._unicode = unicode
        self._events: deque[Event] = deque(maxlen=EVENTS)
        self._console = Console(stderr=True)
        self._screen = Screen(
            console=self._console, redirect_stdout=False, redirect_stderr=False, auto_refresh=False, transient=False
        )
        self._trouble = ""
        self._last: Look | None = None
        self._open = False

    def show(self, look: Look) -> None:
        """Draw this look."""
        self._events.extend(look.events)
        self._trouble, self._last = "", look
        self._draw()

    def trouble(self, words: str) -> None:
        """Draw the last look again, and that there is no answer."""
        self._trouble = plain(words)
        self._draw()

    def close(self) -> None:
        """Leave the last drawing where it is, and give the cursor back."""
        if self._open:
            self._open = False
            self._screen.stop()

    def _draw(self) -> None:
        if not self._open:
            self._open = True
            self._screen.start()
        drawn = drawing(self._last, self._events, self._page, now(), self._trouble, unicode=self._unicode)
        self._screen.update(drawn, refresh=True)


def drawing(
    look: Look | None,
    events: Iterable[Event],
    page: str,
    at: datetime,
    trouble: str = "",
    *,
    unicode: bool = True,
) -> RenderableType:
    """What the screen shows."""
    parts: list[RenderableType] = []
    if look is not None:
        deployment = look.deployment
        parts += [_title(deployment), _bar(look.batches, deployment, at, unicode), _vms(look.vms)]
        parts += [Text(line.strip(), style="magenta") for line in gate_lines(deployment, page)]
        parts += [Text(""), *(Text(event_line(event), style="dim") for event in events), Text("")]
    parts.append(Text(f"{trouble}; trying again", style="yellow") if trouble else Text(page, style="bright_black"))
    return Group(*parts)


def _title(deployment: Deployment) -> RenderableType:
    status = deployment["status"]
    line = Text.assemble((plain(deployment["id"]), "bold"), "  ", (status, f"bold {_COLORS.get(status, 'cyan')}"))
    reason = plain(deployment["reason"])
    return Group(line, Text(reason)) if reason else line


def _bar(batches: Sequence[Batch], deployment: Deployment, at: datetime, unicode: bool) -> RenderableType:
    """One cell a batch: done, under way, to come, failed."""
    full, half, empty, failed = ("█", "▓", "░", "✗") if unicode else ("#", "+", ".", "x")
    text = Text()
    wide = max(1, min(4, 60 // max(1, len(batches))))
    for batch in batches:
        phase = batch["phase"]
        sign, style = {
            "terminated": (full, "green"),
            "planned": (empty, "bright_black"),
            "failed": (failed, "red"),
        }.get(phase, (half, "cyan"))
        text.append(sign * wide + (" " if wide > 1 else ""), style=style)
    count = f" {deployment['progress']} %, batch {deployment['currentBatch']} of {deployment['numberOfBatches']}"
    left = time_left(deployment, at)
    text.append(count + (f", about {show_duration(left)} left" if left is not None else _taken(deployment, at)))
    return text


def _taken(deployment: Deployment, at: datetime) -> str:
    if deployment["startedAt"] is None:
        return ""
    end = parse_time(deployment["endedAt"]) if deployment["endedAt"] is not None else at
    return f", {show_duration(end - parse_time(deployment['startedAt']))} so far"


def _vms(vms: Sequence[Vm]) -> RenderableType:
    """How many VMs of each color have which status."""
    grid = Table.grid(padding=(0, 2))
    for color in ("blue", "green"):
        counts = Counter(vm["status"] for vm in vms if vm["color"] == color)
        said = Text("  ").join(
            Text(f"{count} {status}", style=_COLORS.get(status, "")) for status, count in sorted(counts.items())
        )
        grid.add_row(Text(color, style=color), said if counts else Text("none", style="bright_black"))
    return grid
