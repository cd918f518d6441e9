"""When a group's schedules run next, and what became of their last times."""

from __future__ import annotations

from datetime import datetime

from rollout.model.codec import Json, encode
from rollout.model.group import Group
from rollout.model.schedule import Schedule, ScheduleRun
from rollout.ports.ports import Ports
from services.calendar import following


async def scheduled(ports: Ports, group: Group) -> list[Json]:
    """``scheduled`` of a group: an item for each of its schedules; runs of former ones are not shown."""
    runs = {run.name: run for run in await ports.store.schedule_runs.list(group.id)} if group.schedules else {}
    now = ports.clock.now()
    return [_shown(schedule, runs.get(schedule.name), now) for schedule in group.schedules]


def _shown(schedule: Schedule, run: ScheduleRun | None, now: datetime) -> Json:
    next_run = encode(following(schedule, now))
    return {"name": schedule.name, "nextRun": next_run, "lastRun": _run(run) if run is not None else None}


def _run(run: ScheduleRun) -> Json:
    return {
        "due": encode(run.due),
        "at": encode(run.at),
        "outcome": encode(run.outcome),
        "reason": run.reason,
        "deploymentId": run.deployment_id,
    }
