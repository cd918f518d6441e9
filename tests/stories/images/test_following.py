"""Following a deployment's events while it writes them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from local.durable.faults import ActivityFault, ActivityLoss, DurableFaults

pytestmark = pytest.mark.slow


async def follow(stage: Any, deployment_id: str, limit: int, every: float) -> list[int]:
    """Ask for what is new, again and again, until the deployment has ended and there is nothing more."""
    seen: list[int] = []
    after = "0"
    while True:
        row = await stage.platform.row(deployment_id)
        path = f"/api/deployments/{deployment_id}/events?after={after}&limit={limit}"
        reply = await stage.platform.get(path)
        seen += [event["sequence"] for event in reply.body["value"]]
        after = reply.body["next"]
        if row.status.ended and not reply.body["value"]:
            return seen
        await stage.sleep(seconds=every)


@pytest.mark.parametrize("loss", [None, *ActivityLoss])
def test_who_follows_sees_every_event_once_in_order(play: Any, small_world: Any, loss: ActivityLoss | None) -> None:
    """Several at different paces, while the deployment writes, and writes again what it does not know to be written."""

    async def story(stage: Any) -> None:
        started = await stage.platform.start(image="1.1.0")
        followers = [follow(stage, started, limit, every) for limit, every in ((1, 0.5), (3, 7), (1000, 2), (2, 61))]
        told = await asyncio.gather(*followers)
        written = [event.sequence for event in await stage.platform.events(started)]
        assert written == list(range(1, len(written) + 1))
        assert all(one == written for one in told)

    late = timedelta(seconds=90)
    lost = [ActivityFault(loss, "record_event", delivery=n, after=late) for n in (2, 5, 9, 14)] if loss else []
    play(story, small_world(4), faults=DurableFaults(activities=lost))
