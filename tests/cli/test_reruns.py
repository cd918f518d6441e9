"""What a job does that runs again, as a table of what it finds."""

from __future__ import annotations

from typing import Any

import pytest

from teal_cli.wait.reruns import Do, decide
from tests.cli.builders import deployment


def row(number: int, status: str, retry_of: int | None = None) -> Any:
    of = f"d{retry_of}" if retry_of is not None else None
    return deployment(id=f"d{number}", status=status, createdAt=f"2026-11-23T08:{number:02}:00.000Z", retryOf=of)


TABLE = [
    # Still going on.
    (row(1, "inProgress"), [row(1, "inProgress")], False, Do.WATCH, "d1"),
    (row(1, "queued"), [row(1, "queued")], True, Do.WATCH, "d1"),
    # Another is queued behind it: it is still ours to watch.
    (row(1, "inProgress"), [row(2, "queued"), row(1, "inProgress")], False, Do.WATCH, "d1"),
    (row(1, "finished"), [row(1, "finished")], False, Do.NOTHING, "d1"),
    (row(1, "finished"), [row(1, "finished")], True, Do.NOTHING, "d1"),
    # Ended unfinished: an earlier attempt's is gone on with, this attempt's is told.
    (row(1, "failed"), [row(1, "failed")], False, Do.RETRY, "d1"),
    (row(1, "rolledBack"), [row(1, "rolledBack")], False, Do.RETRY, "d1"),
    (row(1, "stopped"), [row(1, "stopped")], True, Do.TELL, "d1"),
    # Somebody else's came since: green would say that the group runs what this job deploys.
    (row(1, "finished"), [row(2, "finished"), row(1, "finished")], False, Do.GIVE_WAY, "d2"),
    (row(1, "failed"), [row(3, "inProgress"), row(2, "failed"), row(1, "failed")], False, Do.GIVE_WAY, "d3"),
    # What goes on where it ended counts in its place, whoever started it.
    (row(1, "failed"), [row(2, "inProgress", 1), row(1, "failed")], False, Do.WATCH, "d2"),
    (row(1, "failed"), [row(3, "finished", 2), row(2, "failed", 1), row(1, "failed")], False, Do.NOTHING, "d3"),
    (row(1, "failed"), [row(2, "failed", 1), row(1, "failed")], False, Do.RETRY, "d2"),
    (row(1, "failed"), [row(3, "failed"), row(2, "failed", 1), row(1, "failed")], False, Do.GIVE_WAY, "d3"),
]


@pytest.mark.parametrize(("mine", "newest", "this_attempt", "do", "about"), TABLE)
def test_a_job_that_runs_again(mine: Any, newest: list[Any], this_attempt: bool, do: Do, about: str) -> None:
    decision = decide(mine, newest, this_attempt=this_attempt)
    assert (decision.do, decision.about["id"]) == (do, about)
    assert about in decision.reason
