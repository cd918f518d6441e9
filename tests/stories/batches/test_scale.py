"""Stories of large sets, many batches and long waits; the promises of every story hold in these too.

Among those: no instance replays more than 200 events, writes to the set never overlap, no VM comes or goes that no
intent meant, and as many VMs serve as did at the start.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from local.azure.world import World
from local.state import MemoryState
from rollout.model.status import Status

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

#: Azure Storage takes messages of up to 45 KB as they are; larger ones are compressed and put into a blob
#: (https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-azure-storage-provider).
PAYLOAD_BYTES_MAX = 45 * 1024

#: What the SDK is given at a turn, all of the history's payloads included.
CONTEXT_BYTES_MAX = 16 * 1024


class WeighingState(MemoryState):
    """Notes the size of the largest value that the Durable host ever saved: a message, an instance, a turn's events."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = 0

    def save(self, space: str, changes: Mapping[str, Any]) -> None:
        self.largest = max(self.largest, *(len(json.dumps(value)) for value in changes.values()))
        super().save(space, changes)


async def weigh(stage: Any) -> WeighingState:
    """Let the host, which has not done anything yet, save into a state that weighs."""
    stage.platform.state = WeighingState()
    await stage.platform.restart_host()
    state: WeighingState = stage.platform.state
    return state


def refused_requests(stage: Any) -> tuple[int, list[str]]:
    """How many requests Azure throttled, and the writes that it refused."""
    throttled = sum(count.throttled for count in stage.platform.cloud.requests.values())
    return throttled, [f"{entry.method} {entry.code}" for entry in stage.platform.cloud.audit if entry.status >= 400]


async def refilled(stage: Any) -> None:
    """Registering the group has listed its VMs: wait until Azure has given that back."""
    await stage.sleep(minutes=5)


def largest_context(stage: Any) -> int:
    """The bytes of the largest context that the SDK was given."""
    sizes: list[int] = [execution.context_bytes for execution in stage.platform.host.durable.executions]
    return max(sizes)


def turns(stage: Any, activity: str) -> int:
    """How many turns the waits for an activity took; each look at it takes one or more."""
    executions = stage.platform.host.durable.executions
    return sum(1 for execution in executions if f":{activity}-e" in execution.instance_id)


@pytest.mark.slow
@pytest.mark.parametrize("throttling_factor", [pytest.param(1.0, marks=pytest.mark.nightly), 0.5])
def test_900_vms_in_10_batches_are_never_throttled(
    play: Play, small_world: SmallWorld, throttling_factor: float
) -> None:
    async def story(stage: Any) -> None:
        await refilled(stage)
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=10)
        row = await stage.platform.ended(deployment)
        assert (row.status, row.number_of_batches) == (Status.FINISHED, 10)
        assert (stage.versions(), stage.capacity(), stage.serving()) == (["1.1.0"] * 900, 900, 900)
        # The start lists the VMs, and the plan under the lock lists them again: at half of Azure's limits that is more
        # than the bucket of lists holds, and the second list waits as it is told to.
        throttled, failed = refused_requests(stage)
        assert (throttled <= (0 if throttling_factor == 1.0 else 1), failed) == (True, [])
        assert largest_context(stage) < CONTEXT_BYTES_MAX

    play(story, small_world(900, throttlingFactor=throttling_factor))


@pytest.mark.slow
def test_900_vms_keep_serving_when_the_image_is_never_healthy(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        await refilled(stage)
        row = await stage.platform.ended(await stage.platform.start(image="1.2.0", batchSizePercentage=10))
        assert row.status is Status.FAILED
        assert (stage.versions(), stage.model(), stage.serving()) == (["1.0.0"] * 900, "1.0.0", 900)

    play(story, small_world(900, throttlingFactor=0.5))


@pytest.mark.slow
def test_500_vms_are_replaced_at_once(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        await refilled(stage)
        row = await stage.platform.ended(await stage.platform.start(image="1.1.0", batchSizePercentage=100))
        assert row.status is Status.FINISHED
        assert (stage.versions(), stage.serving()) == (["1.1.0"] * 500, 500)
        assert refused_requests(stage) == (0, [])

    play(story, small_world(500, throttlingFactor=0.5))


def test_1000_vms_and_a_surge_are_refused(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        body = {"image": "1.1.0", "batchSizePercentage": 10}
        reply = await stage.platform.post("/api/groups/web/deployments", body)
        assert reply.status == 422
        assert [detail["code"] for detail in reply.body["error"]["details"]] == ["surgeOverLimit"]
        assert (stage.platform.cloud.audit, await stage.watched.deployments()) == ([], [])

    play(story, small_world(1000))


@pytest.mark.slow
def test_100_batches_keep_histories_and_payloads_small(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        state = await weigh(stage)
        row = await stage.platform.ended(await stage.platform.start(image="1.1.0", batchSizePercentage=1))
        assert (row.status, row.number_of_batches) == (Status.FINISHED, 100)
        assert refused_requests(stage) == (0, [])
        assert largest_context(stage) < CONTEXT_BYTES_MAX
        assert 0 < state.largest < PAYLOAD_BYTES_MAX

    play(story, small_world(100, throttlingFactor=0.5))


@pytest.mark.slow
def test_over_an_hour_of_polling_keeps_histories_and_payloads_small(play: Play, small_world: SmallWorld) -> None:
    async def story(stage: Any) -> None:
        state = await weigh(stage)
        grace_period = timedelta(minutes=80)
        deployment = await stage.platform.start(
            image="1.2.0", batchSizePercentage=10, gracePeriod=round(grace_period.total_seconds())
        )
        row = await stage.platform.ended(deployment)
        assert row.status is Status.FAILED
        assert row.ended_at - row.started_at > grace_period
        assert turns(stage, "judge_batch") > grace_period / stage.platform.settings.poll_interval
        assert largest_context(stage) < CONTEXT_BYTES_MAX
        assert 0 < state.largest < PAYLOAD_BYTES_MAX

    play(story, small_world(10, throttlingFactor=0.5))
