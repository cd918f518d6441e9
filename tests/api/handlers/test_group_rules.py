"""What a group deploys by itself: its image rule and its schedules, as they are put and shown."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from api.handlers.groups import put_group
from api.transport.http import Request
from rollout.model.choices import Canary, OnFailure
from rollout.model.image_rule import ImageRule
from rollout.model.request import StartRequest
from rollout.model.schedule import Schedule
from services.readings import Readings

MARKETPLACE = "canonical:ubuntu-24_04-lts:server:latest"


def body(world: Any, **fields: Any) -> dict[str, Any]:
    return {"scaleSetId": world.scale_set_id, "imageId": world.image_id, **fields}


async def test_an_image_rule_is_put_and_shown_with_what_it_asks_for_and_no_more(world: Any) -> None:
    asked = {"canary": {"size": 1}, "approvals": [1, 2], "onFailure": "rollBack", "gracePeriod": 300}
    rule = {"imageId": world.image_id, "versions": ">=1.2 <2", "deployment": asked}
    answer = await world.send("PUT", "groups/web", body(world, imageRule=rule))
    shown = {
        "imageId": world.image_id,
        "versions": ">=1.2 <2",
        "enabled": True,
        "replicationTimeout": 86400,
        "deployment": {**asked, "canary": {"size": 1, "approval": False, "bakeTime": 0}},
    }
    assert answer.body["imageRule"] == (await world.get("groups/web"))["imageRule"] == shown
    group = await world.store.groups.get("web")
    assert group.image_rule == ImageRule(
        world.image_id,
        ">=1.2 <2",
        deployment=StartRequest(
            canary=Canary(1), approvals=(1, 2), on_failure=OnFailure.ROLL_BACK, grace_period=timedelta(seconds=300)
        ),
    )
    # What is shown may be sent back, and the whole definition replaces the one before.
    again = await world.send("PUT", "groups/web", body(world, imageRule={**shown, "enabled": False}))
    assert again.body["imageRule"] == {**shown, "enabled": False}
    assert (await world.send("PUT", "groups/web", body(world))).body["imageRule"] is None


async def test_schedules_are_put_and_shown(world: Any) -> None:
    weekly = {
        "name": "weekly",
        "cron": "0 3 * * SUN",
        "timeZone": "Europe/Berlin",
        "maxLateness": 7200,
        "deployment": {"image": "latest", "approvals": "everyBatch"},
    }
    answer = await world.send("PUT", "groups/web", body(world, schedules=[weekly, {"name": "x", "cron": "* * * * *"}]))
    plain = {"name": "x", "cron": "* * * * *", "timeZone": "UTC", "enabled": True, "maxLateness": 3600}
    assert answer.body["schedules"] == [{**weekly, "enabled": True}, {**plain, "deployment": {}}]
    group = await world.store.groups.get("web")
    assert tuple(replace(schedule, since=None) for schedule in group.schedules) == (
        Schedule(
            "weekly",
            "0 3 * * SUN",
            "Europe/Berlin",
            max_lateness=timedelta(hours=2),
            deployment=StartRequest(image="latest", approvals="everyBatch"),
        ),
        Schedule("x", "* * * * *"),
    )
    assert [group["schedules"] for group in (await world.get("groups"))["value"]] == [answer.body["schedules"]]


def rule(**fields: Any) -> dict[str, Any]:
    return {"imageRule": {"imageId": "IMAGE", **fields}}


def scheduled(**fields: Any) -> dict[str, Any]:
    return {"schedules": [{"name": "nightly", "cron": "0 3 * * *", **fields}]}


#: fields, code, target
MALFORMED: list[tuple[dict[str, Any], str, str]] = [
    ({"imageRule": {}}, "missingField", "imageRule.imageId"),
    ({"imageRule": []}, "invalidType", "imageRule"),
    (rule(imageId="web"), "invalidValue", "imageRule.imageId"),
    (rule(imageId=None), "invalidType", "imageRule.imageId"),
    (rule(imageId="IMAGE/versions/1.0.0"), "invalidValue", "imageRule.imageId"),
    (rule(versions="newest"), "invalidValue", "imageRule.versions"),
    (rule(versions=""), "invalidValue", "imageRule.versions"),
    (rule(versions=">=2 <1"), "invalidValue", "imageRule.versions"),
    (rule(enabled="yes"), "invalidType", "imageRule.enabled"),
    (rule(replicationTimeout=59), "outOfRange", "imageRule.replicationTimeout"),
    (rule(deployment={"image": "1.1.0"}), "unknownField", "imageRule.deployment.image"),
    (rule(deployment={"onConflict": "queue"}), "unknownField", "imageRule.deployment.onConflict"),
    (rule(deployment={"gracePeriod": 60}), "outOfRange", "imageRule.deployment.gracePeriod"),
    (
        rule(deployment={"batchSize": 1, "batchSizePercentage": 20}),
        "twoBatchSizes",
        "imageRule.deployment.batchSize",
    ),
    (
        rule(deployment={"healthCheckTypes": ["loadBalancer"]}),
        "healthCheckNotDefined",
        "imageRule.deployment.healthCheckTypes",
    ),
    (
        {"healthCheckTypes": [], **rule(deployment={"minHealth": 50})},
        "thresholdWithoutCheck",
        "imageRule.deployment.minHealth",
    ),
    ({"schedules": {}}, "invalidType", "schedules"),
    ({"schedules": [{"cron": "0 3 * * *"}]}, "missingField", "schedules.0.name"),
    (scheduled(name="Nightly"), "invalidValue", "schedules.0.name"),
    (scheduled(cron="0 3 * *"), "invalidValue", "schedules.0.cron"),
    (scheduled(cron="0 0 3 * * *"), "invalidValue", "schedules.0.cron"),
    (scheduled(cron="@daily"), "invalidValue", "schedules.0.cron"),
    (scheduled(cron="0 25 * * *"), "invalidValue", "schedules.0.cron"),
    (scheduled(cron="0 0 30 2 *"), "invalidValue", "schedules.0.cron"),
    (scheduled(timeZone="Europe/Nowhere"), "invalidValue", "schedules.0.timeZone"),
    (scheduled(timeZone="../etc/passwd"), "invalidValue", "schedules.0.timeZone"),
    (scheduled(timeZone="Europe"), "invalidValue", "schedules.0.timeZone"),
    (scheduled(maxLateness=59), "outOfRange", "schedules.0.maxLateness"),
    (scheduled(deployment={"image": "newest"}), "invalidValue", "schedules.0.deployment.image"),
    (scheduled(deployment={"retryOf": "x"}), "unknownField", "schedules.0.deployment.retryOf"),
    (
        scheduled(deployment={"minHealth": 5, "batchMinHealthyPercentage": 5}),
        "twoThresholds",
        "schedules.0.deployment.minHealth",
    ),
    ({"schedules": 2 * scheduled()["schedules"]}, "invalidValue", "schedules"),
    (
        {"schedules": [{"name": f"s{number}", "cron": "0 3 * * *"} for number in range(21)]},
        "outOfRange",
        "schedules",
    ),
]


@pytest.mark.parametrize(("fields", "code", "target"), MALFORMED, ids=[str(case[0])[-70:] for case in MALFORMED])
async def test_what_could_not_be_done_is_refused_and_not_kept(
    world: Any, fields: dict[str, Any], code: str, target: str
) -> None:
    before = await world.written()
    if isinstance(fields.get("imageRule"), dict) and fields["imageRule"].get("imageId"):
        image_id = str(fields["imageRule"]["imageId"]).replace("IMAGE", world.image_id)
        fields = {**fields, "imageRule": {**fields["imageRule"], "imageId": image_id}}
    status, error = await world.refused("PUT", "groups/web", body(world, **fields))
    assert (status, error["code"], error["target"]) == (400, code, target)
    assert await world.written() == before


async def test_a_scheduled_version_needs_the_groups_image(world: Any) -> None:
    asked = {"scaleSetId": world.scale_set_id, **scheduled(deployment={"image": "latest"})}
    status, error = await world.refused("PUT", "groups/web", asked)
    assert (status, error["target"]) == (400, "schedules.0.deployment.image")
    assert "The group has no imageId" in error["message"]
    asked = {"scaleSetId": world.scale_set_id, **scheduled(deployment={"image": MARKETPLACE})}
    assert (await world.send("PUT", "groups/web", asked)).status == 200


@pytest.mark.parametrize(
    ("fields", "target"),
    [
        ({"imageRule": {"imageId": "IMAGE"}}, "imageRule.imageId"),
        (scheduled(deployment={"image": "IMAGE/versions/1.0.0"}), "schedules.0.deployment.image"),
    ],
)
async def test_what_the_app_may_not_use_is_not_deployed_by_itself_either(
    world: Any, fields: dict[str, Any], target: str
) -> None:
    content = json.dumps({"scaleSetId": world.scale_set_id, **fields}).replace("IMAGE", world.image_id).encode()
    request = Request(
        "PUT",
        "https://teal.example/api/groups/web",
        {"content-type": "application/json"},
        {"groupId": "web"},
        content,
    )
    with pytest.raises(Exception, match="scopeNotAllowed") as refused:
        await put_group(world.ports, request, readings=Readings(), scopes=[world.scale_set_id])
    assert getattr(refused.value, "target", "") == target
