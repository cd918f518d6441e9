"""Deployments that wait for their turn, and deployments that do not let others wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
Worlds = Callable[..., Any]

GOOD = {"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300}
BACK = {**GOOD, "image": "1.0.0"}

#: The phases of a deployment, by the event that begins each.
PHASES = ["DeploymentPlanned", "ImageApplied", "BatchStarted", "BatchLaunched", "BatchHealthy", "BatchDetached"]


async def types(stage: Any, deployment: str) -> list[str]:
    return [event.type for event in await stage.platform.events(deployment)]


def test_queued_deployments_take_their_turns_in_order(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        first = await platform.start(**GOOD)
        await stage.sleep(seconds=5)
        second = await platform.start(**BACK, onConflict="queue")
        await stage.sleep(seconds=5)
        third = await platform.start(**GOOD, onConflict="queue")
        for name, ahead in ((second, first), (third, second)):
            row = await platform.row(name)
            assert (row.status, row.epoch) == (Status.QUEUED, 0)
            await stage.sleep(seconds=15)
            assert ahead in (await platform.row(name)).reason
        rows = [await platform.ended(name) for name in (first, second, third)]
        assert [row.status for row in rows] == [Status.FINISHED] * 3
        assert rows[0].ended_at < rows[1].started_at < rows[1].ended_at < rows[2].started_at
        assert [row.epoch for row in rows] == [1, 2, 3]
        assert (await types(stage, second))[0] == "TurnTaken"
        assert (stage.versions(), stage.model()) == (["1.1.0"] * 2, "1.1.0")

    play(story, either_world(2))


@pytest.mark.parametrize("phase", PHASES)
def test_superseding_start_stops_the_running_one_and_goes_on_with_its_size(
    play: Play, either_world: Worlds, phase: str
) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        first = await platform.start(**GOOD)
        await stage.until(first, phase)
        second = await platform.start(**BACK, onConflict="supersede")
        stopped, row = await platform.ended(first), await platform.ended(second)
        assert stopped.status is Status.STOPPED
        assert f"superseded by {second}" in stopped.reason
        assert row.status is Status.FINISHED
        assert row.target_size == 4
        assert (stage.versions(), stage.model()) == (["1.0.0"] * 4, "1.0.0")

    play(story, either_world(4))


def test_superseded_twice_only_the_last_deploys(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        first = await platform.start(**GOOD)
        await stage.until(first, "BatchLaunched")
        second = await platform.start(**BACK, onConflict="supersede")
        await stage.sleep(seconds=1)
        third = await platform.start(**GOOD, onConflict="supersede")
        rows = [await platform.ended(name) for name in (first, second, third)]
        assert [row.status for row in rows] == [Status.STOPPED, Status.STOPPED, Status.FINISHED]
        assert (stage.versions(), stage.model()) == (["1.1.0"] * 2, "1.1.0")

    play(story, small_world(2))


def test_taken_back_deployment_never_begins(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        first = await platform.start(**GOOD)
        second = await platform.start(**BACK, onConflict="queue")
        await stage.sleep(seconds=40)
        reply = await platform.host.request("DELETE", f"/api/groups/web/queue/{second}")
        assert reply.status == 202
        await stage.sleep(seconds=5)
        row = await platform.row(second)
        assert (row.status, row.epoch) == (Status.STOPPED, 0)
        assert (await platform.row(first)).status is Status.IN_PROGRESS
        assert (await platform.ended(first)).status is Status.FINISHED
        assert (stage.versions(), stage.model()) == (["1.1.0"] * 2, "1.1.0")

    play(story, small_world(2))


@pytest.mark.parametrize("phase", PHASES)
def test_queued_deployment_takes_over_what_a_terminated_one_left(play: Play, small_world: Worlds, phase: str) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        first = await platform.start(**GOOD)
        await stage.until(first, phase)
        second = await platform.start(**BACK, onConflict="queue")
        platform.host.durable.terminate(first, "by hand")
        row = await platform.ended(second)
        dead = await platform.row(first)
        assert (dead.status, dead.error.code) == (Status.FAILED, "orchestratorLost")
        assert (row.status, row.target_size) == (Status.FINISHED, 4)
        assert (stage.versions(), stage.model(), stage.capacity()) == (["1.0.0"] * 4, "1.0.0", 4)

    play(story, small_world(4))


@pytest.mark.parametrize("on_failure", ["discardGreen", "rollBack"])
def test_queued_deployment_that_cannot_be_planned_puts_back_what_a_terminated_one_left(
    play: Play, either_world: Worlds, on_failure: str
) -> None:
    """Found by the soak: the set went on with the image that nobody had judged, and with its autoscale held."""

    async def story(stage: Any) -> None:
        platform = stage.platform
        first = await platform.start(**GOOD)
        await stage.until(first, "BatchStarted")
        second = await platform.start(**BACK, onConflict="queue", onFailure=on_failure)
        vm = platform.cloud.scale_set(stage.scale_set_id).active()[0]
        platform.cloud.interfere.stop(stage.scale_set_id, vm.vm_id, deallocate=True)
        platform.host.durable.terminate(first, "by hand")
        row = await platform.ended(second)
        assert (row.status, row.error.code) == (Status.FAILED, "stoppedVms")
        assert stage.model() == "1.0.0"
        assert (await platform.store.holds.get(stage.scale_set_id)) is None

    play(story, either_world(4), exempt=["never_fewer_serving"])


def test_queued_deployment_that_is_terminated_lets_the_next_one_pass(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        first = await platform.start(**GOOD)
        second = await platform.start(**BACK, onConflict="queue")
        await stage.sleep(seconds=1)
        third = await platform.start(**BACK, onConflict="queue")
        await stage.sleep(seconds=20)
        platform.host.durable.terminate(second, "by hand")
        assert (await platform.ended(first)).status is Status.FINISHED
        assert (await platform.ended(third)).status is Status.FINISHED
        assert (await platform.ended(second)).status is Status.FAILED
        assert stage.model() == "1.0.0"

    play(story, small_world(2))


def test_retry_finishes_what_a_stopped_deployment_left(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        first = await platform.start(**GOOD, comment="first")
        await stage.until(first, "BatchLaunched", 2)
        reply = await platform.post(f"/api/deployments/{first}/stop", {})
        assert reply.status == 202
        assert (await platform.ended(first)).status is Status.STOPPED
        second = await platform.start(retryOf=first)
        row = await platform.ended(second)
        assert (row.status, row.retry_of, row.target_size) == (Status.FINISHED, first, 4)
        assert row.parameters.batch_size_percentage == 50
        assert (stage.versions(), stage.model(), stage.capacity()) == (["1.1.0"] * 4, "1.1.0", 4)

    play(story, either_world(4))


def test_of_starts_at_once_with_one_key_one_deploys_and_all_are_told_the_same(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform

        async def post() -> Any:
            content = b'{"image": "1.1.0", "batchSizePercentage": 50, "gracePeriod": 300}'
            headers = {"Content-Type": "application/json", "Idempotency-Key": "release 42"}
            return await platform.host.request("POST", "/api/groups/web/deployments", headers=headers, body=content)

        replies = await asyncio.gather(*(post() for _ in range(4)))
        assert sorted(reply.status for reply in replies) == [202, 409, 409, 409]
        again = await post()
        (first,) = [reply for reply in replies if reply.status == 202]
        assert (again.status, again.body) == (202, first.body)
        (name,) = await stage.watched.deployments()
        assert (await platform.ended(name)).status is Status.FINISHED

    play(story, small_world(2))


def test_a_queued_deployment_tells_of_what_has_come_into_its_way(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        platform = stage.platform
        first = await platform.start(**GOOD, approvals=[1])
        await stage.until(first, "ApprovalAwaited")
        second = await platform.start(**BACK, onConflict="queue")

        async def told() -> set[str]:
            shown = (await platform.get(f"/api/deployments/{second}")).body
            assert shown["status"] == "queued"
            return {finding["code"] for finding in shown["findings"]}

        assert "deleteLocked" not in await told()
        platform.cloud.interfere.lock(stage.scale_set_id)
        await stage.sleep(minutes=4)
        assert "deleteLocked" not in await told()
        await stage.sleep(minutes=2)
        assert "deleteLocked" in await told()
        platform.cloud.interfere.unlock()
        await stage.sleep(minutes=6)
        assert "deleteLocked" not in await told()
        await stage.say(first, "approve")
        assert (await platform.ended(second)).status is Status.FINISHED

    play(story, small_world(2))
