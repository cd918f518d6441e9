"""What the demo prints: a line for each event, and below them, on a terminal, the VMs as they are now."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TextIO

#: A VM by its color and status: its sign and, on a terminal, the color of it. One that is gone has none.
_SIGNS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("blue", "running"): ("●", "34"),
    ("blue", "healthy"): ("●", "34"),
    ("blue", "detached"): ("○", "34"),
    ("blue", "unhealthy"): ("✗", "34"),
    ("green", "pending"): ("·", "32"),
    ("green", "running"): ("○", "32"),
    ("green", "healthy"): ("●", "32"),
    ("green", "unhealthy"): ("✗", "31"),
    ("green", "detached"): ("○", "31"),
}
_GOOD, _BAD, _DIM, _BOLD = "32", "31", "2", "1"
_ERASE = "\r\x1b[2K"


class Screen:
    """Lines on a terminal, or plain ones in a file. ``colors``: the VMs are drawn, and redrawn in their last line."""

    def __init__(self, out: TextIO, *, colors: bool) -> None:
        self._out = out
        self._colors = colors
        self._drawn = False

    def say(self, text: str = "") -> None:
        """A line of its own."""
        self._clear()
        print(text, file=self._out, flush=True)

    def title(self, text: str) -> None:
        """A line that begins something."""
        self.say(self._in(_BOLD, text))

    def event(self, since: timedelta, event: Mapping[str, Any]) -> None:
        """An event of a deployment, with the simulated minutes since it was asked for."""
        words = f"{event['type']}: {event['message']}"
        color = _GOOD if event["type"] in ("BatchHealthy", "DeploymentFinished") else None
        color = _BAD if event["type"] in ("BatchFailed", "DeploymentFailed") else color
        self.say(f"  {self._in(_DIM, clock(since))}  {words if color is None else self._in(color, words)}")

    def verdict(self, text: str, *, good: bool) -> None:
        """How it went."""
        self.say(self._in(_GOOD if good else _BAD, text))

    def vms(self, vms: Sequence[Mapping[str, Any]], reason: str) -> None:
        """The VMs as they are now, below everything else; drawn over by what comes next."""
        if not self._colors:
            return
        ordered = sorted(vms, key=lambda vm: (vm["color"] != "blue", vm["batch"], vm["name"]))
        signs = [_SIGNS[key] for vm in ordered if (key := (vm["color"], vm["status"])) in _SIGNS]
        room = shutil.get_terminal_size().columns - len(signs) - 12
        self._clear()
        drawn = "".join(self._in(color, sign) for sign, color in signs)
        print(f"         {drawn}  {reason[: max(room, 0)]}", end="", file=self._out, flush=True)
        self._drawn = True

    def _clear(self) -> None:
        if self._drawn:
            print(_ERASE, end="", file=self._out)
            self._drawn = False

    def _in(self, color: str, text: str) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self._colors else text


def clock(duration: timedelta) -> str:
    """Minutes and seconds."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    return f"{minutes:02}:{seconds:02}"
