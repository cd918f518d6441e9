"""What is said of a deployment, line by line: pure, and plain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from teal_cli.show.durations import show_duration
from teal_cli.show.plain import plain

if TYPE_CHECKING:
    from teal_cli.api.models import Batch, Deployment, Event, Vm

#: A pipeline is killed where it is silent for ten minutes.
QUIET = timedelta(minutes=5)


@dataclass(frozen=True)
class Look:
    """A deployment as it was at one moment, with the events since the last look."""

    deployment: Deployment
    events: Sequence[Event] = ()
    batches: Sequence[Batch] = ()
    vms: Sequence[Vm] = ()


@dataclass
class Narrator:
    """Says each change once, and that it still goes on when nothing has changed for five minutes."""

    page: str
    status: str = ""
    said_at: datetime | None = None
    asked: str = ""
    lines: list[str] = field(default_factory=list)

    def tell(self, look: Look, now: datetime) -> list[str]:
        """The lines for what is new in a look."""
        lines = [event_line(event) for event in look.events]
        deployment = look.deployment
        asked = asked_since(deployment)
        if asked and asked != self.asked:
            lines += gate_lines(deployment, self.page)
        elif deployment["status"] != self.status and not look.events:
            lines.append(state_line(deployment, now))
        self.asked, self.status = asked, deployment["status"]
        return self._kept(lines or self._quiet(now, state_line(deployment, now)), now)

    def trouble(self, words: str, now: datetime) -> list[str]:
        """The lines where there is no answer."""
        return self._kept([f"{clock(now)} {plain(words)}; trying again"], now)

    def _quiet(self, now: datetime, line: str) -> list[str]:
        return [line] if self.said_at is not None and now - self.said_at >= QUIET else []

    def _kept(self, lines: list[str], now: datetime) -> list[str]:
        if lines or self.said_at is None:
            self.said_at = now
        return lines


def event_line(event: Event) -> str:
    """``08:17:30 Batch 2 of 5: 2 green VMs launched``."""
    return f"{clock(parse_time(event['at']))} {plain(event['message'])}"


def state_line(deployment: Deployment, now: datetime) -> str:
    """``08:17:30 inProgress, 40 %: Batch 2 of 5: waiting for 1 of 2 VMs (about 12 min left)``."""
    left = time_left(deployment, now)
    more = f" (about {show_duration(left)} left)" if left is not None else ""
    reason = f": {plain(deployment['reason'])}" if deployment["reason"] else ""
    return f"{clock(now)} {deployment['status']}, {deployment['progress']} %{reason}{more}"


def asked_since(deployment: Deployment) -> str:
    """Since when a person is asked, or nothing."""
    return deployment["decision"]["since"] if deployment["decision"] is not None else ""


def gate_lines(deployment: Deployment, page: str) -> list[str]:
    """What a person is asked, until when, and where."""
    decision = deployment["decision"]
    if decision is None:
        return []
    what = "an approval" if decision["asked"] == "approve" else "a resume"
    until = f"until {moment(decision['deadline'])}, then: {decision['action']}"
    how = f"{page} or `teal {plain(decision['asked'])} {plain(deployment['id'])}`"
    return [f"{clock(parse_time(decision['since']))} It waits for {what}, {until}", f"         {how}"]


def end_lines(deployment: Deployment, page: str) -> list[str]:
    """How it ended, why, and what to do."""
    first = f"Deployment {plain(deployment['id'])} {_ENDS.get(deployment['status'], 'is ' + deployment['status'])}"
    lines = [f"{first}: {plain(deployment['reason'])}" if deployment["reason"] else first]
    error = deployment["error"]
    if error is not None:
        said = error["message"] in deployment["reason"]
        lines[1:] = [] if said else [f"  {plain(error['message'])}"]
        lines[-1] += f" ({plain(error['code'])})"
    lines.append(f"  {page}")
    return lines


_ENDS = {
    "finished": "finished",
    "failed": "failed",
    "stopped": "was stopped",
    "rolledBack": "was rolled back",
    "awaitingApproval": "waits for approval",
}


def time_left(deployment: Deployment, now: datetime) -> timedelta | None:
    """As long as it took so far for each percent; ``None`` where that says nothing."""
    progress = deployment["progress"]
    if deployment["status"] != "inProgress" or deployment["startedAt"] is None or not 0 < progress < 100:
        return None
    taken = now - parse_time(deployment["startedAt"])
    return max(timedelta(0), taken * ((100 - progress) / progress))


def parse_time(text: str) -> datetime:
    """A time of the API: ISO 8601, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def clock(at: datetime) -> str:
    """``08:17:30``, in UTC, as the API and its logs have it."""
    return f"{at.astimezone(UTC):%H:%M:%S}"


def moment(text: str) -> str:
    """``2026-11-23 08:17 UTC``."""
    return f"{parse_time(text):%Y-%m-%d %H:%M} UTC"
