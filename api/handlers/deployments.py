"""``/deployments/{deploymentId}/…``: what there is to read of one deployment, page by page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from api.contract.page_sizes import BATCH_MAX, EVENTS_PAGE
from api.handlers.lookup import find_deployment
from api.handlers.operation import RETRY
from api.handlers.rendering import render_batch, render_event, render_evidence, render_vm
from api.transport.errors import Code, Refusal
from api.transport.http import Answer, Request
from api.transport.paging import first, page_after, position, refuse_token
from api.transport.query import query_integer
from rollout.model.azure.evidence import VmEvidence
from rollout.model.rows.deployment import VmRecord
from rollout.ports.keys import batch_row, vm_row
from rollout.ports.ports import Ports
from rollout.steps.others import without_doubles

#: Durable's words for an orchestration that has ended.
RUNTIME_ENDS = ("Completed", "Failed", "Canceled", "Terminated")

#: A VM's id is a GUID; a longer text may not fit the key of a row.
LONGEST_VM_ID = 64

#: What may stand in the name of a file as it is.
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")


async def list_deployment_vms(ports: Ports, request: Request) -> Answer:
    """Its VMs, and those that others made meanwhile; of one batch where ``batch`` is given."""
    deployment = await find_deployment(ports, request)
    batch = query_integer(request, "batch", 0, BATCH_MAX)
    records = await _listed(ports, deployment.id, batch)
    page = page_after(request, "vms", records, lambda record: vm_row(record.batch, record.color, record.vm_id))
    return Answer(200, page.answer("vms", [render_vm(record) for record in page.items]))


async def _listed(ports: Ports, deployment_id: str, batch: int | None) -> Sequence[VmRecord]:
    if batch:
        return await ports.store.vms.list(deployment_id, batch)
    records = without_doubles(await ports.store.vms.all(deployment_id))
    return [record for record in records if batch is None or record.batch == batch]


async def get_vm_evidence(ports: Ports, request: Request) -> Answer:
    """What was found out about a sick VM before it was deleted."""
    return Answer(200, render_evidence(await _evidence(ports, request)))


async def get_vm_serial_log(ports: Ports, request: Request) -> Answer:
    """The end of what a sick VM wrote to its serial console, as a file: no browser shows what a VM wrote."""
    evidence = await _evidence(ports, request)
    if evidence.serial_log is None:
        message = f"No serial log of {evidence.name} could be read. The notes of its evidence say why"
        raise Refusal(Code.EVIDENCE_NOT_FOUND, message, "vmId")
    headers = {"Content-Disposition": f'attachment; filename="{_UNSAFE.sub("-", evidence.name)}-serial.log"'}
    return Answer(200, evidence.serial_log, headers, "text/plain; charset=utf-8")


async def _evidence(ports: Ports, request: Request) -> VmEvidence:
    deployment = await find_deployment(ports, request)
    vm_id = request.route["vmId"]
    evidence = await ports.store.evidence.get(deployment.id, vm_id) if len(vm_id) <= LONGEST_VM_ID else None
    if evidence is None:
        message = (
            f"Deployment {deployment.id} keeps no evidence of a VM {vm_id[:LONGEST_VM_ID]}. "
            f"GET /api/deployments/{deployment.id}/vms says of which VMs it does"
        )
        raise Refusal(Code.EVIDENCE_NOT_FOUND, message, "vmId")
    return evidence


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
