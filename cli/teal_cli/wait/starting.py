"""Starting a deployment once, however often the job runs, and whatever becomes of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from teal_cli.api.client import new_key
from teal_cli.api.connection import NoAnswer
from teal_cli.ending import Ended
from teal_cli.exits import OF_STATUS, Exit
from teal_cli.options import Form, Starting, Waiting
from teal_cli.session import CANCEL_SECONDS, Session, quoted
from teal_cli.show.plain import plain
from teal_cli.wait.following import Follower, be_as_patient, cancel, finish, heed_cancel
from teal_cli.wait.goals import Goal, OnCancel
from teal_cli.wait.keys import attempt_key, start_key
from teal_cli.wait.reruns import Do, decide

if TYPE_CHECKING:
    from teal_cli.api.models import Deployment

#: What the API takes for a comment.
_COMMENT_MAX = 256

#: How far back is looked for what came since.
_NEWEST = 20


def start(session: Session, group: str, fields: Mapping[str, Any], starting: Starting, waiting: Waiting) -> Exit:
    """Start a deployment, or find the one that this job has started; then wait for it, if that is asked for."""
    be_as_patient(session, waiting)
    body = with_run(fields, session.pipeline.words if session.pipeline else "")
    if session.client.who.tokens is not None:
        session.client.who.tokens.get()
    key = start_key(session.pipeline, starting.key, group, body)
    known = session.pipeline is not None or bool(starting.key)
    if not known or starting.again:
        return _begin(session, group, body, new_key(), starting, waiting)
    own = attempt_key(key, session.pipeline)
    for one in dict.fromkeys((own, key)):
        found = session.client.get("deployments", key=one)["value"]
        if found:
            return _again(session, group, body, found[0], own, one == own, starting, waiting)
    return _begin(session, group, body, key, starting, waiting)


def with_run(fields: Mapping[str, Any], words: str) -> dict[str, Any]:
    """The body, whose comment says of which commit and run it is."""
    given = str(fields.get("comment", ""))
    comment = f"{given} ({words})" if given and words else given or words
    return {**fields, "comment": comment[:_COMMENT_MAX]} if comment else dict(fields)


def _begin(
    session: Session, group: str, body: Mapping[str, Any], key: str, starting: Starting, waiting: Waiting
) -> Exit:
    session.parting = [f"A start of group {plain(group)} may have been accepted: `teal history {plain(group)}`"]
    session.on_cancel = lambda: _cancel_start(session, key, waiting.on_cancel)
    answer = session.client.post(f"groups/{quoted(group)}/deployments", body, key)
    deployment = cast("Deployment", answer.body)
    for finding in deployment.get("findings", []):
        words = f"{finding['severity']}: {finding['message']} ({finding['code']})"
        session.output.say(plain(words))
    session.output.say(f"Deployment {plain(deployment['id'])} started: {session.page(deployment['id'])}")
    return _go_on(session, deployment, starting, waiting)


def _cancel_start(session: Session, key: str, on_cancel: OnCancel) -> list[str]:
    """The start is on its way: what it may have begun already is found by its key, and left, paused or stopped."""
    if on_cancel is OnCancel.LEAVE:
        return session.parting
    try:
        found = session.client.once("GET", "deployments", params={"key": key}, timeout=CANCEL_SECONDS / 2, fresh=False)
    except (NoAnswer, Ended):
        return session.parting
    started = (found.body or {}).get("value") or []
    return cancel(session, str(started[0]["id"]), on_cancel) if started else session.parting


def _again(
    session: Session,
    group: str,
    body: Mapping[str, Any],
    found: Deployment,
    own: str,
    this_attempt: bool,
    starting: Starting,
    waiting: Waiting,
) -> Exit:
    """The job has started a deployment before."""
    newest = session.client.get(f"groups/{quoted(group)}/deployments", limit=str(_NEWEST))["value"]
    decision = decide(found, newest, this_attempt=this_attempt)
    if decision.do is Do.GIVE_WAY:
        named = str(decision.about["id"])
        hint = f"`teal watch {plain(named)}`; --again starts anew all the same"
        raise Ended(Exit.CONFLICT, plain(decision.reason), hint, target=named)
    session.output.say(plain(decision.reason))
    if decision.do is Do.RETRY:
        return _begin(session, group, {**body, "retryOf": decision.about["id"]}, own, starting, waiting)
    if decision.do is Do.WATCH:
        return _go_on(session, decision.about, starting, waiting)
    session.output.say("--again starts anew all the same")
    deployment = session.deployment(decision.about["id"])
    return finish(session, OF_STATUS[deployment["status"]], deployment)


def _go_on(session: Session, deployment: Deployment, starting: Starting, waiting: Waiting) -> Exit:
    """Wait for it, or say that it is under way."""
    session.reports.known(deployment, session.page(deployment["id"]))
    if starting.wait:
        return Follower(session, deployment["id"], waiting, Goal()).follow()
    heed_cancel(session, deployment["id"], waiting.on_cancel)
    if session.output.form is Form.TEXT:
        session.output.result(plain(deployment["id"]))
    else:
        session.output.record(deployment)
    session.reports.over(Exit.FINISHED, None, "")
    return Exit.FINISHED
