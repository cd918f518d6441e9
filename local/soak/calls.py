"""A walk through the API: calls of every route, valid and not, three at a time, whatever is under way.

Of each answer is held that the document of the API tells of it, and that it is no 5xx but a 503 that says when to ask
again. A 502 is Azure's own failure: only where Azure breaks in a run may there be any.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

from api.routes import open_routes, routes
from api.transport.route import Route
from local.durable.errors import HostKilled
from local.soak.breakage import BREAKAGE
from local.soak.exemptions import traits
from local.soak.requests import choose_request
from local.soak.scene import GROUP, SoakScene
from local.virtual.contract import breaches
from settings import Settings

ROUTES: tuple[Route, ...] = (*routes(Settings()), *open_routes())

#: Those that matter most come more often.
OFTEN = ("start_deployment", "start_deployment", "put_group", "approve_deployment", "resume_deployment", "signal_vm")

NAMES = (*(route.name for route in ROUTES), *OFTEN, "notification")

WEBHOOK = "/runtime/webhooks/EventGrid?functionName=imagePublished"
WRITE_VERSION = "Microsoft.Compute/galleries/images/versions/write"

#: Texts that somebody might send.
ODD = ("", " ", ".", "..", "x" * 3000, "ü\U0001f600", "a\nb\x1b[2K\u202e", "\ud800", "%2F", "'; drop", "<b>", "1e999")
VALUES: tuple[Any, ...] = (*ODD, None, True, -1, 0, 1.5, 10**30, 1e300, [], {}, [[]], {"a": {"b": []}})

#: Queries, to any route: most of them it does not know, or not so.
QUERIES = (
    *("", "", "", "", "", "code=x", "code=&", "limit=1", "limit=0", "limit=x", "after=3", "batch=1", "batch=100000"),
    *("dryRun=true", "dryRun=true", "dryrun=true", "dryRun=", "status=failed,stopped", "status=nope", "key=one"),
    *("continuationToken=WyJ4IiwieCJd", "deep=true", "limit=1&limit=2", "%FF=%00", "=", "a&&b"),
)


@dataclass(frozen=True)
class ApiCall:
    """One call. ``name`` is the function that it is meant for."""

    name: str
    method: str
    target: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    asked: Any = None


async def call_at_random(scene: SoakScene, with_: dict[str, Any], dice: Random) -> None:
    """Three calls at once, again and again, ``times`` in all."""
    for _ in range(0, with_["times"], 3):
        ids = [row.id for row in await scene.deployments()]
        await asyncio.gather(*(_make(scene, choose_call(dice, scene, ids)) for _ in range(3)))
        await scene.sleep(with_["pause"])


def choose_call(dice: Random, scene: SoakScene, ids: list[str]) -> ApiCall:
    """Any call. ``ids`` are those of deployments that there are."""
    name = dice.choice(NAMES)
    if name == "notification":
        return _notification(dice, scene)
    route = next(route for route in ROUTES if route.name == name)
    places = {
        "groupId": _some(dice, [] if name == "delete_group" else [GROUP]),
        "deploymentId": _some(dice, ids),
        "vmId": _some(dice, [vm.vm_id for vm in scene.vms()]),
    }
    path = re.sub(r"\{(\w+)\}", lambda match: quote(places[match[1]].encode(errors="replace"), safe=""), route.path)
    query = dice.choice(QUERIES)
    asked = _asked(dice, scene, name)
    body = b"" if asked is None else _written(dice, asked)
    headers = {"Content-Type": "application/json" if dice.random() < 0.97 else "text/plain"} if body else {}
    if route.method == "POST" and dice.random() < 0.3:
        headers["Idempotency-Key"] = dice.choice(["one", "two", "three", "", "x" * 300])
    return ApiCall(name, route.method, f"/api/{path}" + (f"?{query}" if query else ""), body, headers, asked)


async def _make(scene: SoakScene, call: ApiCall) -> None:
    try:
        answer = await scene.platform.host.request(call.method, call.target, headers=call.headers, body=call.body)
    except (HostKilled, ConnectionError):
        return
    scene.tell(f"  {call.method} {call.target[:100]} {call.asked if call.body else ''} -> {answer.status}")
    if call.name == "start_deployment" and answer.status == 202:
        scene.traits |= traits(call.asked, scene.setting, answer.body)
    for problem in _problems(scene, call, answer.status, answer.headers, answer.body):
        scene.unexpected.append(f"{call.method} {call.target} {call.body[:300]!r}: {problem}")


def _problems(scene: SoakScene, call: ApiCall, status: int, headers: Any, body: bytes) -> list[str]:
    broken = any(kind in BREAKAGE for kind in scene.injected) or bool(scene.azure_rules)
    if status >= 500 and status != 503 and not (status == 502 and broken):
        return [f"{status} {body[:300]!r}"]
    if status == 503 and "Retry-After" not in headers:
        return ["a 503 that does not say when to ask again"]
    # The host's own answers: the path is that of no route, or Event Grid's.
    if call.name == "notification" or (status == 404 and not body):
        return []
    return breaches(call.name, status, headers, body)


def _some(dice: Random, known: list[str]) -> str:
    return dice.choice(known) if known and dice.random() < 0.85 else dice.choice(["none", *ODD]) or "none"


def _asked(dice: Random, scene: SoakScene, name: str) -> Any:
    """What the body says; ``None``: there is none."""
    if name == "start_deployment":
        return _spoilt(dice, choose_request(dice, scene.setting))
    if name == "put_group":
        return _spoilt(dice, _definition(dice, scene))
    if name == "signal_vm":
        vm = _some(dice, [vm.name for vm in scene.vms()])
        kind = dice.choice(["vmReady", "vmReadyToShutdown"])
        return _spoilt(dice, {"vmName": vm, "resourceGroupName": "demo", "signalType": kind})
    if name.endswith("_deployment") and name.startswith(("pause", "resume", "stop", "roll_back", "approve")):
        # Stops rarely: else nothing gets far.
        return _spoilt(dice, dice.choice([{}, {}, {"comment": ODD[6]}, {"comment": "a word"}, {"all": True}]))
    return None


def _definition(dice: Random, scene: SoakScene) -> dict[str, Any]:
    """The group as it is, perhaps with other defaults."""
    group = {name: value for name, value in scene.platform.world.groups[0].items() if name != "id"}
    defaults = dice.choice([{}, {"gracePeriod": 300}, {"batchSize": 1}, {"keepFor": 600}])
    return {**group, "defaults": {**(group.get("defaults") or {}), **defaults}}


def _spoilt(dice: Random, body: dict[str, Any]) -> Any:
    """The body, one time in three with something wrong, or merely odd, in it."""
    if dice.random() < 2 / 3:
        return body
    kind = dice.randrange(4)
    if kind == 0:
        return {**body, dice.choice(["", "dryRun", "Image", *ODD]): dice.choice(VALUES)}
    if kind == 1 and body:
        return {**body, dice.choice(sorted(body)): dice.choice(VALUES)}
    return dice.choice(VALUES) if kind == 2 else {}


def _written(dice: Random, asked: Any) -> bytes:
    """As JSON; or as something that is none."""
    text = json.dumps(asked)
    if dice.random() < 0.04:
        text = dice.choice([text[:-1], "[" * 5000, "{'a': 1}", text + text, "NaN", '{"a": 1, "a": 2}'])
    return text.encode()


def _notification(dice: Random, scene: SoakScene) -> ApiCall:
    version = dice.choice(["1.0.0", "1.1.0", "9.9.9", *ODD])
    subject = f"{scene.image_id}/versions/{version}"
    event = {
        "id": dice.choice(["event-1", f"event-{dice.randrange(10**6)}", *ODD[2:7]]),
        "subject": subject,
        "eventType": dice.choice(["Microsoft.Resources.ResourceWriteSuccess", *ODD[2:5]]),
        "eventTime": scene.platform.clock.now().isoformat(),
        "data": dice.choice([{"operationName": WRITE_VERSION, "resourceUri": subject, "status": "Succeeded"}, {}]),
        "dataVersion": "2",
        "metadataVersion": "1",
        "topic": scene.image_id.partition("/providers/")[0],
    }
    headers = {"aeg-event-type": "Notification", "Content-Type": "application/json"}
    return ApiCall("notification", "POST", WEBHOOK, json.dumps([event]).encode(), headers, event)
