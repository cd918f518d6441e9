"""``POST /groups/{groupId}/deployments``: check, take the lock, write the row, start the orchestration.

Where this may die, and what becomes of it:

1. before the lock is written: nothing was changed;
2. holding the lock, with or without the row: no orchestration exists, so the next start takes the lock over once
   ``rollout.lock.STARTING`` has passed, and writes the row's end; the same request with its ``Idempotency-Key`` goes on
   from there;
3. after the orchestration was asked for: it runs, and only the answer is lost.

Two starts that race meet in the lock's swap, and one of them is told of the other. A start that may wait writes its row
as queued and takes no lock: its orchestration does, when its turn comes (``activities.turn``).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from api.conflict import supersede
from api.errors import (
    RETRY_AFTER,
    Code,
    Detail,
    Refusal,
    refuse_faults,
    refuse_findings,
    refuse_held,
)
from api.http import Answer, Request
from api.lookup import find_group
from api.overview import overview
from api.plan import dry_run
from api.query import query_flag
from api.rendering import render_finding
from api.retry import complete
from api.scopes import image_scope, refuse_outside
from groundwork.claim import Claim, Held, claim, release
from groundwork.predecessor import end_predecessors, predecessor_of
from groundwork.queue import under_way
from groundwork.survey import survey
from rollout.codec import encode
from rollout.deployment import Deployment, OnConflict, Parameters, Problem
from rollout.errors import AzureError
from rollout.findings import Finding, Severity
from rollout.group import Group
from rollout.names import deployment_id
from rollout.order import first_order
from rollout.ports import InstanceState, Ports
from rollout.preflight import lasting
from rollout.scale_set import ImageReference
from rollout.status import Status
from rollout.succession import Start, first_row, inherit, queued_row

if TYPE_CHECKING:
    from api.bodies import DeploymentBody

#: The recipe that carries a deployment out (``orchestrators``).
RECIPE = "deploy_group"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Started:
    """The deployment, and what the caller is told besides."""

    deployment: Deployment
    findings: tuple[Finding, ...] = ()


async def start_deployment(
    ports: Ports, request: Request, *, poll_interval: timedelta, scopes: Sequence[str] = ()
) -> Answer:
    """Start a deployment: 202 with the deployment as it begins, and where to follow it.

    With ``dryRun`` nothing is started: 200 with the plan.
    """
    from api.bodies import DeploymentBody
    from api.parsing import parse_body

    body = parse_body(request, DeploymentBody)
    group = await find_group(ports, request)
    _check_fields(body, group)
    parameters = await complete(ports, body.asked(), group)
    _check_threshold(body, parameters)
    refuse_outside(scopes, group.scale_set_id, "groupId")
    refuse_outside(scopes, image_scope(parameters.image, group), "image")
    if query_flag(request, "dryRun"):
        return await dry_run(ports, group, parameters)
    started = await _once(ports, request, group, parameters, poll_interval)
    shown = await overview(ports, started.deployment)
    headers = {
        "Location": request.link(f"deployments/{started.deployment.id}"),
        "Retry-After": str(round(RETRY_AFTER.total_seconds())),
    }
    return Answer(202, {**shown, "findings": [render_finding(finding) for finding in started.findings]}, headers)


def _check_fields(body: DeploymentBody, group: Group) -> None:
    """What fields say of each other, and of the group."""
    if body.batch_size is not None and body.batch_size_percentage is not None:
        raise _excluding(Code.TWO_BATCH_SIZES, "batchSize", "batchSizePercentage")
    if body.min_health is not None and body.batch_min_healthy_percentage is not None:
        raise _excluding(Code.TWO_THRESHOLDS, "minHealth", "batchMinHealthyPercentage")
    undefined = [kind for kind in body.health_check_types or () if kind not in group.health_check_types]
    if undefined:
        defined = ", ".join(group.health_check_types) or "none"
        message = f"healthCheckTypes must be among those of group {group.id}, {defined}; {undefined[0]} is not"
        raise refuse_faults([Detail(Code.HEALTH_CHECK_NOT_DEFINED, message, "healthCheckTypes")])


def _excluding(code: Code, one: str, other: str) -> Refusal:
    return refuse_faults([Detail(code, f"{one} and {other} exclude each other: give one of them", one)])


def _check_threshold(body: DeploymentBody, parameters: Parameters) -> None:
    """A threshold says something only where health is judged."""
    given = {"minHealth": body.min_health, "batchMinHealthyPercentage": body.batch_min_healthy_percentage}
    asked = [name for name, value in given.items() if value is not None]
    if asked and not parameters.checked:
        message = f"{asked[0]} needs a health check or the signal vmReady: leave it out, or give healthCheckTypes"
        raise refuse_faults([Detail(Code.THRESHOLD_WITHOUT_CHECK, message, asked[0])])


async def _once(
    ports: Ports, request: Request, group: Group, parameters: Parameters, poll_interval: timedelta
) -> Started:
    """The deployment that an earlier try of the same request has started, else a new one."""
    at = request.at or ports.clock.now()
    name = deployment_id(group.id, at, request.token or secrets.token_hex(3))
    there = await ports.store.deployments.get(name) if request.tried else None
    if there is not None and (there.status.ended or await ports.instances.state(name) is not InstanceState.ABSENT):
        return Started(there)
    start = Start(name, group, parameters, ImageReference(), at, request.caller)
    return await Starter(ports, start, request.tried, poll_interval).begin()


@dataclass(frozen=True)
class Starter:
    """One start on its way. ``tried``: an earlier try may have written the row already."""

    ports: Ports
    start: Start
    tried: bool
    poll_interval: timedelta

    async def begin(self) -> Started:
        """Look, and start or queue the deployment, or refuse."""
        start, group, parameters = self.start, self.start.group, self.start.parameters
        ahead = await under_way(self.ports, group.id, group.scale_set_id, start.deployment_id)
        # Before the preflight, which would only find that the scale set is busy with the other deployment.
        self._unless_rejected(ahead)
        findings, pinned = await self._surveyed(ahead)
        started = replace(self, start=replace(start, pinned=pinned))
        deployment = await started._take() if ahead is None else ahead
        if isinstance(deployment, Held):
            self._unless_rejected(deployment)
            deployment = await started._queue(deployment)
            if parameters.on_conflict is OnConflict.SUPERSEDE:
                await supersede(self.ports, deployment)
        _log.info("Deployment %s of %s was started by %s", deployment.id, pinned.label, deployment.started_by)
        return Started(deployment, findings)

    def _unless_rejected(self, ahead: Held | None) -> None:
        if ahead is not None and self.start.parameters.on_conflict is OnConflict.REJECT:
            raise refuse_held(ahead)

    async def _surveyed(self, ahead: Held | None) -> tuple[tuple[Finding, ...], ImageReference]:
        """What speaks for and against the deployment, and its exact image. Raises ``preflightFailed``.

        One that has to wait is not refused for what may have passed by then: it is asked again under the lock.
        """
        group = self.start.group
        predecessor = await predecessor_of(self.ports, group.id, group.scale_set_id)
        seen = await survey(self.ports, group, self.start.parameters, predecessor)
        findings = seen.findings if ahead is None else lasting(seen.findings)
        errors = [finding for finding in findings if finding.severity is Severity.ERROR]
        if errors:
            raise refuse_findings(errors)
        assert seen.reference is not None, "an image that cannot be named is an error"
        return findings, seen.reference

    async def _take(self) -> Deployment | Held:
        """Take the lock and start the orchestration; or who came first."""
        claimed = await claim(self.ports, self.start.group.scale_set_id, self.start.deployment_id)
        if isinstance(claimed, Held):
            return claimed
        try:
            deployment = await self._write_first_row(claimed)
        except Exception:
            await release(self.ports, claimed.lock)
            raise
        if isinstance(deployment, Held):
            await release(self.ports, claimed.lock)
            return deployment
        await self._run(deployment, claimed)
        return deployment

    async def _write_first_row(self, claimed: Claim) -> Deployment | Held:
        row = first_row(self.start, claimed.lock.epoch)
        predecessor = await end_predecessors(self.ports, row, claimed.takes_over)
        return predecessor if isinstance(predecessor, Held) else await self._write(inherit(row, predecessor))

    async def _queue(self, ahead: Held) -> Deployment:
        """Start the orchestration, whose first step waits for its turn."""
        deployment = await self._write(queued_row(self.start, ahead.holder))
        await self._run(deployment, None)
        return deployment

    async def _write(self, row: Deployment) -> Deployment:
        deployments = self.ports.store.deployments
        if await deployments.add(row):
            return row
        if self.tried:
            return await deployments.change(row.id, lambda found: row if _is_untouched(found) else found)
        # As with the lock: an insert that is sent again after a lost response meets its own row.
        # Compared as JSON, since a row keeps its times in milliseconds.
        if encode(await deployments.get(row.id)) != encode(row):
            raise Refusal(Code.NOT_STARTED, "Another deployment got the same id in this second. Try again")
        return row

    async def _run(self, deployment: Deployment, claimed: Claim | None) -> None:
        try:
            await self.ports.instances.start(RECIPE, deployment.id, first_order(deployment, self.poll_interval))
        except AzureError as error:
            await self._after_failed_start(deployment, claimed, error)

    async def _after_failed_start(self, deployment: Deployment, claimed: Claim | None, error: AzureError) -> None:
        """Undo the start where no orchestration is there; return where one is: only the answer was lost."""
        try:
            state = await self.ports.instances.state(deployment.id)
        except AzureError:
            look = f"See GET /api/deployments/{deployment.id} before trying again"
            message = f"Durable Functions does not answer ({error}). {look}"
            raise Refusal(Code.START_UNCERTAIN, message, deployment.id) from error
        if state is not InstanceState.ABSENT:
            return
        message = f"Durable Functions did not start the deployment ({error}). Nothing was changed; try again"
        now = self.ports.clock.now()
        await self.ports.store.deployments.change(deployment.id, lambda row: _not_started(row, message, now))
        if claimed is not None:
            await release(self.ports, claimed.lock)
        raise Refusal(Code.NOT_STARTED, message, deployment.id) from error


def _is_untouched(row: Deployment) -> bool:
    """Whether no orchestration has written to the row."""
    return row.sequence == 0 and not row.status.ended


def _not_started(row: Deployment, message: str, now: datetime) -> Deployment:
    problem = Problem(Code.NOT_STARTED, message)
    return replace(row, status=Status.FAILED, reason=message, error=problem, ended_at=now)
