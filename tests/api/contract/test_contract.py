"""Every operation of the document, asked at random: what comes back is in the document."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from api.routes import document
from local.clock import VirtualLoop
from local.virtual import VirtualPlatform
from local.virtual.contract import breaches
from rollout.model.azure.evidence import VmEvidence
from rollout.model.status import VmStatus

pytestmark = pytest.mark.slow

BASE = "http://localhost:7071/api"
SCHEMA = schemathesis.openapi.from_dict({**document(), "servers": [{"url": BASE}]})
#: By the name of the function.
OPERATIONS: dict[str, Any] = {
    operation.definition.raw["operationId"]: operation
    for found in SCHEMA.get_all_operations()
    if (operation := cast(Any, found).ok())
}

#: Those that change nothing.
READING = [name for name, found in OPERATIONS.items() if found.method == "get"]

VM_ID = "6d3a9c1e-52a8-4f0b-9a51-0c6f1f8f8d10"

#: How many requests of each kind an operation gets: what the schema allows, and what it does not.
EXAMPLES = 30


@dataclass
class Desk:
    """The platform with a deployment that has finished and one that is paused, in virtual time that goes on at need."""

    runner: asyncio.Runner
    platform: VirtualPlatform
    known: dict[str, list[str]]

    def ask(self, method: str, target: str, headers: Any, body: bytes) -> Any:
        return self.runner.run(self.platform.host.request(method, target, headers=headers, body=body))


async def furnish(platform: VirtualPlatform) -> dict[str, list[str]]:
    await platform.__aenter__()
    await deploy_by_itself(platform)
    finished = await platform.start(image="1.1.0")
    await platform.ended(finished)
    paused = await platform.start(image="1.0.0")
    await platform.post(f"/api/deployments/{paused}/pause", {"comment": "to be looked at"})
    evidence = VmEvidence(
        VM_ID, "web_3", 1, platform.clock.now(), VmStatus.UNHEALTHY, "No heartbeat", serial_log="ready"
    )
    await platform.store.evidence.put(finished, evidence)
    return {"groupId": ["web"], "deploymentId": [finished, paused], "vmId": [VM_ID]}


async def deploy_by_itself(platform: VirtualPlatform) -> None:
    """The group gets a rule and a schedule; a version is published that it wants, and one that it does not."""
    group = dict(platform.world.groups[0])
    image_id = str(group["imageId"])
    rule = {"imageId": image_id, "versions": "1.x", "deployment": {"approvals": [1], "gracePeriod": 300}}
    schedules = [{"name": "nightly", "cron": "0 3 * * *", "deployment": {"image": "latest", "canary": {"size": 1}}}]
    asked = {**group, "imageRule": rule, "schedules": schedules}
    await platform.put(f"/api/groups/{asked.pop('id')}", asked)
    for name in ("2.0.0", "1.9.0"):
        platform.cloud.interfere.publish(image_id, name, creating_for=timedelta(days=3))
        platform.cloud.interfere.announce(f"{image_id}/versions/{name}")
    await platform.clock.sleep(timedelta(minutes=2))


@contextmanager
def furnished() -> Iterator[Desk]:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:

        async def make() -> VirtualPlatform:
            return VirtualPlatform()

        platform = runner.run(make())
        yield Desk(runner, platform, runner.run(furnish(platform)))
        runner.run(platform.__aexit__())


@pytest.fixture(scope="module")
def reading_desk() -> Iterator[Desk]:
    """For all operations that change nothing."""
    with furnished() as desk:
        yield desk


def check(desk: Desk, case: Any, known: int) -> int:
    """Ask, with the ids of the ``known``th of what is there; with those of the case where that is 0."""
    if known:
        case.path_parameters = {name: desk.known[name][-known:][0] for name in case.path_parameters or {}}
    request = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
    content: Any = request.body or b""
    body = content if isinstance(content, bytes) else content.encode()
    target = str(request.path_url)
    answer = desk.ask(str(request.method), target, dict(request.headers), body)
    if answer.status == 404 and not answer.body:
        return 404  # The host's own answer: the path is that of no route.
    name = case.operation.definition.raw["operationId"]
    assert breaches(name, answer.status, answer.headers, answer.body) == [], (request.method, target, body[:500])
    return int(answer.status)


def ask_at_random(desk: Desk, operation: Any, mode: schemathesis.GenerationMode) -> set[int]:
    statuses: set[int] = set()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), known=st.sampled_from([1, 2, 0]))
    def ask(case: Any, known: int) -> None:
        statuses.add(check(desk, case, known))

    ask()
    return statuses


def hold(desk: Desk, name: str) -> None:
    operation = OPERATIONS[name]
    statuses = ask_at_random(desk, operation, schemathesis.GenerationMode.POSITIVE)
    # It found what it asked for; and what it may not do then, or cannot, is said so.
    assert statuses - {401, 404}, statuses
    if operation.definition.raw["parameters"] or "requestBody" in operation.definition.raw:
        ask_at_random(desk, operation, schemathesis.GenerationMode.NEGATIVE)


@pytest.mark.parametrize("name", READING)
def test_what_a_reading_operation_answers_is_documented(reading_desk: Desk, name: str) -> None:
    hold(reading_desk, name)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in READING])
def test_what_a_writing_operation_answers_is_documented(name: str) -> None:
    with furnished() as desk:
        hold(desk, name)


NO_IDS = [
    "x",
    "..",
    "%2E%2E",
    "%00",
    "%2F",
    "a%2Fb",
    "%C3%A9",
    "%ED%A0%80",
    "x" * 5000,
    "web-20260230T000000Z-1a2b3c",
    "'%20or%201",
]


@pytest.mark.parametrize("name", [name for name in OPERATIONS if "{" in OPERATIONS[name].path])
def test_ids_that_are_no_ids_are_not_found(reading_desk: Desk, name: str) -> None:
    operation = OPERATIONS[name]
    for wrong in re.findall(r"\{(\w+)\}", operation.path):
        for no_id in NO_IDS:
            ids = {name: known[0] for name, known in reading_desk.known.items()} | {wrong: no_id}
            path = operation.path.format(**ids)
            body = b"{}" if operation.method.upper() in ("POST", "PUT") else b""
            headers = {"Content-Type": "application/json"}
            answer = reading_desk.ask(operation.method.upper(), f"/api{path}", headers, body)
            # A group's id is made up by whoever makes it, so a wrong one is told as such.
            assert answer.status == (400 if name == "put_group" and answer.body else 404), (path, answer)
