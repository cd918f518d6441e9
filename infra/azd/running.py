"""Which deployments run: azd's next step would cut them off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from infra.azd.teal import Teal
from infra.azd.web import Answer, Stopped

#: The longest list that is written out.
MOST = 20

#: The statuses of deployments that have not ended.
UNDER_WAY = ("queued", "pending", "inProgress", "paused", "awaitingApproval", "baking", "stopping", "rollingBack")

FORCE = "azd env set TEAL_FORCE true"


async def refuse_while_running(teal: Teal, step: str, say: Callable[[str], None]) -> None:
    """Go on only if no deployment runs or waits, or if that is forced.

    :raises Stopped: some do, or nobody can tell.
    """
    if not await teal.exists() or not await teal.functions():
        say("Teal does not run yet, so no deployment does")
        return
    try:
        running = await _running(teal)
    except Stopped as unknown:
        if not teal.values.forced:
            raise Stopped(
                f"{unknown}. Nobody can tell whether deployments run; to {step} all the same: {FORCE}"
            ) from None
        say(f"{unknown}. TEAL_FORCE is set: going on without knowing")
        return
    for line in running[:MOST]:
        say(line)
    if running and not teal.values.forced:
        raise Stopped(
            f"{len(running)} deployments run or wait, and to {step} would cut them off: what runs goes on "
            f"afterwards, but its VMs wait so long. Stop them or wait for their end; to go on all the same: {FORCE}"
        )
    say(f"{len(running)} deployments run; TEAL_FORCE is set: going on" if running else "No deployment runs")


async def troubles(teal: Teal) -> list[str]:
    """What Teal holds, keeps, or has to put in order, in words: nobody does where it goes."""
    lines = []
    for group in await _listed(teal, "list_groups", "groups?limit=100"):
        path = f"groups/{group['id']}"
        shown = _body(await teal.call("get_group", "GET", path))
        lines += [f"group {group['id']}: {one['message']} {one['remedy']}" for one in shown.get("dangers") or ()]
        newest = _body(await teal.call("list_group_deployments", "GET", f"{path}/deployments?limit=1"))
        lines += [line for one in newest["value"] if (line := _kept(one, teal.arm.clock.now()))]
    return lines


def _kept(deployment: Any, now: datetime) -> str:
    """What a deployment that has ended keeps of its set for a while; empty: nothing."""
    parameters = deployment["parameters"]
    keeps = deployment["status"] == "stopped" or (
        deployment["status"] == "failed" and parameters.get("onFailure") == "keep"
    )
    if not keeps or not deployment.get("endedAt"):
        return ""
    until = datetime.fromisoformat(deployment["endedAt"]) + timedelta(seconds=parameters["keepFor"])
    if until <= now:
        return ""
    return f"{deployment['id']} keeps VMs and autoscale's bounds as they are until {until:%Y-%m-%d %H:%M} UTC"


async def _running(teal: Teal) -> list[str]:
    listed = await _listed(teal, "list_deployments", f"deployments?status={','.join(UNDER_WAY)}&limit=100")
    return [f"{one['id']} ({one['status']}): {one.get('reason', '')}" for one in listed]


async def _listed(teal: Teal, function: str, path: str) -> list[dict[str, Any]]:
    """All items of a list. A page may be empty and still not be the last."""
    items, token = list[dict[str, Any]](), ""
    while True:
        body = _body(await teal.call(function, "GET", f"{path}{token}"))
        if not isinstance(body.get("value"), list):
            raise Stopped("Teal answered with no list")
        items += body["value"]
        if not body.get("continuationToken"):
            return items
        token = f"&continuationToken={body['continuationToken']}"


def _body(answer: Answer) -> dict[str, Any]:
    """The body of an answer.

    :raises Stopped: Teal did not answer, or refused.
    """
    body = answer.json()
    if answer.status == 200 and isinstance(body, dict):
        return body
    said = body.get("error") if isinstance(body, dict) else None
    why = f": {said['message']}" if isinstance(said, dict) and "message" in said else ""
    raise Stopped(f"Teal answered {answer.status or answer.body.decode(errors='replace')}{why}")
