"""`python -m local` as a newcomer meets it: a process, real HTTP, and kill -9."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.tables import connect, table_store
from local.azure.cloud import Cloud
from local.azure.compute.serving import serving_counts
from local.azurite import Azurite
from local.clock import PlatformClock
from local.state import StateFile
from rollout.model.rows.deployment import IntentKind
from settings import Settings

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

#: The path and the body of a start.
START = (
    "/api/groups/web/deployments",
    '{"image": "1.1.0", "batchSizePercentage": 20, "gracePeriod": 300}',
)

#: Faster than the demo: a deployment of twenty minutes in a few seconds.
SPEED = "300"


class Running:
    """A running platform, and what it printed."""

    def __init__(self, process: asyncio.subprocess.Process, urls: tuple[str, str], session: Any) -> None:
        self.process = process
        self.url, self.azure_url = urls
        self._session = session

    async def get(self, path: str) -> Any:
        async with self._session.get(f"{self.url}{path}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def post(self, path: str, body: str) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"}
        async with self._session.post(f"{self.url}{path}", data=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def until(self, path: str, reached: Callable[[Any], bool]) -> Any:
        """Look until what is at ``path`` has come as far."""
        async with asyncio.timeout(90):
            while not reached(body := await self.get(path)):
                await asyncio.sleep(0.05)
        return body


@asynccontextmanager
async def platform(*arguments: str, ending: signal.Signals = signal.SIGINT) -> AsyncIterator[Running]:
    """A platform that is ended by a signal: SIGINT is Ctrl-C, SIGKILL is kill -9."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "local", "--port", "0", "--azure-port", "0", "--speed", SPEED, *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        async with aiohttp.ClientSession() as session:
            yield Running(process, await _urls(process), session)
            process.send_signal(ending)
            assert await process.wait() == (0 if ending is signal.SIGINT else -ending)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _urls(process: asyncio.subprocess.Process) -> tuple[str, str]:
    """Where the Functions host and the simulated Azure listen."""
    assert process.stdout is not None
    said = b""
    async with asyncio.timeout(60):
        async for line in process.stdout:
            said += line
            if b"Ctrl-C stops everything" in line:
                api, azure = re.search(rb"API +(http://\S+)/api", said), re.search(rb"\(ARM\) +(http://\S+)", said)
                assert api
                assert azure
                return api[1].decode(), azure[1].decode()
    raise AssertionError("the platform did not start")


async def test_the_demo_s_ten_vms_are_replaced_in_five_batches() -> None:
    path, body = START
    async with platform() as running:
        status, started = await running.post(path, body)
        assert status == 202
        deployment = f"/api/deployments/{started['id']}"
        status, refused = await running.post(path, body)
        assert (status, refused["error"]["code"], refused["error"]["target"]) == (
            409,
            "deploymentInProgress",
            started["id"],
        )
        ended = await running.until(deployment, lambda row: row["endedAt"] is not None)
        assert (ended["status"], ended["numberOfBatches"], ended["greenVms"], ended["blueVms"]) == (
            "finished",
            5,
            10,
            0,
        )
        assert [row["id"] for row in (await running.get(path))["value"]] == [started["id"]]
        vms = (await running.get(f"{deployment}/vms"))["value"]
        assert (
            sorted((vm["color"], vm["status"]) for vm in vms)
            == [("blue", "deleted")] * 10 + [("green", "healthy")] * 10
        )
        types = [event["type"] for event in (await running.get(f"{deployment}/events"))["value"]]
        assert types.count("BatchTerminated") == 5
        assert types[-1] == "DeploymentFinished"
        durable = await running.get(f"{deployment}/durable")
        assert durable["runtimeStatus"] == "Completed"
        assert "code=" not in json.dumps(durable)


async def test_a_run_that_is_killed_again_and_again_finishes_and_does_nothing_twice(tmp_path: Path) -> None:
    state = tmp_path / "demo.state"
    path, body = START
    started = ""
    for kill_at in ("DeploymentPlanned", "BatchStarted", "BatchLaunched", "BatchDetached", "BatchTerminated"):
        async with platform("--state", str(state), ending=signal.SIGKILL) as running:
            if not started:
                started = (await running.post(path, body))[1]["id"]
            events = f"/api/deployments/{started}/events"
            await running.until(events, lambda body, wanted=kill_at: wanted in str(body))  # type: ignore[misc]
    async with platform("--state", str(state)) as running:
        ended = await running.until(f"/api/deployments/{started}", lambda row: row["endedAt"] is not None)
    assert ended["status"] == "finished"
    await _nothing_was_done_that_was_not_meant(state, started)


async def _nothing_was_done_that_was_not_meant(state: Path, deployment: str) -> None:
    kept = StateFile(state)
    clock = PlatformClock()
    cloud = Cloud.restore(kept.load("azure")["snapshot"], clock)
    async with Azurite(state.with_name(f"{state.name}.azurite")) as azurite:
        service = connect(Settings(tables_connection=azurite.connection_string))
        async with service:
            intents = await table_store(service).intents.list(deployment)
    kept.close()
    writes = [entry for entry in cloud.audit if entry.status < 300]
    meant = {vm_id for intent in intents if intent.kind is IntentKind.DELETE for vm_id in intent.vm_ids}
    deleted = [vm_id for entry in writes for vm_id in entry.deleted]
    assert sorted(deleted) == sorted(meant)
    launches = {(intent.nominal, intent.target) for intent in intents if intent.kind is IntentKind.LAUNCH}
    raised = [(entry.capacity_before, entry.capacity_after) for entry in writes if entry.created]
    assert set(raised) <= launches
    assert sum(len(entry.created) for entry in writes) == 10
    group = cloud.world.groups[0]
    assert min(count for _, count in serving_counts(cloud, str(group["scaleSetId"]))) >= 10
