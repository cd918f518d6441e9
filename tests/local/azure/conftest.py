"""A simulated Azure for each test, in virtual time (the server's tests excepted), and ways to ask it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Protocol

import pytest
from azure.core.credentials import AccessToken
from azure.mgmt.compute.aio import ComputeManagementClient

from local.azure.arm.messages import ArmRequest, ArmResponse
from local.azure.arm.transport import InProcessTransport
from local.azure.cloud import Cloud
from local.azure.world import World, demo_world, parse_world
from local.clock import VIRTUAL_START, PlatformClock, VirtualLoop

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Virtual time has no sockets: only the server's tests run in real time."""
    if item.path.name == "test_server.py":
        return {"real": asyncio.new_event_loop}
    return {"virtual": VirtualLoop}


@pytest.fixture
def web() -> str:
    """The resource id of the demo world's scale set."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/demo/providers/Microsoft.Compute/virtualMachineScaleSets/web"


@pytest.fixture
def image() -> str:
    """The resource id of the demo world's image."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/demo/providers/Microsoft.Compute/galleries/apps/images/web"


@pytest.fixture
def patched_demo() -> Callable[..., World]:
    """The demo world with other values: ``set_`` for its scale set, ``platform``, ``image_version`` by name."""

    def build(
        scale_set: dict[str, Any] | None = None,
        platform: dict[str, Any] | None = None,
        behaviors: dict[str, dict[str, Any]] | None = None,
        **rest: Any,
    ) -> World:
        document = demo_world().model_dump(mode="json", by_alias=True)
        document["scaleSets"][0] |= scale_set or {}
        document["platform"] |= platform or {}
        versions = document["galleries"][0]["images"][0]["versions"]
        for version in versions:
            version["behavior"] |= (behaviors or {}).get(version["name"], {})
        return parse_world({**document, **rest})

    return build


@pytest.fixture
def api() -> str:
    """The resource id of the demo world's Flexible scale set."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/demo/providers/Microsoft.Compute/virtualMachineScaleSets/api"


@pytest.fixture
def network() -> str:
    """What the ids of the demo world's network resources begin with."""
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/demo/providers/Microsoft.Network"


@pytest.fixture
def networked(patched_demo: Callable[..., World]) -> Callable[..., World]:
    """The demo world with ``web`` behind the load balancer ``lb``, and ``api`` behind it and ``api-gw``."""

    def build(
        balancer: dict[str, Any] | None = None,
        gateway: dict[str, Any] | None = None,
        api: dict[str, Any] | None = None,
        **rest: Any,
    ) -> World:
        document = patched_demo(**rest).model_dump(mode="json", by_alias=True)
        both = {"name": "lb", "resourceGroup": "demo", "pools": ["web", "api"]}
        document["loadBalancers"] = [both | (balancer or {})]
        document["applicationGateways"][0] |= gateway or {}
        document["scaleSets"][0]["backendPools"] = ["lb/web"]
        document["scaleSets"][1] |= {"backendPools": ["lb/api", "api-gw/api"]} | (api or {})
        return parse_world(document)

    return build


@pytest.fixture
async def clock() -> PlatformClock:
    return PlatformClock(VIRTUAL_START)


@pytest.fixture
def cloud(clock: PlatformClock) -> Cloud:
    """The demo world."""
    return Cloud(demo_world(), clock)


class Ask(Protocol):
    """Sends one request to a cloud; the api-version is added."""

    def __call__(
        self, cloud: Cloud, method: str, path: str, body: Any = None, /, **headers: str
    ) -> Awaitable[ArmResponse]: ...


@pytest.fixture
def ask() -> Ask:
    async def send(cloud: Cloud, method: str, path: str, body: Any = None, /, **headers: str) -> ArmResponse:
        url = path if path.startswith("http") else f"https://management.azure.com{path}"
        if "api-version=" not in url:
            url += ("&" if "?" in url else "?") + "api-version=2026-04-01"
        content = b"" if body is None else json.dumps(body).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return await cloud.handle(ArmRequest(method, url, names, content))

    return send


class Credential:
    """A credential that needs nobody."""

    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        return AccessToken("token", 4102444800)

    async def close(self) -> None:
        return None

    async def __aenter__(self) -> Credential:
        return self

    async def __aexit__(self, *args: object) -> None:
        return None


@pytest.fixture
def credential() -> Any:
    """A credential for SDK clients."""
    return Credential()


@pytest.fixture
async def connect() -> AsyncIterator[Callable[[Cloud], ComputeManagementClient]]:
    """Makes the SDK's own client of a cloud, without its retries."""
    clients: list[ComputeManagementClient] = []

    def build(cloud: Cloud) -> ComputeManagementClient:
        transport: Any = InProcessTransport(cloud)
        clients.append(ComputeManagementClient(Credential(), SUBSCRIPTION, transport=transport, retry_total=0))
        return clients[-1]

    yield build
    for client in clients:
        await client.close()


@pytest.fixture
def client(connect: Callable[[Cloud], ComputeManagementClient], cloud: Cloud) -> ComputeManagementClient:
    """The SDK's own client of the demo world."""
    return connect(cloud)
