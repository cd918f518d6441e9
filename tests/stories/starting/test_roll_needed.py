"""Stories of the prompt: a person changes the set's model, the group says so, and a deployment rolls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from local.azure.world import World
from local.durable.options import HostOptions
from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

PROFILE = "virtualMachineProfile"
DISK = f"{PROFILE}.storageProfile.osDisk.managedDisk.storageAccountType"


def requests(stage: Any) -> Counter[str]:
    """How many requests of each kind Azure has answered."""
    return Counter({kind.partition(" [")[0]: count.passed for kind, count in stage.platform.cloud.requests.items()})


def change_profile(stage: Any, **profile: Any) -> None:
    """A person changes the model of the set."""
    changes = {"properties": {"virtualMachineProfile": profile}}
    stage.platform.cloud.interfere.patch(stage.scale_set_id, changes)


def image_id(stage: Any, version: str) -> str:
    profile = stage.platform.cloud.scale_set(stage.scale_set_id).profile
    return f"{str(profile['storageProfile']['imageReference']['id']).rpartition('/')[0]}/{version}"


def change_image(stage: Any, version: str) -> None:
    change_profile(stage, storageProfile={"imageReference": {"id": image_id(stage, version)}})


async def look(stage: Any, fresh: bool = False) -> Any:
    """What the group says: as it was last seen, or as it is now."""
    reply = await stage.platform.get("/api/groups/web" + ("?fresh=true" if fresh else ""))
    assert reply.status == 200
    return reply.body["rollNeeded"]


def told(needed: Any) -> list[tuple[str, str, str, int]]:
    return [(reason["field"], reason["wanted"], reason["found"], reason["vms"]) for reason in needed["reasons"]]


async def change_everything(stage: Any) -> None:
    """Image, then disk type, then size, each told after two runs of the timer, in fields that Azure names."""
    assert (await look(stage))["outdated"] == 0
    change_image(stage, "1.1.0")
    await stage.sleep(minutes=2)
    image = ("image", image_id(stage, "1.1.0"), image_id(stage, "1.0.0"), 4)
    first = await look(stage)
    assert (first["outdated"], first["total"], told(first)) == (4, 4, [image])
    assert first["reasons"][0]["message"] == "4 of 4 VMs: the image is 1.0.0, and 1.1.0 in the set's model"

    change_profile(stage, storageProfile={"osDisk": {"managedDisk": {"storageAccountType": "StandardSSD_LRS"}}})
    assert await look(stage) == first
    await stage.sleep(minutes=2)
    disk = (DISK, "StandardSSD_LRS", "Premium_LRS", 4)
    assert told(await look(stage)) == [image, disk]

    stage.platform.cloud.interfere.patch(stage.scale_set_id, {"sku": {"name": "Standard_D4s_v5"}})
    await stage.sleep(minutes=2)
    assert told(await look(stage)) == [image, ("sku.name", "Standard_D4s_v5", "Standard_D2s_v5", 4), disk]


def test_a_changed_model_is_told_rolled_and_told_no_more(play: Play, either_world: SmallWorld) -> None:
    """And while the deployment rolls, it is as if nobody asked."""

    async def story(stage: Any, looks: int) -> Counter[str]:
        await change_everything(stage)
        before = requests(stage)
        seen_before = await look(stage)
        of_the_model = {reason["field"] for reason in seen_before["reasons"]}
        deployment = await stage.platform.start(batchSizePercentage=50, gracePeriod=300)
        for _ in range(50):
            if looks:
                shown = await look(stage)
                assert {reason["field"] for reason in shown["reasons"]} <= {"deployment", *of_the_model}
            await stage.sleep(seconds=8)
        assert (await stage.platform.row(deployment)).status is Status.IN_PROGRESS
        row = await stage.platform.ended(deployment)
        assert row.status is Status.FINISHED, row.reason
        during = requests(stage) - before

        needed = await look(stage, fresh=True)
        assert (needed["outdated"], needed["total"], needed["reasons"]) == (0, 4, [])
        assert needed["asOf"] > seen_before["asOf"]
        flexible = stage.platform.cloud.scale_set(stage.scale_set_id).is_flexible
        lists = "list virtual machines" if flexible else "list VMs"
        assert requests(stage) - before - during == Counter({"get scale set": 1, lists: 1})
        return during

    asked = play(lambda stage: story(stage, 50), either_world(4), options=HostOptions())
    quiet = play(lambda stage: story(stage, 0), either_world(4), options=HostOptions())
    assert asked == quiet


def test_what_the_deployment_knows_is_told_whichever_process_is_asked(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300)
        await stage.until(deployment, "BatchTerminated", 1)
        await stage.platform.restart_host()
        needed = await look(stage)
        assert (needed["outdated"], needed["total"], needed["error"]) == (2, 4, None)
        [reason] = needed["reasons"]
        assert (reason["field"], reason["wanted"], reason["vms"]) == ("deployment", image_id(stage, "1.1.0"), 2)
        row = await stage.platform.ended(deployment)
        assert row.status is Status.FINISHED, row.reason
        assert (await look(stage))["outdated"] == 0

    play(story, either_world(4))


def test_a_stopped_deployment_leaves_vms_that_the_group_tells_of(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300)
        await stage.until(deployment, "BatchTerminated", 1)
        await stage.say(deployment, "stop")
        row = await stage.platform.ended(deployment)
        assert row.status is Status.STOPPED, row.reason
        assert (await look(stage))["error"]["code"] == "notReadYet"
        needed = await look(stage, fresh=True)
        # The model has the previous image again, so the VMs of the new one are what a roll would replace. Azure counts
        # it as another model than the one before, and says so of the blue VMs where it speaks of models.
        newer = [one for one in stage.versions() if one == "1.1.0"]
        assert ("image", image_id(stage, "1.0.0"), image_id(stage, "1.1.0"), len(newer)) in told(needed)
        others = {reason["field"] for reason in needed["reasons"]} - {"image"}
        uniform = not stage.platform.cloud.scale_set(stage.scale_set_id).is_flexible
        assert (needed["outdated"], others) == ((6, {PROFILE}) if uniform else (len(newer), set()))

    play(story, either_world(4))


def test_a_put_tells_of_a_version_that_its_rule_wants(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        rule = {"imageId": image_id(stage, "").rpartition("/versions")[0], "versions": "1.1"}
        body = {**stage.platform.world.groups[0], "imageRule": rule}
        reply = await stage.platform.put(f"/api/groups/{body.pop('id')}", body)
        assert reply.status == 200
        assert told(reply.body["rollNeeded"]) == [("imageRule", image_id(stage, "1.1.0"), image_id(stage, "1.0.0"), 4)]
        assert await look(stage) == reply.body["rollNeeded"]

    play(story, either_world(4))
