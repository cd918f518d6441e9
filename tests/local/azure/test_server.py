"""The simulated Azure over real HTTP, with the real managed identity credential."""

import os
from collections.abc import AsyncIterator

import aiohttp
import pytest
from azure.identity.aio import ManagedIdentityCredential
from azure.mgmt.compute.aio import ComputeManagementClient

from local.azure.cloud import Cloud
from local.azure.server import Server, serve
from local.azure.world import Fault


@pytest.fixture
async def server(cloud: Cloud) -> AsyncIterator[Server]:
    server = await serve(cloud)
    yield server
    await server.close()


@pytest.fixture
async def credential(server: Server) -> AsyncIterator[ManagedIdentityCredential]:
    """The credential of a hosted app: it reads where to get tokens from its environment when it is made."""
    hosted = {"IDENTITY_ENDPOINT": f"{server.url}/msi/token", "IDENTITY_HEADER": "anything"}
    os.environ.update(hosted)
    try:
        credential = ManagedIdentityCredential()
    finally:
        for name in hosted:
            del os.environ[name]
    async with credential:
        yield credential


async def test_the_sdk_works_over_http_with_a_managed_identity(
    server: Server, cloud: Cloud, credential: ManagedIdentityCredential
) -> None:
    async with (
        ComputeManagementClient(
            credential,
            cloud.world.subscription_id,
            base_url=server.url,
            credential_scopes=["https://management.azure.com/.default"],
            retry_total=0,
        ) as client,
    ):
        vms = client.virtual_machine_scale_set_vms.list("demo", "web", expand="instanceView", enforce_https=False)
        assert len([vm async for vm in vms]) == 10


async def test_urls_name_the_server(server: Server, cloud: Cloud, web: str) -> None:
    async with aiohttp.ClientSession() as session:
        url = f"{server.url}{web}?api-version=2026-04-01"
        async with session.patch(url, json={"sku": {"capacity": 11}}, headers={"If-Match": '"1"'}) as answer:
            assert answer.status == 200
            assert answer.headers["Azure-AsyncOperation"].startswith(f"{server.url}/subscriptions/")
            assert answer.headers["ETag"] == '"2"'
        async with session.get(f"{server.url}/subscriptions?api-version=2022-12-01") as answer:
            assert (await answer.json())["value"][0]["subscriptionId"] == cloud.world.subscription_id


async def test_a_lost_answer_breaks_the_connection(server: Server, cloud: Cloud, web: str) -> None:
    cloud.faults.add(Fault(method="POST", lose_response=True))
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.post(f"{server.url}{web}/delete?api-version=2026-04-01", json={"instanceIds": ["0"]})
    assert cloud.scale_set(web).capacity == 9


async def test_a_token_needs_a_header_and_a_resource(server: Server) -> None:
    async with aiohttp.ClientSession() as session:
        for headers, query in (({}, "?resource=x"), ({"X-IDENTITY-HEADER": "x"}, "")):
            async with session.get(f"{server.url}/msi/token{query}", headers=headers) as answer:
                assert answer.status == 400
