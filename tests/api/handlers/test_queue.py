"""``onConflict`` and ``retryOf``: starts that meet other deployments, or follow them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.azure.surroundings import Usage
from rollout.model.codec import decode
from rollout.model.names import deployment_id
from rollout.model.order import Run
from rollout.model.rows.deployment import Deployment, VmRecord
from rollout.model.status import Color, Status, VmStatus
from rollout.ports.durable import InstanceState
from rollout.ports.errors import Busy

START = "groups/web/deployments"


async def said(world: Any, name: str) -> list[tuple[str, str]]:
    return [(str(command.kind), command.by) for command in await world.store.commands.list(name)]


async def later(world: Any, **fields: Any) -> Any:
    """A start a second later."""
    world.clock.pass_(timedelta(seconds=1))
    return await world.start(**fields)


async def end(world: Any, name: str, status: Status = Status.STOPPED, **fields: Any) -> None:
    """Let a deployment end, and free the set."""

    def change(row: Deployment) -> Deployment:
        return replace(row, **{"status": status, "ended_at": world.clock.now(), **fields})

    await world.store.deployments.change(name, change)
    world.instances.states[name] = InstanceState.ENDED
    lock = await world.lock()
    if lock is not None and lock.owner == name:
        await world.store.locks.swap(lock, replace(lock, owner=""))


@pytest.mark.parametrize("on_conflict", ["queue", "supersede"])
async def test_where_nobody_is_in_the_way_the_deployment_starts(world: Any, on_conflict: str) -> None:
    started = await world.start(onConflict=on_conflict)
    assert (started["status"], started["queuedAt"]) == ("pending", None)
    assert (await world.lock()).owner == started["id"]


async def test_a_queued_deployment_is_there_and_its_orchestration_waits_for_its_turn(world: Any) -> None:
    first = await world.start()
    second = await later(world, onConflict="queue")

    assert (second["status"], second["reason"]) == ("queued", f"Waiting for deployment {first['id']}")
    assert second["queuedAt"] == "2026-11-23T08:15:01.000Z"
    assert [one["command"] for one in second["canBe"] if one["possible"]] == ["stop"]
    assert second["queuePosition"] == 1
    (_, order) = world.instances.started[second["id"]]
    assert decode(Run, order).queued
    row = await world.store.deployments.get(second["id"])
    assert (row.epoch, (await world.lock()).owner) == (0, first["id"])
    listed = await world.get("deployments?status=queued")
    assert [one["id"] for one in listed["value"]] == [second["id"]]
    assert await said(world, first["id"]) == []


async def test_what_may_have_passed_by_its_turn_refuses_no_queued_start(world: Any) -> None:
    await world.start()
    key = world.scale_set_id.lower()
    next_reading(world)
    world.scale_sets.add(replace(world.scale_sets.sets[key], provisioning_state="Updating"))
    assert (await later(world, onConflict="queue"))["status"] == "queued"
    next_reading(world)
    world.scale_sets.add(replace(world.scale_sets.sets[key], os_type="Windows"))
    status, error = await world.refused("POST", START, {"image": "1.1.0", "onConflict": "queue"})
    assert (status, error["code"]) == (422, "preflightFailed")
    assert [detail["code"] for detail in error["details"]] == ["imageIncompatible"]


async def test_who_waits_comes_before_who_is_new(world: Any) -> None:
    first = await world.start()
    second = await later(world, onConflict="queue")
    await end(world, first["id"])
    status, error = await world.refused("POST", START, {"image": "1.9.0"})
    assert (status, error["code"], error["target"]) == (409, "deploymentInProgress", second["id"])
    third = await later(world, onConflict="queue")
    assert third["reason"] == f"Waiting for deployment {second['id']}"


async def test_a_superseding_start_stops_the_running_one_and_those_that_wait(world: Any) -> None:
    first = await world.start()
    second = await later(world, onConflict="queue")
    third = await later(world, onConflict="supersede")
    assert third["status"] == "queued"
    for other in (first, second):
        assert await said(world, other["id"]) == [("stop", f"superseded by {third['id']}")]
    fourth = await later(world, onConflict="supersede")
    assert await said(world, third["id"]) == [("stop", f"superseded by {fourth['id']}")]
    assert len(await said(world, first["id"])) == 1


async def test_a_deployment_that_has_no_row_yet_can_be_superseded(world: Any) -> None:
    first = await world.start()
    lock = await world.lock()
    await world.store.locks.swap(lock, replace(lock, owner="web-20261123T081500Z-000000"))
    await end(world, first["id"])
    third = await later(world, onConflict="supersede")
    assert await said(world, "web-20261123T081500Z-000000") == [("stop", f"superseded by {third['id']}")]


async def test_of_two_queueing_starts_at_once_one_deploys_and_one_waits(world: Any) -> None:
    answers = await asyncio.gather(
        *(world.send("POST", START, {"image": "1.1.0", "onConflict": "queue"}) for _ in range(5))
    )
    assert [answer.status for answer in answers] == [202] * 5
    assert sorted(answer.body["status"] for answer in answers) == ["pending"] + ["queued"] * 4


async def test_of_a_rejecting_and_a_queueing_start_at_once_one_deploys(world: Any) -> None:
    bodies = [{"image": "1.1.0"}, {"image": "1.1.0", "onConflict": "queue"}]
    answers = await asyncio.gather(*(world.send("POST", START, body) for body in bodies))
    deploying = [answer for answer in answers if answer.status == 202 and answer.body["status"] == "pending"]
    assert len(deploying) == 1
    assert (await world.lock()).owner == deploying[0].body["id"]


async def test_a_queued_start_that_durable_refuses_is_undone_and_leaves_the_lock(world: Any) -> None:
    first = await world.start()
    world.instances.start_error = Busy("DurableExtension", "no storage")
    world.clock.pass_(timedelta(seconds=1))
    status, error = await world.refused("POST", START, {"image": "1.1.0", "onConflict": "queue"})
    assert (status, error["code"]) == (503, "notStarted")
    row = await world.store.deployments.get(error["target"])
    assert (row.status, row.epoch, (await world.lock()).owner) == (Status.FAILED, 0, first["id"])


async def test_a_deployment_that_was_taken_back_from_the_queue_is_not_followed(world: Any) -> None:
    first = await world.start()
    second = await later(world, onConflict="queue")
    previous = ImageReference(id=f"{world.image_id}/versions/1.0.0")
    row = await world.store.deployments.get(first["id"])
    image = replace(row.image, previous=previous)
    await end(world, first["id"], settled=False, target_size=7, image=image)
    await end(world, second["id"])
    following = await later(world)
    row = await world.store.deployments.get(following["id"])
    assert (row.target_size, row.image.previous, row.settled) == (7, previous, False)


async def test_a_group_with_a_queued_deployment_is_not_deleted_and_keeps_its_set(world: Any) -> None:
    first = await world.start()
    second = await later(world, onConflict="queue")
    assert (await world.refused("DELETE", "groups/web"))[1]["target"] == first["id"]
    await end(world, first["id"])
    status, error = await world.refused("DELETE", "groups/web")
    assert (status, error["code"], error["target"]) == (409, "deploymentInProgress", second["id"])
    world.scale_sets.add(replace(world.scale_sets.sets[world.scale_set_id.lower()], id=f"{world.scale_set_id}2"))
    status, error = await world.refused("PUT", "groups/web", {"scaleSetId": f"{world.scale_set_id}2"})
    assert (status, error["target"]) == (409, second["id"])
    await end(world, second["id"])
    assert (await world.send("DELETE", "groups/web")).status == 204


async def test_a_group_whose_set_is_still_held_is_not_deleted_before_that_is_put_in_order(world: Any) -> None:
    first = await world.start()
    world.instances.states[first["id"]] = InstanceState.ENDED
    status, error = await world.refused("DELETE", "groups/web")
    assert (status, error["code"], error["target"]) == (409, "deploymentInProgress", first["id"])
    assert "put in order" in error["message"]


async def test_a_retry_goes_on_with_the_image_and_the_parameters_of_the_other(world: Any) -> None:
    first = await world.start(
        image="latest", batchSize=2, approvals=[1], minHealth=40, comment="first", force=True, onConflict="queue"
    )
    world.images.add("1.11.0")
    previous = ImageReference(id=f"{world.image_id}/versions/1.0.0")
    row = await world.store.deployments.get(first["id"])
    image = replace(row.image, previous=previous)
    await end(world, first["id"], settled=False, target_size=12, image=image)
    world.clock.pass_(timedelta(seconds=1))
    answer = await world.send("POST", START, {"retryOf": first["id"], "gracePeriod": 300})

    assert answer.status == 202
    body = answer.body
    assert (body["retryOf"], body["parameters"]["retryOf"]) == (first["id"], first["id"])
    assert body["image"] == {
        "requested": f"{world.image_id}/versions/1.10.0",
        "pinned": f"{world.image_id}/versions/1.10.0",
        "previous": f"{world.image_id}/versions/1.0.0",
    }
    kept = {name: body["parameters"][name] for name in ("batchSize", "approvals", "minHealth", "gracePeriod")}
    assert kept == {"batchSize": 2, "approvals": [1], "minHealth": 40, "gracePeriod": 300}
    assert (body["parameters"]["force"], body["comment"], body["parameters"]["onConflict"]) == (False, "", "reject")
    assert (await world.store.deployments.get(body["id"])).target_size == 12


async def test_a_retry_may_be_of_another_image(world: Any) -> None:
    first = await world.start(batchSize=2)
    await end(world, first["id"], Status.FAILED)
    body = await later(world, image="1.9.0", retryOf=first["id"], batchSizePercentage=50)
    assert body["image"]["requested"] == "1.9.0"
    assert (body["parameters"]["batchSize"], body["parameters"]["batchSizePercentage"]) == (None, 50)


@pytest.mark.parametrize(
    ("status", "words"), [(Status.FINISHED, "has finished"), (Status.IN_PROGRESS, "is inProgress")]
)
async def test_only_what_ended_unfinished_is_retried(world: Any, status: Status, words: str) -> None:
    first = await world.start()
    await end(world, first["id"], status)
    answered, error = await world.refused("POST", START, {"retryOf": first["id"]})
    assert (answered, error["code"], error["target"]) == (409, "retryNotPossible", "retryOf")
    assert words in error["message"]


async def test_a_later_deployment_counts_however_many_never_had_the_set_since(world: Any) -> None:
    first = await world.start()
    await end(world, first["id"])
    second = await later(world)
    await end(world, second["id"])
    row = await world.store.deployments.get(second["id"])
    for number in range(120):
        at = row.created_at + timedelta(seconds=1 + number)
        taken_back = replace(row, id=deployment_id("web", at, "aaaaaa"), created_at=at, epoch=0, status=Status.STOPPED)
        assert await world.store.deployments.add(taken_back)
    _, error = await world.refused("POST", START, {"retryOf": first["id"]})
    assert error["code"] == "retryNotPossible"
    assert second["id"] in error["message"]


async def test_only_the_last_deployment_of_the_group_is_retried(world: Any) -> None:
    first = await world.start()
    await end(world, first["id"])
    second = await later(world)
    await end(world, second["id"])
    _, error = await world.refused("POST", START, {"retryOf": first["id"]})
    assert error["code"] == "retryNotPossible"
    assert second["id"] in error["message"]
    await world.add_group(id="other", scale_set_id=f"{world.scale_set_id}2")
    for name in (second["id"], "web-20200101T000000Z-aaaaaa", "x" * 500):
        status, error = await world.refused("POST", "groups/other/deployments", {"retryOf": name})
        assert (status, error["code"]) == (409, "retryNotPossible")
    assert (await later(world, retryOf=second["id"]))["retryOf"] == second["id"]


async def test_a_deployment_taken_back_from_the_queue_does_not_bar_a_retry_of_the_one_before(world: Any) -> None:
    first = await world.start()
    second = await later(world, onConflict="queue")
    await end(world, first["id"])
    await end(world, second["id"])
    assert (await later(world, retryOf=first["id"]))["retryOf"] == first["id"]


NEVER: list[dict[str, Any]] = [
    {"canary": {"size": 1000}},
    {"approvals": [99]},
    {"image": "9.9.9"},
]


@pytest.mark.parametrize("on_conflict", ["queue", "supersede"])
@pytest.mark.parametrize("never", NEVER)
async def test_what_can_never_run_stops_nobody_and_waits_for_nobody(
    world: Any, never: dict[str, Any], on_conflict: str
) -> None:
    first = await world.start()
    world.clock.pass_(timedelta(seconds=1))
    status, error = await world.refused("POST", START, {"image": "1.9.0", **never, "onConflict": on_conflict})
    assert (status, error["code"]) == (422, "preflightFailed")
    assert await said(world, first["id"]) == []
    assert len(await world.deployments()) == 1
    planned = await world.send("POST", f"{START}?dryRun=true", {"image": "1.9.0", **never, "onConflict": on_conflict})
    assert planned.body["canStart"] is False


def vm(world: Any, number: int, power_state: str = "running") -> Vm:
    image = world.scale_sets.sets[world.scale_set_id.lower()].image
    return Vm(f"id-{number}", f"web_{number}", str(number), image, "Succeeded", power_state, "healthy")


async def run_with(world: Any, **colors: Color) -> Any:
    """A deployment under way, with VMs of these ids in its first batch."""
    first = await world.start()
    now = world.clock.now()
    records = [
        VmRecord(name.replace("_", "-"), name, color, 1, VmStatus.RUNNING, updated_at=now)
        for name, color in colors.items()
    ]
    await world.store.vms.put(first["id"], records)
    next_reading(world)
    return first


def next_reading(world: Any) -> None:
    """A minute later, when Azure would answer many more lists."""
    world.clock.pass_(timedelta(minutes=1))
    world.scale_sets.share_left = 1.0


@pytest.mark.parametrize(
    ("color", "on_conflict", "refused"),
    [
        (Color.GREEN, "queue", False),
        (Color.GREEN, "supersede", False),
        (Color.BLUE, "queue", False),
        (Color.BLUE, "supersede", True),
        (None, "queue", True),
        (None, "supersede", True),
    ],
)
async def test_stopped_vms_refuse_but_for_those_that_the_running_deployment_made_or_deletes(
    world: Any, color: Color | None, on_conflict: str, refused: bool
) -> None:
    first = await run_with(world, **({"id_9": color} if color else {}))
    world.scale_sets.listed[world.scale_set_id.lower()] = [
        *(vm(world, number) for number in range(9)),
        vm(world, 9, "deallocated"),
    ]
    answer = await world.send("POST", START, {"image": "1.9.0", "onConflict": on_conflict})
    assert answer.status == (422 if refused else 202), answer.body
    assert bool(await said(world, first["id"])) == (on_conflict == "supersede" and not refused)


@pytest.mark.parametrize(("used", "refused"), [(96, False), (98, False), (99, True)])
async def test_a_quota_that_the_running_deployment_s_surge_fills_refuses_nobody_who_waits(
    world: Any, used: int, refused: bool
) -> None:
    """Two cores each: of 12 VMs, two are its surge. A batch of two needs four cores, and it frees four."""
    await run_with(world, id_10=Color.GREEN, id_11=Color.GREEN)
    key = world.scale_set_id.lower()
    world.scale_sets.add(replace(world.scale_sets.sets[key], capacity=12))
    world.scale_sets.listed[key] = [vm(world, number) for number in range(12)]
    world.constraints.usage.append(Usage("cores", "Cores", used + 2, 100))
    asked = {"image": "1.9.0", "onConflict": "supersede", "batchSize": 2}
    answer = await world.send("POST", START, asked)
    assert answer.status == (422 if refused else 202), answer.body


async def test_a_queued_deployment_says_what_is_in_the_way(world: Any) -> None:
    world.scale_sets.listed[world.scale_set_id.lower()] = [
        *(vm(world, number) for number in range(9)),
        vm(world, 9, "deallocated"),
    ]
    await world.start(stoppedVms="skip")
    second = await later(world, onConflict="queue", stoppedVms="skip")
    shown = await world.get(f"deployments/{second['id']}")
    assert shown["findings"] == second["findings"]
    assert "stoppedVms" in [found["code"] for found in shown["findings"]]
