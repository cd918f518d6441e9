"""The simulated Azure over real HTTP, with the real managed identity credential."""

import base64
import json
import os
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from azure.identity.aio import ManagedIdentityCredential
from azure.mgmt.compute.aio import ComputeManagementClient

from local.azure.arm.server import AzureServer, serve
from local.azure.cloud import Cloud
from local.azure.world import Fault


@pytest.fixture
async def server(cloud: Cloud) -> AsyncIterator[AzureServer]:
    server = await serve(cloud)
    yield server
    await server.close()


@pytest.fixture
async def credential(server: AzureServer) -> AsyncIterator[ManagedIdentityCredential]:
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
    server: AzureServer, cloud: Cloud, credential: ManagedIdentityCredential
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


async def test_urls_name_the_server(server: AzureServer, cloud: Cloud, web: str) -> None:
    async with aiohttp.ClientSession() as session:
        url = f"{server.url}{web}?api-version=2026-04-01"
        async with session.patch(url, json={"sku": {"capacity": 11}}, headers={"If-Match": '"1"'}) as answer:
            assert answer.status == 200
            assert answer.headers["Azure-AsyncOperation"].startswith(f"{server.url}/subscriptions/")
            assert answer.headers["ETag"] == '"2"'
        async with session.get(f"{server.url}/subscriptions?api-version=2022-12-01") as answer:
            assert (await answer.json())["value"][0]["subscriptionId"] == cloud.world.subscription_id


async def test_a_lost_answer_breaks_the_connection(server: AzureServer, cloud: Cloud, web: str) -> None:
    cloud.faults.add(Fault(method="POST", lose_response=True))
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.post(f"{server.url}{web}/delete?api-version=2026-04-01", json={"instanceIds": ["0"]})
    assert cloud.scale_set(web).capacity == 9


@pytest.fixture
async def tls(cloud: Cloud, tmp_path: Path) -> AsyncIterator[tuple[AzureServer, ssl.SSLContext]]:
    """A server over TLS, and what a client trusts that was given its certificate."""
    certificate = tmp_path / "certificate.pem"
    server = await serve(cloud, tls=certificate)
    yield server, ssl.create_default_context(cafile=str(certificate))
    await server.close()


async def test_over_tls_only_who_was_given_the_certificate_trusts_it(tls: Any, web: str) -> None:
    server, trusting = tls
    assert server.url.startswith("https://localhost:")
    async with aiohttp.ClientSession() as session:
        url = f"{server.url}{web}?api-version=2026-04-01"
        async with session.get(url, ssl=trusting) as answer:
            assert (await answer.json())["name"] == "web"
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(url, ssl=ssl.create_default_context())


async def test_the_metadata_of_the_cloud_names_the_server(tls: Any, cloud: Cloud) -> None:
    server, trusting = tls
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{server.url}/metadata/endpoints?api-version=2022-09-01", ssl=trusting) as answer:
            metadata = await answer.json()
        async with session.get(f"{server.url}/tenants?api-version=2022-12-01", ssl=trusting) as answer:
            [tenant] = (await answer.json())["value"]
    assert (metadata["resourceManager"], metadata["authentication"]["loginEndpoint"]) == (server.url, server.url)
    assert metadata["authentication"]["tenant"] == tenant["tenantId"] == cloud.world.tenant_id
    assert metadata["suffixes"].keys() == {"storage", "keyVaultDns", "acrLoginServer"}


async def test_two_servers_show_one_azure_each_under_its_own_url(tls: Any, server: AzureServer, web: str) -> None:
    secure, trusting = tls
    async with aiohttp.ClientSession() as session:
        path = f"{web}?api-version=2026-04-01"
        async with session.patch(f"{secure.url}{path}", json={"sku": {"capacity": 11}}, ssl=trusting) as answer:
            assert answer.headers["Azure-AsyncOperation"].startswith(secure.url)
        async with session.get(f"{server.url}{path}") as answer:
            assert (await answer.json())["sku"]["capacity"] == 11
        async with session.patch(f"{server.url}{path}", json={}) as answer:
            assert answer.status == 409


def test_the_key_is_not_left_beside_the_certificate(tls: Any, tmp_path: Path) -> None:
    [certificate] = tmp_path.iterdir()
    assert "PRIVATE KEY" not in certificate.read_text()


async def test_a_token_is_an_unsigned_jwt_of_three_parts(server: AzureServer, cloud: Cloud) -> None:
    async with aiohttp.ClientSession() as session:
        url = f"{server.url}/msi/token?resource=https://management.azure.com"
        async with session.get(url, headers={"X-IDENTITY-HEADER": "x"}) as answer:
            token = (await answer.json())["access_token"]
    header, claims, _ = (part + "=" * (-len(part) % 4) for part in token.split("."))
    assert json.loads(base64.urlsafe_b64decode(header))["alg"] == "none"
    assert json.loads(base64.urlsafe_b64decode(claims))["tid"] == cloud.world.tenant_id


async def test_a_token_needs_a_header_and_a_resource(server: AzureServer) -> None:
    async with aiohttp.ClientSession() as session:
        for headers, query in (({}, "?resource=x"), ({"X-IDENTITY-HEADER": "x"}, "")):
            async with session.get(f"{server.url}/msi/token{query}", headers=headers) as answer:
                assert answer.status == 400
