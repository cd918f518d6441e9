"""Following a deployment: its state first, then every change, until the wait is over. Nothing is held meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, cast

from teal_cli.api.client import new_key
from teal_cli.api.connection import NoAnswer
from teal_cli.ending import Ended
from teal_cli.environment import in_pipeline, may_be_live
from teal_cli.exits import OF_STATUS, Exit
from teal_cli.options import Form, Waiting
from teal_cli.session import CANCEL_SECONDS, Session, now, on_a_terminal, quoted
from teal_cli.show.narrating import QUIET, Look, Narrator, end_lines
from teal_cli.show.output import Output
from teal_cli.show.plain import plain
from teal_cli.wait.goals import AtGate, Goal, OnCancel, over

if TYPE_CHECKING:
    from collections.abc import Sequence

    from teal_cli.api.models import Batch, Deployment, Event, Vm

_LIVE_INTERVAL = timedelta(seconds=2)
_INTERVAL = timedelta(seconds=5)

#: How many events one answer has at most; there may be more where there are as many.
PAGE = 1000


#: What an answer has besides the deployment: news, which are no part of its record.
_NEWS = ("events", "batches", "vms", "commands", "next", "vmsSince")


class View(Protocol):
    """Who is told of each look."""

    def show(self, look: Look) -> None: ...

    def trouble(self, words: str) -> None: ...

    def close(self) -> None: ...


class Lines:
    """One line for each change."""

    def __init__(self, output: Output, page: str) -> None:
        self._output = output
        self._narrator = Narrator(page)

    def show(self, look: Look) -> None:
        for line in self._narrator.tell(look, now()):
            self._output.say(line)

    def trouble(self, words: str) -> None:
        for line in self._narrator.trouble(words, now()):
            self._output.say(line)

    def close(self) -> None: ...


class Stream:
    """One line of JSON for each event, and for each new state."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._status = ""
        self._said_at = now()

    def show(self, look: Look) -> None:
        for event in look.events:
            self._output.record({"kind": "event", **event})
        if look.deployment["status"] != self._status or now() - self._said_at >= QUIET:
            self._status, self._said_at = look.deployment["status"], now()
            self._output.record({"kind": "status", "status": self._status, "reason": look.deployment["reason"]})

    def trouble(self, words: str) -> None:
        self._output.say(f"{plain(words)}; trying again")

    def close(self) -> None: ...


@dataclass
class Follower:
    """Follows one deployment."""

    session: Session
    id: str
    waiting: Waiting
    goal: Goal
    #: After which event to begin: a wait tells what comes, and does not repeat what was.
    after: str = "0"
    vms_since: str = ""
    tag: str = ""
    last: Look | None = None
    batches: dict[int, Batch] = field(default_factory=dict)
    vms: dict[tuple[str, int, str | None], Vm] = field(default_factory=dict)

    def follow(self) -> Exit:
        """Look until the wait is over; say how."""
        view = self._view()
        session = self.session
        be_as_patient(session, self.waiting)
        session.close_view = view.close
        session.client.told = lambda words: view.trouble(words) if words else None
        heed_cancel(session, self.id, self.waiting.on_cancel)
        look: Look | None = None
        try:
            while True:
                look = self._look(wants_vms=not isinstance(view, Lines | Stream))
                session.reports.known(look.deployment, session.page(self.id))
                view.show(look)
                code = over(self.goal, self._at_gate(), look.deployment, look.batches)
                if code is not None:
                    view.close()
                    return finish(session, code, look.deployment)
                session.client.pause(self._interval(view).total_seconds())
        except Ended as ended:
            if ended.code is Exit.TIMED_OUT:
                status = look.deployment["status"] if look is not None else "not seen"
                again = f"It goes on: `teal watch {plain(self.id)}`, or {session.page(self.id)}"
                raise Ended(Exit.TIMED_OUT, f"Not over in time; {plain(self.id)} is {status}", again) from None
            if ended.code is Exit.NO_ANSWER:
                again = f"Deployment {plain(self.id)} was started, and goes on: `teal watch {plain(self.id)}`"
                raise Ended(ended.code, *ended.lines, again, target=self.id) from None
            raise

    def _look(self, *, wants_vms: bool) -> Look:
        """The deployment with its news: events since the last look, and the batches and VMs that have changed.

        Where nothing has changed the answer is an empty 304.
        """
        wanted = ["events"] + ["batches"] * (wants_vms or self.goal.needs_batches) + ["vms"] * wants_vms
        events: list[Event] = []
        while True:
            since = {"vmsSince": self.vms_since} if wants_vms and self.vms_since else {}
            asked = {"include": ",".join(wanted), "after": self.after, **since}
            answer = self.session.client.ask("GET", f"deployments/{quoted(self.id)}", params=asked, tag=self.tag)
            if answer.body is None and self.last is not None:
                return replace(self.last, events=events)
            deployment = cast("Deployment", answer.body)
            self.tag = answer.tag
            news = deployment.get("events", [])
            events += news
            self.batches |= {batch["number"]: batch for batch in deployment.get("batches", [])}
            self._keep(deployment.get("vms", []))
            self.after = deployment.get("next", self.after)
            self.vms_since = deployment.get("vmsSince", self.vms_since)
            if len(news) < PAGE:
                bare = cast("Deployment", {name: said for name, said in deployment.items() if name not in _NEWS})
                self.last = Look(bare, events, list(self.batches.values()), list(self.vms.values()))
                return self.last

    def _keep(self, vms: Sequence[Vm]) -> None:
        """VMs as they are now. One that others made loses its row without a color once it has a part."""
        known = self.vms | {(vm["vmId"], vm["batch"], vm["color"]): vm for vm in vms}
        own = {vm_id for vm_id, _, color in known if color is not None}
        self.vms = {key: vm for key, vm in known.items() if key[2] is not None or key[0] not in own}

    def _at_gate(self) -> AtGate:
        if self.waiting.at_gate is not None:
            return self.waiting.at_gate
        return AtGate.FAIL if in_pipeline(self.session.environment) else AtGate.WAIT

    def _interval(self, view: View) -> timedelta:
        given = self.waiting.interval
        if given is not None:
            return given
        return _INTERVAL if isinstance(view, Lines | Stream) else _LIVE_INTERVAL

    def _view(self) -> View:
        output = self.session.output
        if output.form is Form.JSONL:
            return Stream(output)
        if may_be_live(self.session.environment, on_a_terminal()):
            from teal_cli.show.live import Live

            return Live(self.session.page(self.id), unicode=output.unicode)
        return Lines(output, self.session.page(self.id))


def be_as_patient(session: Session, waiting: Waiting) -> None:
    """Who looks more often than every second asks again as soon."""
    if waiting.interval is not None:
        session.client.patience = min(1.0, waiting.interval.total_seconds())


def finish(session: Session, code: Exit, deployment: Deployment) -> Exit:
    """Say how a deployment stands at the end of a wait: to people, to the pipeline, and as the record."""
    page = session.page(deployment["id"])
    session.reports.over(code, deployment, page)
    if session.output.form is Form.JSON:
        session.output.record(deployment)
    elif session.output.form is Form.JSONL:
        session.output.record({"kind": "deployment", **deployment})
    for line in end_lines(deployment, page):
        session.output.say(line)
    return code


def heed_cancel(session: Session, deployment_id: str, on_cancel: OnCancel) -> None:
    """From now on a signal is about this deployment."""
    session.on_cancel = lambda: cancel(session, deployment_id, on_cancel)
    session.parting = [no_answer_to(deployment_id, on_cancel)]


def no_answer_to(deployment_id: str, on_cancel: OnCancel) -> str:
    """What is said where the request of an interrupted command is not answered."""
    shown = plain(deployment_id)
    return f"No answer to {on_cancel.value}: deployment {shown} may go on; `teal watch {shown}` goes on watching"


def cancel(session: Session, deployment_id: str, on_cancel: OnCancel) -> list[str]:
    """One request, sent once, of three seconds; and how to go on."""
    again = f"`teal watch {plain(deployment_id)}` goes on watching"
    if on_cancel is OnCancel.LEAVE:
        return [f"Deployment {plain(deployment_id)} goes on; {again}"]
    what = on_cancel.value
    body = {"comment": "the command that waited for it was interrupted"}
    try:
        answer = session.client.once(
            "POST",
            f"deployments/{deployment_id}/{what}",
            body=body,
            key=new_key(),
            timeout=CANCEL_SECONDS,
            fresh=False,
        )
    except (NoAnswer, Ended):
        return [no_answer_to(deployment_id, on_cancel)]
    if answer.status == 202:
        return [f"Deployment {plain(deployment_id)} was told to {what}; {again}"]
    reason = answer.message or f"status {answer.status}"
    return [f"Deployment {plain(deployment_id)} was not told to {what}: {plain(reason)}; {again}"]


def has_ended(deployment: Deployment) -> bool:
    """Whether nothing comes any more."""
    return deployment["status"] in OF_STATUS
