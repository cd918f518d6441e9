"""What a pipeline is told besides the code."""

from __future__ import annotations

from typing import Any

import pytest

from teal_cli.ending import Ended
from teal_cli.exits import Exit
from teal_cli.show.reports import SUMMARY_BYTES_MAX, refused_summary, summary
from tests.cli.builders import deployment

FAILED = {"status": "failed", "error": {"code": "batchUnhealthy", "message": "1 of 2 is sick"}}


def test_the_summary_says_first_what_to_do() -> None:
    failed = summary(Exit.FAILED, deployment(**FAILED), "https://t/d").splitlines()
    assert failed[2] == "**What to do:** `teal retry web-20261123T081500Z-1a2b3c` goes on where it ended."
    waits = summary(Exit.WAITS, deployment(status="awaitingApproval"), "https://t/d").splitlines()
    assert waits[2] == "**What to do:** [approve it](https://t/d)"
    assert "What to do" not in summary(Exit.FINISHED, deployment(status="finished"), "https://t/d")


def test_a_summary_stays_far_below_what_github_drops() -> None:
    long: Any = deployment(**{**FAILED, "reason": "é" * 2_000_000})
    assert len(summary(Exit.FAILED, long, "https://t/d").encode()) <= SUMMARY_BYTES_MAX + 10
    many = Ended(Exit.REFUSED, *["x" * 1000] * 2000)
    assert len(refused_summary(many).encode()) <= SUMMARY_BYTES_MAX + 10


@pytest.mark.parametrize("comment", ["| a | b", "<img src=x>", "[x](https://evil)", "@everyone", "`code`\n# big"])
def test_words_from_outside_are_not_markdown(comment: str) -> None:
    row = next(
        line
        for line in summary(Exit.FAILED, deployment(**FAILED, comment=comment), "u").splitlines()
        if line.startswith("| comment")
    )
    inside = row.removeprefix("| comment | ").removesuffix(" |")
    assert not set(inside) & set("<>|[]`@")
