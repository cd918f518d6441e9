"""Every activity run twice answers the same and writes once; run without the right to, it writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from activities.attempt import Activity
from activities.batch.detach import detach_blue
from activities.batch.judge import judge_batch
from activities.batch.launch import launch_green
from activities.batch.retire import discard_green, terminate_blue
from activities.ends.finish import raise_epoch, release_group, verify_end
from activities.ends.roll_back import check_way_back
from activities.ends.settle import take_stock
from activities.image import apply_image, restore_image
from activities.prepare import prepare_deployment
from activities.record import Entry, record_event
from local.azure.world import Fault
from rollout.model.events import EventType, IllegalTransition
from rollout.model.order import SETBACK, StepState
from rollout.model.rows.danger import MODEL_NAMES_BAD_IMAGE, DangerRecord
from rollout.model.rows.deployment import Event, IntentKind
from rollout.model.status import Color, Status
from rollout.ports.durable import InstanceState
from rollout.steps.retirement import DELETED

OnBench = Callable[..., None]

#: What brings a batch from its plan to its end, with the fact that each step leaves.
BATCH: tuple[tuple[Activity, EventType], ...] = (
    (launch_green, EventType.BATCH_LAUNCHED),
    (judge_batch, EventType.BATCH_HEALTHY),
    (detach_blue, EventType.BATCH_DETACHED),
    (terminate_blue, EventType.BATCH_TERMINATED),
)


async def advance(bench: Any, until: Activity, batch: int = 1) -> None:
    """Bring a prepared deployment to just before an activity of its batch."""
    await bench.prepare()
    assert (await bench.finish(apply_image, fact=EventType.IMAGE_APPLIED)).done
    for body, fact in BATCH:
        if body is until:
            return
        assert (await bench.finish(body, batch, fact)).done


def test_whole_deployment_of_activities_each_run_twice_writes_each_thing_once(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        await bench.finish(apply_image, fact=EventType.IMAGE_APPLIED)
        for batch in (1, 2):
            for body, fact in BATCH:
                progress = await bench.finish(body, batch, fact)
                assert progress.done, progress
        end = await bench.finish(verify_end, fact=EventType.FINISHED)
        assert end.reason == "2 VMs now on 1.1.0"
        assert (await bench.finish(release_group)).done
        assert bench.versions() == ["1.1.0"] * 2
        assert [entry.method for entry in bench.cloud.audit] == ["PATCH", "PATCH", "POST", "PATCH", "POST"]
        assert (await bench.row()).status is Status.FINISHED

    on_bench(test)


def test_whole_failure_of_activities_each_run_twice_puts_back_what_was(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await advance(bench, judge_batch)
        verdict = await bench.finish(judge_batch, 1)
        assert (verdict.state, verdict.code) == (StepState.FAILED, "batchUnhealthy")
        fence = await bench.finish(raise_epoch)
        assert fence.data == {"epoch": 2, "sequence": bench.sequence}
        bench.epoch = 2
        assert (await bench.finish(discard_green, 1)).data == {"discarded": 1}
        assert (await bench.finish(restore_image)).done
        assert (await bench.finish(release_group)).done
        assert (bench.versions(), bench.scale_set.capacity) == (["1.0.0"] * 2, 2)
        assert [entry.method for entry in bench.cloud.audit] == ["PATCH", "PATCH", "POST", "PATCH"]
        kinds = [intent.kind for intent in await bench.ports.store.intents.list((await bench.row()).id)]
        assert sorted(kinds) == sorted([IntentKind.IMAGE, IntentKind.LAUNCH, IntentKind.DELETE, IntentKind.IMAGE])

    on_bench(test, image="1.2.0")


def test_taking_stock_says_how_the_set_is_left_however_often_and_only_with_the_lock(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await advance(bench, judge_batch)
        stock = await bench.call_twice(take_stock)
        assert (stock.data["left"]["vms"], stock.data["left"]["unjudged"]) == (3, 1)
        assert stock.data["left"]["uniqueId"]
        bench.instances.is_now = InstanceState.ENDED
        assert "left" not in (await bench.call(take_stock)).data

    on_bench(test)


def test_prepare_finds_its_plan_again_after_the_set_has_changed(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await bench.begin()
        first = await bench.call(prepare_deployment)
        bench.cloud.interfere.scale(bench.scale_set_id, 5)
        await bench.clock.sleep(timedelta(minutes=5))
        second = await bench.call(prepare_deployment)
        assert second.data == first.data
        assert len(await bench.ports.store.batches.list((await bench.row()).id)) == 2

    on_bench(test)


@pytest.mark.parametrize(
    ("body", "moved_on_to"),
    [(launch_green, judge_batch), (launch_green, None), (judge_batch, None), (detach_blue, None)],
)
def test_late_run_after_the_batch_has_moved_on_says_that_all_is_done(
    on_bench: OnBench, body: Activity, moved_on_to: Activity | None
) -> None:
    async def test(bench: Any) -> None:
        await advance(bench, body)
        late = bench.order(1)
        steps = [step for step, _ in BATCH]
        for step, fact in BATCH[steps.index(body) : steps.index(moved_on_to) if moved_on_to else None]:
            assert (await bench.finish(step, 1, fact)).done
        written = len(bench.cloud.audit)
        rows = await bench.ports.store.vms.list((await bench.row()).id)
        assert (await bench.call(body, order=late)).done
        assert len(bench.cloud.audit) == written
        assert await bench.ports.store.vms.list((await bench.row()).id) == rows

    on_bench(test)


@pytest.mark.parametrize("comes", ["after", "between"])
def test_late_look_leaves_the_row_of_a_vm_that_was_discarded_meanwhile(on_bench: OnBench, comes: str) -> None:
    """The look that the delivery repeats, ``after`` all of it or with the deletion ``between`` its reads and writes."""

    async def test(bench: Any) -> None:
        await advance(bench, judge_batch)
        late, ports = bench.order(1), bench.ports
        if comes == "between":
            slow = SlowHealth(bench.ports.scale_sets)
            bench.ports = replace(ports, scale_sets=slow)
            running = asyncio.create_task(bench.call(judge_batch, order=late))
            await slow.reached.wait()
            bench.ports = ports
        assert (await bench.finish(judge_batch, 1)).code == "batchUnhealthy"
        assert (await bench.finish(raise_epoch)).done
        bench.epoch = 2
        assert (await bench.finish(discard_green, 1)).done
        rows = await bench.ports.store.vms.list((await bench.row()).id, 1)
        assert [row.reason for row in rows if row.color is Color.GREEN] == [DELETED]
        if comes == "between":
            slow.goes_on.set()
            await running
        else:
            await bench.call(judge_batch, order=late)
        assert await bench.ports.store.vms.list((await bench.row()).id, 1) == rows

    on_bench(test, image="1.2.0")


class SlowHealth:
    """Scale sets whose health, once read, is not given out before ``goes_on``."""

    def __init__(self, scale_sets: Any) -> None:
        self._scale_sets = scale_sets
        self.reached, self.goes_on = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scale_sets, name)

    async def with_health(self, *asked: Any) -> Any:
        listed = await self._scale_sets.with_health(*asked)
        self.reached.set()
        await self.goes_on.wait()
        return listed


@pytest.mark.parametrize("how", ["epoch raised", "lock freed", "ended", "absent"])
@pytest.mark.parametrize("body", [apply_image, launch_green, terminate_blue])
def test_writer_whose_right_is_gone_writes_nothing(on_bench: OnBench, body: Activity, how: str) -> None:
    async def test(bench: Any) -> None:
        if body is apply_image:
            await bench.prepare()
        else:
            await advance(bench, body)
        order = bench.order(0 if body is apply_image else 1)
        await bench.clock.sleep(timedelta(minutes=3))
        late = replace(order, at=bench.clock.now())
        await take_right_away(bench, how)
        written = len(bench.cloud.audit)
        assert (await bench.call(body, order=late)).state is StepState.LOCK_LOST
        assert len(bench.cloud.audit) == written

    on_bench(test)


async def take_right_away(bench: Any, how: str) -> None:
    """Have the deployment lose its right to write."""
    if how == "epoch raised":
        assert (await bench.call(raise_epoch)).done
    elif how == "lock freed":
        assert (await bench.call(release_group)).done
    else:
        bench.instances.is_now = InstanceState(how)


@pytest.mark.parametrize("body", [apply_image, launch_green])
def test_writer_of_a_suspended_deployment_waits(on_bench: OnBench, body: Activity) -> None:
    async def test(bench: Any) -> None:
        if body is apply_image:
            await bench.prepare()
        else:
            await advance(bench, body)
        bench.instances.is_now = InstanceState.SUSPENDED
        written = len(bench.cloud.audit)
        batch = 0 if body is apply_image else 1
        progress = await bench.call(body, batch)
        assert (progress.state, progress.code) == (StepState.AGAIN, "")
        assert len(bench.cloud.audit) == written
        bench.instances.is_now = InstanceState.RUNNING
        assert (await bench.finish(body, batch)).done

    on_bench(test)


def test_event_written_twice_is_there_once_and_counts_once(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        event = await bench.record(EventType.BATCH_LAUNCHED, 1, {"launched": 1})
        row = await bench.row()
        await bench.record(EventType.BATCH_HEALTHY, 1, {"healthy": 1, "sick": 0})
        await record_event(bench.ports, Entry(row.id, event))
        events = await bench.ports.store.events.list(row.id)
        assert [one.sequence for one in events] == [1, 2, 3]
        assert ((await bench.row()).green_vms, (await bench.row()).sequence) == (1, 3)

    on_bench(test)


@pytest.mark.parametrize("checked", [True, False])
def test_illegal_event_is_written_and_told_each_time_that_it_is_recorded(on_bench: OnBench, checked: bool) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        deployment = (await bench.row()).id
        await bench.ports.store.deployments.change(deployment, lambda row: replace(row, status=Status.QUEUED))
        event = Event(2, bench.clock.now(), EventType.BAKE_STARTED, "watching")
        for _ in range(2):
            recorded = await record_event(bench.ports, Entry(deployment, event, checked))
            assert recorded.illegal == (IllegalTransition(Status.QUEUED, Status.BAKING) if checked else None)
            row = await bench.row()
            assert (row.status, row.sequence) == (Status.QUEUED if checked else Status.BAKING, 2)
        assert [one.sequence for one in await bench.ports.store.events.list(deployment)] == [1, 2]

    on_bench(test)


def test_launch_whose_answer_was_lost_adopts_what_it_made(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await advance(bench, launch_green)
        bench.cloud.faults.add(Fault.model_validate({"method": "PATCH", "loseResponse": True}))
        lost = await bench.call(launch_green, 1)
        assert (lost.state, lost.code) == (StepState.AGAIN, SETBACK)
        bench.cloud.faults.clear()
        assert (await bench.finish(launch_green, 1)).data == {"launched": 1, "failed": 0}
        assert sorted(bench.versions()) == ["1.0.0", "1.0.0", "1.1.0"]

    on_bench(test)


@pytest.mark.parametrize(
    ("fault", "state", "code"),
    [
        ({"status": 429, "headers": {"Retry-After": "90"}}, StepState.AGAIN, SETBACK),
        ({"status": 412}, StepState.AGAIN, SETBACK),
        ({"status": 500}, StepState.AGAIN, SETBACK),
        ({"status": 403}, StepState.FAILED, "Forbidden"),
    ],
)
def test_refusal_of_azure_says_how_the_step_stands(
    on_bench: OnBench, fault: dict[str, Any], state: StepState, code: str
) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        bench.cloud.faults.add(Fault.model_validate({"method": "PATCH", **fault}))
        progress = await bench.call(apply_image)
        assert (progress.state, progress.code) == (state, code)
        if fault["status"] == 429:
            assert progress.after == timedelta(seconds=90)

    on_bench(test)


def test_set_that_is_gone_fails_a_step_rather_than_being_looked_for(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await advance(bench, judge_batch)
        order = replace(bench.order(1), scale_set_id=f"{bench.scale_set_id}-gone")
        for body in (judge_batch, apply_image, verify_end):
            assert (await bench.call(body, order=order)).code == "scaleSetGone"

    on_bench(test)


def test_whether_the_image_before_is_there_is_looked_at_and_what_cannot_be_read_stops_nothing(
    on_bench: OnBench,
) -> None:
    async def test(bench: Any) -> None:
        await advance(bench, judge_batch)
        assert (await bench.finish(check_way_back)).reason == "The image before is there"
        previous = (await bench.row()).image.previous
        denied = {"error": {"code": "AuthorizationFailed", "message": "no role"}}
        bench.cloud.faults.add(Fault(method="GET", path="versions/1.0.0", status=403, body=denied))
        unread = await bench.finish(check_way_back)
        assert unread.done, unread
        assert "AuthorizationFailed" in unread.reason
        bench.cloud.faults.clear()
        bench.cloud.interfere.delete_version(previous.id)
        gone = await bench.finish(check_way_back)
        assert (gone.state, gone.code) == (StepState.FAILED, "previousImageGone")
        assert bench.cloud.audit[-1].method == "PATCH"

    on_bench(test)


def test_what_the_model_names_after_a_failure_is_noted_once_and_taken_away_when_it_names_another(
    on_bench: OnBench,
) -> None:
    async def test(bench: Any) -> None:
        await advance(bench, judge_batch)
        denied = {"error": {"code": "AuthorizationFailed", "message": "no role"}}
        bench.cloud.faults.add(Fault(method="PATCH", status=403, body=denied))
        for _ in range(2):
            assert (await bench.call(restore_image)).state is StepState.FAILED
        (danger,) = await bench.ports.store.dangers.list()
        row = await bench.row()
        assert (danger.code, danger.deployment_id, danger.image) == (MODEL_NAMES_BAD_IMAGE, row.id, row.image.pinned)
        assert (await bench.finish(take_stock)).done
        assert await bench.ports.store.dangers.list() == (danger,)
        bench.cloud.faults.clear()
        assert (await bench.finish(restore_image)).done
        assert await bench.ports.store.dangers.list() == ()

    on_bench(test)


def test_whoever_has_lost_the_lock_notes_nothing_of_the_model(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await advance(bench, judge_batch)
        bench.epoch = 7
        bench.cloud.faults.add(Fault(method="PATCH", status=403))
        assert (await bench.finish(restore_image)).state is StepState.LOCK_LOST
        assert (await bench.finish(take_stock)).state is StepState.LOCK_LOST
        assert await bench.ports.store.dangers.list() == ()

    on_bench(test)


def test_an_image_that_a_deployment_finishes_with_is_judged_good(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await advance(bench, judge_batch)
        row = await bench.row()
        await bench.ports.store.dangers.put(
            DangerRecord(row.scale_set_id, MODEL_NAMES_BAD_IMAGE, row.created_at, row.id, "bad", image=row.image.pinned)
        )
        assert (await bench.finish(verify_end)).done
        assert await bench.ports.store.dangers.list() == ()

    on_bench(test)
