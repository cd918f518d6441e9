"""No accepted command is lost: whenever it comes, what it asked for happens, or its row says that it was overtaken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from local.durable.options import HostOptions
from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
Worlds = Callable[..., Any]

#: Turns take seconds, as on a host that is busy, so that a command meets every moment between two of them.
SLOW = HostOptions(turn_latency_max=timedelta(seconds=4), delivery_latency_max=timedelta(seconds=1))

#: Two VMs in two batches, with a gate between them.
ASKED = {
    "image": "1.1.0",
    "batchSize": 1,
    "gracePeriod": 300,
    "drainingTimeout": 0,
    "approvals": "everyBatch",
    "waitTimeout": 3600,
}

#: Seconds after the last event before a gate; it opens about the middle of them.
MOMENTS = range(26)


async def give(stage: Any, deployment: str, kind: str) -> bool:
    """Say it; whether that was accepted."""
    reply = await stage.platform.post(f"/api/deployments/{deployment}/{kind}", {})
    assert reply.status in (202, 409), reply
    return bool(reply.status == 202)


async def commands(stage: Any, deployment: str) -> list[tuple[str, str | None]]:
    """What was said, and what became of it."""
    listed = (await stage.platform.get(f"/api/deployments/{deployment}/commands")).body["value"]
    return [(one["command"], one["heeded"] and one["heeded"]["as"]) for one in listed]


async def facts(stage: Any, deployment: str) -> list[str]:
    return [event.type for event in await stage.platform.events(deployment)]


async def to_the_gate(stage: Any, seconds: float) -> str:
    """A deployment that is about to reach its gate, or has just reached it."""
    deployment: str = await stage.platform.start(**ASKED)
    await stage.until(deployment, "BatchTerminated", 1)
    await stage.sleep(seconds=seconds)
    return deployment


async def until_status(stage: Any, deployment: str, *statuses: Status) -> Any:
    for _ in range(600):
        row = await stage.platform.row(deployment)
        if row.status in statuses:
            return row
        await stage.sleep(seconds=1)
    raise TimeoutError(await stage.platform.story(deployment))


async def until_heeded(stage: Any, deployment: str) -> None:
    """Wait until all that was said has come to its end: a gate that opened before a pause was seen opens anew."""
    for _ in range(600):
        if all(end for _, end in await commands(stage, deployment)):
            return
        await stage.sleep(seconds=1)
    raise TimeoutError(await stage.platform.story(deployment))


@pytest.mark.sweep
@pytest.mark.parametrize("second", MOMENTS)
def test_pause_before_a_gate_opens_is_heeded_and_the_gate_opens_with_its_whole_time(
    play: Play, small_world: Worlds, second: int
) -> None:
    async def story(stage: Any) -> None:
        deployment = await to_the_gate(stage, second)
        accepted = await give(stage, deployment, "pause")
        row = await until_status(stage, deployment, Status.PAUSED if accepted else Status.AWAITING_APPROVAL)
        if accepted:
            assert not await give(stage, deployment, "approve")
            await stage.sleep(minutes=30)
            assert await give(stage, deployment, "resume")
            row = await until_status(stage, deployment, Status.AWAITING_APPROVAL)
        assert not await give(stage, deployment, "pause")
        assert row.decision.deadline - row.decision.since == timedelta(hours=1)
        assert stage.platform.clock.now() - row.decision.since < timedelta(seconds=30)
        assert await give(stage, deployment, "approve")
        assert (await stage.platform.ended(deployment)).status is Status.FINISHED
        said = [("pause", "done"), ("resume", "done")] if accepted else []
        assert await commands(stage, deployment) == [*said, ("approve", "done")]

    play(story, small_world(2), options=replace(SLOW, seed=second))


@pytest.mark.sweep
@pytest.mark.parametrize("second", MOMENTS[::4])
@pytest.mark.parametrize(
    ("kind", "event", "end"),
    [
        ("stop", "DeploymentStopping", Status.STOPPED),
        ("rollBack", "DeploymentRollingBack", Status.ROLLED_BACK),
        ("approve", "DeploymentApproved", Status.FINISHED),
    ],
)
def test_command_around_a_gate_is_heeded_once(
    play: Play, small_world: Worlds, kind: str, event: str, end: Status, second: int
) -> None:
    async def story(stage: Any) -> None:
        deployment = await to_the_gate(stage, second)
        accepted = await give(stage, deployment, kind)
        again = await give(stage, deployment, kind)
        if not accepted:
            await until_status(stage, deployment, Status.AWAITING_APPROVAL)
            assert again or await give(stage, deployment, kind)
        assert (await stage.platform.ended(deployment)).status is end
        assert await commands(stage, deployment) == [(kind, "done")]
        assert (await facts(stage, deployment)).count(event) == 1

    play(story, small_world(2), options=replace(SLOW, seed=second))


@pytest.mark.sweep
@pytest.mark.parametrize("kind", ["pause", "stop", "rollBack"])
@pytest.mark.parametrize("second", range(0, 60, 10))
def test_command_at_the_end_of_a_deployment_is_heeded_or_overtaken(
    play: Play, small_world: Worlds, kind: str, second: int
) -> None:
    async def story(stage: Any) -> None:
        asked = {**ASKED, "approvals": "none", "batchSize": 2, "bakeTime": 30}
        deployment = await stage.platform.start(**asked)
        await stage.until(deployment, "BakeStarted")
        await stage.sleep(seconds=second)
        accepted = await give(stage, deployment, kind)
        if accepted and kind == "pause":
            row = await until_status(stage, deployment, Status.PAUSED, Status.FINISHED)
            assert row.status is Status.FINISHED or await give(stage, deployment, "resume")
        row = await stage.platform.ended(deployment)
        said = await commands(stage, deployment)
        if not accepted or said[0][1] == "overtaken":
            assert row.status is Status.FINISHED
            ((command),) = await stage.platform.store.commands.list(deployment) or (None,)
            assert command is None or command.heeded.at == row.ended_at or not accepted
        else:
            ends = {"pause": Status.FINISHED, "stop": Status.STOPPED, "rollBack": Status.ROLLED_BACK}
            assert row.status is ends[kind]

    play(story, small_world(2), options=replace(SLOW, seed=second))


@pytest.mark.sweep
@pytest.mark.parametrize("pair", [("pause", "resume"), ("pause", "stop"), ("pause", "rollBack"), ("rollBack", "stop")])
@pytest.mark.parametrize("second", [4, 10, 16])
def test_two_commands_before_a_gate_are_heeded_in_their_order(
    play: Play, small_world: Worlds, pair: tuple[str, str], second: int
) -> None:
    async def story(stage: Any) -> None:
        deployment = await to_the_gate(stage, second)
        accepted = [kind for kind in pair if await give(stage, deployment, kind)]
        if {"stop", "rollBack"}.isdisjoint(accepted):
            await until_heeded(stage, deployment)
            await until_status(stage, deployment, Status.AWAITING_APPROVAL)
            assert await give(stage, deployment, "approve")
        await stage.platform.ended(deployment)
        said = await commands(stage, deployment)
        assert [kind for kind, _ in said][: len(accepted)] == accepted
        # A stop may come when there is nothing left to roll back.
        assert all(end == "done" or pair == ("rollBack", "stop") for _, end in said)

    play(story, small_world(2), options=replace(SLOW, seed=second))


@pytest.mark.sweep
@pytest.mark.parametrize("action", ["approve", "stop", "rollBack"])
@pytest.mark.parametrize("before", range(-4, 6, 2))
def test_approval_about_the_deadline_is_heeded_or_overtaken_and_counts_at_no_later_gate(
    play: Play, small_world: Worlds, action: str, before: int
) -> None:
    async def story(stage: Any) -> None:
        asked = {**ASKED, "waitTimeout": 600, "actionOnTimeout": action}
        deployment = await stage.platform.start(**asked)
        await stage.until(deployment, "ApprovalAwaited", 1)
        await stage.sleep(seconds=600 - before)
        accepted = await give(stage, deployment, "approve")
        if action == "approve":
            await stage.until(deployment, "ApprovalAwaited", 2)
            await stage.sleep(seconds=30)
            assert (await stage.platform.row(deployment)).status is Status.AWAITING_APPROVAL
        await stage.platform.ended(deployment)
        said = await commands(stage, deployment)
        assert len(said) >= accepted
        assert {end for _, end in said} <= {"done", "overtaken"}

    play(story, small_world(3), options=replace(SLOW, seed=before + 4))


#: Of the set, which another deployment seems to have, nothing is put right.
LOST = ["group_free", "good_image", "rows_as_the_set", "journal_restored"]


@pytest.mark.parametrize("kind", ["stop", "rollBack"])
def test_command_without_the_lock_says_what_was_changed(play: Play, either_world: Worlds, kind: str) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300)
        await stage.until(deployment, "BatchLaunched", 1)
        await take_over(stage)
        assert await give(stage, deployment, kind)
        row = await stage.platform.ended(deployment)
        assert row.status is (Status.STOPPED if kind == "stop" else Status.FAILED)
        assert not row.settled
        assert "anything was changed" not in row.reason
        assert "web-20260101T000100Z-aaaaaa has the scale set now" in row.reason
        assert "image 1.1.0 in the model, 2 VMs launched" in row.reason
        assert row.error is None or row.error.code == "lockLost"

    play(story, either_world(4), exempt=LOST)


@pytest.mark.parametrize(
    ("event", "asked"), [("ApprovalAwaited", {"approvals": [1]}), ("BakeStarted", {"bakeTime": 300})]
)
def test_lock_that_is_lost_in_a_long_wait_leaves_the_set_unsettled(
    play: Play, small_world: Worlds, event: str, asked: dict[str, Any]
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300, **asked)
        await stage.until(deployment, event)
        await take_over(stage)
        if event == "ApprovalAwaited":
            await stage.say(deployment, "approve")
        row = await stage.platform.ended(deployment)
        assert (row.status, row.settled, row.error and row.error.code) == (Status.FAILED, False, "lockLost")
        assert "VMs deleted" in row.reason

    play(story, small_world(4), exempt=LOST)


async def take_over(stage: Any) -> None:
    """Another deployment has the lock, whoever gave it that."""
    locks = stage.platform.store.locks
    lock = await locks.get(stage.scale_set_id)
    other = replace(lock, owner="web-20260101T000100Z-aaaaaa", epoch=lock.epoch + 1)
    assert await locks.swap(lock, other)
