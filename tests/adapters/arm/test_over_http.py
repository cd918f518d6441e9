"""The adapters with the SDK's own transport, over plain HTTP to this machine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from adapters.arm.client import ComputeClients
from adapters.arm.scale_sets import ArmScaleSets
from rollout.model.azure.scale_set import ImageReference, ScaleSet
from rollout.ports.errors import Busy
from settings import Settings

SET_ID = "/subscriptions/5ab3/resourceGroups/demo/providers/Microsoft.Compute/virtualMachineScaleSets/web"
SET = ScaleSet(SET_ID, "web", "eastus2", '"7"', 10, "Succeeded", None)
BODY = {"id": SET_ID, "name": "web", "location": "eastus2", "etag": '"7"', "sku": {"capacity": 10}}


@pytest.fixture
def heard() -> list[web.Request]:
    """The requests that the server got, oldest first."""
    return []


@pytest.fixture
async def scale_sets(heard: list[web.Request], credential: Any) -> AsyncIterator[ArmScaleSets]:
    """The adapter of a server that knows one set, and hangs up on whoever wants to delete VMs."""

    async def answer(request: web.Request) -> web.Response:
        heard.append(request)
        await request.read()
        if request.method == "POST":
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(BODY)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
    clients = ComputeClients(Settings(arm_endpoint=endpoint), credential)
    yield ArmScaleSets(clients)
    await clients.close()
    await runner.cleanup()


async def test_a_set_is_read_with_the_token(scale_sets: ArmScaleSets, heard: list[web.Request]) -> None:
    found = await scale_sets.read(SET_ID)
    assert found is not None
    assert (found.name, found.capacity) == ("web", 10)
    assert heard[0].headers["Authorization"] == "Bearer secret"


async def test_a_write_arrives_whole(scale_sets: ArmScaleSets, heard: list[web.Request]) -> None:
    await scale_sets.set_image(SET, ImageReference(id="/images/1"))
    (request,) = heard
    assert (request.method, request.path, request.headers["If-Match"]) == ("PATCH", SET_ID, '"7"')
    assert json.loads(await request.read()) == {
        "properties": {"virtualMachineProfile": {"storageProfile": {"imageReference": {"id": "/images/1"}}}}
    }


async def test_a_broken_connection_is_busy_and_not_tried_again(
    scale_sets: ArmScaleSets, heard: list[web.Request]
) -> None:
    with pytest.raises(Busy, match="noAnswer"):
        await scale_sets.delete_vms(SET, ["0"])
    assert len(heard) == 1


async def test_a_server_that_is_not_there_is_busy(credential: Any) -> None:
    clients = ComputeClients(Settings(arm_endpoint="http://127.0.0.1:1"), credential)
    with pytest.raises(Busy, match="noAnswer"):
        await ArmScaleSets(clients).read(SET_ID)
    await clients.close()
