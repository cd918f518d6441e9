"""What a deployment that did not finish left is the next one's: its number of VMs, its image, and its VMs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.world import World, demo_world, parse_world
from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
Worlds = Callable[..., World]

QUICK = {"image": "1.1.0", "batchSize": 1, "gracePeriod": 300, "drainingTimeout": 0}


async def stopped(stage: Any, event: str, batch: int = 1, **asked: Any) -> str:
    """A deployment that is stopped after this event."""
    first: str = await stage.platform.start(**{**QUICK, **asked})
    await stage.until(first, event, batch)
    await stage.say(first, "stop")
    assert (await stage.platform.ended(first)).status is Status.STOPPED
    return first


async def finding(stage: Any, **asked: Any) -> str:
    """What the plan of a deployment says of those before it."""
    reply = await stage.platform.post("/api/groups/web/deployments?dryRun=true", {**QUICK, **asked})
    told = [one["message"] for one in reply.body["findings"] if one["code"] == "leftByEarlierDeployment"]
    return "".join(told)


def test_a_roll_back_leaves_the_vm_that_was_skipped(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        await stopped(stage, "ApprovalAwaited", approvals=[1])
        scale_set = stage.platform.cloud.scale_set(stage.scale_set_id)
        (new,) = [vm for vm in scale_set.active() if "1.1.0" in str(vm.image)]
        stage.platform.cloud.interfere.stop(stage.scale_set_id, new.vm_id)
        await stage.sleep(minutes=5)
        second = await stage.platform.start(**QUICK, stoppedVms="skip")
        await stage.until(second, "BatchTerminated", 1)
        await stage.say(second, "rollBack")
        row = await stage.platform.ended(second)
        assert (row.status, row.settled) == (Status.ROLLED_BACK, True)
        assert row.reason == f"3 VMs now on 1.0.0; 1 VM skipped; 1 VM stays on 1.1.0: {new.name}"
        assert new.vm_id in {vm.vm_id for vm in scale_set.active()}
        (end,) = [event for event in await stage.platform.events(second) if event.type == "DeploymentRolledBack"]
        assert (end.data["stayed"], end.data["stayedVms"]) == (1, [new.name])

    play(story, either_world(4), exempt=["never_fewer_serving"])


def test_a_roll_back_of_a_retry_takes_what_the_one_before_launched(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        first = await stopped(stage, "ApprovalAwaited", 2, approvals=[2])
        second = await stage.platform.start(**QUICK, retryOf=first, approvals="none")
        await stage.until(second, "BatchTerminated", 1)
        await stage.say(second, "rollBack")
        row = await stage.platform.ended(second)
        assert (row.status, row.reason) == (Status.ROLLED_BACK, "4 VMs now on 1.0.0")
        assert stage.versions() == ["1.0.0"] * 4

    play(story, either_world(4))


def test_a_chain_of_three_is_taken_back_whole(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        await stopped(stage, "BatchTerminated")
        # Stopped before it is planned: it hands on what it was handed on itself.
        waiting = await stage.platform.start(**QUICK)
        await stage.say(waiting, "stop")
        assert not (await stage.platform.ended(waiting)).settled
        await stopped(stage, "BatchTerminated")
        last = await stage.platform.start(**QUICK)
        await stage.until(last, "BatchTerminated", 1)
        await stage.say(last, "rollBack")
        row = await stage.platform.ended(last)
        assert (row.status, row.settled) == (Status.ROLLED_BACK, True)
        assert stage.versions() == ["1.0.0"] * 4

    play(story, either_world(4))


def test_vms_that_were_there_on_the_image_before_it_all_stay(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        interfere = stage.platform.cloud.interfere
        done = await stage.platform.start(**QUICK)
        assert (await stage.platform.ended(done)).status is Status.FINISHED
        # A person makes the model name the earlier image again and scales out: four new VMs, one old.
        old = stage.platform.world.groups[0]["imageId"] + "/versions/1.0.0"
        storage = {"storageProfile": {"imageReference": {"id": old}}}
        interfere.patch(stage.scale_set_id, {"properties": {"virtualMachineProfile": storage}})
        await stage.sleep(minutes=10)
        interfere.scale(stage.scale_set_id, 5)
        await stage.sleep(minutes=10)
        assert sorted(stage.versions()) == ["1.0.0", *["1.1.0"] * 4]
        again = await stage.platform.start(**QUICK, approvals="everyBatch", bakeTime=600)
        await stage.until(again, "BakeStarted")
        await stage.say(again, "rollBack")
        row = await stage.platform.ended(again)
        assert row.status is Status.ROLLED_BACK
        assert row.reason.startswith("1 VM now on 1.0.0; 4 VMs stay on 1.1.0: ")
        assert sorted(stage.versions()) == ["1.0.0", *["1.1.0"] * 4]

    play(story, either_world(4))


def test_what_was_never_judged_does_not_stay_whatever_comes_next(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        await stopped(stage, "BatchLaunched")
        await stage.sleep(minutes=5)
        assert "1 VM that nobody judged" in await finding(stage)
        bad = await stage.platform.start(**{**QUICK, "image": "1.2.0", "gracePeriod": 120, "onFailure": "rollBack"})
        row = await stage.platform.ended(bad)
        assert (row.status, row.settled, row.reason) == (Status.ROLLED_BACK, True, "4 VMs now on 1.0.0")
        assert stage.versions() == ["1.0.0"] * 4
        assert await finding(stage) == ""
        last = await stage.platform.start(**QUICK)
        row = await stage.platform.ended(last)
        assert (row.status, row.reason, row.target_size) == (Status.FINISHED, "4 VMs now on 1.1.0", 4)
        assert stage.versions() == ["1.1.0"] * 4
        judged = [record for record in await stage.platform.store.vms.list(last) if record.color == "green"]
        assert [record.status for record in judged] == ["healthy"] * 4

    play(story, either_world(4))


def test_an_unjudged_vm_of_the_wanted_image_is_replaced_not_kept(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        await stopped(stage, "BatchLaunched")
        await stage.sleep(minutes=5)
        second = await stage.platform.start(**QUICK)
        row = await stage.platform.ended(second)
        assert (row.status, row.reason, row.target_size) == (Status.FINISHED, "4 VMs now on 1.1.0", 4)
        assert stage.versions() == ["1.1.0"] * 4
        assert all(record.batch for record in await stage.platform.store.vms.list(second))

    play(story, either_world(4))


def scaled_world(mode: str) -> World:
    document = demo_world().model_dump(mode="json", by_alias=True)
    document["scaleSets"] = [{**document["scaleSets"][0], "capacity": 4, "orchestrationMode": mode}]
    document["groups"], document["applicationGateways"] = document["groups"][:1], []
    profile = {"name": "p", "minimum": 2, "maximum": 12}
    document["autoscaleSettings"] = [
        {"name": "auto", "resourceGroup": "demo", "scaleSet": "web", "profiles": [profile]}
    ]
    return parse_world(document)


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
@pytest.mark.parametrize("size", [8, 3])
def test_what_autoscale_made_of_the_set_since_counts(play: Play, mode: str, size: int) -> None:
    async def story(stage: Any) -> None:
        await stopped(stage, "BatchLaunched", batchSize=2)
        await stage.sleep(hours=30)
        vms = len(stage.versions())
        assert vms == 6
        stage.platform.cloud.interfere.autoscale(stage.scale_set_id, size - vms)
        await stage.sleep(hours=1)
        assert (len(stage.versions()), stage.serving()) == (size, size)
        assert f"{size} count" in await finding(stage)
        checked = stage.platform.serving(stage.scale_set_id)
        second = await stage.platform.start(**{**QUICK, "batchSize": 4})
        row = await stage.platform.ended(second)
        assert (row.status, row.target_size, stage.serving()) == (Status.FINISHED, size, size)
        assert stage.versions() == ["1.1.0"] * size
        assert checked.violations() == []

    play(story, scaled_world(mode), exempt=["never_fewer_serving"])


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
def test_what_the_next_one_makes_of_what_was_left_is_told_where_it_was_left(play: Play, mode: str) -> None:
    async def story(stage: Any) -> None:
        first = await stopped(stage, "BatchLaunched", 2, batchSize=2)
        before, told = await stage.platform.row(first), len(await stage.platform.events(first))
        assert (before.blue_vms, before.green_vms) == (2, 4)
        second = await stage.platform.start(**QUICK, approvals="none")
        assert (await stage.platform.ended(second)).status is Status.FINISHED
        row, events = await stage.platform.row(first), await stage.platform.events(first, after=told)
        assert (row.blue_vms, row.green_vms) == (0, 2)
        assert (row.status, row.reason, row.ended_at, row.error) == (
            Status.STOPPED,
            before.reason,
            before.ended_at,
            None,
        )
        deleted = [event for event in events if event.type == "LeftVmsDeleted"]
        records = [one for one in await stage.platform.store.vms.list(first) if one.updated_at > before.ended_at]
        assert {one.reason for one in records} == {"Deleted"}
        assert sorted(vm for event in deleted for vm in event.data["vmIds"]) == sorted(one.vm_id for one in records)
        assert [(event.data["by"], event.data["batch"]) for event in deleted] == [(second, n) for n in (1, 2, 3, 4)]
        (back,) = [event for event in events if event.type == "KeptProcessesRestored"]
        assert (back.data["by"], back.data["restored"]) == (second, ["autoscale"])

    play(story, scaled_world(mode), exempt=["never_fewer_serving"])


def test_a_blue_vm_that_a_finished_one_kept_is_told_when_it_goes(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        first = await stage.platform.start(image="1.3.0", gracePeriod=300, batchSizePercentage=50)
        row = await stage.platform.ended(first)
        assert (row.status, row.blue_vms, row.green_vms) == (Status.FINISHED, 1, 3)
        (kept,) = [
            one for one in await stage.platform.store.vms.list(first) if one.color == "blue" and not one.detached_at
        ]
        second = await stage.platform.start(**QUICK)
        assert (await stage.platform.ended(second)).status is Status.FINISHED
        after = await stage.platform.row(first)
        assert (after.status, after.blue_vms, after.green_vms) == (Status.FINISHED, 0, 3)
        (event,) = await stage.platform.events(first, after=row.sequence)
        assert (event.data["by"], event.data["names"]) == (second, [kept.name])

    play(story, either_world(4))


@pytest.mark.parametrize("name", ["shop", "web"])
def test_what_was_left_is_the_sets_whatever_its_group_is_called(play: Play, either_world: Worlds, name: str) -> None:
    async def story(stage: Any) -> None:
        first = await stopped(stage, "BatchLaunched", batchSize=2)
        definition = {key: value for key, value in stage.platform.world.groups[0].items() if key != "id"}
        gone = await stage.platform.host.request("DELETE", "/api/groups/web")
        assert gone.status == 204
        assert (await stage.platform.put(f"/api/groups/{name}", definition)).status in (200, 201)
        await stage.sleep(hours=1)
        second = await stage.platform.start(name, **QUICK)
        row = await stage.platform.ended(second)
        assert (row.status, row.target_size, row.continues) == (Status.FINISHED, 4, first)
        assert stage.versions() == ["1.1.0"] * 4
        stage.watched.group_id = name

    # The checkers know the intents of one group only.
    renamed = ["only_meant_vms_created", "only_meant_images_applied"] if name == "shop" else []
    play(story, either_world(4), exempt=renamed)


def test_what_is_kept_to_be_looked_at_and_goes_changes_nothing(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        asked = {"image": "1.2.0", "batchSize": 2, "gracePeriod": 120, "onFailure": "keep", "keepFor": 3600}
        bad = await stage.platform.start(**{**QUICK, **asked})
        row = await stage.platform.ended(bad)
        assert (row.status, row.left.vms, row.left.unjudged) == (Status.FAILED, 6, 2)
        await stage.sleep(hours=2)
        assert stage.versions() == ["1.0.0"] * 4
        assert "others" not in await finding(stage)
        last = await stage.platform.start(**QUICK)
        row = await stage.platform.ended(last)
        assert (row.status, row.target_size) == (Status.FINISHED, 4)

    play(story, either_world(4))


def test_a_scale_out_in_the_middle_of_what_is_rolled_back_is_not_undone(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        first = await stage.platform.start(**QUICK, approvals=[1])
        await stage.until(first, "ApprovalAwaited", 1)
        stage.platform.cloud.interfere.scale(stage.scale_set_id, 6)
        await stage.platform.clock.sleep(timedelta(minutes=5))
        await stage.say(first, "rollBack")
        row = await stage.platform.ended(first)
        assert (row.status, row.settled) == (Status.ROLLED_BACK, True)
        assert stage.versions() == ["1.0.0"] * 6

    play(story, either_world(4))
