"""A fault of Teal's own ends a deployment in order: the group is free, and the history says what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rollout.model.rows.deployment import Deployment
from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
Worlds = Callable[..., Any]

ASKED = {
    "image": "1.1.0",
    "batchSizePercentage": 50,
    "gracePeriod": 300,
    "drainingTimeout": 0,
    "canary": {"size": 1, "bakeTime": 300},
    "onFailure": "rollBack",
}

#: What comes after a bake that cannot begin.
END = ["BakeStarted", "GreenDiscarded", "ImageRestored", "DeploymentFailed"]

#: How often a recipe tries to write an event.
TRIES = 12


async def muddle(stage: Any, deployment: str) -> None:
    """Give the row a status from which the deployment cannot go on, as a fault of Teal's would."""
    await stage.platform.store.deployments.change(deployment, lambda row: replace(row, status=Status.QUEUED))


class Stubborn:
    """Deployments' rows that a few times take no end."""

    def __init__(self, rows: Any, times: int) -> None:
        self._rows = rows
        self.times = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)

    async def change(self, deployment_id: str, change: Callable[[Deployment], Deployment]) -> Deployment:
        def stubborn(row: Deployment) -> Deployment:
            after = change(row)
            if after.status.ended and self.times:
                self.times -= 1
                raise ZeroDivisionError("a fault of Teal's own")
            return after

        changed: Deployment = await self._rows.change(deployment_id, stubborn)
        return changed


def numbered(events: Any) -> bool:
    return [event.sequence for event in events] == list(range(1, len(events) + 1))


def test_illegal_event_puts_back_what_was_changed_and_ends_the_deployment_once(
    play: Play, either_world: Worlds
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**ASKED)
        await stage.until(deployment, "BatchHealthy", 1)
        await muddle(stage, deployment)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.error.code) == (Status.FAILED, "internalError")
        assert "a deployment that is queued cannot become baking (BakeStarted)" in row.error.message
        events = await stage.platform.events(deployment)
        assert [event.type for event in events][-4:] == END
        assert numbered(events)
        # No batch was rolled back: what a fault of Teal's own would do to more VMs nobody knows.
        assert (sorted(stage.versions()), stage.model()) == (["1.0.0", "1.0.0", "1.0.0", "1.1.0"], "1.0.0")
        again = await stage.platform.start(image="1.1.0", gracePeriod=300, drainingTimeout=0)
        assert (await stage.platform.ended(again)).status is Status.FINISHED

    play(story, either_world(4), exempt={"no_step_fails"})


def test_second_fault_on_the_way_frees_the_group_and_writes_the_end(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**ASKED)
        await stage.until(deployment, "BatchHealthy", 1)
        rows = Stubborn(stage.platform.store.deployments, TRIES)
        stage.platform.store = replace(stage.platform.store, deployments=rows)
        await muddle(stage, deployment)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.error.code, row.settled, rows.times) == (Status.FAILED, "internalError", False, 0)
        assert "DeploymentFailed could not be written down" in row.error.message
        assert numbered(await stage.platform.events(deployment))
        again = await stage.platform.start(image="1.1.0", gracePeriod=300, drainingTimeout=0)
        assert (await stage.platform.ended(again)).status is Status.FINISHED

    play(story, small_world(4), exempt={"no_step_fails", "no_activity_raises"})
