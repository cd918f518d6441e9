"""``POST /groups/{groupId}/deployments``."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rollout.model.choices import HealthCheckType
from rollout.model.codec import decode
from rollout.model.group import Defaults, SignalRule, SignalType
from rollout.model.order import Run
from rollout.ports.errors import AzureError, Busy, Refused

START = "groups/web/deployments"


async def test_a_start_answers_202_with_the_deployment_and_where_to_follow_it(world: Any) -> None:
    answer = await world.send("POST", START, {"image": "1.1.0", "comment": "release 42"})

    assert answer.status == 202
    name = answer.body["id"]
    assert name.startswith("web-20261123T081500Z-")
    assert answer.headers["Location"] == f"https://teal.example/api/deployments/{name}/operation"
    record = f"https://teal.example/api/deployments/{name}/operationStatus"
    assert (answer.headers["Operation-Location"], answer.headers["Azure-AsyncOperation"]) == (record, record)
    assert answer.headers["Retry-After"] == "15"
    assert answer.body == {
        "id": name,
        "groupId": "web",
        "status": "pending",
        "reason": "Waiting to be planned",
        "canBe": answer.body["canBe"],
        "decision": None,
        "progress": 0,
        "numberOfBatches": 0,
        "rollbackBatches": 0,
        "currentBatch": 0,
        "blueVms": 0,
        "greenVms": 0,
        "remainingBlue": 0,
        "targetSize": 0,
        "servingFloor": None,
        "serving": None,
        "rollBack": None,
        "queuePosition": None,
        "image": {"requested": "1.1.0", "pinned": f"{world.image_id}/versions/1.1.0", "previous": None},
        "healthCheckTypes": ["vmState", "applicationHealth"],
        "gracePeriod": 600,
        "expectedEndAt": None,
        "expectedEndWithoutWaits": True,
        "createdAt": "2026-11-23T08:15:00.000Z",
        "queuedAt": None,
        "startedAt": None,
        "endedAt": None,
        "startedBy": "function key",
        "comment": "release 42",
        "retryOf": None,
        "parameters": {
            "image": "1.1.0",
            "batchSizePercentage": 20,
            "batchSize": None,
            "canary": None,
            "approvals": "none",
            "bakeTime": 0,
            "waitTimeout": 86400,
            "actionOnTimeout": "stop",
            "onFailure": "discardGreen",
            "onConflict": "reject",
            "keepFor": 86400,
            "protectedVms": "refuse",
            "stoppedVms": "refuse",
            "attachedVms": "refuse",
            "adjust": False,
            "force": False,
            "retryOf": None,
            "gracePeriod": 600,
            "allocationTimeout": 600,
            "stableFor": 0,
            "batchMinHealthyPercentage": 50,
            "minHealth": None,
            "maxUnhealthyPercentage": 100,
            "tolerateUnhealthy": False,
            "drainingTimeout": 120,
            "healthCheckTypes": ["vmState", "applicationHealth"],
            "comment": "release 42",
            "signals": [],
        },
        "error": None,
        "findings": [],
    }
    read = {k: v for k, v in answer.body.items() if k != "findings"}
    assert (await world.get(f"deployments/{name}")) == {**read, "dangers": [], "findings": []}


async def test_a_min_health_takes_the_place_of_the_other_threshold(world: Any) -> None:
    parameters = (await world.start(minHealth=40, stableFor=30, tolerateUnhealthy=True))["parameters"]
    assert (parameters["minHealth"], parameters["batchMinHealthyPercentage"]) == (40, None)
    assert (parameters["stableFor"], parameters["tolerateUnhealthy"]) == (30, True)


async def test_a_deployment_keeps_the_groups_signals_and_vm_ready_gives_a_threshold_its_meaning(world: Any) -> None:
    await world.add_group(health_check_types=(), signals=(SignalRule(SignalType.VM_READY, timedelta(seconds=90)),))
    body = await world.start(minHealth=50)
    assert body["parameters"]["signals"] == [{"type": "vmReady", "timeout": 90}]
    assert [finding["code"] for finding in body["findings"]] == ["healthNotAsked"]

    await world.add_group(health_check_types=(), signals=(SignalRule(SignalType.VM_READY_TO_SHUTDOWN),))
    status, error = await world.refused("POST", START, {"image": "1.1.0", "minHealth": 50})
    assert (status, error["code"]) == (400, "thresholdWithoutCheck")


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("everyBatch", "everyBatch"),
        ("afterCanary", "afterCanary"),
        ([3, 1, 3.0], [1, 3]),
        ([], "none"),
        (None, "none"),
    ],
)
async def test_approvals_are_shown_as_they_were_asked_for(world: Any, asked: Any, shown: Any) -> None:
    parameters = (await world.start(approvals=asked))["parameters"]
    assert parameters["approvals"] == shown
    assert "approvalBatches" not in parameters


async def test_what_steers_a_deployment_is_kept_as_it_was_asked_for(world: Any) -> None:
    asked = {
        "batchSize": 2,
        "canary": {"size": 1, "approval": True, "bakeTime": 60},
        "bakeTime": 120,
        "waitTimeout": 3600,
        "actionOnTimeout": "approve",
        "onFailure": "keep",
        "keepFor": 600,
        "protectedVms": "skip",
        "stoppedVms": "replace",
        "attachedVms": "skip",
        "adjust": True,
        "force": True,
    }
    started = await world.start(**asked)
    assert {name: started["parameters"][name] for name in asked} == asked
    assert started["parameters"]["batchSizePercentage"] is None
    (_, order) = world.instances.started[started["id"]]
    run = decode(Run, order)
    assert (run.on_failure, run.wait_timeout, run.action_on_timeout) == ("keep", timedelta(hours=1), "approve")


async def test_a_deployment_without_an_image_rolls_the_sets_own(world: Any) -> None:
    answer = await world.send("POST", START, {"comment": "the same again"})
    assert answer.status == 202
    assert answer.body["image"]["requested"] is None
    assert answer.body["image"]["pinned"] == f"{world.image_id}/versions/1.0.0"


async def test_the_orchestration_is_started_once_under_the_locks_epoch(world: Any) -> None:
    name = (await world.start())["id"]

    ((started, (recipe, order)),) = world.instances.started.items()
    assert (started, recipe) == (name, "deploy_group")
    assert decode(Run, order) == Run(name, world.scale_set_id, 1, timedelta(seconds=15))
    lock = await world.lock()
    assert (lock.owner, lock.epoch) == (name, 1)


async def test_lock_and_row_are_there_before_the_orchestration(world: Any) -> None:
    seen: list[asyncio.Task[Any]] = []
    world.instances.before_start = lambda: seen.append(asyncio.ensure_future(world.written()))
    name = (await world.start())["id"]

    _, lock, (row,), _ = await seen[0]
    assert (lock.owner, row.id) == (name, name)


async def test_what_the_request_leaves_out_is_the_groups_then_teals(world: Any) -> None:
    await world.add_group(
        health_check_types=(HealthCheckType.VM_STATE, HealthCheckType.APPLICATION_HEALTH),
        draining_timeout=timedelta(seconds=30),
        defaults=Defaults(batch_size_percentage=50, grace_period=timedelta(seconds=240)),
    )
    parameters = (await world.start(gracePeriod=300.0, healthCheckTypes=["applicationHealth"]))["parameters"]

    assert parameters == {
        "image": "1.1.0",
        "batchSizePercentage": 50,
        "batchSize": None,
        "canary": None,
        "approvals": "none",
        "bakeTime": 0,
        "waitTimeout": 86400,
        "actionOnTimeout": "stop",
        "onFailure": "discardGreen",
        "onConflict": "reject",
        "keepFor": 86400,
        "protectedVms": "refuse",
        "stoppedVms": "refuse",
        "attachedVms": "refuse",
        "adjust": False,
        "force": False,
        "retryOf": None,
        "gracePeriod": 300,
        "allocationTimeout": 300,
        "stableFor": 0,
        "batchMinHealthyPercentage": 50,
        "minHealth": None,
        "maxUnhealthyPercentage": 100,
        "tolerateUnhealthy": False,
        "drainingTimeout": 30,
        "healthCheckTypes": ["applicationHealth"],
        "comment": "",
        "signals": [],
    }


async def test_nobody_can_say_who_they_are(world: Any) -> None:
    answer = await world.send("POST", START, {"image": "1.1.0"}, x_ms_client_principal_name="ada@example.com")
    assert answer.body["startedBy"] == "function key"


async def test_warnings_are_told_with_the_202(world: Any) -> None:
    world.scale_sets.add(replace(world.scale_sets.sets[world.scale_set_id.lower()], reports_health=False))
    await world.add_group(health_check_types=(HealthCheckType.VM_STATE,))
    (finding,) = (await world.start())["findings"]

    assert (finding["severity"], finding["code"]) == ("warning", "greenServesUnjudged")
    assert finding["message"]
    assert finding["remedy"]


@pytest.mark.parametrize(
    ("image", "version"),
    [("latest", "1.10.0"), ("1.9.0", "1.9.0"), ("{image}/versions/1.0.0", "1.0.0")],
)
async def test_an_image_is_pinned_to_an_exact_version(world: Any, image: str, version: str) -> None:
    started = await world.start(image=image.format(image=world.image_id))
    assert started["image"]["pinned"] == f"{world.image_id}/versions/{version}"


async def test_latest_is_the_highest_version_that_has_reached_the_region(world: Any) -> None:
    world.images.add("1.11.0", regions={"eastus2": "Replicating"})
    world.images.add("1.12.0", exclude_from_latest=True)
    assert (await world.start(image="latest"))["image"]["pinned"].endswith("/1.10.0")


async def test_a_version_that_latest_passes_over_is_deployed_where_it_is_named(world: Any) -> None:
    world.images.add("1.12.0", exclude_from_latest=True)
    started = await world.start(image="1.12.0")
    assert [(one["code"], one["severity"]) for one in started["findings"]] == [("imageExcluded", "warning")]


async def test_latest_is_chosen_among_the_five_highest_versions(world: Any) -> None:
    for minor in range(11, 17):
        world.images.add(f"1.{minor}.0", regions={"eastus2": "Replicating"})
    _, error = await world.refused("POST", START, {"image": "latest"})

    assert [detail["code"] for detail in error["details"]] == ["noLatestImage"]
    assert world.images.reads == 5
    world.images.add("1.12.1")
    assert (await world.start(image="latest"))["image"]["pinned"].endswith("/1.12.1")


async def test_a_byte_order_mark_is_no_fault(world: Any) -> None:
    answer = await world.send("POST", START, b'\xef\xbb\xbf{"image": "1.1.0"}')
    assert answer.status == 202


#: body, status, code, target
MALFORMED = [
    ({"image": 1}, 400, "invalidType", "image"),
    ({"image": " "}, 400, "invalidValue", "image"),
    ({"image": "x" * 1025}, 400, "outOfRange", "image"),
    ({"image": "1.1.0", "gracePeriods": 300}, 400, "unknownField", "gracePeriods"),
    ({"image": "1.1.0", "gracePeriod": "300"}, 400, "invalidType", "gracePeriod"),
    ({"image": "1.1.0", "gracePeriod": True}, 400, "invalidType", "gracePeriod"),
    ({"image": "1.1.0", "gracePeriod": 300.5}, 400, "invalidType", "gracePeriod"),
    ({"image": "1.1.0", "gracePeriod": 119}, 400, "outOfRange", "gracePeriod"),
    ({"image": "1.1.0", "gracePeriod": 86401}, 400, "outOfRange", "gracePeriod"),
    ({"image": "1.1.0", "tolerateUnhealthy": 1}, 400, "invalidType", "tolerateUnhealthy"),
    ({"image": "1.1.0", "allocationTimeout": 119}, 400, "outOfRange", "allocationTimeout"),
    ({"image": "1.1.0", "stableFor": -1}, 400, "outOfRange", "stableFor"),
    ({"image": "1.1.0", "minHealth": 50, "batchMinHealthyPercentage": 50}, 400, "twoThresholds", "minHealth"),
    ({"image": "1.1.0", "minHealth": 50, "healthCheckTypes": []}, 400, "thresholdWithoutCheck", "minHealth"),
    ({"image": "1.1.0", "batchSize": 2, "batchSizePercentage": 20}, 400, "twoBatchSizes", "batchSize"),
    ({"image": "1.1.0", "batchSize": 0}, 400, "outOfRange", "batchSize"),
    ({"image": "1.1.0", "canary": {}}, 400, "missingField", "canary.size"),
    ({"image": "1.1.0", "canary": {"size": None}}, 400, "invalidType", "canary.size"),
    ({"image": "1.1.0", "canary": {"size": 1, "bakeTime": 86401}}, 400, "outOfRange", "canary.bakeTime"),
    ({"image": "1.1.0", "canary": {"size": 1, "bake": 5}}, 400, "unknownField", "canary.bake"),
    ({"image": "1.1.0", "canary": 1}, 400, "invalidType", "canary"),
    ({"image": "1.1.0", "approvals": "always"}, 400, "invalidValue", "approvals"),
    ({"image": "1.1.0", "approvals": [0]}, 400, "outOfRange", "approvals"),
    ({"image": "1.1.0", "approvals": ["1"]}, 400, "invalidType", "approvals"),
    ({"image": "1.1.0", "approvals": [None]}, 400, "invalidType", "approvals"),
    ({"image": "1.1.0", "approvals": {}}, 400, "invalidType", "approvals"),
    ({"image": "1.1.0", "waitTimeout": 59}, 400, "outOfRange", "waitTimeout"),
    ({"image": "1.1.0", "waitTimeout": 14 * 86400 + 1}, 400, "outOfRange", "waitTimeout"),
    ({"image": "1.1.0", "actionOnTimeout": "wait"}, 400, "invalidValue", "actionOnTimeout"),
    ({"image": "1.1.0", "onFailure": "discardgreen"}, 400, "invalidValue", "onFailure"),
    ({"image": "1.1.0", "onConflict": 1}, 400, "invalidType", "onConflict"),
    ({"image": "1.1.0", "keepFor": -1}, 400, "outOfRange", "keepFor"),
    ({"image": "1.1.0", "protectedVms": "delete"}, 400, "invalidValue", "protectedVms"),
    ({"image": "1.1.0", "force": "yes"}, 400, "invalidType", "force"),
    ({"image": "1.1.0", "gracePeriod": 10**400}, 400, "outOfRange", "gracePeriod"),
    ({"image": "1.1.0", "batchSizePercentage": 0}, 400, "outOfRange", "batchSizePercentage"),
    ({"image": "1.1.0", "batchSizePercentage": 101}, 400, "outOfRange", "batchSizePercentage"),
    ({"image": "1.1.0", "batchMinHealthyPercentage": 0}, 400, "outOfRange", "batchMinHealthyPercentage"),
    ({"image": "1.1.0", "drainingTimeout": -1}, 400, "outOfRange", "drainingTimeout"),
    ({"image": "1.1.0", "drainingTimeout": 86401}, 400, "outOfRange", "drainingTimeout"),
    ({"image": "1.1.0", "comment": "x" * 257}, 400, "outOfRange", "comment"),
    ({"image": "1.1.0", "healthCheckTypes": "vmState"}, 400, "invalidType", "healthCheckTypes"),
    ({"image": "1.1.0", "healthCheckTypes": [1]}, 400, "invalidType", "healthCheckTypes"),
    ({"image": "1.1.0", "healthCheckTypes": ["ping"]}, 400, "unknownHealthCheckType", "healthCheckTypes"),
    ({"image": "1.1.0", "healthCheckTypes": ["loadBalancer"]}, 400, "healthCheckNotDefined", "healthCheckTypes"),
    ([], 400, "invalidType", None),
    (b"", 400, "malformedJson", None),
    (b"{", 400, "malformedJson", None),
    (b'{"image": "1.1.0", "gracePeriod": NaN}', 400, "malformedJson", None),
    (b'{"image": "1.1.0", "gracePeriod": 1e999}', 400, "invalidType", "gracePeriod"),
    (b'{"image": "1.1.0", "image": "1.2.0"}', 400, "malformedJson", None),
    (b'{"image": "\\ud800"}', 400, "malformedJson", None),
    (b'{"image": "\xff"}', 400, "malformedJson", None),
    (b"[" * 200_000, 400, "malformedJson", None),
    (b" " * (1024 * 1024 + 1), 413, "bodyTooLarge", None),
]


@pytest.mark.parametrize(("body", "status", "code", "target"), MALFORMED, ids=[str(case[0])[:60] for case in MALFORMED])
async def test_a_malformed_start_is_refused_and_changes_nothing(
    world: Any, body: Any, status: int, code: str, target: str | None
) -> None:
    before = await world.written()
    answered, error = await world.refused("POST", START, body)

    assert (answered, error["code"], error.get("target")) == (status, code, target)
    assert await world.written() == before


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded"])
async def test_only_json_may_start_a_deployment(world: Any, media_type: str) -> None:
    before = await world.written()
    status, error = await world.refused("POST", START, {"image": "1.1.0"}, content_type=media_type)
    assert (status, error["code"]) == (415, "unsupportedMediaType")
    assert await world.written() == before


async def test_a_media_type_may_have_parameters(world: Any) -> None:
    answer = await world.send("POST", START, {"image": "1.1.0"}, content_type="Application/JSON; charset=utf-8")
    assert answer.status == 202


async def test_every_fault_is_told_at_once(world: Any) -> None:
    _, error = await world.refused("POST", START, {"image": "1.1.0", "gracePeriod": 60, "batchSizePercentge": 5})

    assert error["message"] == "gracePeriod must be at least 120 seconds, not 60 (and 1 more)"
    assert error["details"] == [
        {
            "code": "outOfRange",
            "message": "gracePeriod must be at least 120 seconds, not 60",
            "target": "gracePeriod",
        },
        {
            "code": "unknownField",
            "message": "batchSizePercentge is not known; did you mean batchSizePercentage?",
            "target": "batchSizePercentge",
        },
    ]


async def test_unknown_and_undefined_health_check_types_are_answered_with_those_that_are(world: Any) -> None:
    _, unknown = await world.refused("POST", START, {"image": "1.1.0", "healthCheckTypes": ["ping"]})
    assert (
        unknown["message"]
        == "healthCheckTypes knows vmState, applicationHealth, loadBalancer, applicationGateway, not ping"
    )
    _, undefined = await world.refused("POST", START, {"image": "1.1.0", "healthCheckTypes": ["loadBalancer"]})
    assert "those of group web, vmState, applicationHealth;" in undefined["message"]


@pytest.mark.parametrize("group", ["api", "WEB", "%00", "a_b"])
async def test_an_unknown_group_is_404(world: Any, group: str) -> None:
    status, error = await world.refused("POST", f"groups/{group}/deployments", {"image": "1.1.0"})
    assert (status, error["code"], error["target"]) == (404, "groupNotFound", "groupId")


#: request, scale set, image, the codes of the details
REFUSED: list[tuple[dict[str, Any], dict[str, Any] | None, dict[str, Any], list[str]]] = [
    ({"image": "9.9.9"}, {}, {}, ["imageNotFound"]),
    ({"image": "newest"}, {}, {}, ["imageNotUnderstood"]),
    ({"image": "2.0.0"}, {}, {"regions": {"westus": "Completed"}}, ["imageNotInRegion"]),
    ({"image": "2.0.0"}, {}, {"regions": {"eastus2": "Replicating"}}, ["imageNotReplicated"]),
    ({"image": "1.1.0"}, None, {}, ["scaleSetNotFound"]),
    ({"image": "1.1.0"}, {"os_type": "Windows"}, {}, ["imageIncompatible"]),
    ({"image": "1.1.0"}, {"image": None}, {}, ["noVmProfile"]),
    ({"image": "1.1.0"}, {"provisioning_state": "Updating"}, {}, ["scaleSetBusy"]),
    ({"image": "1.1.0"}, {"upgrade_mode": "Automatic"}, {}, ["upgradeModeNotManual"]),
    (
        {"image": "1.1.0"},
        {"upgrade_mode": "Rolling", "overprovision": True},
        {},
        ["upgradeModeNotManual", "overprovisioning"],
    ),
    ({"image": "1.1.0", "batchSizePercentage": 100}, {"capacity": 900}, {}, ["surgeOverLimit"]),
    ({"image": "9.9.9"}, {"overprovision": True}, {}, ["imageNotFound"]),
]


@pytest.mark.parametrize(
    ("body", "scale_set", "version", "codes"), REFUSED, ids=[" ".join(case[3]) for case in REFUSED]
)
async def test_what_would_go_wrong_is_refused_and_changes_nothing(
    world: Any, body: Any, scale_set: dict[str, Any] | None, version: dict[str, Any], codes: list[str]
) -> None:
    world.images.add("2.0.0", **version)
    if scale_set is None:
        world.scale_sets.sets.clear()
    else:
        world.scale_sets.add(replace(world.scale_sets.sets[world.scale_set_id.lower()], **scale_set))
    before = await world.written()

    status, error = await world.refused("POST", START, body)

    assert (status, error["code"]) == (422, "preflightFailed")
    assert [detail["code"] for detail in error["details"]] == codes
    first = error["details"][0]
    assert error["message"] == f"{first['message']}. {first['remedy']}"
    assert error.get("target") == first.get("target")
    assert await world.written() == before


async def test_a_version_alone_needs_a_group_with_an_image(world: Any) -> None:
    await world.add_group(image_id=None)
    _, error = await world.refused("POST", START, {"image": "1.1.0"})
    assert [(detail["code"], detail["target"]) for detail in error["details"]] == [("groupHasNoImage", "image")]


async def test_latest_of_an_image_without_a_usable_version_is_refused(world: Any) -> None:
    world.images.versions.clear()
    _, error = await world.refused("POST", START, {"image": "latest"})
    assert [detail["code"] for detail in error["details"]] == ["noLatestImage"]


AZURE = [
    (Busy("TooManyRequests", "slow down", timedelta(seconds=42)), 503, "azureBusy", "42"),
    (Busy("ServiceUnavailable", "later"), 503, "azureBusy", "15"),
    (Refused("AuthorizationFailed", "no"), 422, "azureRefused", None),
    (AzureError("Odd", "what"), 502, "azureFailed", None),
]


@pytest.mark.parametrize("neighbour", ["scale_sets", "images"])
@pytest.mark.parametrize(("raised", "status", "code", "retry_after"), AZURE, ids=[case[0].code for case in AZURE])
async def test_azures_trouble_is_told_with_its_code_and_changes_nothing(
    world: Any, neighbour: str, raised: AzureError, status: int, code: str, retry_after: str | None
) -> None:
    before = await world.written()
    getattr(world, neighbour).error = raised
    answer = await world.send("POST", START, {"image": "1.1.0"})

    assert (answer.status, answer.body["error"]["code"]) == (status, code)
    assert raised.code in answer.body["error"]["message"]
    assert answer.headers.get("Retry-After") == retry_after
    assert await world.written() == before


async def test_a_missing_role_is_answered_with_the_role_to_give(world: Any) -> None:
    world.scale_sets.error = Refused("AuthorizationFailed", "The client … does not have authorization")
    _, error = await world.refused("POST", START, {"image": "1.1.0"})
    assert "Virtual Machine Contributor" in error["message"]


async def test_what_nobody_foresaw_is_a_500_that_tells_nothing(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    world.scale_sets.error = RuntimeError("the password is swordfish")
    status, error = await world.refused("POST", START, {"image": "1.1.0"})
    assert (status, error["code"]) == (500, "internalError")
    assert "swordfish" not in str(error)
    assert "swordfish" in caplog.text
