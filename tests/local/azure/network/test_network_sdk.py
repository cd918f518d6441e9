"""The network provider under the SDK's own client: its models, its pollers, its errors."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.network.aio import NetworkManagementClient
from azure.mgmt.network.models import NetworkInterface

from local.azure.arm.transport import InProcessTransport
from local.azure.cloud import Cloud
from local.azure.world import World
from local.clock import PlatformClock


@pytest.fixture
def cloud(networked: Callable[..., World], clock: PlatformClock) -> Cloud:
    """``web`` behind the load balancer ``lb``, ``api`` behind it and the gateway ``api-gw``."""
    return Cloud(networked(), clock)


@pytest.fixture
async def client(cloud: Cloud, credential: Any) -> AsyncIterator[NetworkManagementClient]:
    """The SDK's own client, without its retries."""
    transport: Any = InProcessTransport(cloud)
    subscription = cloud.world.subscription_id
    async with NetworkManagementClient(credential, subscription, transport=transport, retry_total=0) as client:
        yield client


async def test_a_pool_s_admin_state_is_set_and_read_back(client: NetworkManagementClient) -> None:
    pools = client.load_balancer_backend_address_pools
    pool = await pools.get("demo", "lb", "web")
    addresses: Any = pool.load_balancer_backend_addresses
    addresses[0].admin_state = "Down"
    poller = await pools.begin_create_or_update("demo", "lb", "web", pool)
    assert (await poller.result()).provisioning_state == "Succeeded"
    after: Any = (await pools.get("demo", "lb", "web")).load_balancer_backend_addresses
    assert [address.admin_state for address in after] == ["Down", *[None] * 9]


async def test_the_health_behind_a_gateway_and_a_rule_is_polled(client: NetworkManagementClient) -> None:
    gateway: Any = await (await client.application_gateways.begin_backend_health("demo", "api-gw")).result()
    [pool] = gateway.backend_address_pools
    [settings] = pool.backend_http_settings_collection
    assert [server.health for server in settings.servers] == ["Healthy"] * 6
    rule: Any = await (await client.load_balancer_load_balancing_rules.begin_health("demo", "lb", "api")).result()
    assert (rule.up, rule.down) == (6, 0)


async def test_an_interface_is_written_with_its_etag_as_a_header(
    client: NetworkManagementClient, cloud: Cloud, api: str
) -> None:
    name = f"api-{cloud.scale_set(api).active()[0].name.partition('_')[2]}"
    nic: NetworkInterface = await client.network_interfaces.get("demo", name)
    configurations: Any = nic.ip_configurations
    configurations[0].load_balancer_backend_address_pools = []
    headers = {"If-Match": str(nic.etag)}
    poller = await client.network_interfaces.begin_create_or_update("demo", name, nic, headers=headers)
    written: Any = await poller.result()
    assert not written.ip_configurations[0].load_balancer_backend_address_pools
    assert len(written.ip_configurations[0].application_gateway_backend_address_pools) == 1
    with pytest.raises(HttpResponseError) as raised:
        await client.network_interfaces.begin_create_or_update("demo", name, nic, headers=headers)
    assert (raised.value.status_code, raised.value.error and raised.value.error.code) == (412, "PreconditionFailed")


async def test_a_uniform_set_s_interfaces_are_listed(client: NetworkManagementClient) -> None:
    nics = client.network_interfaces.list_virtual_machine_scale_set_network_interfaces("demo", "web")
    assert len([nic async for nic in nics]) == 10
