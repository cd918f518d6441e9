"""What the timer of schedules does, over the store and neighbours that answer as a test says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rollout.automation.due import TRY_LASTS, try_token
from rollout.model.group import Group
from rollout.model.names import deployment_id
from rollout.model.request import StartRequest
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.lock import Lock
from rollout.model.schedule import Schedule, ScheduleOutcome, ScheduleRun
from rollout.model.status import Status
from rollout.ports.durable import InstanceState
from rollout.ports.errors import AzureError, Busy, Refused
from rollout.ports.ports import OperatorRules
from triggers.schedules import ScheduleMemory, start_due

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
#: The clock of the world stands at 8:15 and a little.
DUE = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)

DAILY = Schedule("daily", "15 8 * * *", since=DUE - DAY + HOUR, deployment=StartRequest(image="1.1.0"))
BUSY = "web-20261123T081000Z-ffffff"


@dataclass
class Clockwork:
    """The timer over a world; one process remembers what it has decided."""

    world: Any
    decided: ScheduleMemory = field(default_factory=ScheduleMemory)

    async def look(self) -> None:
        await start_due(self.world.ports, decided=self.decided)

    async def later(self, duration: timedelta = MINUTE) -> ScheduleRun:
        """Look again after a while; what is known then."""
        self.world.clock.pass_(duration)
        return await self.looked()

    async def looked(self, name: str = "daily") -> ScheduleRun:
        """Look; what became of the schedule."""
        await self.look()
        run: ScheduleRun | None = await self.world.store.schedule_runs.get("web", name)
        assert run is not None
        return run

    async def shown(self) -> Any:
        (one,) = (await self.world.get("groups/web"))["scheduled"]
        return one

    async def hold(self, owner: str = BUSY) -> None:
        """Another deployment takes the set."""
        await self.world.store.locks.swap(await self.world.lock(), Lock(self.world.scale_set_id.lower(), owner, 7, DUE))
        self.world.instances.states[owner] = InstanceState.RUNNING

    @property
    def started(self) -> list[str]:
        return list(self.world.instances.started)


@pytest.fixture
async def clockwork(world: Any) -> Clockwork:
    """Group ``web`` with a schedule that is due now."""
    await world.add_group(schedules=(DAILY,))
    return Clockwork(world)


def answered(run: ScheduleRun) -> tuple[ScheduleOutcome, str, bool]:
    return run.outcome, run.reason, run.trying


async def test_what_is_due_is_started_once_and_says_who_why_and_when(clockwork: Clockwork) -> None:
    await clockwork.look()
    (row,) = await clockwork.world.deployments()
    at = clockwork.world.clock.now()
    assert row.id == deployment_id("web", at, try_token("web", "daily", DUE))
    assert (row.started_by, row.parameters.image, row.created_at.replace(microsecond=0)) == (
        "schedule daily",
        "1.1.0",
        DUE,
    )
    assert row.parameters.comment == "Schedule daily, due at 2026-11-23T08:15:00.000Z"
    assert await clockwork.shown() == {
        "name": "daily",
        "nextRun": "2026-11-24T08:15:00.000Z",
        "lastRun": {
            "due": "2026-11-23T08:15:00.000Z",
            "at": "2026-11-23T08:15:00.000Z",
            "outcome": "started",
            "reason": f"Deployment {row.id} was started",
            "deploymentId": row.id,
        },
    }
    for _ in range(3):
        assert (await clockwork.later()).at.replace(microsecond=0) == DUE
    assert clockwork.started == [row.id]
    assert "scheduled" not in (await clockwork.world.get("groups"))["value"][0]


async def test_a_late_try_is_named_after_its_own_time_and_has_the_schedules_comment(world: Any) -> None:
    asked = StartRequest(image="1.1.0", comment="weekly roll", batch_size=3)
    await world.add_group(schedules=(replace(DAILY, deployment=asked),))
    run = await Clockwork(world).later(20 * MINUTE)
    (row,) = await world.deployments()
    assert row.id.startswith("web-20261123T083500Z-")
    assert (row.parameters.comment, row.parameters.batch_size) == ("weekly roll", 3)
    assert (run.due, run.at.replace(microsecond=0)) == (DUE, DUE + 20 * MINUTE)


async def test_nothing_is_started_where_nothing_is_to_roll(world: Any) -> None:
    await world.add_group(schedules=(replace(DAILY, deployment=StartRequest()),))
    clockwork = Clockwork(world)
    run = await clockwork.looked()
    reason = "Every VM runs 1.0.0 and the set's present model already"
    assert answered(run) == (ScheduleOutcome.NOTHING_TO_DO, reason, False)
    assert clockwork.started == []
    assert await world.deployments() == ()
    assert await clockwork.later() == run


class Counted:
    """A table that counts what is asked of it."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.asked.append(name)
        return getattr(self._table, name)


async def test_while_nothing_is_due_only_the_groups_are_listed(clockwork: Clockwork) -> None:
    world = clockwork.world
    disabled = replace(DAILY, name="off", enabled=False)
    await world.add_group(schedules=(DAILY, disabled))
    for _ in range(2):
        await clockwork.look()
    reads, lists = world.scale_sets.reads, world.scale_sets.lists
    tables = {name: Counted(getattr(world.store, name)) for name in world.store.__dataclass_fields__}
    world.store = replace(world.store, **tables)
    for _ in range(30):
        await clockwork.later()
    assert {name: table.asked for name, table in tables.items() if table.asked} == {
        "groups": ["listed"] * 30,
        "schedule_runs": ["get"] * 30,  # this test's own look at the row
    }
    assert (world.scale_sets.reads, world.scale_sets.lists) == (reads, lists)
    assert (await clockwork.later(DAY - 30 * MINUTE)).due == DUE + DAY


async def test_it_waits_while_another_deployment_has_the_set_and_starts_when_that_has_ended(
    clockwork: Clockwork,
) -> None:
    await clockwork.hold()
    for minutes in range(3):
        run = await clockwork.later(minutes * MINUTE)
        assert (run.outcome, run.trying, run.due) == (ScheduleOutcome.WAITING, False, DUE)
        assert BUSY in run.reason
        assert run.at.replace(microsecond=0) == clockwork.world.clock.now().replace(microsecond=0)
    shown = await clockwork.shown()
    assert (shown["lastRun"]["outcome"], shown["lastRun"]["deploymentId"]) == ("waiting", None)
    clockwork.world.instances.states[BUSY] = InstanceState.ENDED
    run = await clockwork.later()
    assert run.outcome is ScheduleOutcome.STARTED
    assert clockwork.started == [run.deployment_id]


async def test_what_waited_too_long_is_missed_and_says_for_what(clockwork: Clockwork) -> None:
    await clockwork.hold()
    await clockwork.look()
    run = await clockwork.later(HOUR)
    assert run.outcome is ScheduleOutcome.MISSED
    assert run.reason.startswith("Could not start within 1 h. ")
    assert BUSY in run.reason
    clockwork.world.instances.states[BUSY] = InstanceState.ENDED
    assert await clockwork.later() == run
    assert clockwork.started == []


async def test_what_nobody_was_there_for_is_missed(clockwork: Clockwork) -> None:
    run = await clockwork.later(2 * DAY + 2 * HOUR)
    slept = "Nothing ran at that time: found 2 h late, and 1 h are allowed. Times before it passed without a run too"
    assert answered(run) == (ScheduleOutcome.MISSED, slept, False)
    assert run.due == DUE + 2 * DAY
    assert clockwork.started == []


async def test_a_finding_that_may_pass_is_waited_for(clockwork: Clockwork) -> None:
    scale_set = clockwork.world.scale_sets.sets[clockwork.world.scale_set_id.lower()]
    clockwork.world.scale_sets.add(replace(scale_set, provisioning_state="Updating"))
    run = await clockwork.looked()
    assert run.outcome is ScheduleOutcome.WAITING
    assert run.reason.startswith("scaleSetBusy: ")
    clockwork.world.scale_sets.add(scale_set)
    assert (await clockwork.later()).outcome is ScheduleOutcome.STARTED


async def test_a_finding_that_lasts_is_told_and_not_tried_again(clockwork: Clockwork) -> None:
    clockwork.world.images.versions.clear()
    run = await clockwork.looked()
    assert run.outcome is ScheduleOutcome.FAILED
    assert run.reason.startswith("imageNotFound: ")
    clockwork.world.images.add("1.1.0")
    assert await clockwork.later() == run
    assert (await clockwork.later(DAY)).outcome is ScheduleOutcome.STARTED


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Busy("TooManyRequests", "slow down"), ScheduleOutcome.WAITING),
        (AzureError("InternalServerError", "oh"), ScheduleOutcome.WAITING),
        (Refused("AuthorizationFailed", "a role is missing"), ScheduleOutcome.FAILED),
    ],
)
async def test_what_azure_says_is_told(clockwork: Clockwork, error: Exception, outcome: ScheduleOutcome) -> None:
    clockwork.world.scale_sets.error = error
    assert answered(await clockwork.looked()) == (outcome, str(error), False)
    clockwork.world.scale_sets.error = None
    again = {ScheduleOutcome.WAITING: ScheduleOutcome.STARTED}.get(outcome, outcome)
    assert (await clockwork.later()).outcome is again


@pytest.mark.parametrize("scope", ["virtualMachineScaleSets/web", "galleries/apps"])
async def test_scopes_are_held_as_they_are_set_now(clockwork: Clockwork, scope: str) -> None:
    allowed = f"{clockwork.world.scale_set_id.rpartition('/virtualMachine')[0]}/{scope}"
    clockwork.world.rules = OperatorRules(scopes=(allowed,))
    run = await clockwork.looked()
    assert run.outcome is ScheduleOutcome.FAILED
    assert "TEAL_ALLOWED_SCOPES" in run.reason
    assert await clockwork.world.deployments() == ()


async def test_of_two_runs_at_once_one_starts(clockwork: Clockwork) -> None:
    await asyncio.gather(*(Clockwork(clockwork.world).look() for _ in range(5)))
    assert len(clockwork.started) == 1
    run = await clockwork.later()
    assert (run.outcome, run.deployment_id) == (ScheduleOutcome.STARTED, clockwork.started[0])


async def test_a_run_that_is_late_with_its_row_starts_nothing(clockwork: Clockwork) -> None:
    """Another one has started the deployment meanwhile, and that has ended already."""
    world = clockwork.world
    runs = world.store.schedule_runs
    other = Clockwork(world)

    class Slow(Counted):
        async def swap(self, expected: Any, run: ScheduleRun) -> bool:
            world.store = replace(world.store, schedule_runs=runs)
            world.clock.pass_(MINUTE)
            await ended(world, await other.looked())
            swapped: bool = await runs.swap(expected, run)
            return swapped

    world.store = replace(world.store, schedule_runs=Slow(runs))
    await clockwork.look()
    (made,) = clockwork.started
    assert (await clockwork.looked()).deployment_id == made


async def test_a_run_that_comes_while_another_one_tries_leaves_it_alone(clockwork: Clockwork) -> None:
    """Also where the first one is slow: whatever it found before, its answer counts."""
    world = clockwork.world
    gate = asyncio.Event()
    read = world.scale_sets.read

    async def slow(scale_set_id: str) -> Any:
        await gate.wait()
        return await read(scale_set_id)

    world.scale_sets.read = slow
    first = asyncio.create_task(clockwork.look())
    while not (await world.store.schedule_runs.list("web")):
        await asyncio.sleep(0)
    before = await world.store.schedule_runs.get("web", "daily")
    world.clock.pass_(MINUTE)
    await Clockwork(world).look()
    assert await world.store.schedule_runs.get("web", "daily") == before
    gate.set()
    await first
    assert len(clockwork.started) == 1
    assert (await clockwork.looked()).outcome is ScheduleOutcome.STARTED


async def test_one_that_was_slower_than_a_try_may_be_has_started_it_all_the_same(clockwork: Clockwork) -> None:
    """The row was taken over meanwhile, and still there is one deployment, which the row comes to name."""
    world = clockwork.world
    gate, waiting = asyncio.Event(), asyncio.Event()
    read = world.scale_sets.read

    async def slow(scale_set_id: str) -> Any:
        if not waiting.is_set():
            waiting.set()
            await gate.wait()
        return await read(scale_set_id)

    world.scale_sets.read = slow
    first = asyncio.create_task(clockwork.look())
    await waiting.wait()
    world.clock.pass_(TRY_LASTS)
    await clockwork.hold()
    other = Clockwork(world)
    assert (await other.looked()).outcome is ScheduleOutcome.WAITING
    world.instances.states[BUSY] = InstanceState.ENDED
    gate.set()
    await first
    (made,) = clockwork.started
    assert (await other.later()).deployment_id == made
    world.instances.states[made] = InstanceState.ENDED
    assert (await other.later()).deployment_id == made
    assert clockwork.started == [made]


class Died(Exception):
    """The process is gone."""


async def test_a_run_that_died_before_the_start_is_made_up_for(clockwork: Clockwork) -> None:
    clockwork.world.scale_sets.error = Died()
    run = await clockwork.looked()
    assert (run.outcome, run.trying) == (ScheduleOutcome.WAITING, True)
    clockwork.world.scale_sets.error = None
    assert await clockwork.later() == run
    run = await clockwork.later()
    assert run.outcome is ScheduleOutcome.STARTED
    (row,) = await clockwork.world.deployments()
    assert row.id.startswith("web-20261123T081700Z-")
    assert run.deployment_id == row.id


@pytest.mark.parametrize("runs", [True, False])
async def test_a_run_that_died_after_the_start_finds_what_it_has_started(clockwork: Clockwork, runs: bool) -> None:
    """Or goes on, where the deployment's row was all that it left."""
    instances = clockwork.world.instances
    instances.start_error, instances.starts_anyway = Died(), runs
    assert (await clockwork.looked()).trying
    (row,) = await clockwork.world.deployments()
    assert clockwork.started == [row.id][: int(runs)]
    instances.start_error = None
    run = await clockwork.later(TRY_LASTS)
    assert answered(run) == (ScheduleOutcome.STARTED, f"Deployment {row.id} was started", False)
    assert clockwork.started == [row.id]
    assert [one.id for one in await clockwork.world.deployments()] == [row.id]


async def test_what_a_dead_run_has_started_is_found_however_many_came_after_it(clockwork: Clockwork) -> None:
    instances = clockwork.world.instances
    instances.start_error, instances.starts_anyway = Died(), True
    assert (await clockwork.looked()).trying
    (row,) = await clockwork.world.deployments()
    for number in range(120):
        at = row.created_at + timedelta(milliseconds=1 + number)
        name = deployment_id("web", at + MINUTE, f"{number:06x}")
        ended = replace(row, id=name, created_at=at, started_by="ann", epoch=0, status=Status.STOPPED)
        assert await clockwork.world.store.deployments.add(ended)
    instances.start_error = None
    run = await clockwork.later(TRY_LASTS)
    assert answered(run) == (ScheduleOutcome.STARTED, f"Deployment {row.id} was started", False)
    assert clockwork.started == [row.id]


async def test_what_durable_does_not_start_is_tried_again_as_another_deployment(clockwork: Clockwork) -> None:
    instances = clockwork.world.instances
    instances.start_error = Busy("DurableExtension", "out of order")
    run = await clockwork.looked()
    assert run.outcome is ScheduleOutcome.WAITING
    assert "did not start the deployment" in run.reason
    instances.start_error = None
    run = await clockwork.later()
    assert clockwork.started == [run.deployment_id]
    assert len(await clockwork.world.deployments()) == 2


async def test_a_start_of_which_nobody_knows_is_looked_at_again(clockwork: Clockwork) -> None:
    """A deployment whose orchestration runs was started, whatever was known at first."""
    instances = clockwork.world.instances
    instances.start_error, instances.starts_anyway = Busy("DurableExtension", "out of order"), True

    def silent() -> None:
        instances.state_error = Busy("DurableExtension", "out of order")

    instances.before_start = silent
    assert (await clockwork.looked()).outcome is ScheduleOutcome.WAITING
    instances.state_error = instances.start_error = None
    instances.before_start = lambda: None
    run = await clockwork.later()
    assert run.outcome is ScheduleOutcome.STARTED
    assert clockwork.started == [run.deployment_id]


async def test_a_schedule_that_cannot_be_evaluated_keeps_no_other_from_its_time(clockwork: Clockwork) -> None:
    world = clockwork.world
    broken = replace(DAILY, name="broken", time_zone="Atlantis/Capital")
    await world.store.groups.put(Group("api", "/subscriptions/s/api", schedules=(broken,)))
    await world.add_group(schedules=(broken, DAILY))
    assert (await clockwork.looked()).outcome is ScheduleOutcome.STARTED


class NoGroups:
    async def list(self) -> tuple[Group, ...]:
        raise Busy("ServerBusy", "storage is out of order")


async def test_nothing_is_raised_where_the_groups_cannot_be_read(clockwork: Clockwork) -> None:
    world = clockwork.world
    store = world.store
    world.store = replace(store, groups=NoGroups())
    await clockwork.look()
    world.store = store
    assert (await clockwork.later()).outcome is ScheduleOutcome.STARTED


@pytest.mark.parametrize("change", ["disabled", "changed", "removed", "deleted"])
async def test_what_was_changed_since_the_list_was_read_is_left_alone(clockwork: Clockwork, change: str) -> None:
    world = clockwork.world
    groups = world.store.groups
    now = {"disabled": (replace(DAILY, enabled=False),), "changed": (replace(DAILY, cron="16 8 * * *"),), "removed": ()}

    class Late(Counted):
        async def listed(self) -> Any:
            found = await groups.listed()
            if change == "deleted":
                await groups.delete("web")
            else:
                await world.add_group(schedules=now[change])
            return found

    world.store = replace(world.store, groups=Late(groups))
    await clockwork.look()
    assert clockwork.started == []
    assert await world.store.schedule_runs.list("web") == ()


async def test_a_schedule_that_is_disabled_while_it_waits_says_that_it_was(clockwork: Clockwork) -> None:
    await clockwork.hold()
    await clockwork.look()
    await clockwork.world.add_group(schedules=(replace(DAILY, enabled=False, since=clockwork.world.clock.now()),))
    run = await clockwork.later()
    assert run.outcome is ScheduleOutcome.MISSED
    assert run.reason.startswith("The schedule was disabled before this time could start. ")
    assert (await clockwork.shown())["nextRun"] is None


def body(world: Any, **schedule: Any) -> dict[str, Any]:
    daily = {"name": "daily", "cron": "15 8 * * *", "deployment": {"image": "1.1.0"}, **schedule}
    return {"scaleSetId": world.scale_set_id, "imageId": world.image_id, "schedules": [daily]}


async def test_a_schedule_that_is_put_after_its_time_waits_for_the_next_one(world: Any) -> None:
    world.clock.pass_(MINUTE)
    answer = await world.send("PUT", "groups/web", body(world))
    shown = {"name": "daily", "nextRun": "2026-11-24T08:15:00.000Z", "lastRun": None}
    assert answer.body["scheduled"] == [shown]
    clockwork = Clockwork(world)
    await clockwork.look()
    assert (await clockwork.shown(), clockwork.started) == (shown, [])
    assert (await clockwork.later(DAY - MINUTE)).outcome is ScheduleOutcome.STARTED


async def test_a_put_neither_forgets_a_time_that_waits_nor_starts_one_twice(world: Any) -> None:
    clockwork = Clockwork(world)
    world.clock.pass_(-HOUR)
    await world.send("PUT", "groups/web", body(world))
    world.clock.pass_(HOUR)
    await clockwork.hold()
    assert (await clockwork.looked()).outcome is ScheduleOutcome.WAITING
    await world.send("PUT", "groups/web", body(world, maxLateness=7200, deployment={"image": "1.9.0"}))
    world.instances.states[BUSY] = InstanceState.ENDED
    run = await clockwork.later(70 * MINUTE)
    (row,) = await world.deployments()
    assert (run.deployment_id, row.parameters.image) == (row.id, "1.9.0")
    for change in ({"maxLateness": 604800}, {"deployment": {"image": "1.10.0"}}, {"enabled": False}, {"enabled": True}):
        await world.send("PUT", "groups/web", body(world, **change))
        await clockwork.later()
    assert clockwork.started == [row.id]


async def test_runs_of_schedules_that_are_gone_are_not_shown(clockwork: Clockwork) -> None:
    await clockwork.look()
    world = clockwork.world
    await world.add_group(schedules=(Schedule("never", "0 0 29 2 *", enabled=False),))
    assert (await world.get("groups/web"))["scheduled"] == [{"name": "never", "nextRun": None, "lastRun": None}]
    await world.add_group()
    assert (await world.get("groups/web"))["scheduled"] == []


async def test_two_schedules_that_are_due_at_once_take_turns(clockwork: Clockwork) -> None:
    world = clockwork.world
    second = replace(DAILY, name="second", deployment=StartRequest(image="1.9.0"))
    await world.add_group(schedules=(DAILY, second))
    first = await clockwork.looked()
    assert first.outcome is ScheduleOutcome.STARTED
    run = await clockwork.looked("second")
    assert run.outcome is ScheduleOutcome.WAITING
    assert str(first.deployment_id) in run.reason
    await ended(world, first)
    world.clock.pass_(MINUTE)
    assert (await clockwork.looked("second")).outcome is ScheduleOutcome.STARTED
    assert len(clockwork.started) == 2


async def ended(world: Any, run: ScheduleRun) -> Deployment:
    """The deployment of a run has come to its end."""
    world.instances.states[run.deployment_id] = InstanceState.ENDED
    row: Deployment = await world.store.deployments.get(run.deployment_id)
    return row
