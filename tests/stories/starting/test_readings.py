"""Dry runs take nothing from a deployment that runs, whichever host they are asked of."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import azure.durable_functions as df
import pytest

from adapters.arm.images import ArmImages
from adapters.arm.scale_sets import ArmScaleSets
from adapters.instances import DurableInstances
from api.routes import routes
from api.transport.errors import respond
from api.transport.http import Request
from local.azure.world import World, parse_world
from local.durable.binding import WEBHOOK_PATH, client_binding
from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

HALF = 0.5


class OtherHost:
    """Another process of the app: the same tables, hub and Azure, and a memory of its own. It carries nothing out."""

    def __init__(self, platform: Any) -> None:
        base = platform.host.base_url
        client = df.DurableOrchestrationClient(client_binding(base, f"{base}{WEBHOOK_PATH}/", "TealHub"))
        self.ports = replace(
            platform.ports(client),
            scale_sets=ArmScaleSets(platform._compute),
            images=ArmImages(platform._compute),
            instances=DurableInstances(client),
        )
        (self.start,) = [route for route in routes(platform.settings) if route.name == "start_deployment"]

    async def dry_run(self) -> tuple[int, str, str]:
        url = f"{'http://localhost:7071'}/api/groups/web/deployments?dryRun=true"
        headers = {"content-type": "application/json"}
        request = Request("POST", url, headers, {"groupId": "web"}, b'{"image": "1.1.0"}')
        answer = await respond(self.start.handler, lambda: self.ports, request)
        code = answer.body["error"]["code"] if answer.status >= 400 else ""
        return answer.status, code, answer.headers.get("Retry-After", "")


def throttled(stage: Any) -> int:
    return sum(count.throttled for count in stage.platform.cloud.requests.values())


@pytest.mark.parametrize("knows", [True, pytest.param(False, marks=pytest.mark.nightly)])
def test_thirty_dry_runs_a_minute_throttle_no_deployment_of_900_vms(
    play: Play, small_world: SmallWorld, knows: bool
) -> None:
    """At half of Azure's limits. ``knows``: the other host has read the set before."""

    async def story(stage: Any) -> None:
        other = OtherHost(stage.platform)
        await stage.sleep(minutes=5)
        if knows:
            assert (await other.dry_run())[0] == 200
            await stage.sleep(minutes=5)
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=10)
        await stage.sleep(minutes=6)
        before = throttled(stage)
        answers: Counter[tuple[int, str, str]] = Counter()

        async def ask() -> None:
            while not (await stage.platform.row(deployment)).status.ended:
                answers[await other.dry_run()] += 1
                await stage.sleep(seconds=2)

        asking = asyncio.ensure_future(ask())
        row = await stage.platform.ended(deployment)
        await asking
        print(answers, throttled(stage), before)
        assert row.status is Status.FINISHED
        assert throttled(stage) == before
        assert {status for status, _, _ in answers} <= {200, 503}
        assert {(code, after) for status, code, after in answers if status == 503} == {("readingTooOften", "60")}

    document = small_world(900).model_dump(mode="json", by_alias=True)
    document["platform"]["throttlingFactor"] = HALF
    play(story, parse_world(document))
