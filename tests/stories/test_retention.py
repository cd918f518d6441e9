"""What is old is forgotten by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.world import World
from local.clock import run_virtual
from local.virtual import VirtualPlatform
from rollout.status import Status
from settings import Settings

pytestmark = pytest.mark.slow

SmallWorld = Callable[..., World]

GOOD: dict[str, Any] = {"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300}


def test_what_is_old_is_forgotten_but_the_newest_deployment(small_world: SmallWorld) -> None:
    async def main() -> None:
        settings = Settings(history_days=2, rows_days=4)
        async with VirtualPlatform(small_world(2), settings=settings) as platform:
            first = await platform.start(**GOOD)
            await platform.ended(first)
            await platform.clock.sleep(timedelta(hours=1))
            second = await platform.start(image="1.0.0", batchSizePercentage=50)
            await platform.ended(second)
            assert (await platform.get(f"/api/deployments/{first}/durable")).status == 200
            await platform.clock.sleep(timedelta(days=3))
            assert platform.host.durable.instances() == []
            assert (await platform.get(f"/api/deployments/{first}/durable")).status == 404
            assert (await platform.get(f"/api/deployments/{first}/events")).body["value"]
            await platform.clock.sleep(timedelta(days=3))
            assert (await platform.get(f"/api/deployments/{first}")).status == 404
            assert await platform.store.events.list(first) == ()
            assert (await platform.get(f"/api/deployments/{second}")).body["status"] == "finished"
            assert (await platform.ended(await platform.start(**GOOD))).status is Status.FINISHED

    run_virtual(main())
