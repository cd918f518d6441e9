"""Start a deployment: look, take the lock, write the row, start the orchestration; or wait in the queue.

Where this may die, and what becomes of it:

1. before the lock is written: nothing was changed;
2. holding the lock, with or without the row: no orchestration exists, so the next start takes the lock over once
   ``rollout.lifecycle.lock.STARTING`` has passed, and writes the row's end; the same start tried again goes on from
   there;
3. after the orchestration was asked for: it runs, and only the answer is lost.

Two starts that race meet in the lock's swap, and one of them is told of the other. A start that may wait writes its row
as queued and takes no lock: its orchestration does, when its turn comes (``activities.steering.turn``).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from rollout.lifecycle.succession import NOT_STARTED, DeploymentStart, first_row, inherit, queued_row
from rollout.model.azure.scale_set import ImageReference
from rollout.model.choices import OnConflict
from rollout.model.codec import encode
from rollout.model.findings import Finding, first_error, refuses
from rollout.model.order import first_order
from rollout.model.rows.deployment import Deployment, Problem
from rollout.model.rows.handover import handed_on
from rollout.model.rows.lock import Lock
from rollout.model.status import Status
from rollout.model.words import counted
from rollout.ports.durable import InstanceState
from rollout.ports.errors import AzureError
from rollout.ports.ports import Ports
from rollout.preflight.checks import lasting
from rollout.preflight.danger import for_nobody
from services.beside import findings_beside
from services.claim import LockHolder, claim, release
from services.group_states import note_deployment
from services.images.tries import note_try
from services.predecessor import end_predecessors, predecessor_of
from services.queue import FullQueue, enter, leave, under_way
from services.survey import Survey, survey

#: The recipe that carries a deployment out (``orchestrators``).
RECIPE = "deploy_group"

_log = logging.getLogger("teal")


@dataclass(frozen=True)
class StartedDeployment:
    """The deployment, and what was found that does not refuse it. ``queued``: it waits for others by this start."""

    deployment: Deployment
    findings: tuple[Finding, ...] = ()
    queued: bool = False


@dataclass(frozen=True)
class StartRefusal:
    """The preflight refuses the deployment; nothing was started. ``findings``: all of them, errors first."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class NeedlessStart:
    """The deployment would change nothing, and was to be started only if it did."""

    reason: str


@dataclass(frozen=True)
class StartFailure:
    """The deployment could not be started. ``uncertain``: nobody knows whether its orchestration runs."""

    message: str
    deployment_id: str = ""
    uncertain: bool = False


StartResult = StartedDeployment | LockHolder | FullQueue | StartRefusal | NeedlessStart | StartFailure


@dataclass(frozen=True)
class StartObstacle:
    """Why a deployment was not started, in words. ``passes``: it may be started later as it is."""

    reason: str
    passes: bool = True


def obstacle(begun: LockHolder | FullQueue | StartRefusal | StartFailure) -> StartObstacle:
    """What stood in the way. Of a preflight's errors those count first that do not pass."""
    match begun:
        case LockHolder(_, reason):
            return StartObstacle(reason)
        case FullQueue():
            return StartObstacle(begun.reason)
        case StartFailure(message):
            return StartObstacle(message)
        case StartRefusal(findings):
            stays = first_error(lasting(findings))
            worst = stays or first_error(findings)
            assert worst is not None, "what is refused has an error"
            return StartObstacle(f"{worst.code}: {worst.message}. {worst.remedy}", passes=stays is None)


async def begin(
    ports: Ports, start: DeploymentStart, *, tried: bool = False, only_if_needed: bool = False
) -> StartResult:
    """The deployment; or why there is none: who has the scale set (``LockHolder``), how many wait for it, what speaks
    against it, what failed.

    ``tried``: an earlier try of the same start may have come to any point; this one goes on from there. May raise
    ``AzureError``, like everything that asks neighbours.
    """
    if tried:
        there = await ports.store.deployments.get(start.deployment_id)
        if there is not None and there.error is not None and there.error.code == NOT_STARTED:
            return StartFailure(there.reason, there.id)
        if there is not None and (
            there.status.ended or await ports.instances.state(there.id) is not InstanceState.ABSENT
        ):
            return StartedDeployment(there)
    return await _Starter(ports, start, tried, only_if_needed).begin()


class _Stopped(Exception):
    """The start ends here, with this answer."""

    def __init__(self, answer: LockHolder | FullQueue | StartRefusal | NeedlessStart | StartFailure) -> None:
        super().__init__(str(answer))
        self.answer = answer


@dataclass(frozen=True)
class _Starter:
    """One start on its way. ``tried``: an earlier try may have written the row already."""

    ports: Ports
    start: DeploymentStart
    tried: bool
    only_if_needed: bool

    async def begin(self) -> StartResult:
        try:
            return await self._begin()
        except _Stopped as stopped:
            return stopped.answer

    async def _begin(self) -> StartedDeployment:
        start, group = self.start, self.start.group
        ahead = await under_way(self.ports, group.scale_set_id, start.deployment_id)
        # Before the preflight, which would only find that the scale set is busy with the other deployment.
        self._unless_rejected(ahead)
        findings, pinned = await self._surveyed(ahead)
        started = replace(self, start=replace(start, pinned=pinned))
        deployment = await started._take() if ahead is None else ahead
        queued = isinstance(deployment, LockHolder)
        if isinstance(deployment, LockHolder):
            self._unless_rejected(deployment)
            deployment = await started._queue(deployment, findings)
        _log.info("Deployment %s of %s was started by %s", deployment.id, pinned.label, deployment.started_by)
        return StartedDeployment(deployment, findings, queued)

    def _unless_rejected(self, ahead: LockHolder | None) -> None:
        if ahead is not None and self.start.parameters.on_conflict is OnConflict.REJECT:
            raise _Stopped(ahead)

    async def _surveyed(self, ahead: LockHolder | None) -> tuple[tuple[Finding, ...], ImageReference]:
        """What speaks for and against the deployment, and its exact image.

        One that has to wait is not refused for what the deployment before it may cause: it is asked again then.
        """
        group = self.start.group
        predecessor = await predecessor_of(self.ports, group.id, group.scale_set_id)
        seen = await survey(self.ports, group, self.start.parameters, handed_on(predecessor))
        findings = seen.findings
        if ahead is not None:
            findings = await findings_beside(self.ports, seen, self.start.parameters, ahead.holder)
        if self.only_if_needed:
            findings = for_nobody(findings)
        if refuses(findings):
            raise _Stopped(StartRefusal(findings))
        assert seen.reference is not None, "an image that cannot be named is an error"
        if self.only_if_needed and seen.settled and (reason := _idle(seen)):
            raise _Stopped(NeedlessStart(reason))
        return findings, seen.reference

    async def _take(self) -> Deployment | LockHolder:
        """Take the lock and start the orchestration; or who came first."""
        claimed = await claim(self.ports, self.start.group.scale_set_id, self.start.deployment_id)
        if isinstance(claimed, LockHolder):
            return claimed
        try:
            deployment = await self._write_first_row(claimed)
        except Exception:
            await release(self.ports, claimed)
            raise
        if isinstance(deployment, LockHolder):
            await release(self.ports, claimed)
            return deployment
        if self.tried:
            # An earlier try may have found the set taken.
            await leave(self.ports, deployment)
        await self._run(deployment, claimed)
        return deployment

    async def _write_first_row(self, claimed: Lock) -> Deployment | LockHolder:
        row = first_row(self.start, claimed.epoch)
        predecessor = await end_predecessors(self.ports, row, claimed.last_owner)
        return predecessor if isinstance(predecessor, LockHolder) else await self._write(inherit(row, predecessor))

    async def _queue(self, ahead: LockHolder, findings: tuple[Finding, ...]) -> Deployment:
        """Start the orchestration, whose first step waits for its turn."""
        row = queued_row(self.start, ahead.holder)
        # Who supersedes takes back those that wait, so no queue is too full for it.
        limited = self.start.parameters.on_conflict is OnConflict.QUEUE
        before = await enter(self.ports, row, limited=limited)
        if isinstance(before, FullQueue):
            raise _Stopped(before)
        deployment = await self._write(replace(row, findings=findings, looked_at=self.start.at, ahead=before))
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
            raise _Stopped(StartFailure("Another deployment got the same id in this second. Try again"))
        return row

    async def _run(self, deployment: Deployment, claimed: Lock | None) -> None:
        try:
            await note_try(self.ports, deployment)
            await note_deployment(self.ports, deployment)
            await self.ports.instances.start(RECIPE, deployment.id, first_order(deployment))
        except AzureError as error:
            await self._after_failed_start(deployment, claimed, error)

    async def _after_failed_start(self, deployment: Deployment, claimed: Lock | None, error: AzureError) -> None:
        """Undo the start where no orchestration is there; return where one is: only the answer was lost."""
        try:
            state = await self.ports.instances.state(deployment.id)
        except AzureError:
            look = f"See GET /api/deployments/{deployment.id} before trying again"
            message = f"Durable Functions does not answer ({error}). {look}"
            raise _Stopped(StartFailure(message, deployment.id, uncertain=True)) from error
        if state is not InstanceState.ABSENT:
            return
        message = f"Durable Functions did not start the deployment ({error}). Nothing was changed; try again"
        now = self.ports.clock.now()
        ended = await self.ports.store.deployments.change(deployment.id, lambda row: _not_started(row, message, now))
        await leave(self.ports, ended)
        await note_deployment(self.ports, ended)
        if claimed is not None:
            await release(self.ports, claimed)
        raise _Stopped(StartFailure(message, deployment.id)) from error


def _idle(seen: Survey) -> str:
    """Why the deployment would change nothing; empty where it would change something."""
    present = seen.scale_set.image if seen.scale_set is not None else None
    pinned = seen.reference
    if seen.plan is None or seen.plan.batches or pinned is None or present is None or not present.matches(pinned):
        return ""
    every = f"Every VM but {counted(len(seen.plan.skipped), 'skipped one')}" if seen.plan.skipped else "Every VM"
    return f"{every} runs {pinned.label} and the set's present model already"


def _is_untouched(row: Deployment) -> bool:
    """Whether no orchestration has written to the row."""
    return row.sequence == 0 and not row.status.ended


def _not_started(row: Deployment, message: str, now: datetime) -> Deployment:
    return replace(
        row,
        status=Status.FAILED,
        reason=message,
        error=Problem(NOT_STARTED, message),
        ended_at=max(now, row.created_at),
    )
