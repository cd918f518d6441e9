"""What comes from Event Grid, and ``/notifications``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.clock import run_virtual
from rollout.automation.notification import Notification
from rollout.model.image_rule import ImageRule
from rollout.model.rows.notification import Consequence, NotificationOutcome
from rollout.model.rows.wanted import Follower
from rollout.ports.durable import InstanceState
from rollout.ports.errors import Busy
from triggers.image_published import image_published

TYPE = "Microsoft.Resources.ResourceWriteSuccess"
WRITE = {"operationName": "Microsoft.Compute/galleries/images/versions/write"}


def message(world: Any, **changed: Any) -> Notification:
    """That version 1.9.0 of the group's image was written, a second ago."""
    said: dict[str, Any] = {
        "id": "e-1",
        "type": TYPE,
        "subject": f"{world.image_id}/versions/1.9.0".lower(),
        "data": WRITE,
        "time": world.clock.now() - timedelta(seconds=1),
    }
    return Notification(**{**said, **changed})


async def receive(world: Any, notification: Notification | None = None) -> None:
    await image_published(world.ports, notification or message(world))


async def listed(world: Any) -> list[Any]:
    found: list[Any] = (await world.get("notifications"))["value"]
    return found


@pytest.fixture
async def ruled(world: Any) -> Any:
    """Group ``web`` has a rule for all versions of its image, which it names in capital letters."""
    await world.add_group(image_rule=ImageRule(world.image_id.upper(), replication_timeout=timedelta(hours=1)))
    return world


async def test_a_version_that_is_wanted_is_written_down_and_followed(ruled: Any) -> None:
    await receive(ruled)
    (row,) = await listed(ruled)
    assert row == {
        "id": "e-1",
        "type": TYPE,
        "subject": f"{ruled.image_id}/versions/1.9.0".lower(),
        "receivedAt": "2026-11-23T08:15:00.000Z",
        "deliveries": 1,
        "imageId": ruled.image_id.lower(),
        "version": "1.9.0",
        "outcome": "waiting",
        "reason": "",
        "groups": [
            {
                "groupId": "web",
                "outcome": "waiting",
                "reason": "Version 1.9.0 is one of *",
                "at": "2026-11-23T08:15:00.000Z",
                "deploymentId": None,
            }
        ],
    }
    (wanted,) = await ruled.store.wanted.list("web")
    assert (wanted.image_id, wanted.version) == (ruled.image_id.upper(), "1.9.0")
    assert wanted.deadline - wanted.since == timedelta(hours=1)
    ((instance, (recipe, order)),) = ruled.instances.started.items()
    assert (recipe, order["groupId"]) == ("follow_images", "web")
    assert (await ruled.store.followers.get("web")).instance_id == instance
    assert instance.startswith("web:images-20261123T081500Z-")


async def test_one_orchestration_follows_all_that_comes(ruled: Any) -> None:
    for number in range(3):
        await receive(ruled, message(ruled, id=f"e-{number}"))
    await receive(ruled, message(ruled, id="e-0"))
    assert len(ruled.instances.started) == 1
    assert len(await ruled.store.wanted.list("web")) == 3
    assert sorted(row["deliveries"] for row in await listed(ruled)) == [1, 1, 2]


async def test_what_was_settled_stays_so_however_often_it_is_delivered(ruled: Any) -> None:
    await receive(ruled)
    (wanted,) = await ruled.store.wanted.list("web")
    end = Consequence("web", NotificationOutcome.STARTED, "Deployment x deploys it", ruled.clock.now(), "x")
    await ruled.store.notifications.change(wanted.notification, lambda row: row.with_consequence(end))
    await ruled.store.wanted.delete(wanted)
    ruled.instances.started.clear()
    await receive(ruled)
    (row,) = await listed(ruled)
    assert (row["deliveries"], row["outcome"], row["groups"][0]["deploymentId"]) == (2, "started", "x")
    assert await ruled.store.wanted.list("web") == ()
    assert ruled.instances.started == {}


@pytest.mark.parametrize("begun", [True, False], ids=["it runs", "it does not run"])
async def test_durable_functions_that_does_not_answer(ruled: Any, begun: bool) -> None:
    ruled.instances.start_error = Busy("DurableExtension", "no answer")
    ruled.instances.starts_anyway = begun
    if begun:
        await receive(ruled)
        return
    with pytest.raises(Busy):
        await receive(ruled)
    # Event Grid sends it again.
    ruled.instances.start_error = None
    await receive(ruled)
    follower = await ruled.store.followers.get("web")
    assert list(ruled.instances.started) == [follower.instance_id]
    (row,) = await listed(ruled)
    assert (row["outcome"], row["deliveries"]) == ("waiting", 2)


@pytest.mark.parametrize(
    ("state", "replaced"),
    [
        (InstanceState.RUNNING, False),
        (InstanceState.SUSPENDED, False),
        (InstanceState.ABSENT, False),
        (InstanceState.ENDED, True),
    ],
)
async def test_a_follower_that_has_ended_from_outside_is_replaced(
    ruled: Any, state: InstanceState, replaced: bool
) -> None:
    named = Follower("web", "web:images-1", ruled.clock.now())
    assert await ruled.store.followers.swap(None, named)
    ruled.instances.states["web:images-1"] = state
    await receive(ruled)
    now = await ruled.store.followers.get("web")
    assert (now.instance_id != "web:images-1") is replaced
    assert (now.instance_id in ruled.instances.started) is (replaced or state is InstanceState.ABSENT)


async def test_each_group_with_a_rule_for_the_image_is_told_of(ruled: Any) -> None:
    for name, rule in {
        "off": ImageRule(ruled.image_id, enabled=False),
        "two": ImageRule(ruled.image_id, "2.x"),
        "other": ImageRule(f"{ruled.image_id}2"),
        "none": None,
    }.items():
        await ruled.add_group(id=name, scale_set_id=f"{ruled.scale_set_id}{name}", image_rule=rule)
    await receive(ruled)
    (row,) = await listed(ruled)
    assert {one["groupId"]: (one["outcome"], one["reason"]) for one in row["groups"]} == {
        "web": ("waiting", "Version 1.9.0 is one of *"),
        "off": ("ignored", "The rule is off"),
        "two": ("ignored", "Version 1.9.0 is not one of 2.x"),
    }
    assert row["outcome"] == "waiting"


async def test_what_concerns_nobody_is_written_down_with_its_reason(ruled: Any) -> None:
    await receive(ruled, message(ruled, subject=f"{ruled.image_id}2/versions/1.0.0"))
    await receive(ruled, message(ruled, id="e-2", data={"operationName": "Microsoft.Compute/disks/write"}))
    await receive(ruled, message(ruled, id=None))
    reasons = sorted(row["reason"] for row in await listed(ruled))
    assert reasons == [
        "It has no id",
        "No group has a rule for the image",
        "The operation 'Microsoft.Compute/disks/write' writes no image version",
    ]
    assert {row["outcome"] for row in await listed(ruled)} == {"ignored"}
    assert ruled.instances.started == {}


async def test_a_group_that_comes_between_two_deliveries_is_told_of(ruled: Any) -> None:
    written = message(ruled, subject=f"{ruled.image_id}2/versions/1.0.0")
    await receive(ruled, written)
    (row,) = await listed(ruled)
    assert (row["reason"], row["groups"]) == ("No group has a rule for the image", [])
    other = ImageRule(f"{ruled.image_id}2")
    await ruled.add_group(id="two", scale_set_id=f"{ruled.scale_set_id}2", image_rule=other)
    await receive(ruled, written)
    (row,) = await listed(ruled)
    assert (row["reason"], row["outcome"], row["groups"][0]["groupId"]) == ("", "waiting", "two")


@pytest.mark.parametrize(
    "time",
    [None, datetime(2026, 11, 23, 8, 14), datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)],
    ids=str,
)
async def test_a_notification_whose_time_cannot_be_is_as_of_now(ruled: Any, time: datetime | None) -> None:
    await receive(ruled, message(ruled, time=time))
    await receive(ruled, message(ruled, time=time))
    (row,) = await listed(ruled)
    assert row["deliveries"] == 2


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"), st.lists, max_leaves=4
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.builds(Notification, anything, anything | st.just(TYPE), anything, anything | st.just(WRITE)))
def test_no_notification_is_too_odd_to_be_written_down(ruled: Any, notification: Notification) -> None:
    async def main() -> None:
        before = len(await ruled.store.notifications.newest(1000))
        await receive(ruled, notification)
        after = await ruled.store.notifications.newest(1000)
        assert len(after) <= before + 1
        assert all(row.reason.encode() and row.id.encode() is not None for row in after)

    run_virtual(main())


async def test_notifications_are_listed_newest_first_page_by_page(ruled: Any) -> None:
    for number in range(5):
        ruled.clock.pass_(timedelta(seconds=10))
        await receive(ruled, message(ruled, id=f"e-{number}"))
    first = await ruled.get("notifications?limit=2")
    assert [row["id"] for row in first["value"]] == ["e-4", "e-3"]
    await receive(ruled, message(ruled, id="later"))
    second = await ruled.get(f"notifications?limit=2&continuationToken={first['continuationToken']}")
    third = await ruled.get(f"notifications?limit=2&continuationToken={second['continuationToken']}")
    assert [row["id"] for row in second["value"] + third["value"]] == ["e-2", "e-1", "e-0"]
    assert "continuationToken" not in third
    status, error = await ruled.refused("GET", "notifications?limit=101")
    assert (status, error["code"]) == (400, "outOfRange")


def written(world: Any, **changed: Any) -> Notification:
    """That the group's scale set was written, its id in capital letters."""
    said = {
        "id": "s-1",
        "type": TYPE,
        "subject": world.scale_set_id.upper(),
        "data": {"operationName": "Microsoft.Compute/virtualMachineScaleSets/write"},
        "time": world.clock.now(),
    }
    return Notification(**{**said, **changed})


async def test_a_set_that_was_written_is_looked_at_at_once_and_nothing_is_kept(world: Any) -> None:
    await world.add_group()
    assert (await world.get("groups/web"))["state"]["asOf"] is None
    await receive(world, written(world))
    assert (await world.get("groups/web"))["state"]["asOf"] == "2026-11-23T08:15:00.000Z"
    assert await listed(world) == []


async def test_a_set_that_a_deployment_has_or_nobody_registered_is_not_looked_at(world: Any) -> None:
    await world.add_group()
    await receive(world, written(world, subject=world.scale_set_id + "x"))
    await world.start()
    await receive(world, written(world))
    assert (await world.get("groups/web"))["state"]["asOf"] is None
