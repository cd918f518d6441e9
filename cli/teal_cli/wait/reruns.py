"""A job that runs again finds its deployment: what is to be done about it, decided over what the API says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from teal_cli.exits import OF_STATUS, Exit

if TYPE_CHECKING:
    from teal_cli.api.models import Deployment


class Do(Enum):
    """What to do about a deployment that this job has started before."""

    WATCH = auto()
    NOTHING = auto()
    TELL = auto()
    RETRY = auto()
    GIVE_WAY = auto()


@dataclass(frozen=True)
class Decision:
    """What to do, about which deployment, and why."""

    do: Do
    about: Deployment
    reason: str


def decide(mine: Deployment, newest: Sequence[Deployment], *, this_attempt: bool) -> Decision:
    """``mine`` was started by this job, in this attempt or in an earlier one. ``newest``: the group's, newest first.

    What was started to go on where ``mine`` ended, by this job or by hand, counts in its place.
    """
    last = _continued(mine, newest)
    later = [one for one in newest if one["createdAt"] > last["createdAt"] and one["id"] != last["id"]]
    if last["status"] not in OF_STATUS:
        return Decision(Do.WATCH, last, f"This job has started {last['id']}, which is {last['status']}")
    if later:
        other = later[0]
        reason = f"This job started {last['id']} ({last['status']}), and {other['id']} came since ({other['status']})"
        return Decision(Do.GIVE_WAY, other, reason)
    if OF_STATUS[last["status"]] is Exit.FINISHED:
        return Decision(Do.NOTHING, last, f"This job's deployment {last['id']} has finished: nothing was started")
    if this_attempt and last["id"] == mine["id"]:
        reason = f"This job has started {last['id']} in this attempt, and it is {last['status']}: nothing was started"
        return Decision(Do.TELL, last, reason)
    return Decision(Do.RETRY, last, f"Going on where {last['id']} ended ({last['status']})")


def _continued(mine: Deployment, newest: Sequence[Deployment]) -> Deployment:
    last = mine
    while (follower := next((one for one in newest if one["retryOf"] == last["id"]), None)) is not None:
        last = follower
    return next((one for one in newest if one["id"] == last["id"]), last)
