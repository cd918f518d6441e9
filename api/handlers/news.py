"""``GET /deployments/{deploymentId}``: a deployment and what is new of it, for who asks again and again.

An answer carries an ``ETag``. Sent back as ``If-None-Match`` it gets a 304 while nothing has changed, which costs a
look at the deployment's row, whose revision counts what changes beside it, and one at its orchestration.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime

from api.contract.page_sizes import EVENTS_MAX
from api.contract.parts import BATCHES, COMMANDS, EVENTS, PARTS, VMS
from api.handlers.lookup import find_deployment, find_group
from api.handlers.operation import while_under_way
from api.handlers.overview import overview, trouble_of
from api.handlers.rendering import render_batch, render_command, render_dangers, render_event, render_finding, render_vm
from api.transport.errors import Code, Detail, Refusal, refuse_faults
from api.transport.http import VERSION, Answer, Request
from api.transport.query import query_integer, query_words
from rollout.model.codec import Json, encode
from rollout.model.events import EventType
from rollout.model.names import GROUP_ID
from rollout.model.rows.deployment import Batch, Deployment, Event
from rollout.model.status import Status
from rollout.ports.ports import Ports
from rollout.steps.others import without_doubles

#: The facts that write batches: after one of them all of them may be new.
_PLANS = frozenset({EventType.PLANNED, EventType.ROLL_BACK_PLANNED})

#: The mark before any VM has a row.
_BEGINNING = "0"

#: A mark of the store: a time to the ten-millionth of a second, or the number of a write.
_MARK = re.compile(r"[0-9]{20}|([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\.[0-9]{7}Z")


async def get_deployment(ports: Ports, request: Request) -> Answer:
    """One deployment, with what is new of its batches, VMs, events and commands, as far as that is asked for."""
    return await _news(ports, request, await find_deployment(ports, request))


async def get_latest_deployment(ports: Ports, request: Request) -> Answer:
    """The group's newest deployment, in the same way."""
    group_id = request.route["groupId"]
    newest = await ports.store.deployments.newest(group_id, 1) if GROUP_ID.fullmatch(group_id) else ()
    if not newest:
        group = await find_group(ports, request)
        message = f"Group {group.id} has had no deployment yet. POST /api/groups/{group.id}/deployments starts one"
        raise Refusal(Code.DEPLOYMENT_NOT_FOUND, message, "groupId")
    return await _news(ports, request, newest[0])


async def _news(ports: Ports, request: Request, row: Deployment) -> Answer:
    parts = query_words(request, "include", PARTS)
    after, mark = query_integer(request, "after", 0) or 0, _mark(request)
    trouble = await trouble_of(ports, row)
    tag, headers = _tag(row, trouble), while_under_way(row)
    if tag in _known(request):
        return Answer(304, None, {"ETag": tag, **headers})
    shown = {**await overview(ports, row, trouble), **await _beside(ports, row)}
    news, whole = await _included(ports, row, parts, after, mark)
    # Where there is more to ask for, nothing may be answered with "as you know it".
    return Answer(200, {**shown, **news}, {**({"ETag": tag} if whole else {}), **headers}, compact=bool(parts))


async def _beside(ports: Ports, row: Deployment) -> Json:
    dangers = await ports.store.dangers.list(row.scale_set_id)
    findings = row.findings if row.status is Status.QUEUED else ()
    return {
        "dangers": render_dangers(one for one in dangers if one.deployment_id == row.id),
        "findings": [render_finding(finding) for finding in findings],
    }


async def _included(ports: Ports, row: Deployment, parts: frozenset[str], after: int, mark: str) -> tuple[Json, bool]:
    """What is new, and whether that is all."""
    shown: Json = {}
    if not parts:
        return shown, True
    events: Sequence[Event] = ()
    if parts & {BATCHES, EVENTS}:
        events = await ports.store.events.list(row.id, after, EVENTS_MAX)
    if EVENTS in parts:
        shown["events"] = [render_event(event) for event in events]
    if BATCHES in parts:
        shown["batches"] = [render_batch(batch) for batch in await _batches(ports, row, events, after)]
    if VMS in parts:
        records, mark = await ports.store.vms.since(row.id, mark)
        shown["vms"] = [render_vm(record) for record in without_doubles(records)]
    if COMMANDS in parts:
        shown["commands"] = [render_command(command) for command in await ports.store.commands.list(row.id)]
    next_ = events[-1].sequence if events else after
    return {**shown, "next": str(next_), "vmsSince": mark or _BEGINNING}, len(events) < EVENTS_MAX


async def _batches(ports: Ports, row: Deployment, events: Sequence[Event], after: int) -> Sequence[Batch]:
    """Those that the events are of, and the one that is under way: its reason changes between them."""
    numbers = {event.batch for event in events if event.batch is not None} | {row.current_batch} - {0}
    if after == 0 or len(numbers) > len(PARTS) or any(event.type in _PLANS for event in events):
        return await ports.store.batches.list(row.id)
    found = [await ports.store.batches.get(row.id, number) for number in sorted(numbers)]
    return [batch for batch in found if batch is not None]


def _tag(row: Deployment, trouble: str) -> str:
    """Changes with the row, and with what is said of its orchestration. Weak: it stands for any of the queries."""
    said = json.dumps([VERSION, encode(row), trouble], sort_keys=True)
    return f'W/"{hashlib.sha256(said.encode()).hexdigest()[:20]}"'


def _known(request: Request) -> frozenset[str]:
    return frozenset(tag.strip() for tag in request.headers.get("if-none-match", "").split(","))


def _mark(request: Request) -> str:
    """Where to go on with the VMs. Raises ``invalidValue`` for what no answer has said."""
    text = request.query.get("vmsSince", _BEGINNING)
    if text == _BEGINNING:
        return ""
    found = _MARK.fullmatch(text)
    if not (found and _is_time(found[1])):
        message = "vmsSince is not one that an answer has said. Begin without it"
        raise refuse_faults([Detail(Code.INVALID_VALUE, message, "vmsSince")])
    return text


def _is_time(text: str | None) -> bool:
    try:
        return text is None or datetime.fromisoformat(text) is not None
    except ValueError:
        return False
