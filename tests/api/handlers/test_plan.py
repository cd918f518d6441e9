"""``?dryRun=true``: what is asked, what is answered, and that nothing is written."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.azure.surroundings import ManagementLock, Usage
from rollout.model.rows.deployment import Batch
from rollout.model.status import Phase, Status
from rollout.ports.durable import InstanceState
from rollout.ports.errors import Busy, Refused

PATH = "groups/web/deployments?dryRun=true"
DOCS = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")


async def plan(world: Any, **asked: Any) -> Any:
    before = await world.written()
    answer = await world.send("POST", PATH, {"image": "1.1.0", **asked})
    assert answer.status == 200, answer.body
    assert await world.written() == before
    return answer.body


def codes(answer: Any) -> dict[str, str]:
    return {finding["code"]: finding["severity"] for finding in answer["findings"]}


async def test_every_field_of_a_plan_is_documented_in_its_order(world: Any) -> None:
    text = DOCS.split("\n## Planning without starting\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(await plan(world))


async def test_a_plan_that_can_be_started(world: Any) -> None:
    answer = await plan(world, batchSize=4, drainingTimeout=60, gracePeriod=300)
    assert (answer["canStart"], codes(answer)) == (True, {})
    assert [(batch["blue"], batch["green"], batch["canary"]) for batch in answer["batches"]] == [
        (4, 4, False),
        (3, 3, False),
        (3, 3, False),
    ]
    assert (answer["surge"], answer["servingFloor"], answer["targetSize"]) == ({"vms": 4, "cores": 8}, 10, 10)
    assert answer["duration"]["seconds"] == 3 * (150 + 90 + 60)
    assert world.scale_sets.lists == 1


@pytest.mark.parametrize(
    ("asked", "approvals"),
    [
        ({"approvals": "everyBatch"}, [True, True, False]),
        ({"approvals": [2]}, [False, True, False]),
        ({"approvals": "afterCanary"}, [True, False, False]),
        ({}, [False, False, False]),
    ],
)
async def test_batches_say_after_which_somebody_is_asked(world: Any, asked: Any, approvals: list[bool]) -> None:
    answer = await plan(world, batchSize=4, **asked)
    assert [batch["approval"] for batch in answer["batches"]] == approvals


async def test_a_malformed_request_is_refused_as_a_start_is(world: Any) -> None:
    status, error = await world.refused("POST", PATH, {"image": "1.1.0", "batchSizePercentage": 0})
    assert (status, error["code"]) == (400, "outOfRange")
    status, error = await world.refused("POST", "groups/web/deployments?dryRun=maybe", {"image": "1.1.0"})
    assert (status, error["target"]) == (400, "dryRun")


async def test_the_same_findings_refuse_a_start(world: Any) -> None:
    world.constraints.held.append(ManagementLock("keep", world.scale_set_id, "CanNotDelete"))
    world.constraints.usage.append(Usage("cores", "Total Regional vCPUs", 99, 100))
    planned = await plan(world)
    assert planned["canStart"] is False
    assert codes(planned) == {"deleteLocked": "error", "quotaExceeded": "error"}
    before = await world.written()
    status, error = await world.refused("POST", "groups/web/deployments", {"image": "1.1.0"})
    assert (status, error["code"]) == (422, "preflightFailed")
    assert {detail["code"] for detail in error["details"]} == set(codes(planned))
    assert await world.written() == before


async def test_vms_are_looked_at_before_the_start(world: Any) -> None:
    image = ImageReference(id=f"{world.image_id}/versions/1.0.0")
    vms = [Vm(f"id-{n}", f"web_{n}", str(n), image, "Succeeded", "running", "healthy") for n in range(10)]
    world.scale_sets.listed[world.scale_set_id.lower()] = [replace(vms[0], power_state="deallocated"), *vms[1:]]
    planned = await plan(world)
    assert (codes(planned), planned["canStart"]) == ({"stoppedVms": "error"}, False)
    status, error = await world.refused("POST", "groups/web/deployments", {"image": "1.1.0"})
    assert (status, [detail["code"] for detail in error["details"]]) == (422, ["stoppedVms"])
    skipped = await plan(world, stoppedVms="skip")
    assert skipped["skipped"] == [{"name": "web_0", "reason": "stopped"}]
    assert (skipped["canStart"], skipped["servingFloor"]) == (True, 9)


@pytest.mark.parametrize(
    ("method", "right"),
    [
        ("size", "Microsoft.Compute/skus/read"),
        ("usages", "Microsoft.Compute/locations/usages/read"),
        ("locks", "Microsoft.Authorization/locks/read"),
        ("rolling_upgrade", "Microsoft.Compute/virtualMachineScaleSets/rollingUpgrades/read"),
    ],
)
@pytest.mark.parametrize("refused", [True, False])
async def test_what_cannot_be_read_is_told_with_the_right_it_takes(
    world: Any, method: str, right: str, refused: bool
) -> None:
    error = Refused("AuthorizationFailed", "no") if refused else Busy("TooManyRequests", "later")
    world.constraints.errors[method] = error
    answer = await plan(world)
    assert (answer["canStart"], codes(answer)) == (True, {"notChecked": "info"})
    (finding,) = answer["findings"]
    assert error.code in finding["message"]
    assert (right in finding["remedy"]) is refused
    assert right in (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert (answer["surge"]["cores"] is None) is (method == "size")


async def test_the_past_of_the_group_tells_how_long_it_takes(world: Any) -> None:
    started = await world.start(drainingTimeout=60)
    at = world.clock.now()

    def finished(row: Any) -> Any:
        return replace(row, status=Status.FINISHED, number_of_batches=1, ended_at=at)

    await world.store.deployments.change(started["id"], finished)
    batch = Batch(1, 2, 2, Phase.TERMINATED, started_at=at, ended_at=at + timedelta(minutes=5))
    await world.store.batches.put(started["id"], [batch])
    world.instances.states[started["id"]] = InstanceState.ENDED
    answer = await plan(world, drainingTimeout=120)
    assert answer["duration"]["basis"].startswith(
        "The mean of 1 batch of 1 finished deployment of the group; with 120 s"
    )
    assert answer["duration"]["seconds"] == 5 * (4 * 60 + 120)


@pytest.mark.parametrize(
    ("asked", "severity", "can_start"),
    [("reject", "error", False), ("queue", "warning", True), ("supersede", "warning", True)],
)
async def test_another_deployment_is_a_finding(world: Any, asked: str, severity: str, can_start: bool) -> None:
    holder = await world.start()
    answer = await plan(world, onConflict=asked)
    assert (codes(answer)["deploymentInProgress"], answer["canStart"]) == (severity, can_start)
    assert holder["id"] in answer["findings"][0]["message"]


async def test_a_set_that_is_not_there_leaves_nothing_to_plan(world: Any) -> None:
    world.scale_sets.sets.clear()
    answer = await plan(world)
    assert (answer["canStart"], answer["batches"], answer["targetSize"]) == (False, [], None)
    assert "scaleSetNotFound" in codes(answer)
