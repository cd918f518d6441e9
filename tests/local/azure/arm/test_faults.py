"""Faults by script."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.arm.messages import ArmResponse, ConnectionLost
from local.azure.cloud import Cloud
from local.azure.world import Fault, World
from local.clock import PlatformClock

Ask = Callable[..., Awaitable[ArmResponse]]


async def test_a_rule_refuses_the_calls_it_names_without_effect(ask: Ask, cloud: Cloud, web: str) -> None:
    cloud.faults.add(Fault(method="PATCH", path="/web$", calls=(2,), status=500, headers={"retry-after": "7"}))
    assert (await ask(cloud, "PATCH", web, {"tags": {}})).status == 200
    refused = await ask(cloud, "PATCH", web, {"sku": {"capacity": 12}})
    assert (refused.status, refused.headers["retry-after"]) == (500, "7")
    assert refused.json()["error"]["code"] == "InternalServerError"
    assert cloud.scale_set(web).capacity == 10


async def test_a_refusal_may_have_a_body_of_its_own(ask: Ask, cloud: Cloud, web: str) -> None:
    body = {"error": {"code": "SkuNotAvailable", "message": "The requested VM size is currently not available."}}
    cloud.faults.add(Fault(status=409, body=body))
    refused = await ask(cloud, "PATCH", web, {"sku": {"capacity": 12}})
    assert (refused.status, refused.json()) == (409, body)


async def test_a_lost_request_has_no_effect_and_a_lost_answer_has_one(ask: Ask, cloud: Cloud, web: str) -> None:
    cloud.faults.add(Fault(method="PATCH", calls=(1,), lose_request=True))
    cloud.faults.add(Fault(method="PATCH", calls=(2,), lose_response=True))
    with pytest.raises(ConnectionLost):
        await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    assert (cloud.scale_set(web).capacity, cloud.audit) == (10, [])
    with pytest.raises(ConnectionLost):
        await ask(cloud, "PATCH", web, {"sku": {"capacity": 12}})
    assert (cloud.scale_set(web).capacity, len(cloud.audit)) == (12, 1)


async def test_a_delay_postpones_the_effect_and_the_answer(
    ask: Ask, cloud: Cloud, clock: PlatformClock, web: str
) -> None:
    cloud.faults.add(Fault(method="PATCH", delay=timedelta(seconds=25)))
    before = clock.now()
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    assert clock.now() - before == timedelta(seconds=25)
    assert cloud.audit[0].time - before == timedelta(seconds=25)


@pytest.mark.parametrize("outcome", ["Failed", "Canceled"])
async def test_an_operation_can_end_badly_and_late(
    ask: Ask, cloud: Cloud, clock: PlatformClock, web: str, outcome: Any
) -> None:
    error = {"code": "OverconstrainedAllocationRequest", "message": "Allocation failed."}
    cloud.faults.add(
        Fault(method="PATCH", operation_status=outcome, operation_error=error, operation_delay=timedelta(seconds=60))
    )
    answer = await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    operation = answer.headers["azure-asyncoperation"]
    await clock.sleep(timedelta(seconds=89))
    running = await ask(cloud, "GET", operation)
    assert (running.json()["status"], running.headers["retry-after"]) == ("InProgress", "10")
    await clock.sleep(timedelta(seconds=1))
    ended = (await ask(cloud, "GET", operation)).json()
    assert (ended["status"], ended["error"]) == (outcome, error)
    assert (await ask(cloud, "GET", web)).json()["properties"]["provisioningState"] == outcome
    assert (await ask(cloud, "GET", f"{operation}&monitor=true")).status == 409


async def test_allocation_can_fail_for_some_of_the_vms(ask: Ask, cloud: Cloud, clock: PlatformClock, web: str) -> None:
    cloud.faults.add(Fault(method="PATCH", allocation_failures=2))
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 13}})
    await clock.sleep(timedelta(minutes=5))
    states = [cloud.scale_set(web).instances[number].provisioning_state for number in (10, 11, 12)]
    assert states == ["Failed", "Failed", "Succeeded"]
    assert cloud.scale_set(web).capacity == 13


async def test_a_set_for_which_there_is_no_room_takes_every_write_but_those_that_ask_for_more_vms(
    ask: Ask, patched_demo: Callable[..., World], clock: PlatformClock, web: str, image: str
) -> None:
    late = {"capacityFalls": "late", "concurrentWrites": "preempt"}
    cloud = Cloud(patched_demo(platform=late), clock)
    cloud.faults.add(Fault(raises_capacity=True, status=409))
    reference = {"imageReference": {"id": f"{image}/versions/1.1.0"}}
    writes: list[tuple[str, str, Any, int]] = [
        ("PATCH", web, {"properties": {"virtualMachineProfile": {"storageProfile": reference}}}, 200),
        ("PATCH", web, {"sku": {"capacity": 10}}, 200),
        ("PATCH", web.upper().replace("WEB", "Web"), {"sku": {"capacity": 11}}, 409),
        ("PUT", f"{web}2", {"location": "eastus2", "sku": {"name": "Standard_D2s_v5", "capacity": 1}}, 409),
        ("PATCH", web, "more", 400),
        ("PATCH", web, {"sku": {"capacity": 9}}, 200),
        ("POST", f"{web}/delete", {"instanceIds": ["1"]}, 202),
    ]
    assert [(await ask(cloud, method, path, body)).status for method, path, body, _ in writes] == [
        status for *_, status in writes
    ]
    # By then it has fallen to eight, though nobody has asked since.
    await clock.sleep(timedelta(minutes=5))
    assert (await ask(cloud, "PATCH", web, {"sku": {"capacity": 9}})).status == 409
    assert [matches for _, matches in cloud.faults.matched()] == [3]


async def test_faults_of_the_world_are_in_force_from_the_start(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str
) -> None:
    cloud = Cloud(patched_demo(faults=[{"method": "GET", "path": "WEB", "status": 503, "calls": [1]}]), clock)
    assert (await ask(cloud, "GET", web)).status == 503
    assert (await ask(cloud, "GET", web)).status == 200
    cloud.faults.add(Fault(status=500))
    cloud.faults.clear()
    assert (await ask(cloud, "GET", web)).status == 200
