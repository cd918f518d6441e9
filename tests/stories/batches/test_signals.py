"""Stories of VMs that speak for themselves: what they say holds a batch back, lets it go on, or ends a wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.azure.world import World
from rollout.model.status import Status, VmStatus

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]


class Speakers:
    """The VMs of the story's set, which say what a test lets them say."""

    def __init__(self, stage: Any) -> None:
        self.stage = stage

    async def declare(self, *signals: dict[str, Any], **fields: Any) -> None:
        """Make the group declare these signals."""
        definition = {**self.stage.platform.world.groups[0], "signals": list(signals), **fields}
        reply = await self.stage.platform.put(f"/api/groups/{definition.pop('id')}", definition)
        assert reply.status == 200, reply.body

    def running(self, version: str) -> list[Any]:
        """The VMs that carry an image version, in the order of instance ids."""
        vms = self.stage.platform.cloud.scale_set(self.stage.scale_set_id).active()
        return [vm for vm in vms if str(vm.image["id"]).endswith(f"/{version}")]

    async def say(self, kind: str, vm: Any, **fields: Any) -> Any:
        """Let a VM send a signal as its metadata service would have it."""
        body = {"vmName": vm.name, "vmId": vm.vm_id, "resourceGroupName": "demo", "signalType": kind}
        return await self.stage.platform.post("/api/vm/signal", {**body, **fields})

    async def recorded(self) -> set[tuple[str, str]]:
        """Name and type of every signal that is kept."""
        signals = await self.stage.platform.store.signals.list(self.stage.scale_set_id)
        return {(signal.vm_name, str(signal.type)) for signal in signals}

    def deletions(self) -> list[set[str]]:
        """The VMs that each delete call took, by ``vmId``."""
        return [set(entry.deleted) for entry in self.stage.platform.cloud.audit if entry.path.endswith("/delete")]


def test_a_batch_waits_until_all_its_vms_said_that_they_are_ready(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        vms = Speakers(stage)
        await vms.declare({"type": "vmReady", "timeout": 600}, healthCheckTypes=[])
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=100, gracePeriod=900)
        await stage.until(deployment, "BatchLaunched")
        await stage.sleep(minutes=4)
        first, second = vms.running("1.1.0")
        assert (await vms.say("vmReady", first)).status == 202
        await stage.sleep(minutes=1)
        (batch,) = await stage.platform.store.batches.list(deployment)
        assert batch.reason == "waiting for 1 of 2 green VMs to become healthy"
        assert (await vms.say("vmReady", second)).status == 202
        assert (await stage.platform.ended(deployment)).status is Status.FINISHED
        healthy = next(line for line in await stage.platform.story(deployment) if "BatchHealthy" in line)
        assert healthy == "06:00 BatchHealthy: Batch 1 of 1: 2 of 2 green VMs healthy"
        shown = (await stage.platform.get(f"/api/deployments/{deployment}/vms?batch=1")).body["value"]
        green = [vm["readings"][-1] for vm in shown if vm["color"] == "green"]
        assert [(reading["source"], reading["health"]) for reading in green] == [("vmReady", "healthy")] * 2

    play(story, either_world())


def test_vms_that_never_say_they_are_ready_fail_their_batch(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        vms = Speakers(stage)
        await vms.declare({"type": "vmReady", "timeout": 90})
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=100, gracePeriod=300)
        await stage.until(deployment, "BatchLaunched")
        green = sorted(vm.name for vm in vms.running("1.1.0"))
        row = await stage.platform.ended(deployment)
        assert (row.status, row.error.code) == (Status.FAILED, "batchUnhealthy")
        assert row.error.message == (
            "Batch 1 of 1: 0 of 2 green VMs healthy after 300 s, 0 %: below the 50 % asked "
            f"({'; '.join(f'{name}: vmReady not received within 90 s' for name in green)})"
        )
        records = await stage.platform.store.vms.list(deployment)
        assert [vm.status for vm in records if vm.name in green] == [VmStatus.UNHEALTHY] * 2
        assert stage.versions() == ["1.0.0"] * 2

    play(story, either_world())


def test_a_signal_that_comes_before_the_launch_has_settled_counts_and_twice_counts_once(
    play: Play, either_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        vms = Speakers(stage)
        await vms.declare({"type": "vmReady"}, healthCheckTypes=[])
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=100, gracePeriod=300)
        while not vms.running("1.1.0"):
            await stage.sleep(seconds=1)
        first = [await vms.say("vmReady", vm) for vm in vms.running("1.1.0")]
        again = [await vms.say("vmReady", vm) for vm in vms.running("1.1.0")]
        assert [reply.status for reply in [*first, *again]] == [202, 202, 200, 200]
        assert [reply.body for reply in again] == [reply.body for reply in first]
        assert "BatchLaunched" not in [event.type for event in await stage.platform.events(deployment)]
        await stage.platform.ended(deployment)
        launched, healthy = (await stage.platform.story(deployment))[3:5]
        assert launched == "00:45 BatchLaunched: Batch 1 of 1: 2 green VMs launched"
        assert healthy == "00:45 BatchHealthy: Batch 1 of 1: 2 of 2 green VMs healthy"
        assert await vms.recorded() == {(vm.name, "vmReady") for vm in vms.running("1.1.0")}

    play(story, either_world())


def test_what_an_earlier_vm_of_the_same_name_said_does_not_count(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        vms = Speakers(stage)
        await vms.declare({"type": "vmReady", "timeout": 600})
        old = {vm.name: vm for vm in vms.running("1.0.0")}
        for vm in old.values():
            assert (await vms.say("vmReady", vm)).status == 202
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=600)
        await stage.until(deployment, "BatchLaunched", 1)
        await vms.say("vmReady", *vms.running("1.1.0"))
        await stage.until(deployment, "BatchLaunched", 2)
        (new,) = [vm for vm in vms.running("1.1.0") if vm.name in old]
        late = await vms.say("vmReady", old[new.name])
        assert (late.status, late.body["error"]["code"]) == (409, "vmReplaced")
        await stage.sleep(minutes=5)
        assert (await stage.platform.row(deployment)).current_batch == 2
        assert "BatchHealthy" not in [
            event.type for event in await stage.platform.events(deployment) if event.batch == 2
        ]
        assert (await vms.say("vmReady", new)).status == 202
        assert (await stage.platform.ended(deployment)).status is Status.FINISHED
        assert stage.versions() == ["1.1.0"] * 2

    play(story, small_world(reuseInstanceIds=True))


def test_a_vm_that_may_be_shut_down_goes_early_and_the_others_at_their_timeout(
    play: Play, either_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        vms = Speakers(stage)
        await vms.declare({"type": "vmReadyToShutdown", "timeout": 900}, drainingTimeout=60)
        first, second, third = vms.running("1.0.0")
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=100, gracePeriod=300)
        await stage.until(deployment, "BatchDetached")
        await stage.sleep(minutes=5)
        assert vms.deletions() == []
        assert (await vms.say("vmReadyToShutdown", second)).status == 202
        await stage.sleep(minutes=2)
        assert vms.deletions() == [{second.vm_id}]
        assert [vm.name for vm in vms.running("1.0.0")] == [first.name, third.name]
        assert (await vms.say("vmReadyToShutdown", second)).body["error"]["code"] == "vmNotFound"
        assert (await stage.platform.ended(deployment)).status is Status.FINISHED
        assert vms.deletions() == [{second.vm_id}, {first.vm_id, third.vm_id}]
        detached, terminated = (await stage.platform.story(deployment))[5:7]
        assert detached == "01:45 BatchDetached: Batch 1 of 1: 3 blue VMs detached"
        assert terminated == "17:15 BatchTerminated: Batch 1 of 1: 3 VMs deleted"
        assert await vms.recorded() == set()

    play(story, either_world(3))


def test_vms_that_said_early_that_they_may_be_shut_down_go_at_once(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        vms = Speakers(stage)
        await vms.declare({"type": "vmReadyToShutdown"})
        blue = vms.running("1.0.0")
        for vm in blue:
            assert (await vms.say("vmReadyToShutdown", vm)).status == 202
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=100, gracePeriod=300)
        await stage.platform.ended(deployment)
        assert vms.deletions() == [{vm.vm_id for vm in blue}]
        detached, terminated = (await stage.platform.story(deployment))[5:7]
        assert detached == "01:45 BatchDetached: Batch 1 of 1: 2 blue VMs detached"
        assert terminated == "02:15 BatchTerminated: Batch 1 of 1: 2 VMs deleted"
        assert await vms.recorded() == set()

    play(story, either_world())


def test_deletions_that_take_long_one_after_the_other_each_have_their_own_time(
    play: Play, either_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        vms = Speakers(stage)
        await vms.declare({"type": "vmReadyToShutdown", "timeout": 1800})
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=100, gracePeriod=300)
        await stage.until(deployment, "BatchDetached")
        first, second = vms.running("1.0.0")
        await vms.say("vmReadyToShutdown", first)
        row = await stage.platform.ended(deployment)
        assert (row.status, vms.deletions()) == (Status.FINISHED, [{first.vm_id}, {second.vm_id}])

    play(story, either_world(deleteTime=40 * 60))


def test_unknown_vms_and_undeclared_signals_are_told_so_and_change_nothing(
    play: Play, either_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        vms = Speakers(stage)
        await vms.declare({"type": "vmReady"})
        vm = vms.running("1.0.0")[0]
        undeclared = await vms.say("vmReadyToShutdown", vm)
        unknown = await vms.say("vmReady", vm, vmName="web_99")
        elsewhere = await vms.say("vmReady", vm, resourceGroupName="other")
        answers = [(reply.status, reply.body["error"]["code"]) for reply in (undeclared, unknown, elsewhere)]
        assert answers == [(422, "signalNotDeclared"), (404, "vmNotFound"), (404, "groupNotFound")]
        assert await vms.recorded() == set()

    play(story, either_world())
