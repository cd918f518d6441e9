"""What the timers do: the watchdog over the store and scripted orchestrations, and the purge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from local.functions.schedules import parse_schedule
from local.virtual.memory import memory_store
from rollout.automation.notification import IgnoredNotification, Notification, record_of
from rollout.lifecycle.dangers import TRIES_MAX
from rollout.lifecycle.queue import entry_of
from rollout.model.azure.evidence import VmEvidence
from rollout.model.azure.scale_set import ImageReference, PublishedVersion
from rollout.model.codec import Json
from rollout.model.group import Group, SignalType
from rollout.model.names import deployment_id, parse_deployment_id
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Batch, Deployment, Image
from rollout.model.rows.holds import Hold
from rollout.model.rows.keyed_request import KeyedRequest, start_scope
from rollout.model.rows.lock import Lock
from rollout.model.rows.signals import Signal
from rollout.model.rows.wanted import Follower, WantedVersion
from rollout.model.schedule import Schedule, ScheduleOutcome, ScheduleRun
from rollout.model.status import Status, VmStatus
from rollout.ports.durable import InstanceState
from rollout.ports.errors import Busy
from rollout.ports.ports import Ports
from services.group_states import note_deployment
from settings import Settings
from triggers.purge import LASTS, PAGE, purge
from triggers.timers import timers
from triggers.watchdog import watch

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SCALE_SET = "/subscriptions/s/web"


@dataclass
class Orchestrations:
    """Orchestrations that are what a test says, and what was asked of them."""

    states: dict[str, InstanceState] = field(default_factory=dict)
    below: dict[str, tuple[str, ...]] = field(default_factory=dict)
    orders: list[tuple[str, str]] = field(default_factory=list)
    inputs: list[Json] = field(default_factory=list)
    purged: list[tuple[datetime, datetime]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    said: dict[str, Json] = field(default_factory=dict)

    async def state(self, instance_id: str) -> InstanceState:
        if instance_id in self.broken:
            raise Busy("DurableExtension", "storage is out of order")
        return self.states.get(instance_id, InstanceState.ABSENT)

    async def children(self, of: str) -> tuple[str, ...]:
        return self.below.get(of, ())

    async def terminate(self, instance_id: str, reason: str) -> None:
        self.orders.append(("terminate", instance_id))

    async def start(self, recipe: str, instance_id: str, order: Json) -> None:
        self.orders.append((recipe, instance_id))
        self.inputs.append(order)

    async def describe(self, instance_id: str) -> Json | None:
        return self.said.get(instance_id)

    async def purge(self, created_from: datetime, created_to: datetime) -> int:
        self.purged.append((created_from, created_to))
        if "purge" in self.broken:
            raise Busy("DurableExtension", "storage is out of order")
        return 1


class Desk:
    """A store, scripted orchestrations, and the timers over them."""

    def __init__(self) -> None:
        self.now_is = NOW
        self.instances = Orchestrations()
        self.store = memory_store()
        neighbours: dict[str, Any] = dict.fromkeys(Ports.__dataclass_fields__)
        neighbours |= {"store": self.store, "instances": self.instances, "clock": self}
        self.ports = cast(Callable[..., Ports], Ports)(**neighbours)

    def now(self) -> datetime:
        return self.now_is

    async def watch(self) -> list[tuple[str, str]]:
        """Let the watchdog look once; what it asked of orchestrations."""
        self.instances.orders.clear()
        await watch(self.ports)
        return list(self.instances.orders)

    async def deployment(
        self, age: timedelta = HOUR, status: Status = Status.IN_PROGRESS, group: str = "web", **fields: Any
    ) -> Deployment:
        """The row of one that was asked for so long ago."""
        at = NOW - age
        image = Image("1.1.0", ImageReference(id="new"), ImageReference(id="old"))
        name = deployment_id(group, at, "1a2b3c")
        row = Deployment(name, group, SCALE_SET, Parameters("1.1.0"), image, at, status=status, **fields)
        await self.store.groups.put(Group(group, SCALE_SET))
        assert await self.store.deployments.add(row)
        return row

    async def lock(self, owner: str, age: timedelta = HOUR, epoch: int = 4) -> None:
        """The set's lock, taken so long ago."""
        assert await self.store.locks.swap(None, Lock(SCALE_SET, owner, epoch, NOW - age))

    async def owner(self) -> str:
        """Who has the lock."""
        lock = await self.store.locks.get(SCALE_SET)
        assert lock is not None
        return lock.owner


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_timers_come_every_minute_every_five_minutes_and_every_night() -> None:
    schedules = {timer.name: parse_schedule(timer.schedule) for timer in timers(Settings())}
    assert set(schedules) == {"schedules", "groupStates", "watchdog", "purge"}
    minutely = schedules["schedules"].next_after(NOW)
    assert minutely - NOW == timedelta(seconds=1)
    assert schedules["schedules"].next_after(minutely) - minutely == timedelta(minutes=1)
    assert schedules["watchdog"].next_after(NOW) - NOW == timedelta(minutes=5)
    night = schedules["purge"].next_after(NOW)
    assert schedules["purge"].next_after(night) - night == DAY


async def test_the_owner_whose_orchestration_is_gone_is_restored_once_its_parts_are_final(desk: Desk) -> None:
    row = await desk.deployment(sequence=7)
    await desk.lock(row.id)
    desk.instances.below[row.id] = (f"{row.id}:batch-1", f"{row.id}:batch-1:judge_batch-e4")
    assert await desk.watch() == [("terminate", child) for child in desk.instances.below[row.id]]
    desk.instances.below.clear()
    assert await desk.watch() == [("restore_group", f"{row.id}:restore-4")]
    told = desk.instances.inputs[0]
    assert (told["deploymentId"], told["epoch"], told["sequence"]) == (row.id, 4, 7)
    desk.instances.below[row.id] = (f"{row.id}:restore-4",)
    assert await desk.watch() == []


@pytest.mark.parametrize("state", [InstanceState.RUNNING, InstanceState.SUSPENDED])
async def test_an_orchestration_that_is_there_is_left_alone(desk: Desk, state: InstanceState) -> None:
    row = await desk.deployment()
    await desk.lock(row.id)
    desk.instances.states[row.id] = state
    assert await desk.watch() == []
    assert await desk.owner() == row.id


async def test_one_that_is_just_starting_is_left_alone(desk: Desk) -> None:
    row = await desk.deployment()
    await desk.lock(row.id, age=timedelta(seconds=599))
    assert await desk.watch() == []
    desk.now_is += timedelta(seconds=1)
    assert await desk.watch() == [("restore_group", f"{row.id}:restore-4")]


async def test_a_lock_without_a_row_is_freed(desk: Desk) -> None:
    await desk.store.groups.put(Group("web", SCALE_SET))
    await desk.lock(deployment_id("web", NOW - HOUR, "aaaaaa"))
    assert await desk.watch() == []
    assert await desk.owner() == ""


@pytest.mark.parametrize("owner", ["", "web-20261123T000000Z-ffffff"])
async def test_a_queued_deployment_whose_orchestration_is_gone_gets_its_end(desk: Desk, owner: str) -> None:
    desk.instances.states[owner] = InstanceState.RUNNING
    row = await desk.deployment(status=Status.QUEUED, epoch=0)
    await desk.lock(owner)
    assert await desk.watch() == []
    ended = await desk.store.deployments.get(row.id)
    assert ended is not None
    assert (ended.status, ended.error and ended.error.code) == (Status.FAILED, "orchestratorLost")
    assert await desk.owner() == owner


async def test_one_that_waits_is_found_however_many_came_after_it(desk: Desk) -> None:
    row = await desk.deployment(status=Status.QUEUED, epoch=0)
    await desk.store.queue.add(entry_of(row))
    for number in range(100):
        at = row.created_at + timedelta(seconds=1 + number)
        newer = replace(row, id=deployment_id("web", at, "bbbbbb"), created_at=at, status=Status.STOPPED, ended_at=at)
        await desk.store.deployments.add(newer)
    await desk.lock("")
    assert await desk.watch() == []
    ended = await desk.store.deployments.get(row.id)
    assert ended is not None
    assert ended.status is Status.FAILED
    assert await desk.store.queue.list(SCALE_SET) == ()


@pytest.mark.parametrize("planned", [True, False])
async def test_a_deployment_gets_its_end_once_the_next_one_has_taken_over_what_it_left(
    desk: Desk, planned: bool
) -> None:
    row, other = await desk.deployment(), "web-20261123T000000Z-ffffff"
    await desk.store.deployments.add(replace(row, id=other, started_at=NOW if planned else None))
    await desk.lock(other)
    desk.instances.states[other] = InstanceState.RUNNING
    assert await desk.watch() == []
    ended = await desk.store.deployments.get(row.id)
    assert ended is not None
    assert ended.status is (Status.FAILED if planned else Status.IN_PROGRESS)


async def test_a_deployment_that_freed_the_set_and_wrote_no_end_is_restored(desk: Desk) -> None:
    row = await desk.deployment()
    await desk.lock("")
    assert await desk.watch() == [("restore_group", f"{row.id}:restore-4")]


@pytest.mark.parametrize("status", [Status.FINISHED, Status.FAILED])
async def test_one_that_has_ended_and_freed_the_set_is_not_looked_after(desk: Desk, status: Status) -> None:
    await desk.deployment(status=status)
    await desk.lock("")
    assert await desk.watch() == []


async def test_what_was_kept_goes_when_its_time_is_over_and_the_set_is_free(desk: Desk) -> None:
    row = await desk.deployment(status=Status.STOPPED)
    await desk.lock("")
    await desk.store.holds.put(Hold(SCALE_SET, row.id, (), NOW, keep_until=NOW + HOUR))
    assert await desk.watch() == []
    desk.now_is += HOUR
    assert await desk.watch() == [("restore_group", f"{row.id}:release-4")]


async def test_what_was_kept_is_the_next_deployments_while_that_is_under_way(desk: Desk) -> None:
    row = await desk.deployment(status=Status.STOPPED)
    await desk.lock("web-20261123T000000Z-ffffff")
    desk.instances.states["web-20261123T000000Z-ffffff"] = InstanceState.RUNNING
    await desk.store.holds.put(Hold(SCALE_SET, row.id, (), NOW - DAY, keep_until=NOW - HOUR))
    assert await desk.watch() == []


async def test_what_cannot_be_read_of_one_group_keeps_no_other_from_being_looked_after(desk: Desk) -> None:
    broken = await desk.deployment(group="api")
    fine = await desk.deployment(status=Status.QUEUED, epoch=0)
    await desk.lock("")
    desk.instances.broken.add(broken.id)
    assert await desk.watch() == []
    ended = await desk.store.deployments.get(fine.id)
    assert ended is not None
    assert ended.status is Status.FAILED


async def test_a_row_that_cannot_be_read_keeps_nothing_else_from_being_looked_after(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    row = await desk.deployment(status=Status.STOPPED)
    await desk.store.groups.put(Group("api", f"{SCALE_SET}-2"))
    await desk.lock("")
    await desk.store.holds.put(Hold(SCALE_SET, row.id, (), NOW, keep_until=NOW))

    class Broken:
        async def listed(self, group_id: str, limit: int, before: str = "") -> tuple[Deployment, ...]:
            raise ValueError("'superseding' is not a valid Status")

        def __getattr__(self, name: str) -> Any:
            return getattr(desk.store.deployments, name)

    store = replace(desk.store, deployments=cast(Any, Broken()))
    desk.ports = replace(desk.ports, store=store)
    assert await desk.watch() == [("restore_group", f"{row.id}:release-4")]
    assert "group api" in caplog.text
    assert "superseding" in caplog.text


async def test_what_fails_is_tried_more_and_more_rarely_told_and_given_up(desk: Desk) -> None:
    row = await desk.deployment(status=Status.STOPPED)
    await desk.lock("")
    await desk.store.holds.put(Hold(SCALE_SET, row.id, (), NOW, keep_until=NOW))
    attempt = f"{row.id}:release-4"
    assert await desk.watch() == [("restore_group", attempt)]
    desk.instances.states[attempt] = InstanceState.RUNNING
    desk.now_is += HOUR
    assert await desk.watch() == []
    assert [one.told for one in await desk.store.dangers.list()] == [False]

    desk.instances.states[attempt] = InstanceState.ENDED
    desk.instances.said[attempt] = {"output": {"status": "failed", "reason": "Azure refused: no role"}}
    begun = []
    for look in range(9 * 24 * 12):
        desk.now_is = NOW + 2 * HOUR + look * timedelta(minutes=5)
        begun += await desk.watch()
    assert len(begun) == TRIES_MAX - 1
    (danger,) = await desk.store.dangers.list(SCALE_SET)
    assert (danger.since, danger.deployment_id, danger.tries) == (NOW, row.id, TRIES_MAX)
    assert "Azure refused: no role" in danger.message

    await desk.store.holds.delete(SCALE_SET)
    assert await desk.watch() == []
    assert await desk.store.dangers.list() == ()


@pytest.mark.parametrize(
    ("described", "words"),
    [
        (None, "is not there"),
        ({"runtimeStatus": "Failed", "output": "KeyError: web-1\n  at line 3"}, "is Failed: KeyError: web-1."),
        ({"runtimeStatus": "Terminated", "output": None}, "is Terminated: it gave no reason."),
        ({"runtimeStatus": "Completed", "output": {"reason": "No"}}, "put in order: No."),
    ],
)
async def test_why_a_cure_failed_is_told_as_far_as_it_is_known(desk: Desk, described: Json | None, words: str) -> None:
    row = await desk.deployment()
    await desk.lock(row.id)
    await desk.watch()
    attempt = f"{row.id}:restore-4"
    desk.instances.states[attempt] = InstanceState.ENDED
    if described is not None:
        desk.instances.said[attempt] = described
    assert await desk.watch() == []
    (danger,) = await desk.store.dangers.list()
    assert words in danger.message


async def test_what_a_lost_deployment_of_a_deleted_group_holds_is_put_in_order_too(desk: Desk) -> None:
    row = await desk.deployment()
    await desk.lock(row.id)
    await desk.store.holds.put(Hold(SCALE_SET, row.id, (), NOW))
    await desk.store.groups.delete("web")
    assert await desk.watch() == [("restore_group", f"{row.id}:restore-4")]


async def test_versions_that_nobody_follows_are_followed_again(desk: Desk) -> None:
    await desk.store.groups.put(Group("web", SCALE_SET))
    assert await desk.watch() == []
    await desk.store.wanted.put(WantedVersion("web", "/images/web", "1.5.0", "key", NOW, NOW + HOUR))
    ((recipe, follower),) = await desk.watch()
    assert (recipe, desk.instances.inputs[0]["groupId"]) == ("follow_images", "web")
    desk.instances.states[follower] = InstanceState.RUNNING
    assert await desk.watch() == []
    desk.instances.states[follower] = InstanceState.ENDED
    desk.now_is += HOUR
    ((_, second),) = await desk.watch()
    assert second != follower


async def test_notifications_are_remembered_as_long_as_histories(desk: Desk) -> None:
    for name, age in (*((f"old-{number}", 31 * DAY) for number in range(120)), ("young", 29 * DAY)):
        sent = NOW - age
        await desk.store.notifications.add(
            record_of(Notification(name, "", "", {}, sent), IgnoredNotification("it"), sent)
        )
    await run_purge(desk)
    assert [row.id for row in await desk.store.notifications.newest(200)] == ["young"]


async def test_a_notification_stays_as_long_as_a_version_is_waited_for(desk: Desk) -> None:
    """Those that wait come first of all that are old, and take no place of the others."""
    await desk.store.groups.put(Group("web", SCALE_SET))
    keys = []
    for number in range(12):
        sent = NOW - (31 + number) * DAY
        record = record_of(Notification(f"old-{number}", "", "", {}, sent), IgnoredNotification("it"), sent)
        await desk.store.notifications.add(record)
        keys.append(record.key)
    for key in keys[:4]:
        await desk.store.wanted.put(WantedVersion("web", "/images/web", "1.5.0", key, NOW, NOW + HOUR))
    assert await run_purge(desk, page=3) == ()
    assert [row.key for row in await desk.store.notifications.newest(200)] == keys[:4]


async def run_purge(desk: Desk, page: int = PAGE, lasts: timedelta = LASTS) -> tuple[str, ...]:
    return await purge(desk.ports, history=30 * DAY, rows=365 * DAY, page=page, lasts=lasts)


SHORT: dict[str, Any] = {"page": 3, "lasts": timedelta(0)}


async def test_the_histories_of_what_was_begun_longer_ago_than_the_setting_are_purged(desk: Desk) -> None:
    await run_purge(desk)
    assert max(end for _, end in desk.instances.purged) == NOW - 30 * DAY
    assert min(begin for begin, _ in desk.instances.purged) < NOW - 3000 * DAY


async def test_deployments_that_ended_long_ago_are_forgotten_but_for_a_groups_newest(desk: Desk) -> None:
    ages = (800, 400, 366, 364)
    rows = {age: await desk.deployment(age * DAY, Status.FINISHED, ended_at=NOW - age * DAY + HOUR) for age in ages}
    other = await desk.deployment(500 * DAY, group="api", status=Status.FAILED, ended_at=NOW - 500 * DAY)
    for row in (*rows.values(), other):
        await desk.store.batches.put(row.id, [Batch(1, 2, 2)])
    for _ in range(2):
        await run_purge(desk)
    kept = [row.id for row in await desk.store.deployments.newest("web", 10)]
    assert kept == [rows[364].id]
    assert [row.id for row in await desk.store.deployments.newest("api", 10)] == [other.id]
    assert [len(await desk.store.batches.list(row.id)) for row in rows.values()] == [0, 0, 0, 1]


async def test_what_is_still_needed_is_kept_and_takes_nothing_elses_place(desk: Desk) -> None:
    """The oldest in each group keep VMs; as many as one run removes come after them."""
    ended: dict[str, Any] = {"ended_at": NOW - 800 * DAY}
    kept = [await desk.deployment((900 - n) * DAY, Status.STOPPED, **ended) for n in range(4)]
    for number, row in enumerate(kept):
        await desk.store.holds.put(Hold(f"{SCALE_SET}-{number}", row.id, (), NOW))
        await desk.store.deployments.change(
            row.id,
            lambda row, n=number: replace(row, scale_set_id=f"{SCALE_SET}-{n}"),  # type: ignore[misc]
        )
    old = [await desk.deployment((800 - n) * DAY, Status.FINISHED, **ended) for n in range(4)]
    await desk.deployment()
    assert await run_purge(desk, **SHORT) == ("deployments: more than a night's work",)
    left = {row.id for row in await desk.store.deployments.newest("web", 100)}
    assert {row.id for row in kept} <= left
    assert len({row.id for row in old} & left) == 1
    await run_purge(desk, **SHORT)
    assert len(await desk.store.deployments.newest("web", 100)) == len(kept) + 1


async def test_what_a_forgotten_deployment_tried_is_remembered_until_its_version_is_gone(desk: Desk) -> None:
    image = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/a/images/web"
    named = Image("1.1.0", ImageReference(id=f"{image}/versions/1.1.0"))

    class Gallery:
        names: tuple[str, ...] | None = ("1.1.0",)

        async def list_versions(self, reference: ImageReference) -> tuple[PublishedVersion, ...] | None:
            assert reference.id == image.lower()
            return (
                None if self.names is None else tuple(PublishedVersion(name, name, "Succeeded") for name in self.names)
            )

    gallery = Gallery()
    desk.ports = replace(desk.ports, images=cast(Any, gallery))
    old = await desk.deployment(800 * DAY, Status.ROLLED_BACK, ended_at=NOW - 800 * DAY, sequence=9)
    await desk.store.deployments.change(old.id, lambda row: replace(row, image=named))
    await desk.deployment()
    for names in (("1.1.0",), None):
        gallery.names = names
        await run_purge(desk)
        assert await desk.store.deployments.get(old.id) is None
        (one,) = await desk.store.tries.all(10)
        assert (one.version_id, one.deployment_id, one.standing) == (
            f"{image}/versions/1.1.0".lower(),
            old.id,
            "rolledBack",
        )
    gallery.names = ("1.2.0",)
    await run_purge(desk)
    assert await desk.store.tries.all(10) == ()


async def test_a_deleted_group_leaves_nothing_once_its_rows_are_old(desk: Desk) -> None:
    """The newest deployment of one that is there stays, and so does what belongs to a set that another group has."""
    old = NOW - 366 * DAY
    for group in ("gone", "moved", "web"):
        row = await desk.deployment(367 * DAY, Status.FINISHED, group=group, ended_at=old)
        scale_set = f"{SCALE_SET}-{group}"
        await desk.store.deployments.change(row.id, lambda row, s=scale_set: replace(row, scale_set_id=s))  # type: ignore[misc]
        assert await desk.store.locks.swap(None, Lock(scale_set, "", 1, old, row.id))
        await desk.store.followers.swap(None, Follower(group, "", old))
        await desk.store.schedule_runs.swap(
            None, ScheduleRun(group, "nightly", old, old, ScheduleOutcome.STARTED, "so")
        )
        await desk.store.evidence.put(row.id, VmEvidence("vm-1", "web_1", 1, old, VmStatus.UNHEALTHY, ""))
        # What a later deployment of the set makes of what this one left is noted for its group, there or not.
        await note_deployment(desk.ports, row)
        await desk.store.groups.put(Group(group, scale_set, schedules=(Schedule("nightly", "0 3 * * *"),)))
    for group in ("gone", "moved"):
        await desk.store.groups.delete(group)
    await desk.store.groups.put(Group("other", f"{SCALE_SET}-moved"))
    assert await run_purge(desk) == ()
    there = {
        group: (
            len(await desk.store.deployments.newest(group, 9)),
            await desk.store.locks.get(f"{SCALE_SET}-{group}") is not None,
            await desk.store.followers.get(group) is not None,
            len(await desk.store.schedule_runs.list(group)),
            await desk.store.group_states.get(group) is not None,
        )
        for group in ("gone", "moved", "web")
    }
    assert there == {
        "gone": (0, False, False, 0, False),
        "moved": (1, True, False, 0, False),
        "web": (1, True, True, 1, True),
    }


async def test_what_signals_said_goes_with_the_rows(desk: Desk) -> None:
    for number, age in enumerate((366, 364)):
        signal = Signal(f"vm-{number}", "web_1", SignalType.VM_READY, NOW - age * DAY)
        await desk.store.signals.put(SCALE_SET, signal)
    await run_purge(desk)
    assert [one.vm_id for one in await desk.store.signals.list(SCALE_SET)] == ["vm-1"]


async def test_one_that_has_not_ended_is_kept_however_old(desk: Desk) -> None:
    row = await desk.deployment(800 * DAY, Status.PAUSED)
    await desk.deployment()
    await run_purge(desk)
    assert await desk.store.deployments.get(row.id) is not None


async def test_requests_are_remembered_for_two_days(desk: Desk) -> None:
    for key, age in (("old", 3 * DAY), ("young", DAY)):
        assert await desk.store.requests.add(KeyedRequest("POST /a", key, "f", "t", NOW - age))
    await run_purge(desk)
    assert await desk.store.requests.get("POST /a", "old") is None
    assert await desk.store.requests.get("POST /a", "young") is not None


async def test_a_night_goes_on_until_nothing_is_left_that_can_go(desk: Desk) -> None:
    """Requests of deployments that are still there stay, and keep none of the others from going."""
    for number in range(5):
        row = await desk.deployment((3 + number) * DAY, Status.FINISHED)
        assert await desk.store.requests.add(keyed(row, f"a-{number}"))
    for number in range(11):
        assert await desk.store.requests.add(KeyedRequest("POST /a", f"{number}", "f", "t", NOW - 3 * DAY))
    assert await run_purge(desk, **SHORT) == ("requests: more than a night's work",)
    assert await run_purge(desk, page=3) == ()
    assert len(await desk.store.archive.asked_before(NOW, 100)) == 5


async def test_a_purge_that_fails_at_one_thing_goes_on_with_the_next_and_says_so(desk: Desk) -> None:
    desk.instances.broken.add("purge")
    old = await desk.deployment(800 * DAY, Status.FINISHED, ended_at=NOW - 800 * DAY)
    await desk.deployment()
    night = next(timer for timer in timers(Settings()) if timer.name == "purge")
    await night.handler(desk.ports)
    assert await desk.store.deployments.get(old.id) is None
    (run,) = await desk.store.timer_runs.list()
    assert run.left == ("histories: DurableExtension",)


async def test_a_row_that_changes_while_the_watchdog_looks_is_decided_by_what_it_is_in_the_end(desk: Desk) -> None:
    row = await desk.deployment()
    await desk.lock(row.id)

    class Late(Orchestrations):
        async def children(self, of: str) -> tuple[str, ...]:
            lock = await desk.store.locks.get(SCALE_SET)
            assert lock is not None
            await desk.store.locks.swap(lock, replace(lock, owner=""))
            await desk.store.deployments.change(of, lambda now: replace(now, status=Status.FINISHED))
            return ()

    desk.ports = replace(desk.ports, instances=cast(Any, Late()))
    await watch(desk.ports)
    assert cast(Late, desk.ports.instances).orders == []


def keyed(row: Deployment, key: str, **fields: Any) -> KeyedRequest:
    """The request that started the deployment."""
    name = parse_deployment_id(row.id)
    assert name is not None
    return replace(KeyedRequest(start_scope(row.group_id), key, "f", name.token, row.created_at), **fields)


async def test_the_key_of_a_start_is_kept_as_long_as_its_deployment(desk: Desk) -> None:
    ages = (800, 40, 3)
    rows = {
        age: await desk.deployment(
            age * DAY, Status.FINISHED, ended_at=NOW - age * DAY + HOUR, idempotency_key=f"key-{age}"
        )
        for age in ages
    }
    for age, row in rows.items():
        # The answer to the one of forty days ago was lost.
        assert await desk.store.requests.add(keyed(row, f"key-{age}", status=0 if age == 40 else 202))
    others = [
        KeyedRequest("POST deployments/x/pause", "other", "f", "abcdef", NOW - 3 * DAY, status=202),
        KeyedRequest(start_scope("web"), "refused", "f", "", NOW - 3 * DAY),
        KeyedRequest(start_scope("web"), "died", "f", "abcdef", NOW - 3 * DAY),
    ]
    for one in others:
        assert await desk.store.requests.add(one)
    await run_purge(desk)
    kept = {key: await desk.store.requests.get(start_scope("web"), key) for key in ("key-800", "key-40", "key-3")}
    assert {key for key, row in kept.items() if row is not None} == {"key-40", "key-3"}
    assert [await desk.store.requests.get(one.scope, one.key) for one in others] == [None] * 3
