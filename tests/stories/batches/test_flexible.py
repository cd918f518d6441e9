"""Stories of Flexible scale sets: the same recipes, the same traces, and what only these sets do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.world import Fault, World
from local.durable.faults import ActivityFault, ActivityLoss, DurableFaults
from rollout.model.status import Color, Status

pytestmark = pytest.mark.slow

GOOD = {"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300}

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

#: What Teal cannot help: somebody else took VMs out of service.
OTHERS_DELETED_VMS = ("never_fewer_serving",)


def names(stage: Any) -> list[str]:
    """The names of the set's VMs."""
    return [str(vm.name) for vm in stage.platform.cloud.scale_set(stage.scale_set_id).active()]


def vm_of(stage: Any, version: str) -> Any:
    """A VM of the set with this image version."""
    vms = stage.platform.cloud.scale_set(stage.scale_set_id).active()
    return next(vm for vm in vms if str(vm.image["id"]).endswith(version))


def requests(stage: Any) -> dict[str, int]:
    """How many requests of each kind Azure has answered."""
    return {kind.partition(" [")[0]: count.passed for kind, count in stage.platform.cloud.requests.items()}


def throttled(stage: Any) -> int:
    """How many requests Azure has refused with 429."""
    return sum(count.throttled for count in stage.platform.cloud.requests.values())


async def finished(stage: Any, deployment: str) -> None:
    """Wait for a deployment that ends well."""
    row = await stage.platform.ended(deployment)
    assert row.status is Status.FINISHED, row.reason


def test_good_image_goes_the_same_way_as_in_a_uniform_set(
    play: Play, small_world: SmallWorld, flexible_world: SmallWorld
) -> None:
    async def story(stage: Any) -> list[str]:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300)
        await finished(stage, deployment)
        assert (stage.versions(), stage.model(), stage.capacity()) == (["1.1.0"] * 4, "1.1.0", 4)
        trace: list[str] = await stage.platform.story(deployment)
        return trace

    uniform, flexible = play(story, small_world(4)), play(story, flexible_world(4))
    assert flexible == uniform
    assert flexible[-1] == "08:15 DeploymentFinished: 4 VMs now on 1.1.0"


def test_image_that_never_becomes_healthy_is_taken_back_and_the_sick_vms_are_named(
    play: Play, flexible_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        before = names(stage)
        deployment = await stage.platform.start(image="1.2.0", batchSizePercentage=50, gracePeriod=300)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.error.code, row.settled) == (Status.FAILED, "batchUnhealthy", True)
        green = [one for one in await stage.platform.store.vms.list(deployment, 1) if one.color is Color.GREEN]
        sick = "; ".join(f"{name}: applicationHealth unhealthy" for name in sorted(one.name for one in green))
        assert row.reason.endswith(f"0 of 2 green VMs healthy after 300 s, 0 %: below the 50 % asked ({sick})")
        assert (names(stage), stage.versions(), stage.model()) == (before, ["1.0.0"] * 4, "1.0.0")

    play(story, flexible_world(4))


def test_sick_half_of_a_batch_is_replaced_once(play: Play, flexible_world: SmallWorld) -> None:
    """Of 1.3.0 every second VM that is launched never becomes healthy: the 2nd does not, the 3rd does."""

    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(
            image="1.3.0", batchSizePercentage=100, gracePeriod=120, batchMinHealthyPercentage=50
        )
        await finished(stage, deployment)
        told = [event.message.partition(": ")[2] for event in await stage.platform.events(deployment)]
        assert "1 of 2 green VMs healthy after 120 s, 50 %: at least the 50 % asked" in told
        assert "1 VM deleted, to be replaced once" in told
        assert "2 of 2 green VMs healthy" in told
        assert (stage.versions(), stage.capacity(), stage.serving()) == (["1.3.0"] * 2, 2, 2)

    play(story, flexible_world(2))


def test_vms_are_deleted_by_their_names_in_one_request_a_batch(play: Play, flexible_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        blue = names(stage)
        await finished(stage, await stage.platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300))
        deletions = [entry for entry in stage.watched.writes if entry.deleted]
        assert [(entry.method, entry.path.rpartition("/")[2]) for entry in deletions] == [("POST", "delete")] * 2
        assert sorted(name for entry in deletions for name in entry.body["instanceIds"]) == sorted(blue)
        assert [entry.body["sku"]["capacity"] for entry in stage.watched.writes if entry.created] == [6, 6]

    play(story, flexible_world(4))


def test_health_is_read_only_of_the_vms_that_a_decision_needs(play: Play, flexible_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=25, gracePeriod=300)
        await stage.until(deployment, "DeploymentPlanned")
        assert requests(stage)["get virtual machine view"] == 4
        await stage.until(deployment, "BatchHealthy", batch=1)
        of_one_green = requests(stage)["get virtual machine view"] - 4
        assert 0 < of_one_green <= 5
        await finished(stage, deployment)
        assert requests(stage)["get virtual machine view"] == 4 + 4 * of_one_green
        assert throttled(stage) == 0

    play(story, flexible_world(4))


def test_no_health_is_read_where_the_deployment_does_not_check_it(play: Play, flexible_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", healthCheckTypes=["vmState"], gracePeriod=300)
        await finished(stage, deployment)
        assert "get virtual machine view" not in requests(stage)

    play(story, flexible_world(2))


def test_gate_judges_the_health_of_every_vm(play: Play, flexible_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(
            image="1.1.0", batchSizePercentage=50, gracePeriod=300, maxUnhealthyPercentage=20
        )
        await stage.until(deployment, "BatchDetached", batch=1)
        stage.platform.cloud.interfere.sicken(stage.scale_set_id, vm_of(stage, "1.1.0").name)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.current_batch) == (Status.FAILED, 2)
        assert "1 of all 4 VMs are unhealthy" in row.reason

    play(story, flexible_world(4), exempt=OTHERS_DELETED_VMS)


def test_set_with_fewer_vms_than_its_capacity_keeps_the_number_it_has(play: Play, flexible_world: SmallWorld) -> None:
    """Azure creates as many VMs as a PATCH raises the capacity by, whatever the number of VMs."""

    async def story(stage: Any) -> None:
        stage.platform.cloud.interfere.delete_vm(stage.scale_set_id, names(stage)[0])
        await stage.sleep(minutes=5)
        stage.watched.serving = stage.platform.serving(stage.scale_set_id)
        assert (stage.capacity(), len(names(stage))) == (6, 5)
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300)
        await finished(stage, deployment)
        assert (await stage.platform.row(deployment)).reason == "5 VMs now on 1.1.0"
        assert (stage.versions(), stage.capacity()) == (["1.1.0"] * 5, 6)

    play(story, flexible_world(6))


def test_blue_vm_deleted_by_others_is_replaced_all_the_same(play: Play, flexible_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300)
        await stage.until(deployment, "BatchDetached", batch=1)
        stage.platform.cloud.interfere.delete_vm(stage.scale_set_id, vm_of(stage, "1.0.0").vm_id)
        await finished(stage, deployment)
        assert stage.versions() == ["1.1.0"] * 4

    play(story, flexible_world(4), exempt=OTHERS_DELETED_VMS)


def test_green_vm_deleted_by_others_is_replaced_although_the_capacity_did_not_fall(
    play: Play, flexible_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=100, gracePeriod=120)
        await stage.until(deployment, "BatchLaunched", batch=1)
        stage.platform.cloud.interfere.delete_vm(stage.scale_set_id, vm_of(stage, "1.1.0").vm_id)
        await finished(stage, deployment)
        assert (stage.versions(), stage.capacity()) == (["1.1.0"] * 4, 5)

    play(story, flexible_world(4))


def test_vms_that_azure_could_not_make_are_asked_for_again(play: Play, flexible_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        fault = {"method": "PATCH", "calls": [2], "allocationFailures": 1}
        stage.platform.cloud.faults.add(Fault.model_validate(fault))
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=100, gracePeriod=300)
        await finished(stage, deployment)
        assert (stage.versions(), stage.serving()) == (["1.1.0"] * 2, 2)

    play(story, flexible_world(2))


def test_attached_vm_refuses_the_deployment_before_anything_changes(play: Play, flexible_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        reply = await stage.platform.post("/api/groups/web/deployments", {"image": "1.1.0"})
        assert reply.status == 422
        (detail,) = reply.body["error"]["details"]
        assert detail["code"] == "attachedVms"
        assert detail["message"].startswith("database (its name is not web_ and eight hexadecimal digits) is attached")
        assert stage.platform.cloud.audit == []

    play(story, flexible_world(2, scale_set={"attachedVms": ["database"]}))


def test_set_that_vanishes_fails_the_deployment_and_frees_the_group(play: Play, flexible_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300)
        await stage.until(deployment, "BatchLaunched", batch=1)
        stage.platform.cloud.interfere.delete_scale_set(stage.scale_set_id)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.error.code) == (Status.FAILED, "scaleSetGone")

    play(story, flexible_world(2), exempt=(*OTHERS_DELETED_VMS, "good_image", "rows_as_the_set"))


def test_host_killed_while_vms_drain_finishes_the_same(play: Play, flexible_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300)
        for batch in (1, 2):
            await stage.until(deployment, "BatchDetached", batch=batch)
            await stage.sleep(seconds=60)
            await stage.platform.restart_host()
        await finished(stage, deployment)
        assert (stage.versions(), stage.capacity()) == (["1.1.0"] * 4, 4)

    play(story, flexible_world(4))


def test_deployment_terminated_while_vms_drain_is_put_right_by_the_next_one(
    play: Play, flexible_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        dead = await platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300)
        await stage.until(dead, "BatchDetached", batch=1)
        platform.host.durable.terminate(dead, "by hand")
        await stage.sleep(minutes=10)
        assert sorted(stage.versions()) == ["1.0.0"] * 4 + ["1.1.0"] * 2
        await finished(stage, await platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300))
        assert (stage.versions(), stage.serving()) == (["1.1.0"] * 4, 4)

    play(story, flexible_world(4))


ACTIVITY_FAULTS = {
    "delivered twice": ActivityFault(ActivityLoss.TWICE),
    "lost before its effect": ActivityFault(ActivityLoss.BEFORE_EFFECT),
    "lost after its effect": ActivityFault(ActivityLoss.AFTER_EFFECT),
    "again ten minutes later": ActivityFault(ActivityLoss.LATE, after=timedelta(minutes=10)),
}
AZURE_FAULTS: dict[str, dict[str, Any]] = {
    "request lost": {"loseRequest": True},
    "answer lost": {"loseResponse": True},
    "throttled": {"status": 429},
    "out of order": {"status": 503},
}


@pytest.mark.parametrize(("image", "status"), [("1.1.0", Status.FINISHED), ("1.2.0", Status.FAILED)])
@pytest.mark.parametrize("kind", ACTIVITY_FAULTS)
def test_every_activity_badly_delivered_leads_to_the_same_end(
    play: Play, flexible_world: SmallWorld, kind: str, image: str, status: Status
) -> None:
    async def story(stage: Any) -> None:
        row = await stage.platform.ended(await stage.platform.start(image=image, batchSizePercentage=50))
        left = image if status is Status.FINISHED else "1.0.0"
        assert row.status is status
        assert (stage.versions(), stage.model(), stage.capacity(), stage.serving()) == ([left] * 2, left, 2, 2)

    play(story, flexible_world(2), faults=DurableFaults(activities=[ACTIVITY_FAULTS[kind]]))


@pytest.mark.parametrize("step", [5, 7])
@pytest.mark.parametrize("kind", AZURE_FAULTS)
def test_azure_that_fails_time_and_again_is_waited_for(
    play: Play, flexible_world: SmallWorld, kind: str, step: int
) -> None:
    """Whatever request it is that fails: one that lists VMs, reads the health of one, launches or deletes."""

    async def story(stage: Any) -> None:
        fault = {"calls": list(range(12, 400, step)), **AZURE_FAULTS[kind]}
        stage.platform.cloud.faults.add(Fault.model_validate(fault))
        await finished(stage, await stage.platform.start(image="1.1.0", batchSizePercentage=50))
        assert (stage.versions(), stage.serving()) == (["1.1.0"] * 2, 2)

    play(story, flexible_world(2))


@pytest.mark.nightly
def test_900_vms_in_10_batches_are_never_throttled(play: Play, flexible_world: SmallWorld) -> None:
    """Not even at half of Azure's limits."""

    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=10)
        await finished(stage, deployment)
        assert (stage.versions(), stage.capacity(), stage.serving()) == (["1.1.0"] * 900, 900, 900)
        assert throttled(stage) == 0
        assert [entry for entry in stage.platform.cloud.audit if entry.status >= 400] == []

    play(story, flexible_world(900, throttlingFactor=0.5))


FOREIGN: dict[str, dict[str, Any]] = {
    "name": {"name": "web_db01"},
    "computer name": {"name": "web_0a1b2c3d", "computer_name": "db01"},
    "age": {"name": "web_0a1b2c3d", "computer_name": "web00001f", "age": timedelta(days=3650)},
}


@pytest.mark.parametrize("mark", FOREIGN)
def test_attached_vm_named_like_the_set_is_told_and_left_alone(
    play: Play, flexible_world: SmallWorld, mark: str
) -> None:
    async def story(stage: Any) -> str:
        foreign = stage.platform.cloud.interfere.attach(stage.scale_set_id, **FOREIGN[mark])
        refused = await stage.platform.post("/api/groups/web/deployments", GOOD)
        (detail,) = refused.body["error"]["details"]
        assert (refused.status, detail["code"]) == (422, "attachedVms")
        row = await stage.platform.ended(await stage.platform.start(**GOOD, attachedVms="skip"))
        assert (row.status, row.reason) == ("finished", "2 VMs now on 1.1.0; 1 VM skipped")
        standing = {vm.vm_id: vm.image["id"][-5:] for vm in stage.platform.cloud.scale_set(stage.scale_set_id).active()}
        assert (standing.pop(foreign), list(standing.values())) == ("1.0.0", ["1.1.0"] * 2)
        return str(detail["message"])

    reasons = {
        "name": "its name is not web_ and eight hexadecimal digits",
        "computer name": "its computer name db01 does not begin with web",
        "age": "it is older than the set",
    }
    assert reasons[mark] in play(story, flexible_world(2))


@pytest.mark.parametrize("end", ["finished", "discarded", "stopped"])
def test_vm_of_the_new_image_that_somebody_attaches_meanwhile_is_no_green_one(
    play: Play, flexible_world: SmallWorld, end: str
) -> None:
    async def story(stage: Any) -> None:
        image = {"finished": "1.1.0", "stopped": "1.1.0", "discarded": "1.2.0"}[end]
        deployment = await stage.platform.start(**{**GOOD, "image": image})
        await stage.until(deployment, "BatchStarted", batch=1)
        foreign = stage.platform.cloud.interfere.attach(stage.scale_set_id, "web_0a1b2c3d", "db01")
        if end == "stopped":
            await stage.until(deployment, "BatchLaunched", batch=1)
            await stage.platform.post(f"/api/deployments/{deployment}/stop", {})
        row = await stage.platform.ended(deployment)
        assert row.status == {"finished": "finished", "stopped": "stopped", "discarded": "failed"}[end]
        rows = {vm.vm_id for vm in await stage.platform.store.vms.list(deployment)}
        there = {vm.vm_id for vm in stage.platform.cloud.scale_set(stage.scale_set_id).active()}
        assert (foreign in rows, foreign in there) == (False, True)

    play(story, flexible_world(2))
