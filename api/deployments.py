"""``/deployments``: reading what was, and is, deployed."""

from __future__ import annotations

import asyncio
from datetime import datetime

from api.errors import Code, Detail, Refusal, refuse_faults
from api.http import Answer, Request
from api.lookup import find_deployment, find_group
from api.overview import overview, overviews
from api.query import query_integer
from api.rendering import render_batch, render_event, render_evidence, render_list, render_vm
from rollout.deployment import Deployment
from rollout.ports import Ports
from rollout.status import Status

#: How many deployments one answer holds.
PAGE = 100

#: How many events one answer holds; ``next`` leads on.
EVENTS_PAGE = 1000

#: A VM's id is a GUID; a longer text may not fit the key of a row.
LONGEST_VM_ID = 64


async def list_group_deployments(ports: Ports, request: Request) -> Answer:
    """The newest deployments of one group, newest first."""
    group = await find_group(ports, request)
    limit = query_integer(request, "limit", 1, PAGE) or PAGE
    return Answer(200, render_list(await overviews(ports, await ports.store.deployments.newest(group.id, limit))))


async def list_deployments(ports: Ports, request: Request) -> Answer:
    """The newest deployments of all groups, newest first; ``status`` narrows the newest 100 of each group."""
    wanted = _statuses(request)
    limit = query_integer(request, "limit", 1, PAGE) or PAGE
    groups = await ports.store.groups.list()
    pages = await asyncio.gather(*(ports.store.deployments.newest(group.id, PAGE) for group in groups))
    found = [deployment for page in pages for deployment in page if deployment.status in wanted]
    newest = sorted(found, key=_age, reverse=True)[:limit]
    return Answer(200, render_list(await overviews(ports, newest)))


async def get_deployment(ports: Ports, request: Request) -> Answer:
    """One deployment."""
    return Answer(200, await overview(ports, await find_deployment(ports, request)))


async def list_deployment_vms(ports: Ports, request: Request) -> Answer:
    """Its VMs, of one batch where ``batch`` is given."""
    deployment = await find_deployment(ports, request)
    batch = query_integer(request, "batch", 0)
    records = await ports.store.vms.list(deployment.id, batch)
    return Answer(200, render_list([render_vm(record) for record in records]))


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
    return Answer(200, render_list([render_batch(batch) for batch in await ports.store.batches.list(deployment.id)]))


async def list_deployment_events(ports: Ports, request: Request) -> Answer:
    """Its events after number ``after``; ``next`` is the ``after`` that continues from here, now or later."""
    deployment = await find_deployment(ports, request)
    after = query_integer(request, "after", 0) or 0
    events = await ports.store.events.list(deployment.id, after, EVENTS_PAGE)
    shown = render_list([render_event(event) for event in events])
    return Answer(200, {**shown, "next": str(events[-1].sequence if events else after)})


async def get_deployment_durable(ports: Ports, request: Request) -> Answer:
    """What Durable Functions says of the orchestration that runs the deployment."""
    deployment = await find_deployment(ports, request)
    described = await ports.instances.describe(deployment.id)
    if described is None:
        message = f"Durable Functions has no instance {deployment.id}: it was never started, or its history was purged"
        raise Refusal(Code.INSTANCE_NOT_FOUND, message, "deploymentId")
    return Answer(200, described)


def _age(deployment: Deployment) -> tuple[datetime, str]:
    return deployment.created_at, deployment.id


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
