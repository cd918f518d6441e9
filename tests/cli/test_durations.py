"""Durations as people write and read them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from teal_cli.show.durations import parse_duration, show_duration, whole_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("5m", 300),
        ("5min", 300),
        ("1h30m", 5400),
        ("2d", 172800),
        (" 1H ", 3600),
        ("200ms", 0.2),
    ],
)
def test_a_duration_is_understood(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "m", "5x", "-5", "1h-2m", "5 m", "1e3", "٣", "inf", "99999d", "9" * 400])
def test_anything_else_is_not(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|ten years"):
        parse_duration(text)


def test_the_api_takes_whole_seconds() -> None:
    assert whole_seconds("1.5m") == 90
    with pytest.raises(ValueError, match="whole number"):
        whole_seconds("200ms")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (3599, "1 h"), (3900, "1 h 05 min"), (86400 * 2 + 3 * 3600, "2 d 3 h")],
)
def test_a_duration_is_shown_in_two_units_at_most(seconds: float, shown: str) -> None:
    assert show_duration(timedelta(seconds=seconds)) == shown
