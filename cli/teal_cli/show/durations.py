"""Durations as people write them (``5m``, ``1h30m``, ``90``) and read them (``1 h 30 min``)."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|min|s|m|h|d)", re.ASCII)

EXAMPLE = "seconds, or as 90s, 5m, 1h30m, 2d"

#: Longer than anything is waited for, and short enough to be added to any time.
LONGEST = timedelta(days=3650)


def parse_duration(text: str) -> timedelta:
    """``ValueError`` says what would be understood."""
    given = text.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", given, re.ASCII):
        seconds = float(given)
    else:
        parts = _PART.findall(given)
        if not parts or "".join(number + unit for number, unit in parts) != given:
            raise ValueError(f"{text!r} is no duration: {EXAMPLE}")
        seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"{text!r} is longer than ten years")
    return timedelta(seconds=seconds)


def whole_seconds(text: str) -> int:
    """A duration for the API, which takes whole seconds; ``ValueError`` for less."""
    seconds = parse_duration(text).total_seconds()
    if seconds != int(seconds):
        raise ValueError(f"{text!r} is not a whole number of seconds")
    return int(seconds)


def show_duration(duration: timedelta) -> str:
    """Two units at most: ``45 s``, ``12 min``, ``1 h 05 min``, ``2 d 3 h``."""
    seconds = max(0, round(duration.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
