"""Start what the groups' schedules ask for at its time (``rollout.automation.due`` decides), once each.

Where this may die, and what becomes of it:

1. before the row is written: the next run finds the time as it was;
2. after that: the row says since when the time is tried, and it is left alone for ``rollout.automation.due.TRY_LASTS``.
   Then a deployment that the try has made is found, because the end of its id follows from the time that was due. Where
   there is none, the time is tried again.

Two runs at once meet in the row's swap: one of them tries, and the other leaves it alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rollout.automation.due import DueTimes, ScheduleAct, ScheduleDecision, decide, is_try, starter, try_token
from rollout.lifecycle.succession import DeploymentStart
from rollout.model.azure.scale_set import ImageReference
from rollout.model.codec import encode_time
from rollout.model.group import Group
from rollout.model.names import deployment_id
from rollout.model.parameters import fill
from rollout.model.rows.deployment import Deployment
from rollout.model.schedule import Schedule, ScheduleOutcome, ScheduleRun
from rollout.ports.errors import AzureError, Refused
from rollout.ports.ports import Ports
from rollout.preflight.scopes import image_scope
from services.calendar import following, last_time
from services.deployment_rows import rows_of
from services.readable_groups import readable_groups
from services.scopes import objection
from services.start import NeedlessStart, StartedDeployment, StartResult, begin, obstacle

#: The least step between two times of a schedule is a minute.
_BEFORE = timedelta(seconds=1)

_log = logging.getLogger("teal")


class ScheduleMemory:
    """What needs no look for now: while nothing is due, a run reads only the list of groups.

    That a time is decided stays true, so this may be forgotten, and be known to one process and not to another.
    """

    def __init__(self) -> None:
        self._until: dict[tuple[str, str], tuple[Schedule, datetime | None]] = {}

    def keep(self, group_id: str, schedule: Schedule, until: datetime | None) -> None:
        """Nothing is to be done for the schedule before ``until``; ``None``: before somebody changes it."""
        self._until[group_id, schedule.name] = schedule, until

    def knows(self, group_id: str, schedule: Schedule, now: datetime) -> bool:
        """Whether nothing is to be done for the schedule at ``now``."""
        kept, until = self._until.get((group_id, schedule.name), (None, None))
        return kept == schedule and (until is None or now < until)


async def start_due(ports: Ports, *, decided: ScheduleMemory) -> None:
    """Look at every schedule of every group. What does not work for one is left for the next time."""
    with _left_for_next_time("the groups"):
        for group in await readable_groups(ports):
            for schedule in group.schedules:
                with _left_for_next_time(f"schedule {schedule.name} of group {group.id}"):
                    await _Look(ports, group, schedule).look(decided)


@contextmanager
def _left_for_next_time(what: str) -> Iterator[None]:
    try:
        yield
    except AzureError as error:
        _log.warning("The schedules could not look after %s: %s", what, error)
    except Exception:
        # A fault that one schedule meets, such as a time zone that is gone, must not keep the others from theirs.
        _log.exception("The schedules failed at %s", what)


@dataclass(frozen=True)
class _TryResult:
    """What became of a try."""

    outcome: ScheduleOutcome
    reason: str
    deployment_id: str | None = None


@dataclass(frozen=True)
class _Look:
    """One look at one schedule, as the list of groups had it."""

    ports: Ports
    group: Group
    schedule: Schedule

    async def look(self, decided: ScheduleMemory) -> None:
        now, schedule = self.ports.clock.now(), self.schedule
        if decided.knows(self.group.id, schedule, now):
            return
        run = await self.ports.store.schedule_runs.get(self.group.id, schedule.name)
        decision = decide(schedule, run, _times(schedule, now), now)
        match decision.act:
            case ScheduleAct.NOTHING:
                decided.keep(self.group.id, schedule, following(schedule, now))
            case ScheduleAct.MISSED:
                await self._write(run, self._row(decision, now, _TryResult(ScheduleOutcome.MISSED, decision.reason)))
            case ScheduleAct.TRY:
                await self._try(run, decision, now)

    def _row(self, decision: ScheduleDecision, at: datetime, said: _TryResult) -> ScheduleRun:
        assert decision.due is not None, "what is decided has a time"
        return ScheduleRun(
            self.group.id, self.schedule.name, decision.due, at, said.outcome, said.reason, said.deployment_id
        )

    async def _write(self, expected: ScheduleRun | None, row: ScheduleRun) -> bool:
        if not await self.ports.store.schedule_runs.swap(expected, row):
            return False
        if not row.trying:
            _log.info("Schedule %s of %s: %s. %s", row.name, row.group_id, row.outcome, row.reason)
        return True

    async def _try(self, run: ScheduleRun | None, decision: ScheduleDecision, now: datetime) -> None:
        """Try to start the deployment, unless somebody else does, or the schedule is no longer what it was."""
        group = await self.ports.store.groups.get(self.group.id)
        if group is None or self.schedule not in group.schedules:
            return
        again = run is not None and run.due == decision.due
        reason = run.reason if run is not None and again else decision.reason
        row = replace(self._row(decision, now, _TryResult(ScheduleOutcome.WAITING, reason)), trying=True)
        if not await self._write(run, row):
            return
        made = await self._made(row) if again else None
        said = await self._resumed(made, group) if made is not None else await self._started(row, group)
        answered = replace(
            row, trying=False, outcome=said.outcome, reason=said.reason, deployment_id=said.deployment_id
        )
        await self._write(row, answered)

    async def _made(self, row: ScheduleRun) -> Deployment | None:
        """What a try for this time has made, however many deployments others have started since."""
        async for made in rows_of(self.ports, row.group_id):
            if made.created_at < row.due:
                break
            if is_try(made, row.name, row.due):
                return made
        return None

    async def _resumed(self, made: Deployment, group: Group) -> _TryResult:
        """The deployment of an earlier try, which may have died before its orchestration was there."""
        start = DeploymentStart(made.id, group, made.parameters, made.image.pinned, made.created_at, made.started_by)
        return await self._begun(start, tried=True)

    async def _started(self, row: ScheduleRun, group: Group) -> _TryResult:
        asked = self.schedule.deployment
        comment = asked.comment or f"Schedule {row.name}, due at {encode_time(row.due)}"
        parameters = fill(replace(asked, comment=comment), group)
        for resource_id in (group.scale_set_id, image_scope(parameters.image, group)):
            if refusal := objection(self.ports.rules.scopes, resource_id):
                return _TryResult(ScheduleOutcome.FAILED, refusal)
        name = deployment_id(row.group_id, row.at, try_token(row.group_id, row.name, row.due))
        return await self._begun(DeploymentStart(name, group, parameters, ImageReference(), row.at, starter(row.name)))

    async def _begun(self, start: DeploymentStart, *, tried: bool = False) -> _TryResult:
        try:
            begun = await begin(self.ports, start, tried=tried, only_if_needed=not tried)
        except Refused as error:
            return _TryResult(ScheduleOutcome.FAILED, str(error))
        except AzureError as error:
            return _TryResult(ScheduleOutcome.WAITING, str(error))
        return _said(begun)


def _times(schedule: Schedule, now: datetime) -> DueTimes:
    if not schedule.enabled:
        return DueTimes(None)
    last = last_time(schedule.cron, schedule.time_zone, now)
    return DueTimes(last, last_time(schedule.cron, schedule.time_zone, last - _BEFORE) if last is not None else None)


def _said(begun: StartResult) -> _TryResult:
    if isinstance(begun, StartedDeployment):
        return _TryResult(ScheduleOutcome.STARTED, f"Deployment {begun.deployment.id} was started", begun.deployment.id)
    if isinstance(begun, NeedlessStart):
        return _TryResult(ScheduleOutcome.NOTHING_TO_DO, begun.reason)
    found = obstacle(begun)
    return _TryResult(ScheduleOutcome.WAITING if found.passes else ScheduleOutcome.FAILED, found.reason)
