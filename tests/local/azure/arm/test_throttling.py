"""Azure's request limits, on the clock."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.arm.messages import ArmResponse
from local.azure.cloud import Cloud
from local.azure.world import World
from local.clock import PlatformClock

Ask = Callable[..., Awaitable[ArmResponse]]


async def burst(ask: Ask, cloud: Cloud, method: str, url: str, count: int, body: Any = None) -> list[int]:
    """The statuses of requests that come all at once."""
    return [(await ask(cloud, method, url, body)).status for _ in range(count)]


@pytest.mark.parametrize(
    ("path", "size", "refill"),
    [("", 36, 12), ("/instanceView", 30, 10), ("/virtualMachines", 30, 10), ("/virtualMachines/0", 36, 12)],
)
@pytest.mark.parametrize("factor", [1.0, 0.5])
async def test_reads_are_let_through_as_azure_s_table_says(
    ask: Ask,
    clock: PlatformClock,
    patched_demo: Callable[..., World],
    web: str,
    path: str,
    size: int,
    refill: int,
    factor: float,
) -> None:
    cloud = Cloud(patched_demo(platform={"throttlingFactor": factor}), clock)
    size, refill = int(size * factor), int(refill * factor)
    assert await burst(ask, cloud, "GET", web + path, size + 1) == [200] * size + [429]
    await clock.sleep(timedelta(seconds=59))
    assert await burst(ask, cloud, "GET", web + path, 1) == [429]
    await clock.sleep(timedelta(seconds=1))
    assert await burst(ask, cloud, "GET", web + path, refill + 1) == [200] * refill + [429]


async def test_writes_have_twelve_at_once_and_four_a_minute(ask: Ask, cloud: Cloud, web: str) -> None:
    statuses = await burst(ask, cloud, "PATCH", web, 13, {"tags": {}})
    assert statuses == [200] + [409] * 11 + [429]
    assert len(cloud.audit) == 13


async def test_a_bucket_belongs_to_one_resource(ask: Ask, cloud: Cloud, web: str) -> None:
    await burst(ask, cloud, "GET", f"{web}/virtualMachines/0", 37)
    assert await burst(ask, cloud, "GET", f"{web}/virtualMachines/1", 1) == [200]


LEFT = "x-ms-ratelimit-remaining-resource"


async def test_lists_of_sets_are_charged_to_the_subscription_alone(ask: Ask, cloud: Cloud, web: str) -> None:
    sets = web.rpartition("/")[0]
    answers = [await ask(cloud, "GET", sets) for _ in range(40)]
    assert {answer.status for answer in answers} == {200}
    assert answers[-1].headers[LEFT] == "Microsoft.Compute/VMScaleSetList;1040"


async def test_a_write_that_passed_may_say_that_nothing_of_the_queue_is_left(ask: Ask, cloud: Cloud, web: str) -> None:
    answer = await ask(cloud, "PATCH", web, {"tags": {"a": "b"}})
    assert answer.headers[LEFT].endswith(",Microsoft.Compute/VmssQueuedVMOperations;0")


async def test_the_refusal_says_which_limit_and_how_long_to_wait(
    ask: Ask, cloud: Cloud, clock: PlatformClock, web: str
) -> None:
    await burst(ask, cloud, "GET", web, 36)
    await clock.sleep(timedelta(seconds=20))
    refused = await ask(cloud, "GET", web)
    assert refused.headers["retry-after"] == "40"
    assert refused.headers[LEFT] == "Microsoft.Compute/VMScaleSetLowCostGet;0"
    body = refused.json()
    assert (body["code"], body["details"][0]["target"]) == ("OperationNotAllowed", "VMScaleSetLowCostGet")


async def test_answers_say_what_is_left_and_requests_are_counted_by_kind(ask: Ask, cloud: Cloud, web: str) -> None:
    answer = await ask(cloud, "GET", web)
    low_cost = "Microsoft.Compute/VMScaleSetLowCostGet"
    assert answer.headers[LEFT] == f"{low_cost};35,{low_cost}Subscription;2399"
    await burst(ask, cloud, "GET", web, 36)
    count = cloud.requests["get scale set [VMScaleSetLowCostGet]"]
    assert (count.passed, count.throttled) == (36, 1)
