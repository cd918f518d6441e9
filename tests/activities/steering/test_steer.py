"""Activities that heed commands, wait for people, watch, and plan the way back; each order carried out twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from activities.attempt import Activity
from activities.batch.bake import bake
from activities.batch.detach import detach_blue
from activities.batch.judge import judge_batch
from activities.batch.launch import launch_green
from activities.batch.retire import terminate_blue
from activities.ends.finish import tell_changes, verify_end
from activities.ends.roll_back import plan_roll_back
from activities.ends.settle import keep_green, settle_vms
from activities.image import apply_image, restore_image
from activities.record import Entry, record_event
from activities.steering.steer import await_approval, await_resume, heed_commands
from rollout.model.choices import Canary
from rollout.model.events import EventType
from rollout.model.order import StepState
from rollout.model.rows.commands import Command, CommandEnd, CommandKind, CommandOutcome
from rollout.model.rows.deployment import Waiter
from rollout.model.status import Color, Status
from rollout.ports.durable import InstanceState
from services.predecessor import end_predecessors

OnBench = Callable[..., None]
DONE, OVERTAKEN = CommandOutcome
DEPLOYMENT = "web-20260101T000000Z-1a2b3c"
BATCH: tuple[tuple[Activity, EventType], ...] = (
    (launch_green, EventType.BATCH_LAUNCHED),
    (judge_batch, EventType.BATCH_HEALTHY),
    (detach_blue, EventType.BATCH_DETACHED),
    (terminate_blue, EventType.BATCH_TERMINATED),
)


async def replaced(bench: Any, *batches: int) -> None:
    """Prepare, apply the image, and replace these batches."""
    await bench.prepare()
    assert (await bench.finish(apply_image, fact=EventType.IMAGE_APPLIED)).done
    for batch in batches:
        await bench.record(EventType.BATCH_STARTED, batch)
        for body, fact in BATCH:
            assert (await bench.finish(body, batch, fact)).done


async def tell(bench: Any, kind: CommandKind, number: int = 1) -> None:
    """Somebody gives a command."""
    await bench.ports.store.commands.add(DEPLOYMENT, Command(number, kind, bench.clock.now(), "alice", "why not"))


@pytest.mark.parametrize("kind", [CommandKind.PAUSE, CommandKind.STOP, CommandKind.ROLL_BACK])
def test_steered_step_heeds_a_command_and_does_nothing(on_bench: OnBench, kind: CommandKind) -> None:
    async def test(bench: Any) -> None:
        await replaced(bench)
        await tell(bench, kind)
        written = len(bench.cloud.audit)
        for _ in range(2):
            progress = await bench.call(launch_green, order=replace(bench.order(1), steered=True))
            assert (progress.state, progress.code) == (StepState.INTERRUPTED, kind)
            assert progress.reason == f"{kind} by alice: why not"
            assert progress.data["heard"] == 1
        assert len(bench.cloud.audit) == written
        heard = await bench.call(launch_green, order=replace(bench.order(1), steered=True, heard=1))
        assert heard.state is StepState.AGAIN

    on_bench(test)


def test_step_that_is_not_steered_heeds_no_command(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await replaced(bench)
        await tell(bench, CommandKind.STOP)
        assert (await bench.call(launch_green, 1)).state is StepState.AGAIN

    on_bench(test)


def test_long_wait_of_a_steered_step_says_whom_to_wake(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await replaced(bench)
        await bench.record(EventType.BATCH_STARTED, 1)
        for body, fact in BATCH[:3]:
            await bench.finish(body, 1, fact)
        order = replace(bench.order(1), steered=True, waiter="d:batch-1:terminate_blue-e1", wake="wake-3")
        for _ in range(2):
            progress = await bench.call(terminate_blue, order=order)
            assert (progress.state, progress.listen) == (StepState.AGAIN, True)
        assert (await bench.row()).waiting == Waiter("d:batch-1:terminate_blue-e1", "wake-3")

    on_bench(test)


async def heeded(bench: Any) -> list[CommandOutcome | None]:
    """What became of each command."""
    return [row.heeded and row.heeded.as_ for row in await bench.ports.store.commands.list(DEPLOYMENT)]


def test_pause_of_before_the_gate_interrupts_the_wait_for_an_approval(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await replaced(bench)
        row = await bench.row()
        pause = Command(1, CommandKind.PAUSE, bench.clock.now(), "alice", accepted_after=row.sequence)
        await bench.ports.store.commands.add(DEPLOYMENT, pause)
        deadline = (bench.clock.now() + timedelta(hours=1)).isoformat()
        await bench.record(EventType.APPROVAL_AWAITED, 1, {"deadline": deadline, "action": "stop"})
        approval = replace(pause, number=2, kind=CommandKind.APPROVE, accepted_after=row.sequence + 1)
        await bench.ports.store.commands.add(DEPLOYMENT, approval)
        progress = await bench.call_twice(await_approval, 1)
        assert (progress.state, progress.code, progress.data["heard"]) == (StepState.INTERRUPTED, "pause", 1)
        progress = await bench.call(heed_commands, order=replace(bench.order(1), steered=True))
        assert (progress.state, progress.code) == (StepState.INTERRUPTED, "pause")

    on_bench(test)


def test_nothing_said_is_nothing_to_heed(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await replaced(bench)
        assert (await bench.call(heed_commands, order=replace(bench.order(1), steered=True))).done

    on_bench(test)


def test_event_that_acts_on_a_command_says_so_in_its_row_once(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await replaced(bench)
        for number, kind in enumerate((CommandKind.RESUME, CommandKind.PAUSE, CommandKind.STOP), start=1):
            await tell(bench, kind, number)
        deadline = (bench.clock.now() + timedelta(hours=1)).isoformat()
        paused = await bench.record(EventType.PAUSED, 1, {"heard": 2, "deadline": deadline, "action": "stop"})
        assert await heeded(bench) == [OVERTAKEN, DONE, None]
        rows = await bench.ports.store.commands.list(DEPLOYMENT)
        await bench.clock.sleep(timedelta(minutes=1))
        await record_event(bench.ports, Entry(DEPLOYMENT, paused))
        assert await bench.ports.store.commands.list(DEPLOYMENT) == rows
        assert rows[1].heeded.at == paused.at

    on_bench(test)


def test_end_of_a_deployment_overtakes_what_is_left_however_it_crashed(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await replaced(bench)
        await tell(bench, CommandKind.PAUSE)
        ended = await bench.record(EventType.FINISHED, data={"adopted": 0})
        assert await heeded(bench) == [OVERTAKEN]
        # As after a crash between the two writes: the row of the deployment has its end, those of commands do not.
        await tell(bench, CommandKind.STOP, 2)
        await bench.clock.sleep(timedelta(minutes=1))
        await record_event(bench.ports, Entry(DEPLOYMENT, ended))
        rows = await bench.ports.store.commands.list(DEPLOYMENT)
        assert [row.heeded for row in rows] == [CommandEnd(ended.at, OVERTAKEN)] * 2

    on_bench(test)


def test_end_that_is_written_for_a_lost_deployment_overtakes_too(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await replaced(bench)
        await tell(bench, CommandKind.STOP)
        bench.instances.is_now = InstanceState.ENDED
        follower = replace(await bench.row(), id="web-20260101T000100Z-aaaaaa")
        for _ in range(2):
            await end_predecessors(bench.ports, follower, DEPLOYMENT)
            assert await heeded(bench) == [OVERTAKEN]

    on_bench(test)


def test_changes_are_told_and_nothing_is_verified_without_the_lock(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await replaced(bench, 1)
        lock = await bench.ports.store.locks.get(bench.scale_set_id)
        await bench.ports.store.locks.swap(lock, replace(lock, owner="web-2", epoch=2))
        told = await bench.call_twice(tell_changes)
        assert told.reason == (
            "deployment web-2 has the scale set now; changed before and left so: "
            "image 1.1.0 in the model, 1 VM launched, 1 VM deleted"
        )
        assert (await bench.call_twice(verify_end)).state is StepState.LOCK_LOST

    on_bench(test)


@pytest.mark.parametrize(
    ("body", "asked", "event"),
    [
        (await_resume, CommandKind.RESUME, EventType.PAUSED),
        (await_approval, CommandKind.APPROVE, EventType.APPROVAL_AWAITED),
    ],
)
def test_wait_for_a_person(on_bench: OnBench, body: Activity, asked: CommandKind, event: EventType) -> None:
    async def test(bench: Any) -> None:
        await replaced(bench)
        deadline = bench.clock.now() + timedelta(hours=1)
        await bench.record(event, 1, {"heard": 1, "deadline": deadline.isoformat(), "action": "rollBack"})
        order = replace(bench.order(1), heard=1, waiter="w", wake="wake-0")
        for _ in range(2):
            waiting = await bench.call(body, order=order)
            assert (waiting.state, waiting.listen, waiting.after) == (StepState.AGAIN, True, timedelta(minutes=5))
        assert (await bench.row()).waiting == Waiter("w", "wake-0")
        await tell(bench, CommandKind.PAUSE, 1)
        assert (await bench.call(body, order=order)).state is StepState.AGAIN
        late = await bench.call(body, order=replace(order, at=deadline))
        assert (late.state, late.code) == (StepState.INTERRUPTED, "rollBack")
        await tell(bench, asked, 2)
        for _ in range(2):
            progress = await bench.call(body, order=order)
            assert (progress.done, progress.data["heard"]) == (True, 2)

    on_bench(test)


async def let_the_canary_bake(bench: Any) -> None:
    """Let the first batch be a canary whose VMs are watched for ten minutes."""
    canary = Canary(1, bake_time=timedelta(minutes=10))
    await bench.ports.store.deployments.change(
        DEPLOYMENT, lambda row: replace(row, parameters=replace(row.parameters, canary=canary))
    )


@pytest.mark.parametrize("batch", [0, 2])
def test_bake_that_nobody_asked_for_is_done_without_a_look(on_bench: OnBench, batch: int) -> None:
    async def test(bench: Any) -> None:
        await replaced(bench, 1)
        await let_the_canary_bake(bench)
        progress = await bench.call(bake, batch)
        assert (progress.done, progress.reason) == (
            True,
            f"not watched: no bakeTime was asked for after batch {batch}",
        )

    on_bench(test)


def test_bake_watches_the_green_vms_for_its_time(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await replaced(bench, 1)
        await let_the_canary_bake(bench)
        begun = bench.clock.now()
        progress = await bench.finish(bake, 1)
        assert (progress.done, progress.reason) == (True, "1 of 1 VM healthy")
        assert bench.clock.now() - begun == timedelta(minutes=10)

    on_bench(test)


def test_vm_that_stays_sick_fails_the_bake(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await replaced(bench, 1)
        await let_the_canary_bake(bench)
        (green,) = [vm for vm in bench.scale_set.active() if vm.image["id"].endswith("1.1.0")]
        assert (await bench.call(bake, 1)).state is StepState.AGAIN
        bench.cloud.interfere.sicken(bench.scale_set_id, green.vm_id)
        progress = await bench.finish(bake, 1)
        assert (progress.state, progress.code) == (StepState.FAILED, "unhealthyWhileBaking")
        assert green.name in progress.reason

    on_bench(test)


def test_stop_in_the_middle_of_a_launch_knows_the_new_vms(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await replaced(bench)
        await bench.record(EventType.BATCH_STARTED, 1)
        await bench.call(launch_green, 1)
        progress = await bench.finish(settle_vms)
        assert progress.reason == "stopped with 2 blue VMs and 1 green VM (1 green not judged healthy)"
        rows = await bench.ports.store.vms.list(DEPLOYMENT, 1)
        assert [row.color for row in rows] == [Color.BLUE, Color.GREEN]

    on_bench(test)


def test_kept_batch_is_noted_in_the_journal(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await replaced(bench)
        await bench.record(EventType.BATCH_STARTED, 1)
        await bench.finish(launch_green, 1, EventType.BATCH_LAUNCHED)
        progress = await bench.finish(keep_green, 1)
        assert (progress.done, progress.data) == (True, {"kept": 1, "surplus": True})
        journal = await bench.ports.store.holds.get(bench.scale_set_id)
        assert (journal.discard_batch, journal.deployment_id) == (1, DEPLOYMENT)
        assert journal.keep_until - bench.clock.now() <= timedelta(hours=24)
        assert len(bench.versions()) == 3

    on_bench(test)


def test_way_back_moves_the_green_vms_into_further_batches(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await replaced(bench, 1)
        await bench.record(EventType.ROLLING_BACK, data={"heard": 1})
        assert (await bench.finish(restore_image)).done
        plan = await bench.finish(plan_roll_back, fact=EventType.ROLL_BACK_PLANNED)
        assert plan.data == {"batches": 1, "blue": 1, "first": 3}
        row = await bench.row()
        assert (row.status, row.number_of_batches, row.rollback_batches) == (Status.ROLLING_BACK, 3, 1)
        rows = await bench.ports.store.vms.list(DEPLOYMENT)
        (moved,) = [one for one in rows if one.moved_to]
        (blue,) = [one for one in rows if one.batch == 3]
        assert (moved.vm_id, moved.batch, moved.moved_to, blue.color) == (blue.vm_id, 1, 3, Color.BLUE)
        await bench.record(EventType.BATCH_STARTED, 3)
        for body, fact in BATCH:
            assert (await bench.finish(body, 3, fact)).done
        assert bench.versions() == ["1.0.0"] * 2

    on_bench(test)


def test_nothing_retired_leaves_nothing_to_roll_back(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await replaced(bench)
        assert (await bench.finish(restore_image)).done
        plan = await bench.finish(plan_roll_back)
        assert (plan.done, plan.data["batches"]) == (True, 0)

    on_bench(test)
