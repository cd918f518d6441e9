"""Stories of green VMs that serve and have to go all the same: they are drained as blue ones are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.world import Fault, World, demo_world, parse_world
from local.durable.faults import ActivityFault, ActivityLoss, DurableFaults
from rollout.model.rows.deployment import IntentKind
from rollout.model.status import Color, Status, VmStatus

pytestmark = pytest.mark.slow

Play = Callable[..., Any]

LOAD_BALANCER = ("web-lb/web",)
GATEWAY = ("web-gw/web",)
BOTH = LOAD_BALANCER + GATEWAY

MODES = pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
POOLS = pytest.mark.parametrize("pools", [LOAD_BALANCER, GATEWAY, BOTH], ids=["load balancer", "gateway", "both"])

#: Of each batch of two one VM becomes healthy, and that is not enough.
HALF = {"image": "1.3.0", "batchSizePercentage": 50, "gracePeriod": 300, "batchMinHealthyPercentage": 100}

GOOD = {"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300}


def behind(*pools: str, mode: str = "Uniform", behavior: dict[str, Any] | None = None) -> World:
    """Four VMs of the demo's set ``web`` behind these pools; ``behavior`` is that of image 1.1.0."""
    document = demo_world().model_dump(mode="json", by_alias=True)
    document["scaleSets"] = [one for one in document["scaleSets"] if one["name"] == "web"]
    document["groups"] = [one for one in document["groups"] if one["id"] == "web"]
    document["scaleSets"][0] |= {"capacity": 4, "orchestrationMode": mode, "backendPools": list(pools)}
    document["scaleSets"][0]["overrides"] = {"properties": {"scaleInPolicy": {"rules": ["OldestVM"]}}}
    document["loadBalancers"] = [{"name": "web-lb", "resourceGroup": "demo", "pools": ["web"]}]
    document["applicationGateways"] = [
        {"name": "web-gw", "resourceGroup": "demo", "pools": ["web"], "drainTimeout": 300}
    ]
    checks = {"web-lb/web": "loadBalancer", "web-gw/web": "applicationGateway"}
    document["groups"][0]["healthCheckTypes"] = ["vmState", "applicationHealth", *(checks[pool] for pool in pools)]
    for version in document["galleries"][0]["images"][0]["versions"]:
        version["behavior"] |= {"bootTimeSpread": 0, "healthyAfter": 60}
        if version["name"] == "1.1.0":
            version["behavior"] |= behavior or {}
    return parse_world(document)


def deletions(stage: Any) -> list[Any]:
    """The delete calls that Azure carried out."""
    return [one for one in stage.watched.writes if one.deleted]


async def time_of(stage: Any, deployment: str, event: str, batch: int | None = None) -> Any:
    """When an event of the deployment, and of this batch, was first there."""
    events = await stage.platform.events(deployment)
    return next(one.at for one in events if one.type == event and batch in (None, one.batch))


async def say(stage: Any, kind: str, *vms: Any) -> None:
    """Have these VMs send a signal."""
    for vm in vms:
        said = {"vmName": vm.name, "vmId": vm.vm_id, "resourceGroupName": "demo", "signalType": kind}
        assert (await stage.platform.post("/api/vm/signal", said)).status in (200, 202)


async def launched(stage: Any, deployment: str, batch: int = 1) -> list[Any]:
    """The rows of the VMs that the batch launched, once it has, but for those that were replaced."""
    await stage.until(deployment, "BatchLaunched", batch)
    rows = await stage.platform.store.vms.list(deployment, batch=batch)
    return [vm for vm in rows if vm.color is Color.GREEN and not vm.replaced]


async def declare(stage: Any, *signals: dict[str, Any]) -> None:
    """Have the group's VMs send signals."""
    definition = {**stage.platform.world.groups[0], "signals": list(signals)}
    assert (await stage.platform.put(f"/api/groups/{definition.pop('id')}", definition)).status == 200


@MODES
@POOLS
def test_healthy_green_vm_of_a_failed_batch_is_drained_with_the_sick_one(
    play: Play, mode: str, pools: tuple[str, ...]
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**HALF, drainingTimeout=200)
        await stage.until(deployment, "BatchLaunched", batch=1)
        await stage.sleep(minutes=4)
        assert stage.serving() == 5
        row = await stage.platform.ended(deployment)
        assert (row.status, row.error.code, row.settled) == ("failed", "batchUnhealthy", True)
        assert (stage.versions(), stage.serving()) == (["1.0.0"] * 4, 4)
        (deletion,) = deletions(stage)
        assert len(deletion.deleted) == 2
        waited = deletion.time - await time_of(stage, deployment, "BatchFailed")
        longest = 300 if "web-gw/web" in pools else 200
        assert timedelta(seconds=longest) <= waited <= timedelta(seconds=longest + 120)

    play(story, behind(*pools, mode=mode))


@MODES
@POOLS
def test_kept_green_vms_are_drained_when_their_time_is_over(play: Play, mode: str, pools: tuple[str, ...]) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**HALF, onFailure="keep", keepFor=3600)
        await stage.platform.ended(deployment)
        await stage.sleep(minutes=30)
        assert (sorted(stage.versions()), stage.serving()) == (["1.0.0"] * 4 + ["1.3.0"] * 2, 5)
        await stage.sleep(hours=1)
        assert (stage.versions(), stage.serving()) == (["1.0.0"] * 4, 4)
        told = [
            event.message for event in await stage.platform.events(deployment) if event.type.startswith("KeptGreen")
        ]
        assert told == ["Batch 1 of 2: 2 VMs deleted"]
        assert (await stage.platform.row(deployment)).green_vms == 0

    play(story, behind(*pools, mode=mode))


@MODES
@POOLS
def test_sick_green_vms_whose_probes_answer_are_drained_before_others_come_and_before_they_go_for_good(
    play: Play, mode: str, pools: tuple[str, ...]
) -> None:
    async def story(stage: Any) -> None:
        await declare(stage, {"type": "vmReady", "timeout": 300})
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=100, gracePeriod=300)
        *ready, first = await launched(stage, deployment)
        await say(stage, "vmReady", *ready)
        await stage.until(deployment, "SickGreenDiscarded")
        row = await stage.platform.ended(deployment)
        assert (row.status, row.remaining_blue) == ("finished", 1)
        assert (stage.serving(), sorted(stage.versions())) == (4, ["1.0.0"] + ["1.1.0"] * 3)
        assert [len(one.deleted) for one in deletions(stage)] == [1, 4]
        assert deletions(stage)[0].deleted == (first.vm_id,)

    play(story, behind(*pools, mode=mode))


@MODES
@POOLS
def test_roll_back_drains_the_green_vms_of_the_failed_batch_and_of_those_before(
    play: Play, mode: str, pools: tuple[str, ...]
) -> None:
    async def story(stage: Any) -> None:
        await declare(stage, {"type": "vmReady", "timeout": 120})
        asked = {**GOOD, "batchMinHealthyPercentage": 100, "onFailure": "rollBack"}
        deployment = await stage.platform.start(**asked)
        await say(stage, "vmReady", *await launched(stage, deployment))
        await say(stage, "vmReady", (await launched(stage, deployment, batch=2))[0])
        for back in (3, 4):
            await say(stage, "vmReady", *await launched(stage, deployment, batch=back))
        row = await stage.platform.ended(deployment)
        assert row.status == "rolledBack", await stage.platform.story(deployment)
        assert (stage.versions(), stage.serving()) == (["1.0.0"] * 4, 4)
        assert [len(one.deleted) for one in deletions(stage)] == [2, 2, 1, 1]

    play(story, behind(*pools, mode=mode))


def test_green_vm_that_says_that_it_may_be_shut_down_is_waited_for_no_longer(play: Play) -> None:
    async def story(stage: Any) -> None:
        await declare(stage, {"type": "vmReadyToShutdown", "timeout": 1800})
        deployment = await stage.platform.start(**HALF)
        await stage.until(deployment, "BatchFailed", batch=1)
        await stage.sleep(minutes=10)
        assert deletions(stage) == []
        await say(stage, "vmReadyToShutdown", *await launched(stage, deployment))
        said_at = stage.platform.clock.now()
        await stage.platform.ended(deployment)
        assert {len(one.deleted) for one in deletions(stage)} == {2}
        assert deletions(stage)[-1].time - said_at <= timedelta(seconds=30)

    play(story, behind(*LOAD_BALANCER))


@MODES
def test_green_vms_that_cannot_leave_their_pools_go_all_the_same_and_the_reason_says_so(play: Play, mode: str) -> None:
    async def story(stage: Any) -> None:
        path = "/virtualMachines/|/networkInterfaces/"
        conflict = {"method": "PUT", "path": path, "status": 409, "body": {"error": {"code": "Conflict"}}}
        stage.platform.cloud.faults.add(Fault.model_validate(conflict))
        deployment = await stage.platform.start(**HALF)
        row = await stage.platform.ended(deployment)
        assert (row.error.code, stage.versions(), stage.serving()) == ("batchUnhealthy", ["1.0.0"] * 4, 4)
        waited = deletions(stage)[0].time - await time_of(stage, deployment, "BatchFailed")
        assert timedelta(minutes=30) <= waited <= timedelta(minutes=40)
        events = await stage.platform.events(deployment)
        said = next(event.message for event in events if event.type == "GreenDiscarded")
        assert said.endswith("2 VMs deleted; 2 of them undrained: still in their pools after 0:30:00"), said

    play(story, behind(*GATEWAY, mode=mode), exempt=["no_vm_cut_off"])


@MODES
def test_pool_that_a_failed_interface_closes_is_left_by_green_vms_one_by_one(play: Play, mode: str) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**HALF)
        await stage.until(deployment, "BatchLaunched", batch=1)
        await stage.sleep(minutes=3)
        vms = stage.platform.cloud.scale_set(stage.scale_set_id).active()
        healthy = next(vm for vm in vms if vm.serving and vm.image["id"].endswith("1.3.0"))
        stage.platform.cloud.interfere.fail_interface(stage.scale_set_id, healthy.name)
        await stage.platform.ended(deployment)
        assert (stage.versions(), stage.serving()) == (["1.0.0"] * 4, 4)
        assert [one.status for one in stage.platform.cloud.audit if one.status >= 400] == [409]
        assert [len(one.deleted) for one in deletions(stage)] == [2]

    play(story, behind(*LOAD_BALANCER, mode=mode))


def test_green_vms_that_azure_could_not_make_go_at_once(play: Play) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**GOOD, drainingTimeout=3600)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.error.code) == ("failed", "batchUnhealthy")
        waited = deletions(stage)[-1].time - await time_of(stage, deployment, "BatchFailed")
        assert waited <= timedelta(minutes=1)
        intents = await stage.platform.store.intents.list(deployment)
        assert [one for one in intents if one.kind is IntentKind.DRAIN] == []

    play(story, behind(*LOAD_BALANCER, behavior={"provisioningFails": True}))


@pytest.mark.parametrize(
    "loss", [ActivityLoss.TWICE, ActivityLoss.LATE, ActivityLoss.BEFORE_EFFECT, ActivityLoss.AFTER_EFFECT]
)
@MODES
def test_failed_batch_whose_activities_are_badly_delivered_is_drained_once(
    play: Play, mode: str, loss: ActivityLoss
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**HALF)
        await stage.platform.ended(deployment)
        assert (stage.versions(), stage.serving()) == (["1.0.0"] * 4, 4)
        assert [len(one.deleted) for one in deletions(stage)] == [2]

    late = timedelta(seconds=40) if loss is ActivityLoss.LATE else timedelta(0)
    faults = DurableFaults(activities=[ActivityFault(loss, after=late)])
    play(story, behind(*BOTH, mode=mode), faults=faults)


@MODES
@POOLS
def test_stop_tells_who_is_out_of_traffic_though_nobody_noted_it(play: Play, mode: str, pools: tuple[str, ...]) -> None:
    """The write that takes a blue VM out of its pools may arrive just before the stop does."""

    async def story(stage: Any) -> None:
        store = stage.platform.store
        deployment = await stage.platform.start(**GOOD)
        await stage.until(deployment, "BatchHealthy")
        while not (left := [one for one in await store.intents.list(deployment) if one.kind is IntentKind.DRAIN]):
            await stage.sleep(seconds=1)
        await stage.say(deployment, "stop")
        row = await stage.platform.ended(deployment)
        assert "BatchDetached" not in [one.type for one in await stage.platform.events(deployment)]
        records = {one.vm_id: one for one in await store.vms.list(deployment)}
        gone = {vm_id for intent in left for vm_id in intent.vm_ids}
        assert gone
        assert {records[vm_id].status for vm_id in gone} == {VmStatus.DETACHED}
        assert {records[vm_id].detached_at is None for vm_id in gone} == {False}
        assert f"{len(gone)} blue out of traffic" in row.reason

    play(story, behind(*pools, mode=mode))


@MODES
@POOLS
def test_roll_back_replaces_what_a_stop_left_out_of_traffic(play: Play, mode: str, pools: tuple[str, ...]) -> None:
    """A blue VM that a stopped deployment left out of its pools runs the previous image, and serves nobody."""

    async def story(stage: Any) -> None:
        all_at_once = GOOD | {"batchSizePercentage": 100, "drainingTimeout": 900}
        first = await stage.platform.start(**all_at_once)
        await stage.until(first, "BatchDetached")
        await stage.say(first, "stop")
        assert "4 blue out of traffic" in (await stage.platform.ended(first)).reason
        second = await stage.platform.start(**all_at_once | {"image": "1.2.0"})
        await stage.until(second, "BatchLaunched")
        await stage.say(second, "rollBack")
        row = await stage.platform.ended(second)
        assert (row.status, row.settled) == (Status.ROLLED_BACK, True), row.reason
        assert (stage.versions(), stage.serving()) == (["1.0.0"] * 4, 4)

    play(story, behind(*pools, mode=mode))


@MODES
def test_vm_that_a_stop_left_out_of_traffic_and_the_next_one_skips_is_named(play: Play, mode: str) -> None:
    async def story(stage: Any) -> None:
        first = await stage.platform.start(**GOOD | {"drainingTimeout": 900})
        await stage.until(first, "BatchDetached")
        await stage.say(first, "stop")
        await stage.platform.ended(first)
        records = await stage.platform.store.vms.list(first, batch=1)
        out = [vm for vm in records if vm.status is VmStatus.DETACHED]
        for vm in out:
            stage.platform.cloud.interfere.stop(stage.scale_set_id, vm.vm_id)
        await stage.sleep(minutes=5)
        second = await stage.platform.start(**GOOD, stoppedVms="skip")
        row = await stage.platform.ended(second)
        names = ", ".join(sorted(vm.name for vm in out))
        assert row.status is Status.FINISHED
        words = f"2 VMs still out of traffic since an earlier deployment: {names}"
        assert row.reason.endswith(words)
        for version in ("1.0.0", "1.0.0"):  # The second finds nothing to replace.
            later = await stage.platform.start(**GOOD | {"image": version}, stoppedVms="skip")
            row = await stage.platform.ended(later)
            assert (row.status, row.reason.endswith(words)) == (Status.FINISHED, True), row.reason
        plan = await stage.platform.post("/api/groups/web/deployments?dryRun=true", {**GOOD, "stoppedVms": "skip"})
        assert "skippedOutOfTraffic" in {one["code"] for one in plan.body["findings"]}

    play(story, behind(*LOAD_BALANCER, mode=mode), exempt=["never_fewer_serving"])
