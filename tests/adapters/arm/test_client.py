"""Which endpoint the clients speak to, with which token, and that they are kept and never wait."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.arm.client import ComputeClients
from adapters.arm.scale_sets import ArmScaleSets
from rollout.ports.errors import Refused
from settings import Settings

SET_ID = "/subscriptions/5AB3/resourceGroups/demo/providers/Microsoft.Compute/virtualMachineScaleSets/web"
ABSENT = {"error": {"code": "ResourceNotFound", "message": "The Resource was not found."}}


async def test_a_subscription_has_one_client(clients: ComputeClients) -> None:
    other = clients.of("/subscriptions/77cd/resourceGroups/demo")
    assert clients.of(SET_ID) is clients.of(SET_ID.lower())
    assert clients.of(SET_ID) is not other


@pytest.mark.parametrize("given", ["", "web", "/providers/Microsoft.Compute/skus"])
def test_an_id_outside_every_subscription_is_refused(clients: ComputeClients, given: str) -> None:
    with pytest.raises(Refused, match="invalidResourceId"):
        clients.of(given)


async def test_closed_clients_are_not_used_again(clients: ComputeClients) -> None:
    first = clients.of(SET_ID)
    await clients.close()
    assert clients.of(SET_ID) is not first


@pytest.mark.parametrize(
    ("endpoint", "scope"),
    [
        ("https://management.azure.com", "https://management.azure.com/.default"),
        ("https://management.azure.com/", "https://management.azure.com/.default"),
        ("https://management.usgovcloudapi.net", "https://management.core.usgovcloudapi.net/.default"),
        ("https://management.chinacloudapi.cn", "https://management.chinacloudapi.cn/.default"),
        ("https://management.local.azurestack.external", "https://management.local.azurestack.external/.default"),
        ("http://127.0.0.1:7072", "https://management.azure.com/.default"),
        ("http://localhost:7072/", "https://management.azure.com/.default"),
        ("http://[::1]:7072", "https://management.azure.com/.default"),
        ("https://localhost:7072", "https://management.azure.com/.default"),
    ],
)
async def test_a_request_goes_to_the_endpoint_with_a_token_of_its_cloud(
    clients_at: Any, script: Any, credential: Any, endpoint: str, scope: str
) -> None:
    script.answer(404, ABSENT)
    assert await ArmScaleSets(clients_at(endpoint)).read(SET_ID) is None
    (request,) = script.requests
    assert request.url.startswith(endpoint.rstrip("/") + "/subscriptions/5ab3/")
    assert request.headers["Authorization"] == "Bearer secret"
    assert credential.scopes == [scope]


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "management.azure.com",
        "ftp://localhost",
        "https://",
        "http://management.azure.com",
        "http://10.0.0.4:7072",
        "http://localhost.example.com",
        "http://localhost@example.com",
        "http://127.0.0.1.example.com",
    ],
)
def test_no_token_is_sent_in_the_clear_to_another_machine(clients_at: Any, endpoint: str) -> None:
    with pytest.raises(ValueError, match="TEAL_ARM_ENDPOINT"):
        clients_at(endpoint)


async def test_requests_say_who_sends_them(clients: ComputeClients, script: Any) -> None:
    script.answer(404, ABSENT)
    script.answer(404, ABSENT)
    for _ in range(2):
        await ArmScaleSets(clients).read(SET_ID)
    first, second = script.requests
    assert first.headers["User-Agent"].startswith("teal ")
    assert first.headers["x-ms-client-request-id"] != second.headers["x-ms-client-request-id"]


async def test_connections_have_the_time_outs_of_an_activity(credential: Any) -> None:
    clients = ComputeClients(Settings(), credential)
    transport: Any = clients.of(SET_ID)._client._pipeline._transport
    assert (transport.connection_config.timeout, transport.connection_config.read_timeout) == (10, 60)
    await clients.close()
