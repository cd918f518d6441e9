"""``/deployments``: reading what was, and is, deployed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain

from api.errors import Code, Detail, Refusal, refuse_faults
from api.http import Answer, Request
from api.idempotency import checked
from api.lookup import find_deployment, find_group
from api.operation import RETRY, while_under_way
from api.overview import overview, overviews
from api.paging import first, page_after, position, refuse_token
from api.query import query_integer
from api.rendering import render_batch, render_dangers, render_event, render_evidence, render_finding, render_vm
from rollout.deployment import Deployment
from rollout.idempotency import start_scope
from rollout.keys import batch_row, deployment_key, vm_row
from rollout.names import deployment_id as make_id
from rollout.names import parse_deployment_id
from rollout.ports import Ports
from rollout.status import Status

#: How many deployments one answer holds.
PAGE = 100

#: The name of both lists of deployments, in tokens.
DEPLOYMENTS = "deployments"

#: The last time to which a second can be added.
LAST_TIME = datetime(9999, 12, 31, 23, 59, 58, tzinfo=UTC)

#: How many events one answer holds; ``next`` leads on.
EVENTS_PAGE = 1000

#: Durable's words for an orchestration that has ended.
RUNTIME_ENDS = ("Completed", "Failed", "Canceled", "Terminated")

#: No deployment has more batches: each has a VM at least, and Azure's sets have a thousand at most.
BATCH_MAX = 9999

#: A VM's id is a GUID; a longer text may not fit the key of a row.
LONGEST_VM_ID = 64


async def list_group_deployments(ports: Ports, request: Request) -> Answer:
    """The newest deployments of one group, newest first."""
    group = await find_group(ports, request)
    limit = query_integer(request, "limit", 1, PAGE) or PAGE
    after = _deployment_position(request)
    rows = await ports.store.deployments.newest(group.id, limit + 1, after)
    page = first(list(rows), limit, lambda row: row.id)
    return Answer(200, page.answer(DEPLOYMENTS, await overviews(ports, page.items)))


async def list_deployments(ports: Ports, request: Request) -> Answer:
    """The newest deployments of all groups, newest first; of those with a ``status`` a page may have fewer than asked.

    A page looks at 100 of each group at most. It ends where one of them may have more.
    """
    wanted = _statuses(request)
    limit = query_integer(request, "limit", 1, PAGE) or PAGE
    after = _deployment_position(request)
    groups = await ports.store.groups.list()
    if (key := request.query.get("key")) is not None:
        started = await asyncio.gather(*(_started_with(ports, group.id, checked(key, "key")) for group in groups))
        found = first([row for row in _by_age(started, after) if row.status in wanted], limit, lambda row: row.id)
        return Answer(200, found.answer(DEPLOYMENTS, await overviews(ports, found.items)))
    looks = [ports.store.deployments.newest(group.id, PAGE, _of_group(after, group.id)) for group in groups]
    pages = await asyncio.gather(*looks)
    end = min((_age(page[-1].id) for page in pages if len(page) == PAGE), default=None)
    seen = [row for row in _by_age(chain(*pages), after) if end is None or _age(row.id) <= end]
    found = first([row for row in seen if row.status in wanted], limit, lambda row: row.id)
    more = replace(found, after=seen[-1].id) if end is not None and seen and not found.after else found
    return Answer(200, more.answer(DEPLOYMENTS, await overviews(ports, more.items)))


async def get_deployment(ports: Ports, request: Request) -> Answer:
    """One deployment, with what it left that stands between its scale set and order."""
    deployment = await find_deployment(ports, request)
    dangers = await ports.store.dangers.list(deployment.scale_set_id)
    left = render_dangers(one for one in dangers if one.deployment_id == deployment.id)
    waits = deployment.status is Status.QUEUED
    findings = [render_finding(finding) for finding in deployment.findings] if waits else []
    shown = {**await overview(ports, deployment), "dangers": left, "findings": findings}
    return Answer(200, shown, while_under_way(deployment))


async def list_deployment_vms(ports: Ports, request: Request) -> Answer:
    """Its VMs, of one batch where ``batch`` is given."""
    deployment = await find_deployment(ports, request)
    batch = query_integer(request, "batch", 0, BATCH_MAX)
    records = await ports.store.vms.list(deployment.id, batch)
    page = page_after(request, "vms", records, lambda record: vm_row(record.batch, record.color, record.vm_id))
    return Answer(200, page.answer("vms", [render_vm(record) for record in page.items]))


async def get_vm_evidence(ports: Ports, request: Request) -> Answer:
    """What was found out about a sick VM before it was deleted."""
    deployment = await find_deployment(ports, request)
    vm_id = request.route["vmId"]
    evidence = await ports.store.evidence.get(deployment.id, vm_id) if len(vm_id) <= LONGEST_VM_ID else None
    if evidence is None:
        message = (
            f"Deployment {deployment.id} keeps no evidence of a VM {vm_id[:LONGEST_VM_ID]}. "
            f"GET /api/deployments/{deployment.id}/vms says of which VMs it does"
        )
        raise Refusal(Code.EVIDENCE_NOT_FOUND, message, "vmId")
    return Answer(200, render_evidence(evidence))


async def list_deployment_batches(ports: Ports, request: Request) -> Answer:
    """Its batches."""
    deployment = await find_deployment(ports, request)
    batches = await ports.store.batches.list(deployment.id)
    page = page_after(request, "batches", batches, lambda batch: batch_row(batch.number))
    return Answer(200, page.answer("batches", [render_batch(batch) for batch in page.items]))


async def list_deployment_events(ports: Ports, request: Request) -> Answer:
    """Its events after number ``after``; ``next`` is the ``after`` that continues from here, now or later.

    A recipe writes an event before it goes on to the next number, so one that is written later has a higher number.
    """
    deployment = await find_deployment(ports, request)
    after = max(query_integer(request, "after", 0) or 0, _event_position(request))
    limit = query_integer(request, "limit", 1, EVENTS_PAGE) or EVENTS_PAGE
    events = await ports.store.events.list(deployment.id, after, limit + 1)
    page = first(list(events), limit, lambda event: str(event.sequence))
    shown = page.answer("events", [render_event(event) for event in page.items])
    return Answer(200, {**shown, "next": str(page.items[-1].sequence if page.items else after)})


async def get_deployment_durable(ports: Ports, request: Request) -> Answer:
    """What Durable Functions says of the orchestration that runs the deployment: 202 until that has ended."""
    deployment = await find_deployment(ports, request)
    described = await ports.instances.describe(deployment.id)
    if described is None:
        message = f"Durable Functions has no instance {deployment.id}: it was never started, or its history was purged"
        raise Refusal(Code.INSTANCE_NOT_FOUND, message, "deploymentId")
    if described["runtimeStatus"] in RUNTIME_ENDS:
        return Answer(200, described)
    return Answer(202, described, {"Location": request.link(f"deployments/{deployment.id}/durable"), **RETRY})


def _event_position(request: Request) -> int:
    after = position(request, "events") or "0"
    if not (after.isascii() and after.isdigit()):
        raise refuse_token()
    return int(after)


def _deployment_position(request: Request) -> str:
    after = position(request, DEPLOYMENTS)
    if after and deployment_key(after) is None:
        raise refuse_token()
    return after


async def _started_with(ports: Ports, group_id: str, key: str) -> Deployment | None:
    """The deployment of the group that was started with the key, if one was."""
    request = await ports.store.requests.get(start_scope(group_id), key)
    return await ports.store.deployments.get(request.starts) if request is not None and request.starts else None


def _by_age(rows: Iterable[Deployment | None], after: str) -> list[Deployment]:
    """Those that are there and come later in the list, newest first."""
    found = sorted((row for row in rows if row is not None), key=lambda row: _age(row.id))
    return [row for row in found if not after or _age(row.id) > _age(after)]


def _age(deployment_id: str) -> tuple[str, str]:
    """The order of a list of deployments: that of their rows, newest first, whatever their groups."""
    key = deployment_key(deployment_id)
    assert key is not None, "a row has the id of a deployment"
    return key.row, key.partition


def _of_group(deployment_id: str, group_id: str) -> str:
    """The same place in another group, to go on after; one step earlier, for a row of the very same time and token."""
    name = parse_deployment_id(deployment_id)
    if name is None:
        return ""
    if token := int(name.token, 16):
        return make_id(group_id, name.at, f"{token - 1:06x}")
    return make_id(group_id, min(name.at, LAST_TIME) + timedelta(seconds=1), "ffffff")


def _statuses(request: Request) -> frozenset[Status]:
    given = request.query.get("status")
    if given is None:
        return frozenset(Status)
    names = [name.strip() for name in given.split(",")]
    unknown = [name for name in names if name not in list(Status)]
    if unknown:
        message = f"status knows {', '.join(Status)}, not {unknown[0][:40]!r}"
        raise refuse_faults([Detail(Code.INVALID_VALUE, message, "status")])
    return frozenset(Status(name) for name in names)
