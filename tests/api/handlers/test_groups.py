"""``/groups``."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api.transport.http import VERSION
from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.choices import HealthCheckType
from rollout.model.group import Defaults
from rollout.model.rows.danger import DangerRecord
from rollout.ports.durable import InstanceState
from rollout.ports.errors import Busy, Refused

OTHER_ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo/providers/Microsoft.Compute"
    "/virtualMachineScaleSets/api"
)

NO_DEFAULTS = {
    "batchSizePercentage": None,
    "gracePeriod": None,
    "batchMinHealthyPercentage": None,
    "batchSize": None,
    "canary": None,
    "approvals": None,
    "bakeTime": None,
    "waitTimeout": None,
    "actionOnTimeout": None,
    "onFailure": None,
    "keepFor": None,
    "protectedVms": None,
    "stoppedVms": None,
    "attachedVms": None,
}


def scale_set(world: Any, **fields: Any) -> Any:
    return replace(world.scale_sets.sets[world.scale_set_id.lower()], **fields)


async def test_a_new_group_is_201_with_every_default(world: Any) -> None:
    world.scale_sets.add(scale_set(world, id=OTHER_ID, name="api"))
    answer = await world.send("PUT", "groups/api", {"scaleSetId": OTHER_ID})

    assert answer.status == 201
    assert answer.headers["Location"] == "https://teal.example/api/groups/api"
    assert answer.body == {
        "id": "api",
        "scaleSetId": OTHER_ID,
        "imageId": None,
        "healthCheckTypes": ["vmState"],
        "signals": [],
        "drainingTimeout": None,
        "defaults": NO_DEFAULTS,
        "imageRule": None,
        "schedules": [],
        "createdAt": "2026-11-23T08:15:00.000Z",
        "updatedAt": "2026-11-23T08:15:00.000Z",
        "scheduled": [],
        "state": {
            "asOf": "2026-11-23T08:15:00.000Z",
            "name": "api",
            "location": "eastus2",
            "orchestrationMode": "Uniform",
            "capacity": 10,
            "provisioningState": "Succeeded",
            "image": "1.0.0",
            "imageReference": f"{world.image_id}/versions/1.0.0",
            "zones": ["1", "2", "3"],
            "vms": 10,
            "images": [{"image": "1.0.0", "imageReference": f"{world.image_id}/versions/1.0.0", "vms": 10}],
            "health": {"healthy": 10, "unhealthy": 0, "unknown": 0},
            "error": None,
        },
        "rollNeeded": {
            "asOf": "2026-11-23T08:15:00.000Z",
            "outdated": 0,
            "total": 10,
            "reasons": [],
            "error": None,
        },
        "needsAttention": None,
        "latest": None,
        "dangers": [],
        "findings": [],
    }


async def test_a_group_is_replaced_whole_with_200(world: Any) -> None:
    body = {
        "scaleSetId": world.scale_set_id,
        "imageId": world.image_id,
        "healthCheckTypes": ["applicationHealth", "vmState", "applicationHealth"],
        "drainingTimeout": 30,
        "defaults": {"gracePeriod": 300},
    }
    assert (await world.send("PUT", "groups/web", body)).status == 200
    group = await world.store.groups.get("web")
    assert group.health_check_types == (HealthCheckType.APPLICATION_HEALTH, HealthCheckType.VM_STATE)
    assert (group.draining_timeout, group.defaults) == (
        timedelta(seconds=30),
        Defaults(grace_period=timedelta(seconds=300)),
    )

    await world.send("PUT", "groups/web", {"scaleSetId": world.scale_set_id})
    group = await world.store.groups.get("web")
    assert (group.image_id, group.draining_timeout, group.defaults) == (None, None, Defaults())


async def test_signals_are_put_and_shown_with_their_timeouts(world: Any) -> None:
    signals = [{"type": "vmReady"}, {"type": "vmReadyToShutdown", "timeout": 60}]
    answer = await world.send("PUT", "groups/web", {"scaleSetId": world.scale_set_id, "signals": signals})
    shown = [{"type": "vmReady", "timeout": 1800}, {"type": "vmReadyToShutdown", "timeout": 60}]
    assert answer.body["signals"] == (await world.get("groups/web"))["signals"] == shown

    answer = await world.send("PUT", "groups/web", {"scaleSetId": world.scale_set_id, "signals": None})
    assert answer.body["signals"] == []


async def test_a_misspelt_field_of_a_signal_is_told_its_name(world: Any) -> None:
    body = {"scaleSetId": OTHER_ID, "signals": [{"type": "vmReady", "timeOut": 60}]}
    _, error = await world.refused("PUT", "groups/api", body)
    assert error["message"] == "signals.0.timeOut is not known; did you mean timeout?"


async def test_replacing_keeps_when_the_group_was_made(world: Any) -> None:
    await world.add_group(created_at=world.clock.now())
    world.clock.pass_(timedelta(days=1))
    answer = await world.send("PUT", "groups/web", {"scaleSetId": world.scale_set_id})
    assert answer.body["createdAt"] == "2026-11-23T08:15:00.000Z"
    assert answer.body["updatedAt"] == "2026-11-24T08:15:00.000Z"


#: body, code, target
MALFORMED = [
    ({}, "missingField", "scaleSetId"),
    ({"scaleSetId": "web"}, "invalidValue", "scaleSetId"),
    ({"scaleSetId": OTHER_ID + "/virtualMachines/3"}, "invalidValue", "scaleSetId"),
    ({"scaleSetId": OTHER_ID + "?x"}, "invalidValue", "scaleSetId"),
    ({"scaleSetId": 5}, "invalidType", "scaleSetId"),
    ({"scaleSetId": OTHER_ID, "imageId": OTHER_ID}, "invalidValue", "imageId"),
    ({"scaleSetId": OTHER_ID, "drainingTimeout": "2m"}, "invalidType", "drainingTimeout"),
    ({"scaleSetId": OTHER_ID, "healthCheckTypes": ["ping"]}, "unknownHealthCheckType", "healthCheckTypes"),
    ({"scaleSetId": OTHER_ID, "signals": {}}, "invalidType", "signals"),
    ({"scaleSetId": OTHER_ID, "signals": ["vmReady"]}, "invalidType", "signals.0"),
    ({"scaleSetId": OTHER_ID, "signals": [{}]}, "missingField", "signals.0.type"),
    ({"scaleSetId": OTHER_ID, "signals": [{"type": 1}]}, "invalidType", "signals.0.type"),
    ({"scaleSetId": OTHER_ID, "signals": [{"type": "vmready"}]}, "invalidValue", "signals.0.type"),
    ({"scaleSetId": OTHER_ID, "signals": [{"type": "vmReady", "timeout": 59}]}, "outOfRange", "signals.0.timeout"),
    ({"scaleSetId": OTHER_ID, "signals": [{"type": "vmReady", "timeout": 1801}]}, "outOfRange", "signals.0.timeout"),
    ({"scaleSetId": OTHER_ID, "signals": [{"type": "vmReady", "timeOut": 60}]}, "unknownField", "signals.0.timeOut"),
    ({"scaleSetId": OTHER_ID, "signals": [{"type": "vmReady"}] * 2}, "invalidValue", "signals"),
    ({"scaleSetId": OTHER_ID, "defaults": 5}, "invalidType", "defaults"),
    ({"scaleSetId": OTHER_ID, "defaults": {"gracePeriod": 60}}, "outOfRange", "defaults.gracePeriod"),
    ({"scaleSetId": OTHER_ID, "defaults": {"graceperiod": 300}}, "unknownField", "defaults.graceperiod"),
    ({"scaleSetId": OTHER_ID, "name": "web"}, "unknownField", "name"),
]


@pytest.mark.parametrize(("body", "code", "target"), MALFORMED, ids=[str(case[0])[-60:] for case in MALFORMED])
async def test_a_malformed_group_is_refused_and_not_kept(world: Any, body: Any, code: str, target: str) -> None:
    before = await world.written()
    status, error = await world.refused("PUT", "groups/api", body)
    assert (status, error["code"], error["target"]) == (400, code, target)
    assert await world.written() == before


async def test_an_unknown_field_is_answered_with_the_nearest_known_one(world: Any) -> None:
    _, error = await world.refused("PUT", "groups/api", {"scaleSetId": OTHER_ID, "defaults": {"graceperiod": 300}})
    assert error["message"] == "defaults.graceperiod is not known; did you mean gracePeriod?"
    _, error = await world.refused("PUT", "groups/api", {"scaleSetId": OTHER_ID, "defaults": {"zzz": 300}})
    assert "known are batchSizePercentage, gracePeriod, batchMinHealthyPercentage, batchSize" in error["message"]


async def test_a_groups_defaults_may_say_what_a_start_may(world: Any) -> None:
    defaults = {
        "batchSize": 3,
        "canary": {"size": 1, "approval": False, "bakeTime": 60},
        "approvals": "everyBatch",
        "bakeTime": 60,
        "waitTimeout": 3600,
        "actionOnTimeout": "rollBack",
        "onFailure": "rollBack",
        "keepFor": 0,
        "protectedVms": "skip",
        "stoppedVms": "skip",
        "attachedVms": "replace",
    }
    answer = await world.send("PUT", "groups/web", {"scaleSetId": world.scale_set_id, "defaults": defaults})
    assert answer.body["defaults"] == {**NO_DEFAULTS, **defaults}
    answer = await world.send("PUT", "groups/web", {"scaleSetId": world.scale_set_id, "defaults": {"canary": {}}})
    assert answer.body["error"]["target"] == "defaults.canary.size"
    both = {"batchSize": 3, "batchSizePercentage": 20}
    status, error = await world.refused("PUT", "groups/web", {"scaleSetId": world.scale_set_id, "defaults": both})
    assert (status, error["code"], error["target"]) == (400, "twoBatchSizes", "defaults")


@pytest.mark.parametrize("group_id", ["Web", "-web", "a_b", "x" * 41])
async def test_a_groups_id_is_narrow(world: Any, group_id: str) -> None:
    status, error = await world.refused("PUT", f"groups/{group_id}", {"scaleSetId": world.scale_set_id})
    assert (status, error["code"], error["target"]) == (400, "invalidValue", "groupId")


#: scale set (None: there is none), code
UNFIT = [
    (None, "scaleSetNotFound"),
    ({"image": None}, "noVmProfile"),
    ({"tags": {"aks-managed-poolName": "pool"}}, "managedScaleSet"),
    ({"service_fabric": True}, "managedScaleSet"),
]


@pytest.mark.parametrize(("fields", "code"), UNFIT, ids=[case[1] for case in UNFIT])
async def test_a_scale_set_that_teal_can_never_deploy_to_is_refused(
    world: Any, fields: dict[str, Any] | None, code: str
) -> None:
    if fields is not None:
        world.scale_sets.add(scale_set(world, id=OTHER_ID, **fields))
    before = await world.written()
    status, error = await world.refused("PUT", "groups/api", {"scaleSetId": OTHER_ID})

    assert (status, error["code"], error["target"]) == (422, "preflightFailed", "scaleSetId")
    assert [detail["code"] for detail in error["details"]] == [code]
    assert error["details"][0]["remedy"]
    assert await world.written() == before


async def test_a_scale_set_that_can_be_put_right_is_registered_with_what_to_change(world: Any) -> None:
    busy = {"upgrade_mode": "Automatic", "overprovision": True, "provisioning_state": "Updating"}
    world.scale_sets.add(scale_set(world, id=OTHER_ID, **busy))
    answer = await world.send("PUT", "groups/api", {"scaleSetId": OTHER_ID})
    assert answer.status == 201
    assert [found["code"] for found in answer.body["findings"]] == ["upgradeModeNotManual", "overprovisioning"]


async def test_a_scale_set_has_one_group(world: Any) -> None:
    before = await world.written()
    status, error = await world.refused("PUT", "groups/api", {"scaleSetId": world.scale_set_id.upper()})
    assert (status, error["code"], error["target"]) == (409, "scaleSetTaken", "scaleSetId")
    assert "Group web" in error["message"]
    assert await world.written() == before


async def test_azures_refusal_keeps_a_group_from_being_made(world: Any) -> None:
    world.scale_sets.error = Refused("AuthorizationFailed", "no")
    status, error = await world.refused("PUT", "groups/api", {"scaleSetId": OTHER_ID})
    assert (status, error["code"]) == (422, "azureRefused")
    assert await world.store.groups.get("api") is None


async def free(world: Any, name: str) -> None:
    """Let a deployment's orchestration end, and the set be free."""
    world.instances.states[name] = InstanceState.ENDED
    lock = await world.lock()
    await world.store.locks.swap(lock, replace(lock, owner=""))


async def test_dangers_are_shown_by_the_group_and_by_the_deployment_that_left_them(world: Any) -> None:
    name = (await world.start())["id"]
    at = world.clock.now()
    known = DangerRecord(world.scale_set_id.lower(), "notRestored", at, name, "It failed", "Do this", 2, at, "a")
    for danger in (known, replace(known, code="begun", reason=""), replace(known, code="old", deployment_id="web-1")):
        await world.store.dangers.put(danger)
    shown = {
        "code": "notRestored",
        "since": "2026-11-23T08:15:00.000Z",
        "message": "It failed. Tried 2 times, the next time at 2026-11-23T08:15:00.000Z",
        "remedy": "Do this",
    }
    assert (await world.get("groups/web"))["dangers"] == [shown, {**shown, "code": "old"}]
    assert (await world.get(f"deployments/{name}"))["dangers"] == [shown]


async def test_a_live_deployment_keeps_its_group_and_scale_set(world: Any) -> None:
    world.scale_sets.add(scale_set(world, id=OTHER_ID))
    name = (await world.start())["id"]
    before = await world.written()

    for request in (("DELETE", "groups/web"), ("PUT", "groups/web", {"scaleSetId": OTHER_ID})):
        status, error = await world.refused(*request)
        assert (status, error["code"], error["target"]) == (409, "deploymentInProgress", name)
    assert await world.written() == before

    # The same scale set in other letters is no change of it.
    answer = await world.send("PUT", "groups/web", {"scaleSetId": world.scale_set_id.upper()})
    assert answer.status == 200
    await free(world, name)
    assert (await world.send("PUT", "groups/web", {"scaleSetId": OTHER_ID})).status == 200
    assert (await world.send("DELETE", "groups/web")).status == 204


async def test_a_deleted_group_is_gone_and_its_deployments_stay_readable(world: Any) -> None:
    name = (await world.start())["id"]
    await free(world, name)
    answer = await world.send("DELETE", "groups/web")

    assert (answer.status, answer.body, answer.content) == (204, None, b"")
    assert (await world.refused("GET", "groups/web"))[0] == 404
    assert (await world.refused("DELETE", "groups/web"))[1]["code"] == "groupNotFound"
    assert (await world.get(f"deployments/{name}"))["id"] == name


async def test_groups_are_listed_by_id_without_asking_azure(world: Any) -> None:
    await world.add_group(id="api", scale_set_id=OTHER_ID)
    listed = (await world.get("groups"))["value"]
    assert [group["id"] for group in listed] == ["api", "web"]
    assert world.scale_sets.reads == 0


async def test_a_groups_state_is_read_at_most_every_minute(world: Any) -> None:
    first = await asyncio.gather(*(world.get("groups/web?fresh=true") for _ in range(5)))
    world.clock.pass_(timedelta(seconds=59))
    later = await world.get("groups/web?fresh=true")

    assert world.scale_sets.reads == 1
    assert {group["state"]["asOf"] for group in (*first, later)} == {"2026-11-23T08:15:00.000Z"}
    assert later["state"]["capacity"] == 10
    world.clock.pass_(timedelta(seconds=1))
    assert (await world.get("groups/web"))["state"] == later["state"]
    assert (await world.get("groups/web?fresh=true"))["state"]["asOf"] == "2026-11-23T08:16:00.000Z"
    assert world.scale_sets.reads == 2


async def test_a_group_is_readable_while_its_scale_set_is_not(world: Any) -> None:
    world.scale_sets.error = Busy("TooManyRequests", "slow down")
    group = await world.get("groups/web?fresh=true")
    assert group["scaleSetId"] == world.scale_set_id
    assert group["state"] == {
        "asOf": "2026-11-23T08:15:00.000Z",
        "vms": None,
        "images": [],
        "health": None,
        "error": {"code": "TooManyRequests", "message": "slow down"},
    }
    assert (await world.get("groups/web"))["state"] == group["state"]
    assert world.scale_sets.reads == 1


async def test_a_group_whose_scale_set_is_gone_says_so(world: Any) -> None:
    world.scale_sets.sets.clear()
    assert (await world.get("groups/web?fresh=true"))["state"]["error"]["code"] == "scaleSetNotFound"


async def test_the_vms_of_a_group_are_shown_as_they_are_at_most_a_minute_old(world: Any) -> None:
    image = ImageReference(id=f"{world.image_id}/versions/1.0.0")
    sick = Vm("id-1", "web_1", "1", image, "Succeeded", "stopped", zone="2")
    well = Vm("id-0", "web_0", "0", image, "Succeeded", "running", "healthy", zone="1")
    world.scale_sets.listed[world.scale_set_id.lower()] = [sick, well]
    first = await world.get("groups/web/vms")
    assert first["asOf"] == "2026-11-23T08:15:00.000Z"
    assert first["value"][0] == {
        "vmId": "id-0",
        "name": "web_0",
        "image": "1.0.0",
        "imageReference": f"{world.image_id}/versions/1.0.0",
        "zone": "1",
        "health": "healthy",
        "reason": "vmState: running",
        "provisioningState": "Succeeded",
        "powerState": "running",
        "pools": [],
    }
    assert (first["value"][1]["health"], first["value"][1]["reason"]) == ("unhealthy", "vmState: power state stopped")
    world.clock.pass_(timedelta(seconds=59))
    assert await world.get("groups/web/vms") == first
    assert world.scale_sets.lists == 1
    world.clock.pass_(timedelta(seconds=1))
    assert (await world.get("groups/web/vms"))["asOf"] == "2026-11-23T08:16:00.000Z"
    assert world.scale_sets.lists == 2


async def put_findings(world: Any, **fields: Any) -> list[tuple[str, str, str]]:
    answer = await world.send("PUT", "groups/web", {"scaleSetId": world.scale_set_id, **fields})
    assert answer.status == 200, answer.body
    return [(found["severity"], found["code"], found["target"]) for found in answer.body["findings"]]


async def test_an_image_id_that_names_nothing_is_told(world: Any) -> None:
    nothing = f"{world.image_id}x"
    assert await put_findings(world, imageId=world.image_id) == []
    assert await put_findings(world, imageId=nothing) == [("error", "imageNotFound", "imageId")]
    assert await put_findings(world, imageRule={"imageId": nothing}) == [
        ("error", "imageNotFound", "imageRule.imageId")
    ]


async def test_an_image_that_cannot_be_read_is_no_reason_to_refuse_a_group(world: Any) -> None:
    async def refuse(*args: Any) -> Any:
        raise Refused("AuthorizationFailed", "no")

    world.images.list_versions = refuse
    assert await put_findings(world, imageId=world.image_id) == [("info", "notChecked", "imageId")]


@pytest.mark.parametrize(("waited", "grace", "told"), [(299, 300, False), (300, 300, True), (1800, 600, True)])
async def test_a_grace_period_that_is_over_before_a_signal_is_told(
    world: Any, waited: int, grace: int, told: bool
) -> None:
    signals = [{"type": "vmReady", "timeout": waited}, {"type": "vmReadyToShutdown", "timeout": 1800}]
    found = await put_findings(world, imageId=world.image_id, signals=signals, defaults={"gracePeriod": grace})
    found.remove(("warning", "signalsShareAKey", "signals"))
    assert found == ([("warning", "gracePeriodTooShort", "gracePeriod")] if told else [])
    started = await world.start()
    assert ("gracePeriodTooShort" in [one["code"] for one in started["findings"]]) == told


async def test_every_answer_says_which_version_it_is_from(world: Any) -> None:
    for answer in (
        await world.send("GET", "groups"),
        await world.send("GET", "groups/none"),
        await world.send("GET", "docs"),
        await world.send("DELETE", "groups/web"),
    ):
        assert answer.all_headers["X-Teal-Version"] == VERSION
