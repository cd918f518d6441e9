"""A load balancer that is written as a whole, as ``az network lb update`` does it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.arm.messages import ArmResponse
from local.azure.cloud import Cloud
from local.azure.world import World
from local.clock import PlatformClock

Ask = Callable[..., Awaitable[ArmResponse]]
Networked = Callable[..., World]

REFUSED = (400, "ModificationOfNICIpConfigBackendPoolNotSupported")


@pytest.fixture
def cloud(networked: Networked, clock: PlatformClock) -> Cloud:
    """``web`` and ``api`` behind the load balancer ``lb``, each in a pool of its own."""
    return Cloud(networked(), clock)


@pytest.fixture
def balancer(network: str) -> str:
    """The load balancer."""
    return f"{network}/loadBalancers/lb"


def down(body: Any, pool: int, *indexes: int) -> Any:
    """The balancer's body with these members of one of its pools Down."""
    addresses = body["properties"]["backendAddressPools"][pool]["properties"]["loadBalancerBackendAddresses"]
    for index in indexes:
        addresses[index]["properties"]["adminState"] = "Down"
    return body


async def states(ask: Ask, cloud: Cloud, balancer: str) -> list[int]:
    """How many members of each pool are Down."""
    pools = (await ask(cloud, "GET", balancer)).json()["properties"]["backendAddressPools"]
    return [
        sum("adminState" in one["properties"] for one in pool["properties"]["loadBalancerBackendAddresses"])
        for pool in pools
    ]


def outcome(answer: ArmResponse) -> tuple[int, str]:
    return answer.status, answer.json()["error"]["code"]


async def test_a_write_of_the_whole_is_answered_as_it_was_recorded_and_goes_on(
    ask: Ask, cloud: Cloud, balancer: str
) -> None:
    before = await ask(cloud, "GET", balancer)
    answer = await ask(cloud, "PUT", balancer, down(before.json(), 0, 1, 4), if_match=before.headers["etag"])
    assert answer.status == 200
    assert answer.headers["azure-asyncnotification"] == "Enabled"
    assert answer.headers["x-ms-ratelimit-remaining-subscription-global-writes"]
    assert "etag" not in answer.headers
    told = answer.json()
    assert told.keys() == {"name", "id", "etag", "type", "location", "properties", "sku"}
    parts = "frontendIPConfigurations backendAddressPools loadBalancingRules probes inboundNatRules outboundRules"
    of_whole = {"provisioningState", "resourceGuid", "inboundNatPools", *parts.split()}
    assert told["properties"].keys() == of_whole
    assert (told["properties"]["provisioningState"], told["sku"]["tier"]) == ("Succeeded", "Regional")
    poll = answer.headers["azure-asyncoperation"]
    assert (await ask(cloud, "GET", poll)).json() == {"status": "InProgress"}
    await cloud.clock.sleep(timedelta(seconds=10))
    assert (await ask(cloud, "GET", poll)).json() == {"status": "Succeeded"}
    assert (await ask(cloud, "GET", balancer)).headers["etag"] != before.headers["etag"]
    assert await states(ask, cloud, balancer) == [2, 0]


async def test_a_write_of_a_balancer_that_has_changed_since_has_no_effect(
    ask: Ask, cloud: Cloud, balancer: str, web: str
) -> None:
    before = (await ask(cloud, "GET", balancer)).json()
    # Who joins a pool changes the balancer that the pool is a part of.
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    refused = await ask(cloud, "PUT", balancer, down(before, 0, 1), if_match=before["etag"])
    assert outcome(refused) == (412, "PreconditionFailed")
    assert await states(ask, cloud, balancer) == [0, 0]


async def test_a_balancer_at_work_is_to_be_written_to_later(ask: Ask, cloud: Cloud, balancer: str) -> None:
    body = (await ask(cloud, "GET", balancer)).json()
    assert (await ask(cloud, "PUT", balancer, down(body, 0, 1))).status == 200
    body = (await ask(cloud, "GET", balancer)).json()
    refused = await ask(cloud, "PUT", balancer, down(body, 0, 2))
    assert outcome(refused) == (429, "RetryableErrorDueToAnotherOperation")
    assert await states(ask, cloud, balancer) == [1, 0]


@pytest.mark.parametrize(
    ("world", "of_pool", "of_balancer"),
    [
        ({"adminState": "pool"}, None, None),
        ({"adminState": "balancer"}, REFUSED, None),
        ({"adminState": "never"}, REFUSED, REFUSED),
        ({"inboundNat": True}, REFUSED, REFUSED),
    ],
)
async def test_states_are_taken_in_the_pool_in_its_balancer_or_nowhere(
    ask: Ask, networked: Networked, clock: PlatformClock, balancer: str, world: Any, of_pool: Any, of_balancer: Any
) -> None:
    cloud = Cloud(networked(balancer=world), clock)
    answers = []
    for path in (f"{balancer}/backendAddressPools/web", balancer):
        body = down((await ask(cloud, "GET", balancer)).json(), 0, 1)
        said = body if path == balancer else body["properties"]["backendAddressPools"][0]
        answer = await ask(cloud, "PUT", path, said)
        answers.append(outcome(answer) if answer.status >= 400 else None)
        await clock.sleep(timedelta(minutes=1))
    assert answers == [of_pool, of_balancer]
    assert await states(ask, cloud, balancer) == [int(None in answers), 0]


async def test_a_write_that_one_of_the_pools_refuses_changes_none_of_them(
    ask: Ask, cloud: Cloud, balancer: str, api: str
) -> None:
    cloud.interfere.fail_interface(api, cloud.scale_set(api).active()[0].name)
    body = (await ask(cloud, "GET", balancer)).json()
    refused = await ask(cloud, "PUT", balancer, down(body, 0, 1))
    assert outcome(refused) == (409, "ReferencedResourceNotProvisioned")
    assert await states(ask, cloud, balancer) == [0, 0]


async def test_what_else_a_write_would_change_is_refused_loudly(ask: Ask, cloud: Cloud, balancer: str) -> None:
    body = (await ask(cloud, "GET", balancer)).json()
    body["properties"]["probes"][0]["properties"]["port"] = 81
    assert outcome(await ask(cloud, "PUT", balancer, body)) == (400, "NotSimulated")
    assert (await ask(cloud, "PUT", f"{balancer}2", body)).status == 404
