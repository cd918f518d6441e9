"""``rollNeeded`` of a group: what it says, and what it costs."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rollout.lifecycle.lock import free
from rollout.model.azure.roll_needed import RollReason
from rollout.model.azure.scale_set import ImageReference, Vm
from rollout.model.image_rule import ImageRule
from rollout.model.status import Status
from rollout.ports.durable import InstanceState
from rollout.ports.errors import Busy, Refused
from services.group_states import note_deployment
from services.roll import PER_REQUEST
from triggers.group_states import look_around

MINUTE = timedelta(seconds=60)
SIZE = "sku.name"


def image(world: Any, version: str) -> ImageReference:
    return ImageReference(id=f"{world.image_id}/versions/{version}")


def give_vms(world: Any, *versions: str, **fields: Any) -> None:
    """Have the set's VMs run these versions."""
    world.scale_sets.listed[world.scale_set_id.lower()] = [
        Vm(f"id-{n}", f"web_{n}", str(n), image(world, version), "Succeeded", "running", **fields)
        for n, version in enumerate(versions)
    ]
    give_set(world, capacity=len(versions))


def give_set(world: Any, **fields: Any) -> None:
    world.scale_sets.add(replace(world.scale_sets.sets[world.scale_set_id.lower()], **fields))


async def roll(world: Any) -> Any:
    """As it is now."""
    return (await world.get("groups/web?fresh=true"))["rollNeeded"]


async def seen(world: Any) -> Any:
    """As it was last seen, without asking Azure."""
    reads = (world.scale_sets.reads, world.scale_sets.lists, world.images.reads)
    group = await world.get("groups/web")
    assert (world.scale_sets.reads, world.scale_sets.lists, world.images.reads) == reads
    return group


async def start(world: Any) -> str:
    """Have a deployment take the set, and not look at it yet; what its start read is not counted."""
    name = str((await world.start())["id"])
    world.scale_sets.reads = world.scale_sets.lists = 0
    return name


async def end(world: Any, name: str) -> None:
    lock = await world.lock()
    freed = free(lock, name, lock.epoch, world.clock.now())
    assert freed is not None
    assert await world.store.locks.swap(lock, freed)
    world.instances.states[name] = InstanceState.ENDED


async def test_a_group_says_what_its_vms_differ_in(world: Any) -> None:
    give_vms(world, "1.0.0", "1.0.0", "0.9.0", model={SIZE: "Standard_D2s_v5"})
    give_set(world, model={SIZE: "Standard_D4s_v5"})
    assert await roll(world) == {
        "asOf": "2026-11-23T08:15:00.000Z",
        "outdated": 3,
        "total": 3,
        "reasons": [
            {
                "field": "sku.name",
                "message": "3 of 3 VMs: sku.name is Standard_D2s_v5, and Standard_D4s_v5 in the set's model",
                "wanted": "Standard_D4s_v5",
                "found": "Standard_D2s_v5",
                "vms": 3,
            },
            {
                "field": "image",
                "message": "1 of 3 VMs: the image is 0.9.0, and 1.0.0 in the set's model",
                "wanted": f"{world.image_id}/versions/1.0.0",
                "found": f"{world.image_id}/versions/0.9.0",
                "vms": 1,
            },
        ],
        "error": None,
    }


async def test_the_rules_newest_usable_version_is_wanted(world: Any) -> None:
    await world.add_group(image_rule=ImageRule(world.image_id, "1.x"))
    world.images.add("1.11.0", regions={"eastus2": "Replicating"})
    world.images.add("1.12.0", exclude_from_latest=True)
    world.images.add("2.0.0")
    needed = await roll(world)
    assert (needed["outdated"], needed["total"], needed["error"]) == (10, 10, None)
    [reason] = needed["reasons"]
    assert (reason["field"], reason["wanted"], reason["vms"]) == (
        "imageRule",
        f"{world.image_id}/versions/1.10.0",
        10,
    )


async def test_a_rule_that_is_off_wants_nothing(world: Any) -> None:
    await world.add_group(image_rule=ImageRule(world.image_id, enabled=False))
    assert (await roll(world))["outdated"] == 0
    assert world.images.reads == 0


async def test_a_list_of_groups_asks_nobody(world: Any) -> None:
    [group] = (await world.get("groups"))["value"]
    assert "rollNeeded" not in group
    [group] = (await world.get("groups?include=state"))["value"]
    assert (group["state"]["asOf"], group["state"]["error"]["code"]) == (None, "notReadYet")
    assert (world.scale_sets.reads, world.scale_sets.lists) == (0, 0)


async def test_without_the_rules_image_the_rest_is_known(world: Any) -> None:
    await world.add_group(image_rule=ImageRule(world.image_id))
    give_vms(world, "0.9.0", "1.0.0")
    world.images.error = Refused("AuthorizationFailed", "no")
    needed = await roll(world)
    assert (needed["outdated"], needed["total"]) == (1, 2)
    assert [reason["field"] for reason in needed["reasons"]] == ["image"]
    assert needed["error"] == {"code": "AuthorizationFailed", "message": "no"}
    await world.add_group(image_rule=ImageRule(f"{world.image_id}-2"))
    world.clock.pass_(MINUTE)
    assert (await roll(world))["error"]["code"] == "imageNotFound"


async def test_the_timer_writes_what_is_shown(world: Any) -> None:
    give_vms(world, "0.9.0", "1.0.0", "1.0.0")
    await look_around(world.ports)
    group = await seen(world)
    assert (group["rollNeeded"]["outdated"], group["rollNeeded"]["total"]) == (1, 3)
    state = group["state"]
    assert (state["asOf"], state["vms"], state["error"]) == ("2026-11-23T08:15:00.000Z", 3, None)
    assert [(one["image"], one["vms"]) for one in state["images"]] == [("1.0.0", 2), ("0.9.0", 1)]
    assert state["health"] == {"healthy": 3, "unhealthy": 0, "unknown": 0}
    [listed] = (await world.get("groups?include=state"))["value"]
    assert {name: listed[name] for name in ("state", "rollNeeded")} == {
        name: group[name] for name in ("state", "rollNeeded")
    }


@pytest.mark.parametrize(("pages", "pause"), [(1, MINUTE), (10, 10 * MINUTE)])
async def test_the_timer_lists_vms_at_a_tenth_of_the_pace_at_which_azure_gives_lists_back(
    world: Any, pages: int, pause: timedelta
) -> None:
    await world.add_group(image_rule=ImageRule(world.image_id, "1.0"))
    world.scale_sets.pages = pages
    await look_around(world.ports)
    world.clock.pass_(pause - timedelta(seconds=1))
    await look_around(world.ports)
    assert (world.scale_sets.lists, world.scale_sets.reads, world.images.reads) == (1, 1, 1)
    world.clock.pass_(timedelta(seconds=1))
    await look_around(world.ports)
    assert (world.scale_sets.lists, world.images.reads) == (2, 2)
    assert pause == pages * PER_REQUEST


@pytest.mark.parametrize(
    ("capacity", "error", "pause"),
    [
        (10, Refused("AuthorizationFailed", "no"), MINUTE),
        (10, Busy("TooManyRequests", "slow down", timedelta(seconds=200)), timedelta(seconds=200)),
        (900, Busy("TooManyRequests", "slow down", timedelta(seconds=200)), 9 * MINUTE),
    ],
)
async def test_an_error_is_told_and_the_set_left_alone_as_long_as_after_an_answer(
    world: Any, capacity: int, error: Any, pause: timedelta
) -> None:
    give_set(world, capacity=capacity)
    world.scale_sets.list_error = error
    await look_around(world.ports)
    group = await seen(world)
    assert group["rollNeeded"]["error"] == {"code": error.code, "message": error.message}
    assert (group["rollNeeded"]["outdated"], group["state"]["error"]) == (None, None)
    world.scale_sets.list_error = None
    world.clock.pass_(pause - timedelta(seconds=1))
    await look_around(world.ports)
    assert world.scale_sets.lists == 1
    world.clock.pass_(timedelta(seconds=1))
    await look_around(world.ports)
    assert (await seen(world))["rollNeeded"]["outdated"] == 0


async def test_a_set_that_cannot_be_read_is_not_listed_and_needs_attention(world: Any) -> None:
    world.scale_sets.error = Busy("TooManyRequests", "slow down")
    await look_around(world.ports)
    group = await seen(world)
    said = {"code": "TooManyRequests", "message": "slow down"}
    assert group["rollNeeded"]["error"] == group["state"]["error"] == said
    assert group["needsAttention"] == {"code": "notReadable", "reason": "slow down", "deploymentId": None}
    assert (world.scale_sets.reads, world.scale_sets.lists) == (1, 0)
    world.scale_sets.error = None
    world.scale_sets.sets.clear()
    world.clock.pass_(MINUTE)
    await look_around(world.ports)
    assert (await seen(world))["state"]["error"]["code"] == "scaleSetNotFound"


async def test_no_set_is_looked_at_that_a_deployment_has(world: Any) -> None:
    """Its own numbers are shown; at its end the timer looks at once, whatever it saw before."""
    name = await start(world)
    planned = await world.store.deployments.change(
        name, lambda row: replace(row, target_size=10, number_of_batches=5, blue_vms=6, green_vms=4)
    )
    await note_deployment(world.ports, replace(planned, sequence=1))
    image_reads = world.images.reads
    for _ in range(50):
        world.clock.pass_(MINUTE)
        await look_around(world.ports)
    assert (world.scale_sets.reads, world.scale_sets.lists, world.images.reads) == (0, 0, image_reads)
    group = await seen(world)
    [reason] = group["rollNeeded"]["reasons"]
    assert (group["rollNeeded"]["outdated"], group["rollNeeded"]["total"]) == (6, 10)
    assert reason["message"] == f"Deployment {name} is under way: 6 VMs still to be replaced"
    assert (group["latest"]["id"], group["needsAttention"]) == (name, None)

    failed = replace(planned, sequence=2, status=Status.FAILED, reason="0 of 2", ended_at=world.clock.now())
    await note_deployment(world.ports, failed)
    await end(world, name)
    group = await seen(world)
    assert group["rollNeeded"]["error"]["code"] == "notReadYet"
    assert group["needsAttention"] == {"code": "deploymentFailed", "reason": "0 of 2", "deploymentId": name}
    await look_around(world.ports)
    group = await seen(world)
    assert (group["rollNeeded"]["outdated"], group["state"]["asOf"]) == (0, "2026-11-23T09:05:00.000Z")


async def test_a_fresh_look_costs_what_a_dry_run_may(world: Any) -> None:
    await asyncio.gather(*(roll(world) for _ in range(5)))
    assert (world.scale_sets.reads, world.scale_sets.lists) == (1, 1)
    world.clock.pass_(MINUTE)
    await start(world)
    world.scale_sets.share_left = 0.2
    world.clock.pass_(MINUTE)
    before = await seen(world)
    status, error = await world.refused("GET", "groups/web?fresh=true")
    assert (status, error["code"]) == (503, "readingTooOften")
    assert (world.scale_sets.reads, world.scale_sets.lists) == (0, 0)
    assert await seen(world) == before


async def test_a_put_reads_anew(world: Any) -> None:
    body = {"scaleSetId": world.scale_set_id, "imageRule": {"imageId": world.image_id}}
    assert (await roll(world))["outdated"] == 0
    answer = await world.send("PUT", "groups/web", body)
    assert (answer.body["rollNeeded"]["outdated"], world.scale_sets.lists) == (10, 2)
    assert (await seen(world))["rollNeeded"] == answer.body["rollNeeded"]
    world.scale_sets.list_error = Refused("AuthorizationFailed", "no")
    answer = await world.send("PUT", "groups/web", body)
    assert (answer.status, answer.body["rollNeeded"]["error"]["code"]) == (200, "AuthorizationFailed")


async def test_a_put_lists_nothing_while_a_deployment_has_the_set(world: Any) -> None:
    await start(world)
    answer = await world.send("PUT", "groups/web", {"scaleSetId": world.scale_set_id})
    assert (answer.status, world.scale_sets.lists) == (200, 0)


def test_every_field_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
    section = text.split("\n## The prompt\n")[1].split("\n## ")[0]
    documented = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
    reasons = [f"reasons[].{each.name}" for each in fields(RollReason)]
    assert documented == ["asOf", "outdated", "total", *reasons, "error"]
