"""``POST /groups/{groupId}/deployments``: check, take the lock, write the row, start the orchestration.

Where this may die, and what becomes of it:

1. before the lock is written: nothing was changed;
2. holding the lock, with or without the row: no orchestration exists, so the next start takes the lock over once
   ``rollout.lock.STARTING`` has passed, and writes the row's end;
3. after the orchestration was asked for: it runs, and only the answer is lost.

Two starts that race meet in the lock's swap, and one of them is told of the other.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from api.claim import Claim, claim, refuse_while_held, release
from api.errors import RETRY_AFTER, Code, Detail, Refusal, refuse_faults, refuse_findings
from api.http import Answer, Request
from api.images import resolve
from api.lookup import find_group
from api.overview import overview
from api.predecessor import end_predecessors
from api.rendering import render_finding
from rollout.codec import encode
from rollout.deployment import Deployment, Parameters, Problem
from rollout.errors import AzureError
from rollout.findings import Finding, Severity
from rollout.group import Group, SignalType
from rollout.names import deployment_id
from rollout.order import first_order
from rollout.parameters import Asked, fill
from rollout.ports import InstanceState, Ports
from rollout.preflight import check_start
from rollout.signals import rule_of
from rollout.status import Status
from rollout.succession import first_row

if TYPE_CHECKING:
    from api.bodies import DeploymentBody

#: The recipe that carries a deployment out (``orchestrators``).
RECIPE = "deploy_group"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """A request that nothing speaks against; ``findings`` are what the caller is told besides."""

    group: Group
    parameters: Parameters
    version_id: str
    findings: tuple[Finding, ...]


async def start_deployment(ports: Ports, request: Request, *, poll_interval: timedelta) -> Answer:
    """Start a deployment: 202 with the deployment as it begins, and where to follow it."""
    from api.bodies import DeploymentBody
    from api.parsing import parse_body

    body = parse_body(request, DeploymentBody)
    group = await find_group(ports, request)
    _check_health_check_types(body, group)
    _check_threshold(body, group)
    # Asked before the preflight, which would only find that the scale set is busy with the other deployment.
    await refuse_while_held(ports, group.scale_set_id, group.id)
    plan = await _plan(ports, group, body.asked())
    deployment = await _begin(ports, plan, _starter(request), poll_interval)
    _log.info("Deployment %s of %s was started by %s", deployment.id, plan.version_id, deployment.started_by)
    shown = await overview(ports, deployment)
    headers = {
        "Location": request.link(f"deployments/{deployment.id}"),
        "Retry-After": str(round(RETRY_AFTER.total_seconds())),
    }
    return Answer(202, {**shown, "findings": [render_finding(finding) for finding in plan.findings]}, headers)


def _check_health_check_types(body: DeploymentBody, group: Group) -> None:
    undefined = [kind for kind in body.health_check_types or () if kind not in group.health_check_types]
    if undefined:
        defined = ", ".join(group.health_check_types) or "none"
        message = f"healthCheckTypes must be among those of group {group.id}, {defined}; {undefined[0]} is not"
        raise refuse_faults([Detail(Code.HEALTH_CHECK_NOT_DEFINED, message, "healthCheckTypes")])


def _check_threshold(body: DeploymentBody, group: Group) -> None:
    """A threshold is one of two, and says something only where health is judged."""
    given = {"minHealth": body.min_health, "batchMinHealthyPercentage": body.batch_min_healthy_percentage}
    asked = [name for name, value in given.items() if value is not None]
    if len(asked) == 2:
        message = "minHealth and batchMinHealthyPercentage exclude each other: give one of them"
        raise refuse_faults([Detail(Code.TWO_THRESHOLDS, message, "minHealth")])
    types = group.health_check_types if body.health_check_types is None else body.health_check_types
    if asked and not types and rule_of(group.signals, SignalType.VM_READY) is None:
        message = f"{asked[0]} needs a health check or the signal vmReady: leave it out, or give healthCheckTypes"
        raise refuse_faults([Detail(Code.THRESHOLD_WITHOUT_CHECK, message, asked[0])])


def _starter(request: Request) -> str:
    """Who App Service authentication says the caller is, else that it knew a key.

    https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
    """
    return request.headers.get("x-ms-client-principal-name", "")[:256] or "function key"


async def _plan(ports: Ports, group: Group, asked: Asked) -> Plan:
    """What is asked, completed and checked. Raises ``preflightFailed``."""
    parameters = fill(asked, group)
    scale_set = await ports.scale_sets.read(group.scale_set_id)
    found = await resolve(ports.images, asked.image, group, scale_set.location if scale_set else "")
    findings = check_start(scale_set, found.version, found.version_id, parameters, group)
    if found.problem is not None:
        # The preflight only saw that there is no version; the problem says why.
        findings = (found.problem, *(finding for finding in findings if finding.target != "image"))
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        raise refuse_findings(errors)
    return Plan(group, parameters, found.version_id, findings)


async def _begin(ports: Ports, plan: Plan, started_by: str, poll_interval: timedelta) -> Deployment:
    name = deployment_id(plan.group.id, ports.clock.now(), secrets.token_hex(3))
    claimed = await claim(ports, plan.group.scale_set_id, name)
    try:
        deployment = await _write_row(ports, plan, name, claimed, started_by)
    except Exception:
        await release(ports, claimed.lock)
        raise
    await _start(ports, deployment, claimed, poll_interval)
    return deployment


async def _write_row(ports: Ports, plan: Plan, name: str, claimed: Claim, started_by: str) -> Deployment:
    now = ports.clock.now()
    predecessor = await end_predecessors(ports, plan.group, claimed.takes_over)
    row = first_row(
        name, plan.group, plan.parameters, plan.version_id, predecessor, claimed.lock.epoch, now, started_by
    )
    # As with the lock: an insert that is sent again after a lost response meets its own row.
    # Compared as JSON, since a row keeps its times in milliseconds.
    if not await ports.store.deployments.add(row) and encode(await ports.store.deployments.get(name)) != encode(row):
        raise Refusal(Code.NOT_STARTED, "Another deployment got the same id in this second. Try again")
    return row


async def _start(ports: Ports, deployment: Deployment, claimed: Claim, poll_interval: timedelta) -> None:
    try:
        await ports.instances.start(RECIPE, deployment.id, first_order(deployment, poll_interval))
    except AzureError as error:
        await _after_failed_start(ports, deployment, claimed, error)


async def _after_failed_start(ports: Ports, deployment: Deployment, claimed: Claim, error: AzureError) -> None:
    """Undo the start where no orchestration is there; return where one is: only the answer was lost."""
    try:
        state = await ports.instances.state(deployment.id)
    except AzureError:
        message = (
            f"Durable Functions does not answer ({error}). See GET /api/deployments/{deployment.id} before trying again"
        )
        raise Refusal(Code.START_UNCERTAIN, message, deployment.id) from error
    if state is not InstanceState.ABSENT:
        return
    message = f"Durable Functions did not start the deployment ({error}). Nothing was changed; try again"
    problem = Problem(Code.NOT_STARTED, message)

    def ended(row: Deployment) -> Deployment:
        return replace(row, status=Status.FAILED, reason=message, error=problem, ended_at=ports.clock.now())

    await ports.store.deployments.change(deployment.id, ended)
    await release(ports, claimed.lock)
    raise Refusal(Code.NOT_STARTED, message, deployment.id) from error
