"""The platform on one machine, over real sockets: Azurite, the simulated Azure, and the Functions host with the app."""

from __future__ import annotations

import importlib
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from local.access import Access
from local.azure import server as azure_server
from local.azure.cloud import Cloud
from local.azure.world import World
from local.azurite import Azurite
from local.clock import Clock
from local.durable.options import HostOptions
from local.event_delivery import EventDelivery
from local.functions import server as functions_server
from local.functions.host import FunctionsHost
from local.state import Json, MemoryState, Storage
from local.state_mark import open_state
from rollout.codec import decode_time, encode_time

#: Where Azure is served over TLS, as `docs/local.md` tells `az`.
TLS_PORT = 7443

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Options:
    """What ``python -m local`` was asked for. Without ``state`` everything is gone at the end.

    ``port`` is the Functions host's, ``azure_port`` Azure's; 0 takes a free one. ``tls``: where to write the
    certificate of an Azure that is also served over TLS. ``access``: who is let in.
    """

    world: World
    port: int = 7071
    azure_port: int = 7072
    speed: float = 60.0
    state: Path | None = None
    tls: Path | None = None
    access: Access = Access()


@dataclass(frozen=True)
class Platform:
    """A running platform: where it listens, and its parts for who looks closer."""

    url: str
    azure_url: str
    tables_connection: str
    clock: Clock
    cloud: Cloud
    host: FunctionsHost


@asynccontextmanager
async def run_platform(options: Options) -> AsyncIterator[Platform]:
    """Start everything, register the world's groups, and stop everything at the end.

    ``function_app`` is imported here, once its settings are in the environment: it finds everything through them, as
    it does in Azure.
    """
    async with AsyncExitStack() as stack:
        storage: Storage = MemoryState() if options.state is None else open_state(options.state)
        stack.callback(storage.close)
        clock = Clock(_time_of(storage), options.speed)
        azurite = await stack.enter_async_context(Azurite(_azurite_folder(options.state)))
        cloud = _cloud(storage, options.world, clock)
        azure = await azure_server.serve(cloud, options.azure_port)
        stack.push_async_callback(azure.close)
        if options.tls is not None:
            stack.push_async_callback((await azure_server.serve(cloud, TLS_PORT, tls=options.tls)).close)
        os.environ.update({**_environment(azure.url, azurite.connection_string), **options.access.environment})
        function_app: Any = importlib.import_module("function_app")
        function_app.clients.clock = clock
        stack.push_async_callback(function_app.clients.close)
        host = FunctionsHost(
            function_app.app,
            clock,
            storage=_Timed(storage, clock),
            host_json=ROOT / "host.json",
            options=HostOptions(seed=secrets.randbits(32)),
            keys=options.access.keys,
            people=options.access.people,
        )
        server = await functions_server.serve(host, options.port)
        stack.push_async_callback(server.stop)
        await _register_groups(host.base_url, cloud.world, options.access.own_headers)
        delivery = EventDelivery(
            cloud,
            lambda path, headers, body: host.request(
                "POST", options.access.event_grid_path(path), headers=headers, body=body
            ),
        )
        stack.push_async_callback(delivery.stop)
        await delivery.start()
        yield Platform(host.base_url, azure.url, azurite.connection_string, clock, cloud, host)


def _environment(azure_url: str, tables_connection: str) -> Mapping[str, str]:
    """The app settings: the same as in Azure, pointing at this machine."""
    return {
        "TEAL_ARM_ENDPOINT": azure_url,
        "TEAL_TABLES_CONNECTION": tables_connection,
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
        "IDENTITY_ENDPOINT": f"{azure_url}/msi/token",
        "IDENTITY_HEADER": "local",
        "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING": "1",
    }


def _azurite_folder(state: Path | None) -> Path | None:
    return None if state is None else state.with_name(f"{state.name}.azurite")


def _cloud(storage: Storage, world: World, clock: Clock) -> Cloud:
    """Azure as it was when the state file was last written, or as the world file says it begins."""
    saved = storage.load("azure").get("snapshot")
    cloud = Cloud.restore(saved, clock) if saved else Cloud(world, clock)
    cloud.on_change = lambda: storage.save("azure", {"snapshot": cloud.snapshot()})
    cloud.on_change()
    return cloud


def _time_of(storage: Storage) -> datetime | None:
    """The platform's time when it last did something: time stands still while nothing runs."""
    saved = storage.load("platform").get("now")
    return decode_time(saved) if saved else None


class _Timed:
    """A storage that also keeps the time of the last save, from which the next run's clock goes on."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    def load(self, space: str) -> dict[str, Json]:
        return self._storage.load(space)

    def save(self, space: str, changes: Mapping[str, Json | None]) -> None:
        self._storage.save("platform", {"now": encode_time(self._clock.now())})
        self._storage.save(space, changes)

    def close(self) -> None:
        self._storage.close()


async def _register_groups(url: str, world: World, headers: Mapping[str, str]) -> None:
    async with aiohttp.ClientSession(headers=headers) as session:
        for group in world.groups:
            definition = dict(group)
            path = f"{url}/api/groups/{definition.pop('id')}"
            async with session.get(path) as known:
                if known.status == 200:
                    continue
            async with session.put(path, json=definition) as answer:
                if answer.status >= 400:
                    print(refusal(str(group["id"]), await answer.json()))


def refusal(group_id: str, body: Json) -> str:
    """Why a group is not registered, as the API says it, with what to do."""
    error = body["error"]
    lines = [f"Group {group_id} is not registered: {error['message']}"]
    for detail in error["details"]:
        remedy = f". {detail['remedy']}" if detail.get("remedy") else ""
        lines.append(f"  {detail['code']}: {detail['message']}{remedy}")
    return "\n".join(lines)
