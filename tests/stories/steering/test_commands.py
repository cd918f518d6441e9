"""Each command in each phase of a deployment: what is heeded, how fast, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
Worlds = Callable[..., Any]

#: A deployment of four VMs in two batches, with every kind of wait in it.
ASKED = {
    "image": "1.1.0",
    "batchSizePercentage": 50,
    "gracePeriod": 300,
    "approvals": [1],
    "bakeTime": 300,
    "drainingTimeout": 120,
}

#: By phase: the event that begins it, of which batch, and how many seconds later the command comes.
PHASES: dict[str, tuple[str, int | None, int]] = {
    "boot": ("BatchStarted", 1, 20),
    "health": ("BatchLaunched", 1, 20),
    "drain": ("BatchDetached", 1, 20),
    "delete": ("BatchDetached", 1, 121),
    "gate": ("ApprovalAwaited", 1, 40),
    "between": ("BatchStarted", 2, 0),
    "second": ("BatchHealthy", 2, 0),
    "bake": ("BakeStarted", None, 60),
}

#: The longest that a command may wait to be heeded: one poll, and what a step under way takes.
ONE_POLL = 20


async def reach(stage: Any, deployment: str, phase: str) -> None:
    """Bring the deployment to a phase; somebody approves where it waits for that on the way."""
    event, batch, seconds = PHASES[phase]
    if phase in ("between", "second", "bake"):
        await stage.until(deployment, "ApprovalAwaited")
        await stage.say(deployment, "approve")
    await stage.until(deployment, event, batch)
    await stage.sleep(seconds=seconds)


async def carry_on(stage: Any, deployment: str) -> None:
    """Give what the deployment waits for until it has ended."""
    for _ in range(600):
        row = await stage.platform.row(deployment)
        if row.status.ended:
            return
        if row.status in (Status.PAUSED, Status.AWAITING_APPROVAL):
            await stage.say(deployment, "resume" if row.status is Status.PAUSED else "approve")
        await stage.sleep(seconds=30)
    raise TimeoutError(await stage.platform.story(deployment))


def writes(stage: Any) -> int:
    """How often anybody changed the set or its VMs."""
    return len(stage.watched.writes)


@pytest.mark.parametrize("phase", [phase for phase in PHASES if phase != "gate"])
def test_pause_holds_everything_up_until_the_resume(play: Play, either_world: Worlds, phase: str) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**ASKED)
        await reach(stage, deployment, phase)
        await stage.say(deployment, "pause", comment="let me look")
        await stage.sleep(seconds=ONE_POLL)
        row = await stage.platform.row(deployment)
        assert row.status is Status.PAUSED, await stage.platform.story(deployment)
        assert "let me look" in row.reason
        assert row.decision is not None
        before = writes(stage)
        await stage.sleep(hours=2)
        assert writes(stage) == before
        assert (await stage.platform.row(deployment)).status is Status.PAUSED
        await stage.say(deployment, "resume")
        await stage.sleep(seconds=2)
        assert (await stage.platform.row(deployment)).status is not Status.PAUSED
        await carry_on(stage, deployment)
        assert (await stage.platform.row(deployment)).status is Status.FINISHED
        assert stage.versions() == ["1.1.0"] * 4

    play(story, either_world(4))


@pytest.mark.parametrize("phase", list(PHASES))
def test_stop_leaves_the_vms_and_the_next_deployment_goes_on(play: Play, either_world: Worlds, phase: str) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**ASKED)
        await reach(stage, deployment, phase)
        await stage.say(deployment, "stop")
        await stage.sleep(seconds=ONE_POLL)
        assert (await stage.platform.row(deployment)).status in (Status.STOPPING, Status.STOPPED)
        row = await stage.platform.ended(deployment)
        assert row.status is Status.STOPPED
        assert "stopped with" in row.reason
        assert stage.model() == "1.0.0"
        before = writes(stage)
        await stage.sleep(hours=1)
        assert writes(stage) == before
        again = await stage.platform.start(image="1.1.0", gracePeriod=300, batchSizePercentage=50)
        assert (await stage.platform.ended(again)).status is Status.FINISHED
        assert stage.versions() == ["1.1.0"] * 4

    play(story, either_world(4))


@pytest.mark.parametrize("phase", list(PHASES))
def test_roll_back_brings_the_previous_image_back(play: Play, either_world: Worlds, phase: str) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**ASKED)
        await reach(stage, deployment, phase)
        await stage.say(deployment, "rollBack", comment="it is slow")
        await stage.sleep(seconds=ONE_POLL)
        assert (await stage.platform.row(deployment)).status is Status.ROLLING_BACK
        row = await stage.platform.ended(deployment)
        assert (row.status, row.settled, row.error) == (Status.ROLLED_BACK, True, None), await stage.platform.story(
            deployment
        )
        assert stage.versions() == ["1.0.0"] * 4
        assert stage.model() == "1.0.0"

    play(story, either_world(4))


def test_command_before_anything_is_planned(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        first = await stage.platform.start(**ASKED)
        reply = await stage.platform.post(f"/api/deployments/{first}/rollBack", {})
        assert (reply.status, reply.body["error"]["code"]) == (409, "commandNotPossible")
        await stage.say(first, "stop")
        row = await stage.platform.ended(first)
        assert (row.status, row.settled) == (Status.STOPPED, True)
        assert writes(stage) == 0
        second = await stage.platform.start(**ASKED)
        await stage.say(second, "pause")
        await stage.sleep(seconds=ONE_POLL)
        assert (await stage.platform.row(second)).status is Status.PAUSED
        await carry_on(stage, second)
        assert (await stage.platform.row(second)).status is Status.FINISHED

    play(story, either_world(4))


@pytest.mark.parametrize("phase", ["health", "drain"])
def test_roll_back_may_be_stopped_and_nothing_else(play: Play, either_world: Worlds, phase: str) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**ASKED)
        await reach(stage, deployment, "second")
        await stage.say(deployment, "rollBack")
        event, _, seconds = PHASES[phase]
        await stage.until(deployment, "RollBackPlanned")
        await stage.until(deployment, event, 3)
        await stage.sleep(seconds=seconds)
        for kind in ("pause", "resume", "approve", "rollBack"):
            reply = await stage.platform.post(f"/api/deployments/{deployment}/{kind}", {})
            assert reply.status == 409
            assert "rollingBack" in reply.body["error"]["message"]
        await stage.say(deployment, "stop")
        row = await stage.platform.ended(deployment)
        assert row.status is Status.STOPPED
        assert stage.model() == "1.0.0"
        again = await stage.platform.start(image="1.1.0", gracePeriod=300)
        assert (await stage.platform.ended(again)).status is Status.FINISHED
        assert stage.versions() == ["1.1.0"] * 4

    play(story, either_world(4))


@pytest.mark.parametrize(
    ("pair", "end"),
    [
        (("pause", "stop"), Status.STOPPED),
        (("pause", "rollBack"), Status.ROLLED_BACK),
        (("pause", "resume"), Status.FINISHED),
        (("rollBack", "stop"), Status.STOPPED),
    ],
)
def test_two_commands_at_once_are_heeded_one_after_the_other(
    play: Play, small_world: Worlds, pair: tuple[str, str], end: Status
) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**ASKED)
        await reach(stage, deployment, "second")
        for kind in pair:
            await stage.say(deployment, kind)
        assert (await stage.platform.ended(deployment)).status is end

    play(story, small_world(4))


@pytest.mark.parametrize(
    ("action", "end"),
    [("approve", Status.FINISHED), ("stop", Status.STOPPED), ("rollBack", Status.ROLLED_BACK)],
)
@pytest.mark.parametrize("phase", ["health", "gate"])
def test_wait_for_a_person_has_a_deadline_and_a_chosen_default(
    play: Play, small_world: Worlds, phase: str, action: str, end: Status
) -> None:
    async def story(stage: Any) -> None:
        asked = {**ASKED, "waitTimeout": 3600, "actionOnTimeout": action}
        deployment = await stage.platform.start(**asked)
        await reach(stage, deployment, phase)
        if phase == "health":
            await stage.say(deployment, "pause")
        row = await stage.platform.ended(deployment)
        assert row.status is end
        said = [event.message for event in await stage.platform.events(deployment)]
        assert any(f"nobody answered within 1 h: {action}" in message for message in said)

    play(story, small_world(4))


def test_approval_of_all_gates_waits_at_no_other(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(image="1.1.0", batchSize=1, approvals="everyBatch", gracePeriod=300)
        await stage.until(deployment, "ApprovalAwaited", 1)
        reply = await stage.platform.post(f"/api/deployments/{deployment}/approve", {"all": True})
        assert reply.status == 202
        assert (await stage.platform.ended(deployment, timedelta(hours=2))).status is Status.FINISHED
        asked = [event for event in await stage.platform.events(deployment) if event.type == "ApprovalAwaited"]
        assert len(asked) == 1

    play(story, small_world(4))


def test_failed_batch_rolls_everything_back_where_that_was_asked_for(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(
            image="1.1.0", batchSizePercentage=50, gracePeriod=300, onFailure="rollBack"
        )
        await stage.until(deployment, "BatchLaunched", 2)
        for vm in stage.platform.cloud.scale_set(stage.scale_set_id).active():
            if vm.image["id"].endswith("1.1.0"):
                stage.platform.cloud.interfere.sicken(stage.scale_set_id, vm.vm_id)
        row = await stage.platform.ended(deployment)
        assert row.status is Status.ROLLED_BACK, await stage.platform.story(deployment)
        assert row.error is not None
        assert row.error.code == "batchUnhealthy"
        assert stage.versions() == ["1.0.0"] * 4

    play(story, either_world(4), exempt=["never_fewer_serving"])


def test_failed_batch_is_kept_to_be_looked_at_and_goes_after_a_while(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(
            image="1.2.0", batchSizePercentage=50, gracePeriod=120, onFailure="keep", keepFor=7200
        )
        row = await stage.platform.ended(deployment)
        assert row.status is Status.FAILED
        assert sorted(stage.versions()) == ["1.0.0"] * 4 + ["1.2.0"] * 2
        assert stage.model() == "1.0.0"
        await stage.sleep(hours=3)
        assert stage.versions() == ["1.0.0"] * 4

    play(story, either_world(4))


def test_sick_vm_while_baking_fails_the_deployment(play: Play, small_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        deployment = await stage.platform.start(**{**ASKED, "approvals": "none", "batchMinHealthyPercentage": 100})
        await stage.until(deployment, "BakeStarted")
        victim = stage.platform.cloud.scale_set(stage.scale_set_id).active()[0]
        stage.platform.cloud.interfere.sicken(stage.scale_set_id, victim.vm_id)
        row = await stage.platform.ended(deployment)
        assert row.status is Status.FAILED
        assert row.error is not None
        assert row.error.code == "unhealthyWhileBaking"
        assert stage.model() == "1.0.0"

    play(story, small_world(4), exempt=["never_fewer_serving"])


def test_canary_is_a_batch_of_its_own_that_bakes_and_is_approved(play: Play, either_world: Worlds) -> None:
    async def story(stage: Any) -> None:
        canary = {"size": 1, "approval": True, "bakeTime": 600}
        deployment = await stage.platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300, canary=canary)
        await stage.until(deployment, "ApprovalAwaited", 1)
        assert stage.versions().count("1.1.0") == 1
        events = {event.type: event.at for event in await stage.platform.events(deployment)}
        assert events["Baked"] - events["BakeStarted"] >= timedelta(minutes=10)
        await stage.say(deployment, "approve")
        assert (await stage.platform.ended(deployment)).status is Status.FINISHED
        batches = await stage.platform.store.batches.list(deployment)
        assert [batch.blue for batch in batches] == [1, 2, 2]

    play(story, either_world(5))
