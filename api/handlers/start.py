"""``POST /groups/{groupId}/deployments``: check what is asked for, and start it (``services.start``)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from api.handlers.conflict import supersede
from api.handlers.contradictions import refuse_contradictions, refuse_needless_threshold
from api.handlers.lookup import find_group
from api.handlers.operation import operation_headers
from api.handlers.overview import overview
from api.handlers.plan import dry_run
from api.handlers.rendering import render_finding
from api.handlers.retry import complete
from api.handlers.scopes import refuse_outside
from api.transport.errors import Code, Refusal, refuse_findings, refuse_held
from api.transport.http import Answer, Request
from api.transport.idempotency import HEADER
from api.transport.query import query_flag
from rollout.lifecycle.succession import DeploymentStart
from rollout.model.azure.scale_set import ImageReference
from rollout.model.choices import OnConflict
from rollout.model.findings import Severity
from rollout.model.group import Group
from rollout.model.names import deployment_id
from rollout.model.parameters import Parameters
from rollout.ports.ports import Ports
from rollout.preflight.scopes import image_scope
from services.claim import LockHolder
from services.queue import FullQueue
from services.readings import Readings
from services.start import StartedDeployment, StartFailure, StartRefusal, StartResult, begin


async def start_deployment(ports: Ports, request: Request, *, scopes: Sequence[str] = (), readings: Readings) -> Answer:
    """Start a deployment: 202 with the deployment as it begins, and where to follow it.

    With ``dryRun`` nothing is started: 200 with the plan.
    """
    from api.contract.bodies import DeploymentBody
    from api.contract.parsing import parse_body

    asked = parse_body(request, DeploymentBody).asked()
    group = await find_group(ports, request)
    refuse_contradictions(asked, group)
    parameters = await complete(ports, asked, group)
    refuse_needless_threshold(asked, parameters)
    refuse_outside(scopes, group.scale_set_id, "groupId")
    refuse_outside(scopes, image_scope(parameters.image, group), "image")
    if query_flag(request, "dryRun"):
        return await dry_run(readings.at_this_pace(ports), group, parameters)
    started = await _start(ports, request, group, parameters, readings)
    shown = await overview(ports, started.deployment)
    findings = [render_finding(finding) for finding in started.findings]
    return Answer(202, {**shown, "findings": findings}, operation_headers(request, started.deployment.id))


async def _start(
    ports: Ports,
    request: Request,
    group: Group,
    parameters: Parameters,
    readings: Readings,
) -> StartedDeployment:
    """The deployment that an earlier try of the same request has started, else a new one. Raises ``Refusal``."""
    at = request.at or ports.clock.now()
    name = deployment_id(group.id, at, request.token or secrets.token_hex(3))
    key = request.headers.get(HEADER, "")
    start = DeploymentStart(name, group, parameters, ImageReference(), at, request.caller.recorded_as, key)
    # Without an image the set's own is deployed, as it is now.
    paced = readings.at_this_pace(ports, asker=name, anew=parameters.image is None)
    started = _accepted(await begin(paced, start, tried=request.tried))
    if started.queued and parameters.on_conflict is OnConflict.SUPERSEDE:
        await supersede(ports, started.deployment)
    return started


def _accepted(begun: StartResult) -> StartedDeployment:
    """The start; raises ``Refusal`` where it was none."""
    match begun:
        case StartedDeployment():
            return begun
        case LockHolder():
            raise refuse_held(begun)
        case FullQueue():
            remedy = "Wait until some have begun, take some back, or start with onConflict: supersede"
            raise Refusal(Code.QUEUE_FULL, f"{begun.reason}. {remedy}", "onConflict")
        case StartRefusal(findings):
            raise refuse_findings([finding for finding in findings if finding.severity is Severity.ERROR])
        case StartFailure(message, target, uncertain):
            raise Refusal(Code.START_UNCERTAIN if uncertain else Code.NOT_STARTED, message, target)
    raise AssertionError(f"a request is carried out whether or not it is needed, not answered {begun}")
