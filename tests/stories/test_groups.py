"""What people see of groups, while nobody deploys, and what that costs Azure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.world import World, parse_world
from local.durable.options import HostOptions
from rollout.model.codec import decode_time

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

SETS = "get scale set"
LISTS = "list VMs"


def requests(stage: Any) -> Counter[str]:
    """How many requests of each kind Azure was sent, throttled ones too."""
    sent = Counter[str]()
    for kind, count in stage.platform.cloud.requests.items():
        sent[kind.partition(" [")[0]] += count.passed + count.throttled
    return sent


def many_groups(world: World, number: int) -> World:
    """So many groups, each with a set of one VM; every tenth follows an image."""
    document = world.model_dump(mode="json", by_alias=True)
    scale_set, group = document["scaleSets"][0], document["groups"][0]
    rule = {"imageId": group["imageId"], "versions": "*"}
    document["scaleSets"] = [{**scale_set, "name": f"web-{n}", "capacity": 1} for n in range(number)]
    document["groups"] = [
        {
            **group,
            "id": f"web-{n}",
            "scaleSetId": f"{group['scaleSetId']}-{n}",
            **({"imageId": None, "imageRule": rule} if n % 10 == 0 else {}),
        }
        for n in range(number)
    ]
    return parse_world(document)


async def an_hour(stage: Any, every: timedelta, ask: Callable[[], Any] | None = None) -> list[Counter[str]]:
    """What Azure was asked in each minute of an hour, in which somebody asks Teal now and then, or nobody does."""
    minutes = []
    for _ in range(60):
        before = requests(stage)
        for _ in range(timedelta(minutes=1) // every):
            await stage.platform.clock.sleep(every)
            if ask is not None:
                await ask()
        minutes.append(requests(stage) - before)
    return minutes


def test_an_open_list_of_200_groups_costs_azure_nothing(play: Play, small_world: SmallWorld) -> None:
    """Asked each half minute, as the page asks for its list."""

    async def story(stage: Any) -> None:
        async def ask() -> None:
            reply = await stage.platform.get("/api/groups?include=state")
            assert len(reply.body["value"]) == 200
            oldest = min(group["state"]["asOf"] for group in reply.body["value"])
            assert stage.platform.clock.now() - decode_time(oldest) <= timedelta(minutes=20)

        # Every group was looked at when it was made: the first round of the timer begins a minute later.
        await stage.sleep(minutes=21)
        nobody = await an_hour(stage, timedelta(minutes=1))
        somebody = await an_hour(stage, timedelta(seconds=30), ask)
        assert somebody == nobody
        assert {(minute[SETS], minute[LISTS]) for minute in somebody} == {(10, 10)}

    play(story, many_groups(small_world(), 200), options=HostOptions())


BALANCERS = {"web-lb/web": "loadBalancers/web-lb", "web-gw/web": "applicationGateways/web-gw"}


def behind(world: World, pool: str) -> World:
    """The set behind a pool of a load balancer or of an application gateway."""
    document = world.model_dump(mode="json", by_alias=True)
    document["scaleSets"][0]["backendPools"] = [pool]
    document["loadBalancers"] = [{"name": "web-lb", "resourceGroup": "demo", "pools": ["web"]}]
    document["applicationGateways"] += [{"name": "web-gw", "resourceGroup": "demo", "pools": ["web"]}]
    return parse_world(document)


@pytest.mark.parametrize("pool", BALANCERS)
def test_the_vms_of_a_group_are_shown_in_their_pools_at_most_a_minute_old(
    play: Play, either_world: SmallWorld, pool: str
) -> None:
    async def story(stage: Any) -> None:
        async def asked() -> tuple[dict[str, Any], Counter[str]]:
            before = requests(stage)
            reply = await stage.platform.get("/api/groups/web/vms")
            assert reply.status == 200, reply.body
            return {vm["name"]: vm["pools"] for vm in reply.body["value"]}, requests(stage) - before

        network = stage.scale_set_id.partition("/providers/")[0] + "/providers/Microsoft.Network"
        pool_id = f"{network}/{BALANCERS[pool]}/backendAddressPools/web".lower()
        first, second = (vm.name for vm in stage.platform.cloud.scale_set(stage.scale_set_id).active())
        shown, cost = await asked()
        assert shown == {name: [{"pool": pool_id, "down": False}] for name in (first, second)}
        assert cost[SETS] == 1

        stage.platform.cloud.interfere.take_out(stage.scale_set_id, first, pool_id)
        can_be_down = "loadBalancers" in pool_id
        if can_be_down:
            stage.platform.cloud.interfere.set_down(stage.scale_set_id, second, pool_id)
        await stage.sleep(seconds=59)
        assert await asked() == (shown, Counter())
        await stage.sleep(seconds=1)
        assert await asked() == ({first: [], second: [{"pool": pool_id, "down": can_be_down}]}, cost)

    # The story itself takes VMs out of traffic.
    play(story, behind(either_world(), pool), exempt=["never_fewer_serving"])
