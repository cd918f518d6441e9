"""The exit codes: one table, of which the help, the docs and the tests are made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Exit(IntEnum):
    """How a command ends."""

    FINISHED = 0
    FAILED = 1
    USAGE = 2
    ROLLED_BACK = 3
    TIMED_OUT = 4
    STOPPED = 5
    REFUSED = 6
    CONFLICT = 7
    WAITS = 8
    NOT_ALLOWED = 9
    NO_ANSWER = 10
    INTERRUPTED = 130
    TERMINATED = 143


@dataclass(frozen=True)
class Meaning:
    """What a code says, and what to do about it."""

    says: str
    then: str


MEANINGS: dict[Exit, Meaning] = {
    Exit.FINISHED: Meaning("done; of a deployment: finished", "nothing"),
    Exit.FAILED: Meaning("the deployment failed", "the last line says why; `teal retry` goes on where it ended"),
    Exit.USAGE: Meaning("asked wrongly: an option, 400, 404, or a key that was used for another request", "correct it"),
    Exit.ROLLED_BACK: Meaning("the deployment was rolled back", "the last line says why"),
    Exit.TIMED_OUT: Meaning("not over within --timeout; it goes on", "`teal watch` goes on watching"),
    Exit.STOPPED: Meaning("the deployment was stopped", "`teal retry` goes on where it ended"),
    Exit.REFUSED: Meaning("understood and refused (422): nothing was changed", "do as each line's remedy says"),
    Exit.CONFLICT: Meaning(
        "another one is in the way (409, 412), and named", "wait for it, or start with --on-conflict"
    ),
    Exit.WAITS: Meaning("waits for a person's approval", "approve it by the link, then `teal watch`"),
    Exit.NOT_ALLOWED: Meaning(
        "not allowed: 401 with a fresh token, or 403", "see that key or role are right: `teal doctor`"
    ),
    Exit.NO_ANSWER: Meaning(
        "no answer, or 5xx, within the timeout", "`teal doctor`; a deployment that was started is named"
    ),
    Exit.INTERRUPTED: Meaning("interrupted by ^C (SIGINT)", "as --on-cancel says; `teal watch` goes on watching"),
    Exit.TERMINATED: Meaning("ended by SIGTERM, SIGHUP, or because its parent is gone", "the same"),
}

#: How a deployment's end is told; one that is not among these goes on.
OF_STATUS = {
    "finished": Exit.FINISHED,
    "failed": Exit.FAILED,
    "stopped": Exit.STOPPED,
    "rolledBack": Exit.ROLLED_BACK,
}

#: The one 422 that is the caller's own mistake.
KEY_REUSED = "idempotencyKeyReused"


def of_refusal(status: int, code: str) -> Exit:
    """The code for an answer of Teal that is not a success, and that asking again does not change."""
    if status in (401, 403):
        return Exit.NOT_ALLOWED
    if status in (409, 412):
        return Exit.CONFLICT
    if status == 422 and code != KEY_REUSED:
        return Exit.REFUSED
    return Exit.NO_ANSWER if status >= 500 else Exit.USAGE


def help_text() -> str:
    """The table for ``--help``; ``\\b`` keeps its lines apart."""
    return "\n".join(["\b", "Exit codes:", *(f"  {code.value:>3}  {MEANINGS[code].says}" for code in Exit)])


def markdown() -> str:
    """The table for the docs."""
    rows = [f"| {code.value} | {MEANINGS[code].says} | {MEANINGS[code].then} |" for code in Exit]
    return "\n".join(["| code | means | what to do |", "|---|---|---|", *rows])
