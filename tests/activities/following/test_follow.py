"""The activities that follow a group's wanted versions, each run twice, with no orchestration behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from activities.following.follow import LOOK_EVERY, attempt_to_follow, decide_wanted, start_wanted
from local.virtual.memory import memory_store
from rollout.automation.follow import FollowOrder
from rollout.automation.notification import Notification, VersionWrite, record_of
from rollout.automation.tries import outcome, try_of
from rollout.model.azure.scale_set import ImageReference, Place, PublishedVersion, ScaleSet, Vm, VmList
from rollout.model.azure.surroundings import ManagementLock, Usage, VmSize
from rollout.model.codec import Json, decode, encode
from rollout.model.group import Group
from rollout.model.image_rule import ImageRule
from rollout.model.names import deployment_id
from rollout.model.order import SETBACK, Progress, StepState
from rollout.model.parameters import Parameters
from rollout.model.request import StartRequest
from rollout.model.rows.deployment import Deployment, Image
from rollout.model.rows.lock import Lock
from rollout.model.rows.notification import Consequence, NotificationOutcome
from rollout.model.rows.tries import Try
from rollout.model.rows.wanted import Follower, WantedVersion
from rollout.model.status import Status
from rollout.ports.durable import InstanceState
from rollout.ports.errors import Busy, Refused
from rollout.ports.ports import OperatorRules, Ports
from services.images.tries import note_try, remember_try, tried

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
SET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/web"
IMAGE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/a/images/web"
ME = "web:images-20261123T081400Z-aaaaaa"


def reference(name: str) -> ImageReference:
    return ImageReference(id=f"{IMAGE}/versions/{name}")


def one_try(row: Deployment) -> Try:
    one = try_of(row)
    assert one is not None
    return one


@dataclass
class Desk:
    """A group, its set of two VMs on version 1.0.0, a gallery, and whatever a test says of them."""

    now_is: datetime = NOW
    states: dict[str, InstanceState] = field(default_factory=dict)
    begun: dict[str, tuple[str, Json]] = field(default_factory=dict)
    versions: dict[str, PublishedVersion] = field(default_factory=dict)
    set: ScaleSet | None = field(
        default_factory=lambda: ScaleSet(
            SET, "web", "eastus2", '"1"', 2, "Succeeded", reference("1.0.0"), os_type="Linux", reports_health=True
        )
    )
    error: Exception | None = None
    lose_starts: bool = False

    def __post_init__(self) -> None:
        self.store = memory_store()
        for name in ("1.0.0", "1.1.0", "1.2.0"):
            self.add(name)
        neighbours: dict[str, Any] = dict.fromkeys(Ports.__dataclass_fields__, self)
        neighbours |= {"store": self.store, "rules": OperatorRules()}
        self.ports = cast(Callable[..., Ports], Ports)(**neighbours)

    def add(self, name: str, region: str = "Completed", **fields: Any) -> None:
        full = f"{IMAGE}/versions/{name}"
        self.versions[name] = PublishedVersion(
            full, name, "Succeeded", regions={"eastus2": region}, os_type="Linux", **fields
        )

    # What the ports are asked.
    def now(self) -> datetime:
        return self.now_is

    async def read(self, asked: Any, place: Place | None = None) -> Any:
        if self.error is not None:
            raise self.error
        if isinstance(asked, ScaleSet):
            return ()
        return self.set if asked == SET else self.versions.get(asked.label)

    async def list_vms(self, scale_set_id: str, share_min: float = 0.0) -> VmList:
        model = self.set.image if self.set and self.set.image else ImageReference()
        return VmList(
            tuple(Vm(f"id-{n}", f"web_{n}", str(n), model, "Succeeded", "running", "healthy") for n in range(2))
        )

    def left(self, scale_set_id: str) -> float | None:
        return None

    async def with_health(self, scale_set_id: str, listed: VmList, vm_ids: Any) -> VmList:
        return listed

    async def size(self, scale_set: ScaleSet) -> VmSize | None:
        return None

    async def usages(self, scale_set: ScaleSet) -> tuple[Usage, ...]:
        return ()

    async def locks(self, scale_set: ScaleSet) -> tuple[ManagementLock, ...]:
        return ()

    async def rolling_upgrade(self, scale_set: ScaleSet) -> str | None:
        return None

    async def state(self, instance_id: str) -> InstanceState:
        return self.states.get(instance_id, InstanceState.ABSENT)

    async def start(self, recipe: str, instance_id: str, order: Json) -> None:
        if self.lose_starts:
            raise Busy("DurableExtension", "out of order")
        self.begun[instance_id] = (recipe, order)
        self.states[instance_id] = InstanceState.RUNNING

    # What tests ask.
    async def group(self, **rule: Any) -> None:
        await self.store.groups.put(Group("web", SET, IMAGE, image_rule=ImageRule(IMAGE, **rule)))

    async def want(self, *names: str, since: datetime = NOW, deadline: datetime = NOW + timedelta(hours=1)) -> None:
        """Notifications of these versions were received."""
        for name in names:
            notification = Notification(f"e-{name}", "Written", f"{IMAGE}/versions/{name}", {}, NOW)
            record = record_of(notification, VersionWrite(IMAGE, name), NOW)
            waiting = Consequence("web", NotificationOutcome.WAITING, "wanted", NOW)
            await self.store.notifications.add(record.with_consequence(waiting))
            await self.store.wanted.put(WantedVersion("web", IMAGE, name, record.key, since, deadline))

    async def follow(self, instance_id: str = ME) -> None:
        found = await self.store.followers.get("web")
        assert await self.store.followers.swap(found, Follower("web", instance_id, NOW))

    async def call(self, body: Any, version: str = "", **order: Any) -> Progress:
        """Carry an order out twice, which must not matter."""
        told = encode(replace(FollowOrder("web", ME, self.now_is, version), **order))
        first = decode(Progress, await attempt_to_follow(body, self.ports, told))
        before = await self.outcomes()
        again = decode(Progress, await attempt_to_follow(body, self.ports, told))
        assert await self.outcomes() == before
        assert again.code == first.code
        return first

    async def outcomes(self) -> dict[str | None, tuple[str, str]]:
        """What became of the versions, and why."""
        rows = await self.store.notifications.newest(100)
        known = [(row.version, row.of("web")) for row in rows]
        return {version: (one.outcome, one.reason) for version, one in known if one}

    async def deployment(self, name: str, version: str, **fields: Any) -> Deployment:
        """The row of a deployment of a version, begun an hour ago unless the test says otherwise."""
        at = fields.pop("created_at", NOW - timedelta(hours=1))
        image = Image(version, reference(version), reference("1.0.0"))
        row = Deployment(deployment_id("web", at, name), "web", SET, Parameters(version), image, at, **fields)
        assert await self.store.deployments.add(row)
        return row


@pytest.fixture
async def desk() -> Desk:
    desk = Desk()
    await desk.group()
    await desk.follow()
    return desk


async def test_the_newest_that_can_be_deployed_is_named_and_nothing_settled(desk: Desk) -> None:
    desk.add("1.3.0", "Replicating")
    await desk.want("1.1.0", "1.2.0", "1.3.0")
    progress = await desk.call(decide_wanted)
    assert (progress.state, progress.data, progress.after) == (StepState.AGAIN, {"start": "1.2.0"}, LOOK_EVERY)
    assert await desk.outcomes() == {
        "1.3.0": ("waiting", "Its replication to eastus2 is Replicating"),
        "1.2.0": ("waiting", "wanted"),
        "1.1.0": ("waiting", "Version 1.2.0 is newer, and goes first"),
    }


async def test_a_start_settles_its_version_and_older_ones(desk: Desk) -> None:
    await desk.group(deployment=StartRequest(batch_size=1))
    desk.add("1.3.0", "Replicating")
    await desk.want("1.1.0", "1.2.0", "1.3.0")
    await desk.call(start_wanted, "1.2.0")
    ((name, (recipe, order)),) = desk.begun.items()
    assert (recipe, order["deploymentId"]) == ("deploy_group", name)
    row = await desk.store.deployments.get(name)
    assert row is not None
    assert (row.created_at, row.started_by, row.parameters.batch_size) == (NOW, "imagePublished", 1)
    assert (row.image.requested, row.image.pinned) == (f"{IMAGE}/versions/1.2.0", reference("1.2.0"))
    outcomes = await desk.outcomes()
    assert outcomes["1.2.0"] == ("started", f"Deployment {name} deploys it")
    assert outcomes["1.1.0"][0] == "superseded"
    assert [one.version for one in await desk.store.wanted.list("web")] == ["1.3.0"]


async def test_an_order_that_comes_late_is_not_obeyed(desk: Desk) -> None:
    await desk.want("1.2.0")
    progress = await desk.call(start_wanted, "1.2.0", at=NOW - timedelta(minutes=6))
    assert (progress.state, desk.begun) == (StepState.AGAIN, {})


async def test_a_rule_that_changed_after_the_look_is_heeded(desk: Desk) -> None:
    await desk.want("1.2.0")
    await desk.group(enabled=False)
    await desk.call(start_wanted, "1.2.0")
    assert desk.begun == {}
    await desk.call(decide_wanted)
    assert await desk.outcomes() == {"1.2.0": ("ignored", "The rule is off")}


async def test_versions_of_a_rule_s_former_image_are_dropped_and_not_taken_for_those_of_its_new_one(desk: Desk) -> None:
    await desk.want("1.2.0")
    (row,) = await desk.store.wanted.list("web")
    former = replace(row, image_id=f"{IMAGE}-before", notification="before")
    await desk.store.wanted.put(former)
    assert (await desk.call(decide_wanted)).data["start"] == "1.2.0"
    assert await desk.store.wanted.list("web") == (row,)


@pytest.mark.parametrize(("body", "version"), [(decide_wanted, ""), (start_wanted, "1.2.0")])
async def test_what_the_app_may_not_use_now_is_not_deployed_however_long_it_has_waited(
    desk: Desk, body: Any, version: str
) -> None:
    await desk.want("1.2.0")
    desk.ports = replace(desk.ports, rules=OperatorRules(scopes=(SET,)))
    await desk.call(body, version)
    outcome, reason = (await desk.outcomes())["1.2.0"]
    assert (outcome, reason.partition(":")[0]) == ("failed", "scopeNotAllowed")
    assert desk.begun == {}


async def test_a_version_that_does_not_fit_fails_and_the_one_before_is_next(desk: Desk) -> None:
    desk.add("1.3.0", hyper_v_generation="V1", security_type="TrustedLaunch")
    desk.versions["1.3.0"] = replace(desk.versions["1.3.0"], os_type="Windows")
    await desk.want("1.2.0", "1.3.0")
    assert (await desk.call(decide_wanted)).data["start"] == "1.3.0"
    await desk.call(start_wanted, "1.3.0")
    outcomes = await desk.outcomes()
    assert (outcomes["1.3.0"][0], "imageIncompatible" in outcomes["1.3.0"][1]) == ("failed", True)
    assert outcomes["1.2.0"][0] == "waiting"
    assert (await desk.call(decide_wanted)).data["start"] == "1.2.0"


async def test_what_may_pass_is_waited_for_until_the_deadline(desk: Desk) -> None:
    assert desk.set is not None
    desk.set = replace(desk.set, provisioning_state="Updating")
    await desk.want("1.2.0")
    await desk.call(start_wanted, "1.2.0")
    outcome, reason = (await desk.outcomes())["1.2.0"]
    assert (outcome, "scaleSetBusy" in reason) == ("waiting", True)
    desk.now_is = NOW + timedelta(hours=1)
    await desk.call(start_wanted, "1.2.0")
    outcome, reason = (await desk.outcomes())["1.2.0"]
    assert (outcome, "at its deadline" in reason) == ("failed", True)


async def test_another_deployment_is_waited_for_past_the_deadline(desk: Desk) -> None:
    holder = await desk.deployment("aaaaaa", "1.1.0")
    desk.states[holder.id] = InstanceState.RUNNING
    assert await desk.store.locks.swap(None, Lock(SET, holder.id, 1, NOW))
    await desk.want("1.2.0", deadline=NOW)
    assert (await desk.call(decide_wanted)).data["start"] == ""
    await desk.call(start_wanted, "1.2.0")
    outcome, reason = (await desk.outcomes())["1.2.0"]
    assert (outcome, holder.id in reason) == ("waiting", True)


async def test_while_a_deployment_is_under_way_azure_is_not_asked_and_nothing_settled(desk: Desk) -> None:
    """1.1.0 is older than 1.2.0, which is being deployed and may fail; it must not be dropped for that."""
    assert desk.set is not None
    desk.set = replace(desk.set, image=reference("1.2.0"))
    holder = await desk.deployment("aaaaaa", "1.2.0")
    desk.states[holder.id] = InstanceState.RUNNING
    assert await desk.store.locks.swap(None, Lock(SET, holder.id, 1, NOW))
    await desk.want("1.1.0")
    desk.error = AssertionError("Azure is asked")
    await desk.call(decide_wanted)
    assert await desk.outcomes() == {"1.1.0": ("waiting", f"Deployment {holder.id} is deploying to the scale set")}
    desk.error = None
    desk.states[holder.id] = InstanceState.ENDED
    await desk.call(decide_wanted)
    assert await desk.outcomes() == {
        "1.1.0": ("ignored", "It is not newer than version 1.2.0, which the group runs"),
    }


async def test_a_version_has_had_its_try_however_long_ago_and_whatever_is_left_of_it(desk: Desk) -> None:
    row = await desk.deployment("aaaaaa", "1.2.0", status=Status.ROLLED_BACK, sequence=9)
    for _ in range(2):
        await remember_try(desk.ports, row)
    await desk.store.archive.forget(row.id)
    await desk.want("1.2.0")
    assert (await desk.call(decide_wanted)).data == {"start": ""}
    assert await desk.outcomes() == {"1.2.0": ("ignored", f"It was deployed before: {row.id} is rolledBack")}


async def test_a_group_that_is_registered_anew_under_another_name_has_tried_what_its_set_has(desk: Desk) -> None:
    row = await desk.deployment("aaaaaa", "1.2.0", status=Status.ROLLED_BACK, sequence=9)
    await note_try(desk.ports, row)
    await desk.store.groups.delete("web")
    await desk.store.groups.put(Group("shop", SET.upper(), IMAGE, image_rule=ImageRule(IMAGE)))
    assert await tried(desk.ports, SET.upper(), reference("1.2.0")) == outcome(one_try(row), row)


async def test_a_try_from_before_tries_were_kept_counts_however_many_came_after_it(desk: Desk) -> None:
    long_ago = NOW - timedelta(days=200)
    row = await desk.deployment("aaaaaa", "1.2.0", status=Status.ROLLED_BACK, sequence=9, created_at=long_ago)
    for number in range(1, 151):
        at = long_ago + timedelta(days=number)
        await desk.deployment("bbbbbb", "1.0.0", status=Status.FINISHED, sequence=9, created_at=at)
    await desk.want("1.1.0", "1.2.0")
    assert (await desk.call(decide_wanted)).data == {"start": "1.1.0"}
    assert (await desk.outcomes())["1.2.0"] == ("ignored", f"It was deployed before: {row.id} is rolledBack")
    assert await desk.store.tries.get(SET, reference("1.2.0").full_name) == one_try(row)


async def test_a_try_is_noted_before_the_start_and_one_that_died_in_between_is_none(desk: Desk) -> None:
    await desk.want("1.2.0")
    desk.lose_starts = True
    await desk.call(start_wanted, "1.2.0")
    (dead,) = await desk.store.deployments.newest("web", 9)
    assert await desk.store.tries.get(SET, reference("1.2.0").full_name) == one_try(dead)
    assert await tried(desk.ports, SET, reference("1.2.0")) is None

    desk.lose_starts = False
    desk.now_is += timedelta(minutes=2)
    assert (await desk.call(decide_wanted)).data["start"] == "1.2.0"
    await desk.call(start_wanted, "1.2.0")
    ((name, _),) = desk.begun.items()
    found = await tried(desk.ports, SET, reference("1.2.0"))
    assert found is not None
    assert found.deployment_id == name


async def test_the_first_try_stays_the_try(desk: Desk) -> None:
    first = await desk.deployment("aaaaaa", "1.2.0", status=Status.FINISHED, sequence=9)
    second = await desk.deployment("bbbbbb", "1.2.0", created_at=NOW)
    for row in (first, second, first):
        await note_try(desk.ports, row)
    assert await desk.store.tries.get(SET, reference("1.2.0").full_name) == one_try(first)


async def test_a_version_that_was_published_anew_gets_a_try_of_its_own(desk: Desk) -> None:
    row = await desk.deployment("aaaaaa", "1.2.0", status=Status.ROLLED_BACK, sequence=9)
    await note_try(desk.ports, row)
    desk.versions["1.2.0"] = replace(desk.versions["1.2.0"], published_at=NOW - timedelta(minutes=5))
    await desk.want("1.2.0")
    assert (await desk.call(decide_wanted)).data["start"] == "1.2.0"
    await desk.call(start_wanted, "1.2.0")
    ((name, _),) = desk.begun.items()
    found = await tried(desk.ports, SET, reference("1.2.0"))
    assert found is not None
    assert found.deployment_id == name


async def test_a_start_that_never_ran_is_no_try(desk: Desk) -> None:
    await desk.deployment("aaaaaa", "1.2.0", status=Status.FAILED)
    await desk.want("1.2.0")
    assert (await desk.call(decide_wanted)).data["start"] == "1.2.0"


async def test_a_gallery_that_may_not_be_read_is_told_and_given_up_at_the_deadline(desk: Desk) -> None:
    await desk.want("1.2.0")
    desk.error = Refused("AuthorizationFailed", "no")
    await desk.call(decide_wanted)
    assert await desk.outcomes() == {"1.2.0": ("waiting", "Azure refused: AuthorizationFailed: no")}
    desk.now_is = NOW + timedelta(hours=1)
    await desk.call(decide_wanted)
    assert (await desk.outcomes())["1.2.0"][0] == "failed"


@pytest.mark.parametrize(
    ("retry_after", "wait"), [(None, LOOK_EVERY), (timedelta(seconds=5), LOOK_EVERY), (timedelta(hours=1),) * 2]
)
async def test_an_azure_that_is_busy_is_asked_again(desk: Desk, retry_after: timedelta | None, wait: timedelta) -> None:
    await desk.want("1.2.0")
    desk.error = Busy("TooManyRequests", "slow down", retry_after)
    desk.now_is = NOW + timedelta(hours=9)
    progress = await desk.call(decide_wanted)
    assert (progress.state, progress.code, progress.after) == (StepState.AGAIN, SETBACK, wait)
    assert await desk.outcomes() == {"1.2.0": ("waiting", "Azure is busy: TooManyRequests: slow down")}


async def test_a_gallery_that_does_not_have_the_version_yet_is_asked_again_until_the_deadline(desk: Desk) -> None:
    there = desk.versions.pop("1.2.0")
    await desk.want("1.2.0")
    for call in ((decide_wanted,), (start_wanted, "1.2.0")):
        await desk.call(*call)
        assert (await desk.outcomes())["1.2.0"][0] == "waiting"
    desk.versions["1.2.0"] = there
    assert (await desk.call(decide_wanted)).data["start"] == "1.2.0"
    del desk.versions["1.2.0"]
    desk.now_is = NOW + timedelta(hours=1)
    await desk.call(decide_wanted)
    assert (await desk.outcomes())["1.2.0"][0] == "failed"


async def test_a_set_that_is_gone_gets_nothing(desk: Desk) -> None:
    await desk.want("1.2.0")
    desk.set = None
    await desk.call(decide_wanted)
    assert await desk.outcomes() == {"1.2.0": ("failed", "The scale set does not exist any more")}


async def test_an_orchestration_that_is_not_the_groups_does_nothing(desk: Desk) -> None:
    await desk.want("1.2.0")
    await desk.follow("web:images-another")
    progress = await desk.call(decide_wanted)
    assert (progress.state, progress.data) == (StepState.DONE, {})
    assert await desk.outcomes() == {"1.2.0": ("waiting", "wanted")}


async def test_a_notification_that_was_purged_holds_nothing_up(desk: Desk) -> None:
    await desk.want("1.0.0")
    (row,) = await desk.store.wanted.list("web")
    await desk.store.notifications.delete(row.notification)
    await desk.call(decide_wanted)
    assert await desk.store.wanted.list("web") == ()


async def test_the_follower_leaves_when_nothing_is_wanted(desk: Desk) -> None:
    progress = await desk.call(decide_wanted)
    assert progress.state is StepState.DONE
    follower = await desk.store.followers.get("web")
    assert follower is not None
    assert follower.instance_id == ""


class LateRow:
    """A table of wanted versions in which a row appears between two looks."""

    def __init__(self, desk: Desk, take: Callable[[], Awaitable[None]]) -> None:
        self._table = desk.store.wanted
        self._take = take
        self._looks = 0

    async def list(self, group_id: str) -> tuple[WantedVersion, ...]:
        self._looks += 1
        if self._looks == 2:
            await self._take()
        return await self._table.list(group_id)


@pytest.mark.parametrize("taken", [False, True])
async def test_a_row_that_comes_as_the_follower_leaves_is_followed(desk: Desk, taken: bool) -> None:
    async def arrive() -> None:
        await desk.want("1.2.0")
        if taken:
            await desk.follow("web:images-another")

    store = replace(desk.store, wanted=cast(Any, LateRow(desk, arrive)))
    order = encode(FollowOrder("web", ME, NOW))
    answer = await attempt_to_follow(decide_wanted, replace(desk.ports, store=store), order)
    follower = await desk.store.followers.get("web")
    assert follower is not None
    assert follower.instance_id == ("web:images-another" if taken else ME)
    assert decode(Progress, answer).done is taken
