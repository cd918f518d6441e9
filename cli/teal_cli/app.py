"""The commands. Each is a line or two: what is asked of the API, and what is shown of it.

What a command is done with is imported when it is done: the help is to be there at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from teal_cli import VERSION
from teal_cli.exits import Exit, help_text
from teal_cli.fields import Fields, body_of
from teal_cli.options import Common, Starting, Waiting, grouped
from teal_cli.wait.goals import Goal, parse_goal

if TYPE_CHECKING:
    from teal_cli.session import Session

app = typer.Typer(
    name="teal",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=help_text(),
)

_Group = Annotated[str, typer.Argument(help="the group", metavar="GROUP")]
_Deployment = Annotated[str, typer.Argument(help="a deployment's id, or a group: its newest", metavar="DEPLOYMENT")]
_Comment = Annotated[str, typer.Option(help="words for whoever looks later", metavar="TEXT")]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"teal {VERSION}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="show it")] = False,
) -> None:
    """Roll the VMs of an Azure scale set to a new image, and follow it.

    Where Teal is, TEAL_URL says; who asks, TEAL_KEY, or TEAL_TOKEN, or TEAL_RESOURCE (docs/command.md).
    """


def _run(common: Common, work: Callable[[Session], Exit], **waits: bool) -> None:
    from teal_cli.session import run

    run(common, work, **waits)


@app.command()
@grouped
def groups(
    group: Annotated[str | None, typer.Argument(help="one of them", metavar="GROUP")] = None, *, common: Common
) -> None:
    """Show the groups, or one with its set and what is to be rolled."""

    def work(session: Session) -> Exit:
        from teal_cli.session import quoted
        from teal_cli.show.reading import group_lines, one_group_lines, show

        if group is None:
            every = session.all("groups", include="state")
            show(session.output, every, group_lines(every))
        else:
            one = session.client.get(f"groups/{quoted(group)}")
            show(session.output, one, one_group_lines(one))
        return Exit.FINISHED

    _run(common, work)


@app.command()
@grouped
def plan(group: _Group, *, fields: Fields, common: Common) -> None:
    """Say what a deployment would do, and start nothing; exit 6 where it would be refused."""
    body = _body(fields)

    def work(session: Session) -> Exit:
        from teal_cli.api.client import new_key
        from teal_cli.session import quoted
        from teal_cli.show.reading import plan_lines, show

        path = f"groups/{quoted(group)}/deployments"
        planned: Any = session.client.post(path, body, new_key(), dryRun="true").body
        show(session.output, planned, plan_lines(planned))
        return Exit.FINISHED if planned["canStart"] else Exit.REFUSED

    _run(common, work)


@app.command()
@grouped
def deploy(group: _Group, *, starting: Starting, waiting: Waiting, fields: Fields, common: Common) -> None:
    """Start a deployment, and with --wait exit as it ends. A job that runs again finds the one that it has started."""
    _start(group, _body(fields), starting, waiting, common)


@app.command()
@grouped
def retry(deployment: _Deployment, *, starting: Starting, waiting: Waiting, fields: Fields, common: Common) -> None:
    """Go on where a deployment ended that failed, was stopped or rolled back."""
    body = _body(fields)

    def work(session: Session) -> Exit:
        from teal_cli.wait.starting import start

        ended = session.client.get(f"deployments/{session.deployment_id(deployment)}")
        return start(session, ended["groupId"], {**body, "retryOf": ended["id"]}, starting, waiting)

    _run(common, work, waits=starting.wait, starts=True)


def _start(group: str, body: dict[str, Any], starting: Starting, waiting: Waiting, common: Common) -> None:
    def work(session: Session) -> Exit:
        from teal_cli.wait.starting import start

        return start(session, group, body, starting, waiting)

    _run(common, work, waits=starting.wait, starts=True)


@app.command()
@grouped
def status(
    deployment: Annotated[
        str | None, typer.Argument(help="a deployment, or a group: its newest", metavar="DEPLOYMENT")
    ] = None,
    *,
    common: Common,
) -> None:
    """Say where a deployment stands; without one, all that are not over."""

    def work(session: Session) -> Exit:
        from teal_cli.show.reading import LIVE, history_lines, show, status_lines

        if deployment is None:
            live = session.all("deployments", status=LIVE)
            show(session.output, live, history_lines(live) if live else ["No deployment is under way"])
        else:
            one = session.client.get(f"deployments/{session.deployment_id(deployment)}")
            show(session.output, one, status_lines(one, session.page(one["id"])))
        return Exit.FINISHED

    _run(common, work)


@app.command()
@grouped
def watch(deployment: _Deployment, *, waiting: Waiting, common: Common) -> None:
    """Follow a deployment to its end, and exit as it ends."""
    _follow(deployment, Goal(), waiting, common)


@app.command()
@grouped
def wait(
    deployment: _Deployment,
    goal: Annotated[
        str, typer.Option("--for", help="finished, awaitingApproval, batch=2 or canary", metavar="GOAL")
    ] = "finished",
    *,
    waiting: Waiting,
    common: Common,
) -> None:
    """Wait until a deployment has come as far as --for says, and exit 0; else as it ends."""
    try:
        meant = parse_goal(goal)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--for") from None
    _follow(deployment, meant, waiting, common)


def _follow(deployment: str, goal: Goal, waiting: Waiting, common: Common) -> None:
    def work(session: Session) -> Exit:
        from teal_cli.wait.following import Follower

        return Follower(session, session.deployment_id(deployment), waiting, goal).follow()

    _run(common, work, waits=True)


@app.command()
@grouped
def events(
    deployment: _Deployment,
    after: Annotated[int, typer.Option(help="those after this number", metavar="N")] = 0,
    *,
    common: Common,
) -> None:
    """Show what a deployment has done."""

    def work(session: Session) -> Exit:
        from teal_cli.show.reading import event_lines, show

        every = session.all(f"deployments/{session.deployment_id(deployment)}/events", after=str(after))
        show(session.output, every, event_lines(every))
        return Exit.FINISHED

    _run(common, work)


@app.command()
@grouped
def vms(
    deployment: _Deployment,
    batch: Annotated[int | None, typer.Option(help="those of this batch", metavar="N")] = None,
    *,
    common: Common,
) -> None:
    """Show a deployment's VMs."""

    def work(session: Session) -> Exit:
        from teal_cli.show.reading import show, vm_lines

        chosen = {} if batch is None else {"batch": str(batch)}
        every = session.all(f"deployments/{session.deployment_id(deployment)}/vms", None, **chosen)

        show(session.output, every, vm_lines(every))
        return Exit.FINISHED

    _run(common, work)


@app.command()
@grouped
def history(
    group: Annotated[str | None, typer.Argument(help="of this group alone", metavar="GROUP")] = None,
    limit: Annotated[int, typer.Option(help="at most so many", metavar="N", min=1)] = 20,
    *,
    common: Common,
) -> None:
    """Show deployments, newest first."""

    def work(session: Session) -> Exit:
        from teal_cli.session import quoted
        from teal_cli.show.reading import history_lines, show

        path = "deployments" if group is None else f"groups/{quoted(group)}/deployments"
        newest = session.all(path, limit, limit=str(min(limit, 100)))
        show(session.output, newest, history_lines(newest))
        return Exit.FINISHED

    _run(common, work)


def _steer(command: str, deployment: str, body: dict[str, Any], common: Common) -> None:
    def work(session: Session) -> Exit:
        from teal_cli.api.client import new_key
        from teal_cli.show.plain import plain
        from teal_cli.show.reading import show

        named = session.deployment_id(deployment)
        told = session.client.post(f"deployments/{named}/{command}", body, new_key()).body or {}
        number = told["command"]["number"]
        show(session.output, told, [f"{plain(named)} was told to {command} (command {number}); it is {told['status']}"])
        return Exit.FINISHED

    _run(common, work)


def _said(comment: str) -> dict[str, Any]:
    return {"comment": comment} if comment else {}


@app.command()
@grouped
def pause(deployment: _Deployment, comment: _Comment = "", *, common: Common) -> None:
    """Begin nothing new until it is resumed."""
    _steer("pause", deployment, _said(comment), common)


@app.command()
@grouped
def resume(deployment: _Deployment, comment: _Comment = "", *, common: Common) -> None:
    """Go on after a pause."""
    _steer("resume", deployment, _said(comment), common)


@app.command()
@grouped
def approve(
    deployment: _Deployment,
    comment: _Comment = "",
    every: Annotated[bool, typer.Option("--all", help="this gate and all that follow")] = False,
    *,
    common: Common,
) -> None:
    """Go on past the gate at which it waits."""
    _steer("approve", deployment, {**_said(comment), **({"all": True} if every else {})}, common)


@app.command()
@grouped
def stop(deployment: _Deployment, comment: _Comment = "", *, common: Common) -> None:
    """End it here; VMs stay as they are."""
    _steer("stop", deployment, _said(comment), common)


@app.command("roll-back")
@grouped
def roll_back(deployment: _Deployment, comment: _Comment = "", *, common: Common) -> None:
    """Bring the previous image back, in further batches."""
    _steer("rollBack", deployment, _said(comment), common)


@app.command("open")
@grouped
def open_page(deployment: _Deployment, *, common: Common) -> None:
    """Open a deployment's page in the browser."""

    def work(session: Session) -> Exit:
        import webbrowser

        page = session.page(session.deployment_id(deployment))
        session.output.result(page)
        webbrowser.open(page)
        return Exit.FINISHED

    _run(common, work)


@app.command()
@grouped
def doctor(*, common: Common) -> None:
    """Look at address, key and role, versions, clock and certificates; exit 0 where all is well."""

    def work(session: Session) -> Exit:
        from teal_cli.doctor import examine

        return examine(session)

    _run(common, work)


def _body(fields: Any) -> dict[str, Any]:
    return body_of(vars(fields))
