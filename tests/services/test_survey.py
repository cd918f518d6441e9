"""One survey: what it reads, how often, and what it makes of what went before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from local.azure.world import World, demo_world, parse_world
from local.clock import run_virtual
from local.virtual import VirtualPlatform
from rollout.model.azure.scale_set import ImageReference
from rollout.model.choices import HealthCheckType
from rollout.model.group import Group
from rollout.model.parameters import Parameters
from rollout.model.rows.deployment import Deployment, Image, VmRecord
from rollout.model.rows.handover import handed_on
from rollout.model.status import Color, VmStatus
from rollout.ports.ports import Ports
from services.survey import survey

BOTH = (HealthCheckType.VM_STATE, HealthCheckType.APPLICATION_HEALTH)


class Place:
    """A platform with one group, and the ports that HTTP triggers and activities have."""

    def __init__(self, platform: VirtualPlatform, group: Group) -> None:
        self.platform = platform
        self.group = group
        # No orchestration is asked for.
        self.ports: Ports = platform.ports(None)

    @property
    def requests(self) -> dict[str, int]:
        """How many requests of each kind there were."""
        return {kind.partition(" [")[0]: count.passed for kind, count in self.platform.cloud.requests.items()}

    def version(self, name: str) -> ImageReference:
        return ImageReference(id=f"{self.group.image_id}/versions/{name}")


def visit(test: Callable[[Place], Awaitable[None]], world: World) -> None:
    async def main() -> None:
        async with VirtualPlatform(world) as platform:
            group = await platform.store.groups.get("web")
            assert group is not None
            await test(Place(platform, replace(group, health_check_types=BOTH)))

    run_virtual(main())


def world_of(mode: str, **fields: Any) -> World:
    document = demo_world().model_dump(mode="json", by_alias=True)
    document["scaleSets"][0] |= {"orchestrationMode": mode, "capacity": 4, **fields}
    return parse_world(document)


def asked(image: str | None = "1.1.0") -> Parameters:
    return Parameters(image, health_check_types=BOTH)


@pytest.mark.parametrize(
    ("mode", "thorough", "image", "views"),
    [
        ("Uniform", True, "1.1.0", 0),
        ("Flexible", False, "1.1.0", 0),
        ("Flexible", False, "1.0.0", 4),
        ("Flexible", True, "1.1.0", 4),
    ],
)
def test_it_costs_one_list_and_only_the_views_that_decide(mode: str, thorough: bool, image: str, views: int) -> None:
    async def test(place: Place) -> None:
        before = place.requests
        seen = await survey(place.ports, place.group, asked(image), thorough=thorough)
        cost = {kind: count - before.get(kind, 0) for kind, count in place.requests.items()}
        assert cost.get("list VMs", 0) + cost.get("list virtual machines", 0) == 1
        assert cost.get("get virtual machine view", 0) == views
        # Once for the set, once for what in it changes it by itself.
        assert cost.get("get scale set", 0) == 2
        assert all(cost.get(kind, 0) == 1 for kind in ("list usages", "list SKUs", "list locks", "get upgrade"))
        assert seen.errors == ()
        assert seen.plan is not None
        assert place.platform.cloud.audit == []
        await survey(place.ports, place.group, asked(image))
        assert place.requests["list SKUs"] == 1

    visit(test, world_of(mode))


def unfinished(place: Place, *, settled: bool) -> Deployment:
    """One that had begun to move the set from 0.9.0, when it was to have three VMs."""
    image = Image("1.1.0", place.version("1.1.0"), place.version("0.9.0"))
    row = Deployment(
        "web-20260101T000000Z-1a2b3c", "web", place.group.scale_set_id, asked(), image, place.platform.clock.now()
    )
    return replace(row, target_size=3, settled=settled, started_at=row.created_at)


@pytest.mark.parametrize(("settled", "size", "previous"), [(False, 3, "1.0.0"), (True, 4, "1.0.0")])
def test_what_an_unfinished_deployment_left_is_inherited(settled: bool, size: int, previous: str) -> None:
    async def test(place: Place) -> None:
        former = unfinished(place, settled=settled)
        await place.ports.store.deployments.add(former)
        listed = await place.ports.scale_sets.list_vms(place.group.scale_set_id)
        launched = VmRecord(listed.vms[0].vm_id, listed.vms[0].name, Color.GREEN, 1, VmStatus.PENDING)
        await place.ports.store.vms.put(former.id, [launched])
        seen = await survey(place.ports, place.group, asked(), handed_on(former))
        assert seen.plan is not None
        assert seen.previous is not None
        assert (seen.plan.target_size, seen.plan.blue, seen.previous.label) == (size, 4, previous)

    visit(test, world_of("Uniform"))


def test_an_image_that_is_pinned_is_not_looked_for_again() -> None:
    async def test(place: Place) -> None:
        seen = await survey(place.ports, place.group, asked("latest"), pinned=place.version("1.1.0"))
        assert (seen.reference, seen.errors) == (place.version("1.1.0"), ())

    visit(test, world_of("Uniform"))


def test_a_set_that_is_not_there_has_no_plan() -> None:
    async def test(place: Place) -> None:
        gone = replace(place.group, scale_set_id=f"{place.group.scale_set_id}2")
        seen = await survey(place.ports, gone, asked())
        assert (seen.errors[0].code, seen.plan) == ("scaleSetNotFound", None)

    visit(test, world_of("Uniform"))


def test_vms_that_are_out_of_their_pools_do_not_serve() -> None:
    async def test(place: Place) -> None:
        pool = place.platform.cloud.scale_set(place.group.scale_set_id)
        serving = await survey(place.ports, place.group, asked("1.0.0"))
        assert serving.plan is not None
        assert (len(serving.plan.kept), len(serving.serving)) == (4, 4)
        body: dict[str, Any] = {"networkInterfaceConfigurations": []}
        pool.active()[0].network = body
        pool.active()[0].revision += 1
        missing = await survey(place.ports, place.group, asked("1.0.0"))
        assert missing.plan is not None
        assert (len(missing.plan.kept), missing.plan.blue, len(missing.serving)) == (3, 1, 3)

    document = world_of("Uniform").model_dump(mode="json", by_alias=True)
    document["loadBalancers"] = [{"name": "lb", "resourceGroup": "demo", "pools": ["web"]}]
    document["scaleSets"][0]["backendPools"] = ["lb/web"]
    visit(test, parse_world(document))
