"""What would interfere is held for the time of a deployment, and comes back on every end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.world import Fault, World, parse_world
from local.virtual.checkers.watched import self_changing
from rollout.model.rows.holds import HoldKind
from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
Worlds = Callable[..., Any]

GOOD = {"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300, "drainingTimeout": 60}
BAD = {**GOOD, "image": "1.2.0", "gracePeriod": 120}
POLICIES = {
    "automaticRepairsPolicy": {"enabled": True, "gracePeriod": "PT10M"},
    "resiliencyPolicy": {"automaticZoneRebalancingPolicy": {"enabled": True}},
    "scaleInPolicy": {"rules": ["Default"]},
}
EVERYTHING = ["autoscale", "repairs", "zoneRebalance", "scaleInPolicy"]


def restless(world: World, *, minimum: int = 4, maximum: int = 4, every: int | None = 45, **scale_set: Any) -> World:
    """The world with everything turned on that may interfere; autoscale has no room above ``maximum``."""
    document = world.model_dump(mode="json", by_alias=True)
    document["scaleSets"][0] |= {"overrides": {"properties": POLICIES}, **scale_set}
    profile = {"name": "always", "minimum": minimum, "maximum": maximum}
    setting = {"name": "web-as", "resourceGroup": "demo", "scaleSet": "web", "profiles": [profile], "every": every}
    return parse_world({**document, "autoscaleSettings": [setting]})


async def data_of(stage: Any, deployment: str, kind: str) -> Any:
    """What the one event of a kind tells."""
    [event] = [event for event in await stage.platform.events(deployment) if event.type == kind]
    return event.data


def bounds(stage: Any) -> tuple[str, str]:
    """Autoscale's minimum and maximum as they are now."""
    [setting] = stage.platform.cloud.autoscale_settings(stage.scale_set_id)
    capacity = setting["properties"]["profiles"][0]["capacity"]
    return capacity["minimum"], capacity["maximum"]


def test_autoscale_that_acts_all_the_time_neither_undoes_nor_is_undone(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**GOOD)
        await stage.until(deployment, "BatchHealthy", 1)
        assert (bounds(stage), stage.capacity()) == (("4", "6"), 6)
        row = await stage.platform.ended(deployment)
        assert row.status is Status.FINISHED
        assert (stage.versions(), bounds(stage)) == (["1.1.0"] * 4, ("4", "4"))
        assert (await data_of(stage, deployment, "ProcessesHeld"))["held"] == EVERYTHING
        assert (await data_of(stage, deployment, "ProcessesRestored"))["restored"] == EVERYTHING
        assert await stage.platform.store.holds.list() == ()

    world = either_world(4)
    play(story, restless(world))


def test_without_being_held_autoscale_would_undo_the_surge(play: Play, small_world: Worlds) -> None:
    """The world of these stories bites: a surge that nobody made room for is scaled in, and the new VMs go first."""

    async def story(stage: Any) -> None:
        stage.platform.cloud.interfere.scale(stage.scale_set_id, 6)
        await stage.sleep(minutes=5)
        assert stage.capacity() == 4

    play(story, restless(small_world(4)))


def test_a_failed_deployment_brings_everything_back(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        row = await stage.platform.ended(await stage.platform.start(**BAD))
        assert row.status is Status.FAILED
        assert (stage.versions(), bounds(stage)) == (["1.0.0"] * 4, ("4", "4"))
        types = [event.type for event in await stage.platform.events(row.id)]
        assert types.index("ImageRestored") < types.index("ProcessesRestored")

    play(story, restless(either_world(4)))


def test_zone_rebalancing_that_comes_back_turns_no_repairs_on(play: Play, either_world: Worlds) -> None:
    """Azure turns repairs on with it, unless the same write says no; a checker compares them before and after."""

    async def story(stage: Any) -> None:
        row = await stage.platform.ended(await stage.platform.start(**GOOD))
        assert row.status is Status.FINISHED
        assert (await data_of(stage, row.id, "ProcessesRestored"))["conflicts"] == []

    rebalancing = {"resiliencyPolicy": POLICIES["resiliencyPolicy"]}
    play(story, restless(either_world(4), overrides={"properties": rebalancing}))


def test_repairs_do_not_replace_sick_vms_while_a_deployment_judges_them(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**BAD)
        await stage.until(deployment, "BatchLaunched", 1)
        before = [vm.vm_id for vm in stage.platform.cloud.scale_set(stage.scale_set_id).active()]
        for vm in before:
            stage.platform.cloud.interfere.repair(stage.scale_set_id, vm)
        assert [vm.vm_id for vm in stage.platform.cloud.scale_set(stage.scale_set_id).active()] == before
        assert (await stage.platform.ended(deployment)).status is Status.FAILED

    play(story, restless(either_world(4)))


def test_bounds_that_somebody_sets_meanwhile_stay_and_the_history_says_so(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**GOOD)
        await stage.until(deployment, "BatchLaunched", 1)
        stage.platform.cloud.interfere.change_autoscale(stage.scale_set_id, maximum=20)
        assert (await stage.platform.ended(deployment)).status is Status.FINISHED
        assert bounds(stage) == ("4", "20")
        told = await data_of(stage, deployment, "ProcessesRestored")
        assert told["restored"] == ["repairs", "zoneRebalance", "scaleInPolicy"]
        assert "autoscale web-as, profile always was changed to minimum 4, maximum 20" in told["conflicts"][0]

    play(story, restless(small_world(4)))


def test_vms_that_autoscale_adds_in_the_middle_fill_green_places(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**GOOD)
        await stage.until(deployment, "BatchTerminated", 1)
        stage.platform.cloud.interfere.autoscale(stage.scale_set_id, 1)
        row = await stage.platform.ended(deployment)
        assert row.status is Status.FINISHED
        assert set(stage.versions()) == {"1.1.0"}

    # Whose VM it is depends on who came first: only that it runs the new image, and that all comes back, is promised.
    play(story, restless(small_world(4), maximum=8, every=None))


def test_after_a_stop_the_maximum_stays_at_the_present_count_until_keep_for_is_over(
    play: Play, either_world: Worlds
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**GOOD, keepFor=2 * 3600)
        await stage.until(deployment, "BatchLaunched", 1)
        await stage.say(deployment, "stop")
        row = await stage.platform.ended(deployment)
        assert (row.status, stage.capacity(), bounds(stage)) == (Status.STOPPED, 6, ("4", "6"))
        told = await data_of(stage, deployment, "ProcessesRestored")
        assert (told["kept"], told["restored"]) == (["autoscale"], EVERYTHING[1:])
        await stage.sleep(hours=1)
        assert (stage.capacity(), bounds(stage)) == (6, ("4", "6"))
        await stage.sleep(hours=1, minutes=30)
        # With its old bounds back, autoscale takes the surplus: what it does then is nobody's to write down.
        assert (stage.capacity(), bounds(stage)) == (4, ("4", "4"))
        assert await stage.platform.store.holds.list() == ()

    play(story, restless(either_world(4)), exempt=["rows_as_the_set"])


def test_green_vms_that_are_left_to_be_looked_at_are_safe_from_autoscale_until_they_go(
    play: Play, either_world: Worlds
) -> None:
    async def story(stage: Any) -> None:
        row = await stage.platform.ended(await stage.platform.start(**BAD, onFailure="keep", keepFor=2 * 3600))
        assert (row.status, stage.capacity(), bounds(stage)) == (Status.FAILED, 6, ("4", "6"))
        [journal] = await stage.platform.store.holds.list()
        assert journal.discard_batch == 1
        await stage.sleep(hours=1)
        assert stage.versions().count("1.2.0") == 2
        await stage.sleep(hours=1, minutes=30)
        assert (stage.versions(), bounds(stage)) == (["1.0.0"] * 4, ("4", "4"))
        assert await stage.platform.store.holds.list() == ()

    play(story, restless(either_world(4)))


@pytest.mark.parametrize(
    ("asked", "event"),
    [(GOOD, "DeploymentPlanned"), (GOOD, "ProcessesHeld"), (GOOD, "BatchLaunched"), (BAD, "ImageRestored")],
    ids=["before it is held", "held", "in the middle", "while it is brought back"],
)
def test_what_an_ended_orchestration_held_is_brought_back_by_the_watchdog(
    play: Play, either_world: Worlds, asked: dict[str, Any], event: str
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**asked)
        await stage.until(deployment, event)
        stage.platform.host.durable.terminate(deployment, "by hand")
        await stage.sleep(minutes=45)
        assert bounds(stage) == ("4", "4")
        assert await stage.platform.store.holds.list() == ()

    # Which VMs of the dead deployment autoscale takes back then is autoscale's to say.
    play(story, restless(either_world(4)), exempt=["rows_as_the_set", "everything_ended"])


def test_where_the_image_cannot_be_put_back_everything_stays_held_until_a_deployment_finishes(
    play: Play, small_world: Worlds
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**BAD)
        await stage.until(deployment, "BatchLaunched", 1)
        stage.platform.cloud.faults.add(Fault(method="PATCH", path="virtualMachineScaleSets", status=403))
        row = await stage.platform.ended(deployment)
        assert (row.status, stage.model()) == (Status.FAILED, "1.2.0")
        await stage.sleep(days=2)
        [journal] = await stage.platform.store.holds.list()
        assert (journal.deployment_id, journal.keep_until) == (deployment, None)
        assert self_changing(stage.platform, stage.scale_set_id)["automatic repairs"] is False

        stage.platform.cloud.faults.clear()
        again = await stage.platform.ended(await stage.platform.start(**GOOD))
        assert again.status is Status.FINISHED
        assert (bounds(stage), stage.model()) == (("4", "4"), "1.1.0")
        assert await stage.platform.store.holds.list() == ()

    play(story, restless(small_world(4)))


def test_what_could_not_be_brought_back_for_an_outage_comes_back_once_that_is_over(
    play: Play, either_world: Worlds
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**GOOD)
        await stage.until(deployment, "BatchHealthy", 2)
        stage.platform.cloud.faults.add(Fault(method="GET", path="autoscaleSettings", status=500))
        assert (await stage.platform.ended(deployment)).status is Status.FINISHED
        await stage.sleep(minutes=30)
        assert bounds(stage) == ("4", "6")
        stage.platform.cloud.faults.clear()
        await stage.sleep(hours=2)
        assert bounds(stage) == ("4", "4")
        assert await stage.platform.store.holds.list() == ()

    # What is tried meanwhile is tried by orchestrations of the watchdog.
    play(story, restless(either_world(4)))


def test_upgrade_mode_and_overprovisioning_are_adjusted_and_come_back(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        refused = await stage.platform.post("/api/groups/web/deployments", GOOD)
        assert refused.status == 422
        row = await stage.platform.ended(await stage.platform.start(**GOOD, adjust=True))
        assert (row.status, stage.versions()) == (Status.FINISHED, ["1.1.0"] * 4)
        told = await data_of(stage, row.id, "ProcessesRestored")
        assert told["restored"][-2:] == [HoldKind.UPGRADE_MODE, HoldKind.OVERPROVISION]
        after = self_changing(stage.platform, stage.scale_set_id)
        assert (after["the upgrade mode"], after["overprovisioning"]) == ("Automatic", True)

    play(story, restless(small_world(4), upgradeMode="Automatic", overprovision=True))


def test_without_the_right_to_hold_nothing_else_is_changed(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        denied = {"error": {"code": "AuthorizationFailed", "message": "no role"}}
        stage.platform.cloud.faults.add(Fault(method="PUT", path="autoscaleSettings", status=403, body=denied))
        row = await stage.platform.ended(await stage.platform.start(**GOOD))
        assert (row.status, row.error.code) == (Status.FAILED, "AuthorizationFailed")
        assert "ImageApplied" not in [event.type for event in await stage.platform.events(row.id)]
        assert await stage.platform.store.holds.list() == ()

    play(story, restless(small_world(4)))


@pytest.mark.parametrize(
    "fault",
    [
        Fault(method="PUT", path="autoscaleSettings", calls=(1,), lose_response=True),
        Fault(method="PUT", path="autoscaleSettings", calls=(2,), lose_request=True),
        Fault(method="PATCH", path="virtualMachineScaleSets/web$", calls=(1,), lose_response=True),
        Fault(method="POST", path="setOrchestrationServiceState", calls=(1, 3), status=500),
        Fault(method="GET", path="autoscaleSettings", calls=(2, 3, 5), status=429, headers={"retry-after": "30"}),
        Fault(method="PATCH", path="virtualMachineScaleSets/web$", calls=(1,), operation_delay=timedelta(minutes=10)),
    ],
    ids=["put answered to nobody", "put lost", "patch answered to nobody", "post fails", "throttled", "slow"],
)
def test_whatever_goes_wrong_on_the_way_all_is_held_and_comes_back(
    play: Play, small_world: Worlds, fault: Fault
) -> None:
    async def story(stage: Any) -> None:
        stage.platform.cloud.faults.add(fault)
        row = await stage.platform.ended(await stage.platform.start(**GOOD))
        assert row.status is Status.FINISHED
        assert (await data_of(stage, row.id, "ProcessesRestored"))["restored"] == EVERYTHING

    play(story, restless(small_world(4)))
