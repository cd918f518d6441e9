"""Plan first: every finding is told by the dry run, refuses a start where it is an error, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from local.azure.world import Fault, World, parse_world
from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

PATH = "/api/groups/web/deployments"


async def plan(stage: Any, **asked: Any) -> Any:
    """The dry run's answer."""
    reply = await stage.platform.post(f"{PATH}?dryRun=true", {"image": "1.1.0", **asked})
    assert reply.status == 200, reply.body
    return reply.body


def severities(answer: Any) -> dict[str, str]:
    return {finding["code"]: finding["severity"] for finding in answer["findings"]}


async def refused(stage: Any, code: str, **asked: Any) -> Any:
    """The finding, which the dry run tells and which refuses a start; nothing was written."""
    before = len(stage.platform.cloud.audit)
    planned = await plan(stage, **asked)
    assert (severities(planned)[code], planned["canStart"]) == ("error", False), planned
    reply = await stage.platform.post(PATH, {"image": "1.1.0", **asked})
    assert (reply.status, reply.body["error"]["code"]) == (422, "preflightFailed"), reply.body
    details = {detail["code"]: detail for detail in reply.body["error"]["details"]}
    assert set(details) == {name for name, severity in severities(planned).items() if severity == "error"}
    assert len(stage.platform.cloud.audit) == before
    assert await stage.watched.deployments() == []
    return details[code]


async def told(stage: Any, code: str, severity: str, **asked: Any) -> Any:
    """The finding, which does not keep the deployment from starting."""
    planned = await plan(stage, **asked)
    assert (severities(planned).get(code), planned["canStart"]) == (severity, True), planned
    (finding,) = [finding for finding in planned["findings"] if finding["code"] == code]
    return finding


def with_set(world: World, **fields: Any) -> World:
    """The world with its set changed; ``overrides`` are merged over the ARM body."""
    document = world.model_dump(mode="json", by_alias=True)
    document["scaleSets"][0] |= fields
    return parse_world(document)


def with_properties(world: World, **properties: Any) -> World:
    return with_set(world, overrides={"properties": properties})


def test_a_plan_says_all_that_will_be(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        answer = await plan(stage, batchSizePercentage=50, canary={"size": 1, "approval": True}, drainingTimeout=60)
        assert list(answer) == [
            "canStart",
            "image",
            "targetSize",
            "numberOfBatches",
            "batches",
            "kept",
            "skipped",
            "changes",
            "duration",
            "surge",
            "servingFloor",
            "findings",
        ]
        assert answer["canStart"] is True
        assert answer["image"]["requested"] == "1.1.0"
        assert answer["image"]["pinned"].endswith("/versions/1.1.0")
        assert answer["image"]["previous"].endswith("/versions/1.0.0")
        shape = [(batch["number"], batch["blue"], batch["green"]) for batch in answer["batches"]]
        assert (shape, answer["numberOfBatches"]) == ([(1, 1, 1), (2, 2, 2), (3, 2, 2)], 3)
        assert [batch["canary"] for batch in answer["batches"]] == [True, False, False]
        assert [batch["approval"] for batch in answer["batches"]] == [True, False, False]
        assert sorted(name for batch in answer["batches"] for name in batch["vms"]) == [f"web_{n}" for n in range(5)]
        assert (answer["surge"], answer["servingFloor"]) == ({"vms": 2, "cores": 4}, 5)
        (change, *_) = answer["changes"]
        assert change["kind"] == "image"
        assert change["message"] == "The set's model gets image 1.1.0 in place of 1.0.0"
        assert answer["duration"]["seconds"] == 3 * (300 + 90 + 60)
        assert answer["duration"]["basis"].startswith("No finished deployment to go by")
        assert (stage.platform.cloud.audit, await stage.watched.deployments()) == ([], [])

    play(story, small_world(5))


def test_what_was_planned_is_what_is_done_and_the_next_plan_goes_by_its_time(
    play: Play, either_world: SmallWorld
) -> None:
    async def story(stage: Any) -> None:
        asked = {"batchSize": 2, "canary": {"size": 1}, "gracePeriod": 300}
        planned = await plan(stage, **asked)
        deployment = await stage.platform.start(image="1.1.0", **asked)
        row = await stage.platform.ended(deployment)
        assert row.status is Status.FINISHED
        records = await stage.platform.store.vms.list(deployment)
        blue = {
            batch["number"]: sorted(r.name for r in records if r.color == "blue" and r.batch == batch["number"])
            for batch in planned["batches"]
        }
        assert blue == {batch["number"]: sorted(batch["vms"]) for batch in planned["batches"]}
        batches = await stage.platform.store.batches.list(deployment)
        assert [batch.canary for batch in batches] == [batch["canary"] for batch in planned["batches"]]
        again = await plan(stage, image="1.0.0", **asked)
        assert again["duration"]["basis"].startswith("The mean of 3 batches of 1 finished deployment of the group")
        took = (batches[-1].ended_at - batches[0].started_at).total_seconds()
        assert again["duration"]["seconds"] == pytest.approx(took, rel=0.2)

    play(story, either_world(4))


def test_nothing_to_do_is_told_and_finishes_at_once(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        await told(stage, "nothingToDo", "info", image="1.0.0")
        row = await stage.platform.ended(await stage.platform.start(image="1.0.0"))
        assert (row.status, row.number_of_batches) == (Status.FINISHED, 0)
        assert stage.platform.cloud.audit == []

    play(story, either_world(2))


def test_force_rolls_vms_that_run_the_image_already(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        before = {vm.vm_id for vm in stage.platform.cloud.scale_set(stage.scale_set_id).active()}
        planned = await plan(stage, image="1.0.0", force=True)
        assert (planned["kept"], planned["numberOfBatches"]) == ([], 2)
        assert "nothingToDo" not in severities(planned)
        row = await stage.platform.ended(await stage.platform.start(image="1.0.0", force=True, gracePeriod=300))
        after = {vm.vm_id for vm in stage.platform.cloud.scale_set(stage.scale_set_id).active()}
        assert (row.status, len(after), before & after) == (Status.FINISHED, 2, set())

    play(story, either_world(2))


def test_a_set_whose_model_was_changed_is_rolled_without_an_image(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        body = {"sku": {"name": "Standard_D4s_v5"}}
        stage.platform.cloud.interfere.patch(stage.scale_set_id, body)
        reply = await stage.platform.post(f"{PATH}?dryRun=true", {"batchSizePercentage": 100})
        assert (reply.status, reply.body["canStart"]) == (200, True), reply.body
        assert (reply.body["image"]["requested"], len(reply.body["batches"][0]["vms"])) == (None, 2)
        assert reply.body["surge"] == {"vms": 2, "cores": 8}
        before = {vm.vm_id for vm in stage.platform.cloud.scale_set(stage.scale_set_id).active()}
        row = await stage.platform.ended(await stage.platform.start(batchSizePercentage=100, gracePeriod=300))
        after = {vm.vm_id for vm in stage.platform.cloud.scale_set(stage.scale_set_id).active()}
        assert (row.status, len(after), before & after) == (Status.FINISHED, 2, set())
        again = await stage.platform.post(f"{PATH}?dryRun=true", {})
        assert severities(again.body)["nothingToDo"] == "info"

    play(story, small_world(2))


def test_of_a_flexible_set_azure_does_not_tell_which_vms_run_its_model(play: Play, flexible_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        reply = await stage.platform.post(f"{PATH}?dryRun=true", {})
        assert severities(reply.body) | {"modelNotTold": "info"} == severities(reply.body)

    play(story, flexible_world(2))


def make_stopped(stage: Any) -> None:
    stage.platform.cloud.interfere.stop(stage.scale_set_id, first(stage).vm_id, deallocate=True)


def make_protected(stage: Any) -> None:
    policy = {"protectFromScaleSetActions": True}
    stage.platform.cloud.interfere.protect(stage.scale_set_id, first(stage).vm_id, policy)


def first(stage: Any) -> Any:
    return stage.platform.cloud.scale_set(stage.scale_set_id).active()[0]


@pytest.mark.parametrize(("code", "make"), [("stoppedVms", make_stopped), ("protectedVms", make_protected)])
def test_vms_that_need_a_decision_refuse_until_there_is_one(
    play: Play, small_world: SmallWorld, code: str, make: Callable[[Any], None]
) -> None:
    async def story(stage: Any) -> None:
        make(stage)
        detail = await refused(stage, code)
        assert "web_0" in detail["message"]
        assert detail["target"] == code

    play(story, small_world(3), exempt=["never_fewer_serving"])


@pytest.mark.parametrize(("code", "make"), [("stoppedVms", make_stopped), ("protectedVms", make_protected)])
def test_vms_that_are_skipped_are_left_as_they_are(
    play: Play, small_world: SmallWorld, code: str, make: Callable[[Any], None]
) -> None:
    async def story(stage: Any) -> None:
        make(stage)
        alone = first(stage)
        await told(stage, code, "warning", **{code: "skip"})
        planned = await plan(stage, **{code: "skip"})
        assert [each["name"] for each in planned["skipped"]] == ["web_0"]
        assert planned["targetSize"] == 3
        deployment = await stage.platform.start(
            image="1.1.0", batchSizePercentage=100, gracePeriod=300, **{code: "skip"}
        )
        row = await stage.platform.ended(deployment)
        assert (row.status, row.blue_vms, row.green_vms) == (Status.FINISHED, 0, 2)
        assert "1 VM skipped" in row.reason
        assert sorted(stage.versions()) == ["1.0.0", "1.1.0", "1.1.0"]
        assert first(stage).vm_id == alone.vm_id
        (record,) = [r for r in await stage.platform.store.vms.list(deployment) if r.vm_id == alone.vm_id]
        assert (record.color, record.batch, record.reason.partition(":")[0]) == ("blue", 0, "Skipped")

    play(story, small_world(3), exempt=["never_fewer_serving"])


@pytest.mark.parametrize(("code", "make"), [("stoppedVms", make_stopped), ("protectedVms", make_protected)])
def test_vms_that_are_replaced_go_like_the_others(
    play: Play, small_world: SmallWorld, code: str, make: Callable[[Any], None]
) -> None:
    async def story(stage: Any) -> None:
        make(stage)
        await told(stage, code, "warning", **{code: "replace"})
        row = await stage.platform.ended(
            await stage.platform.start(image="1.1.0", gracePeriod=300, **{code: "replace"})
        )
        assert (row.status, stage.versions()) == (Status.FINISHED, ["1.1.0"] * 3)

    play(story, small_world(3), exempt=["never_fewer_serving"])


@pytest.mark.parametrize(("policy", "versions"), [("skip", ["1.1.0"] * 2), ("replace", ["1.1.0"] * 3)])
def test_vms_that_were_attached_are_skipped_or_replaced(
    play: Play, flexible_world: SmallWorld, policy: str, versions: list[str]
) -> None:
    async def story(stage: Any) -> None:
        await refused(stage, "attachedVms")
        await told(stage, "attachedVms", "warning", attachedVms=policy)
        row = await stage.platform.ended(await stage.platform.start(image="1.1.0", gracePeriod=300, attachedVms=policy))
        vms = stage.platform.cloud.scale_set(stage.scale_set_id).active()
        made = [str((vm.image or {}).get("id", "")).rpartition("/")[2] for vm in vms]
        assert (row.status, [version for version in made if version == "1.1.0"]) == (Status.FINISHED, versions)
        assert len(vms) == 3

    world = flexible_world(2, scale_set={"attachedVms": ["lonely"]})
    play(story, world)


def test_quota_that_does_not_hold_the_largest_batch_refuses(play: Play, either_world: SmallWorld) -> None:
    document = either_world(4).model_dump(mode="json", by_alias=True)
    document["quota"] = {"cores": 1000, "families": {"standardDSv5Family": 23}}

    async def story(stage: Any) -> None:
        detail = await refused(stage, "quotaExceeded", batchSize=2)
        assert "needs 4 more of standardDSv5Family vCPUs in eastus2; 20 of 23 are in use" in detail["message"]
        assert detail["remedy"].endswith("choose a batchSize that launches at most 1 VM at once")
        assert (await plan(stage, batchSize=1))["canStart"]
        row = await stage.platform.ended(await stage.platform.start(image="1.1.0", batchSize=1, gracePeriod=300))
        assert row.status is Status.FINISHED

    play(story, parse_world(document))


def test_a_single_placement_group_that_is_too_small_refuses(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        await refused(stage, "surgeOverLimit", batchSizePercentage=100)

    play(story, with_set(small_world(60), singlePlacementGroup=True))


@pytest.mark.parametrize("scope", ["subscription", "group", "set"])
def test_a_lock_that_would_keep_vms_from_being_deleted_refuses(
    play: Play, either_world: SmallWorld, scope: str
) -> None:
    async def story(stage: Any) -> None:
        scopes = {"subscription": "", "group": "demo", "set": stage.scale_set_id}
        stage.platform.cloud.interfere.lock(scopes[scope])
        detail = await refused(stage, "deleteLocked")
        assert "keep (CanNotDelete)" in detail["message"]

    play(story, either_world(2))


def test_a_rolling_upgrade_of_azures_own_refuses(play: Play, either_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        stage.platform.cloud.interfere.rolling_upgrade(stage.scale_set_id, "RollingForward")
        await refused(stage, "rollingUpgradeUnderWay")
        stage.platform.cloud.interfere.rolling_upgrade(stage.scale_set_id, "Completed")
        assert (await plan(stage))["canStart"]

    play(story, either_world(2))


def test_ten_models_in_use_refuse_an_eleventh(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        vms = stage.platform.cloud.scale_set(stage.scale_set_id).active()
        for number, vm in enumerate(vms):
            vm.image = {"id": vm.image["id"].replace("1.0.0", f"0.{number}.0")}
            vm.revision += 1
        await refused(stage, "modelsExhausted")

    play(story, small_world(10))


def test_a_canary_as_large_as_the_set_refuses(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        detail = await refused(stage, "canaryTooLarge", canary={"size": 2})
        assert detail["target"] == "canary.size"

    play(story, small_world(2))


def test_an_approval_after_which_nothing_comes_refuses(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        await refused(stage, "approvalBatchUnknown", approvals=[2], batchSizePercentage=50)
        await told(stage, "nothingToApprove", "info", approvals="afterCanary", batchSizePercentage=100)

    play(story, small_world(2))


@pytest.mark.parametrize("asked", [{"onFailure": "rollBack"}, {"actionOnTimeout": "rollBack"}])
def test_who_wants_to_roll_back_needs_an_image_to_go_back_to(
    play: Play, either_world: SmallWorld, asked: dict[str, Any]
) -> None:
    async def story(stage: Any) -> None:
        assert (await plan(stage, **asked))["canStart"]
        await refused(stage, "previousModelUnknown", **asked, image=None, force=True)
        await refused(stage, "previousModelUnknown", **asked, image="1.0.0", force=True)

    play(story, either_world(2))


EXTENSION = {
    "name": "HealthExtension",
    "properties": {
        "publisher": "Microsoft.ManagedServices",
        "type": "ApplicationHealthLinux",
        "typeHandlerVersion": "2.0",
        "settings": {"protocol": "http", "port": 80, "gracePeriod": 600},
    },
}
NOTICE = {"terminateNotificationProfile": {"enable": True, "notBeforeTimeout": "PT10M"}}
DISKS = {"dataDisks": [{"lun": 0, "createOption": "Empty", "diskSizeGB": 64}]}


@pytest.mark.parametrize(
    ("properties", "code", "severity", "words"),
    [
        ({"zoneBalance": True}, "strictZoneBalance", "warning", "strict"),
        ({"virtualMachineProfile": {"priority": "Spot"}}, "spotVms", "info", "evict"),
        ({"virtualMachineProfile": {"scheduledEventsProfile": NOTICE}}, "terminateNotification", "info", "600 s"),
        ({"virtualMachineProfile": {"storageProfile": DISKS}}, "dataDisksLost", "warning", "_disk0)"),
        (
            {"virtualMachineProfile": {"extensionProfile": {"extensions": [EXTENSION]}}},
            "gracePeriodTooShort",
            "warning",
            "600 s, the grace period is 300 s",
        ),
    ],
)
def test_what_the_model_means_is_told(
    play: Play, either_world: SmallWorld, properties: dict[str, Any], code: str, severity: str, words: str
) -> None:
    async def story(stage: Any) -> None:
        assert words in (await told(stage, code, severity, gracePeriod=300))["message"]

    play(story, with_properties(either_world(2), **properties))


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"upgradePolicy": {"mode": "Rolling"}}, "upgradeModeNotManual"),
        ({"overprovision": True}, "overprovisioning"),
    ],
)
def test_what_teal_may_adjust_is_told_and_else_refuses(
    play: Play, small_world: SmallWorld, properties: dict[str, Any], code: str
) -> None:
    async def story(stage: Any) -> None:
        await refused(stage, code)
        await told(stage, code, "info", adjust=True)
        held = [change for change in (await plan(stage, adjust=True))["changes"] if change["kind"] == "hold"]
        assert held

    play(story, with_properties(small_world(2), **properties))


def test_what_will_be_held_is_told(play: Play, small_world: SmallWorld) -> None:
    world = small_world(2).model_dump(mode="json", by_alias=True)
    profile = {"name": "day", "minimum": 1, "maximum": 2}
    setting = {"name": "web", "resourceGroup": "demo", "scaleSet": "web", "profiles": [profile]}
    world["autoscaleSettings"] = [setting]

    async def story(stage: Any) -> None:
        planned = await plan(stage)
        sentences = [finding["message"] for finding in planned["findings"] if finding["code"] == "willBeHeld"]
        assert sentences
        held = [change["message"] for change in planned["changes"] if change["kind"] == "hold"]
        assert held == [f"{sentence}, until the deployment ends" for sentence in sentences]

    play(story, parse_world(world))


@pytest.mark.parametrize(
    ("path", "right"),
    [
        ("/skus$", "Microsoft.Compute/skus/read"),
        ("/usages$", "Microsoft.Compute/locations/usages/read"),
        ("/locks$", "Microsoft.Authorization/locks/read"),
        ("/rollingUpgrades/latest$", "Microsoft.Compute/virtualMachineScaleSets/rollingUpgrades/read"),
        ("/autoscalesettings$", "Microsoft.Insights/autoscaleSettings/read"),
    ],
)
def test_what_may_not_be_read_is_told_and_stops_nothing(
    play: Play, small_world: SmallWorld, path: str, right: str
) -> None:
    async def story(stage: Any) -> None:
        body = {"error": {"code": "AuthorizationFailed", "message": "no"}}
        fault = {"method": "GET", "path": path, "status": 403, "body": body}
        stage.platform.cloud.faults.add(Fault.model_validate(fault))
        finding = await told(stage, "notChecked", "info")
        assert finding["remedy"] == f"Give the app's identity {right}"
        row = await stage.platform.ended(await stage.platform.start(image="1.1.0", gracePeriod=300))
        assert row.status is Status.FINISHED

    play(story, small_world(2))


def test_a_deployment_under_way_is_a_finding_of_a_plan(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", gracePeriod=300)
        await stage.until(deployment, "BatchStarted", 1)
        answer = await plan(stage)
        assert (severities(answer)["deploymentInProgress"], answer["canStart"]) == ("error", False)
        waiting = await plan(stage, onConflict="queue")
        assert (severities(waiting)["deploymentInProgress"], waiting["canStart"]) == ("warning", True)
        await stage.platform.ended(deployment)

    play(story, small_world(2))


def test_an_image_that_is_not_there_leaves_nothing_to_plan(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        answer = await plan(stage, image="9.9.9")
        assert (answer["canStart"], answer["batches"], answer["duration"]) == (False, [], None)
        assert severities(answer)["imageNotFound"] == "error"

    play(story, small_world(2))


def test_what_comes_between_the_start_and_the_plan_fails_the_deployment_with_its_code(
    play: Play, small_world: SmallWorld
) -> None:
    """The start finds nothing; a lock that is put on just then is found under the lock of the scale set."""

    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0")
        stage.platform.cloud.interfere.lock("demo")
        row = await stage.platform.ended(deployment)
        assert (row.status, row.error.code) == (Status.FAILED, "deleteLocked")
        assert stage.versions() == ["1.0.0"] * 2
        assert stage.platform.cloud.audit == []

    play(story, small_world(2))
