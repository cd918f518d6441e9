"""Which VMs serve behind balancers, and which are cut off: the probes, the pools, the checkers."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.arm.messages import ArmResponse
from local.azure.cloud import Cloud
from local.azure.compute.serving import ServingChecker, cut_off, serving_counts
from local.azure.world import World
from local.clock import PlatformClock

Ask = Callable[..., Awaitable[ArmResponse]]

WITH_HEALTH_AT_60 = {"1.0.0": {"bootTime": 30, "healthyAfter": 30}}


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.fixture
def cloud(networked: Callable[..., World], clock: PlatformClock) -> Cloud:
    """``web`` behind the load balancer ``lb``, ``api`` behind it and the gateway ``api-gw``."""
    return Cloud(networked(behaviors=WITH_HEALTH_AT_60), clock)


@pytest.fixture
def down(ask: Ask, network: str) -> Callable[..., Awaitable[None]]:
    """Sets the admin state of the first member of the load balancer's pool ``web``."""

    async def put(cloud: Cloud, state: str = "Down") -> None:
        pool = f"{network}/loadBalancers/lb/backendAddressPools/web"
        body = (await ask(cloud, "GET", pool)).json()
        body["properties"]["loadBalancerBackendAddresses"][0]["properties"]["adminState"] = state
        assert (await ask(cloud, "PUT", pool, body)).status == 200
        await cloud.clock.sleep(seconds(5))

    return put


@pytest.fixture
def take_out(ask: Ask, network: str, api: str) -> Callable[..., Awaitable[None]]:
    """Takes the first VM of ``api`` out of its pools of one kind, or of all."""

    async def put(cloud: Cloud, *fields: str) -> None:
        name = cloud.scale_set(api).active()[0].name
        path = f"{network}/networkInterfaces/api-{name.partition('_')[2]}"
        nic = (await ask(cloud, "GET", path)).json()
        for field in fields or ("loadBalancerBackendAddressPools", "applicationGatewayBackendAddressPools"):
            nic["properties"]["ipConfigurations"][0]["properties"].pop(field)
        assert (await ask(cloud, "PUT", path, nic)).status == 200

    return put


def count(cloud: Cloud, scale_set_id: str) -> int:
    return sum(1 for vm in cloud.scale_set(scale_set_id).active() if vm.serving)


async def test_a_new_vm_serves_once_its_probe_has_seen_it_healthy(ask: Ask, cloud: Cloud, web: str) -> None:
    assert count(cloud, web) == 10
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    await cloud.clock.sleep(seconds(69))
    assert count(cloud, web) == 10
    await cloud.clock.sleep(seconds(1))
    assert count(cloud, web) == 11


async def test_of_several_pools_the_quickest_probe_brings_the_first_traffic(ask: Ask, cloud: Cloud, api: str) -> None:
    await ask(cloud, "PATCH", api, {"sku": {"capacity": 7}})
    await cloud.clock.sleep(seconds(69))
    assert count(cloud, api) == 6
    await cloud.clock.sleep(seconds(1))
    assert count(cloud, api) == 7


async def test_without_a_probe_a_vm_serves_as_soon_as_it_answers(
    ask: Ask, clock: PlatformClock, networked: Callable[..., World], web: str
) -> None:
    cloud = Cloud(networked(balancer={"probe": False}, behaviors=WITH_HEALTH_AT_60), clock)
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    await clock.sleep(seconds(60))
    assert count(cloud, web) == 11


async def test_a_failing_application_serves_no_more_and_recovers_with_the_probe(cloud: Cloud, web: str) -> None:
    cloud.interfere.sicken(web, "web_0")
    assert count(cloud, web) == 9
    await cloud.clock.sleep(seconds(60))
    cloud.interfere.sicken(web, "web_0", sick=False)
    await cloud.clock.sleep(seconds(9))
    assert count(cloud, web) == 9
    await cloud.clock.sleep(seconds(1))
    assert count(cloud, web) == 10


async def test_the_admin_state_down_ends_service_and_none_brings_it_back(cloud: Cloud, web: str, down: Any) -> None:
    await down(cloud)
    assert count(cloud, web) == 9
    assert [change.state for change in cloud.changes][-2:] == ["detached", "notServing"]
    await down(cloud, "None")
    assert count(cloud, web) == 10


async def test_a_vm_serves_while_it_is_in_any_pool(cloud: Cloud, api: str, take_out: Any) -> None:
    await take_out(cloud, "loadBalancerBackendAddressPools")
    assert count(cloud, api) == 6
    await take_out(cloud, "applicationGatewayBackendAddressPools")
    assert count(cloud, api) == 5


async def test_the_checker_of_serving_vms_sees_a_drain_too_many(cloud: Cloud, web: str, down: Any) -> None:
    checker = ServingChecker(cloud, web)
    assert checker.floor == 10
    await down(cloud)
    [violation] = checker.violations()
    assert "9 VMs served, 10 have to" in violation
    assert "web_0 is detached" in violation
    assert serving_counts(cloud, web)[-1][1] == 9


async def test_a_vm_deleted_in_its_pool_is_cut_off(ask: Ask, cloud: Cloud, web: str) -> None:
    assert cut_off(cloud, web) == []
    await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["0"]})
    [found] = cut_off(cloud, web)
    assert found.startswith("web_0 was deleted at ")
    assert found.endswith("while it got new connections")


@pytest.mark.parametrize(("waited", "expected"), [(119, 1), (120, 0)])
async def test_a_vm_deleted_before_its_draining_time_is_over_is_cut_off(
    ask: Ask, cloud: Cloud, api: str, take_out: Any, waited: int, expected: int
) -> None:
    name = cloud.scale_set(api).active()[0].name
    await take_out(cloud)
    await cloud.clock.sleep(seconds(waited))
    await ask(cloud, "POST", f"{api}/delete", {"instanceIds": [name]})
    assert len(cut_off(cloud, api, seconds(120))) == expected
    assert cut_off(cloud, api) == []


async def test_who_did_not_serve_or_was_not_deleted_by_a_client_is_not_cut_off(
    ask: Ask, cloud: Cloud, web: str, api: str
) -> None:
    cloud.interfere.sicken(web, "web_0")
    await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["0"]})
    cloud.interfere.delete_vm(web, "web_1")
    assert cut_off(cloud, web, seconds(120)) == []


async def test_a_vm_that_was_put_back_and_deleted_is_cut_off(ask: Ask, cloud: Cloud, web: str, down: Any) -> None:
    await down(cloud)
    await cloud.clock.sleep(seconds(300))
    await down(cloud, "None")
    await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["0"]})
    assert len(cut_off(cloud, web, seconds(120))) == 1


async def test_a_set_without_pools_serves_as_before_and_cuts_nobody_off(
    ask: Ask, clock: PlatformClock, patched_demo: Callable[..., World], web: str
) -> None:
    cloud = Cloud(patched_demo(behaviors=WITH_HEALTH_AT_60), clock)
    await ask(cloud, "PATCH", web, {"sku": {"capacity": 11}})
    await clock.sleep(seconds(60))
    assert count(cloud, web) == 11
    await ask(cloud, "POST", f"{web}/delete", {"instanceIds": ["0"]})
    assert cut_off(cloud, web, seconds(120)) == []
