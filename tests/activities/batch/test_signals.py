"""The activities that heed signals, each run twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from activities.batch.detach import detach_blue
from activities.batch.judge import judge_batch
from activities.batch.launch import launch_green
from activities.batch.retire import terminate_blue
from activities.image import apply_image
from activities.prepare import prepare_deployment
from rollout.model.codec import encode_time
from rollout.model.events import EventType
from rollout.model.group import SignalRule, SignalType
from rollout.model.order import StepState
from rollout.model.rows.deployment import Deployment
from rollout.model.rows.signals import Signal

OnBench = Callable[..., None]

READY = SignalRule(SignalType.VM_READY, timedelta(seconds=120))
SHUTDOWN = SignalRule(SignalType.VM_READY_TO_SHUTDOWN, timedelta(seconds=600))


async def prepare(bench: Any, *signals: SignalRule) -> None:
    """Plan one batch of two VMs that send these signals, and apply the image."""

    def declare(row: Deployment) -> Deployment:
        return replace(row, parameters=replace(row.parameters, signals=signals, batch_size_percentage=100))

    await bench.begin()
    await bench.ports.store.deployments.change((await bench.row()).id, declare)
    assert (await bench.finish(prepare_deployment, fact=EventType.PLANNED)).done
    assert (await bench.finish(apply_image, fact=EventType.IMAGE_APPLIED)).done
    assert (await bench.finish(launch_green, 1, EventType.BATCH_LAUNCHED)).done


async def say(bench: Any, kind: SignalType, vm: Any) -> None:
    """Let a VM of the set send a signal."""
    signal = Signal(vm.vm_id, vm.name, kind, bench.clock.now())
    assert await bench.ports.store.signals.put(bench.scale_set_id, signal)


def test_a_batch_is_judged_by_signals_besides_its_health_checks(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await prepare(bench, READY)
        blue, green = bench.scale_set.active()[:2], bench.scale_set.active()[2:]
        for vm in (*blue, green[0]):
            await say(bench, SignalType.VM_READY, vm)
        await bench.clock.sleep(timedelta(seconds=60))
        assert (await bench.call_twice(judge_batch, 1)).reason == "waiting for 1 of 2 green VMs to become healthy"
        await say(bench, SignalType.VM_READY, green[1])
        assert (await bench.call_twice(judge_batch, 1)).data == {"healthy": 2, "sick": 0, "replace": False}

    on_bench(test)


def test_vm_ready_is_waited_for_from_when_the_vm_was_created(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await prepare(bench, READY)
        settled, created = bench.clock.now(), bench.scale_set.active()[-1].created_at
        assert settled > created
        for passed, detail in ((119, "not received"), (120, "not received within 120 s")):
            await bench.clock.sleep(created + timedelta(seconds=passed) - bench.clock.now())
            await bench.call(judge_batch, order=replace(bench.order(1), since=settled))
            records = await bench.ports.store.vms.list((await bench.row()).id, 1)
            assert [record.readings[-1].detail for record in records[2:]] == [detail] * 2

    on_bench(test)


def test_one_call_deletes_those_whose_wait_has_ended_and_the_others_are_looked_for_again(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await prepare(bench, SHUTDOWN)
        assert (await bench.finish(judge_batch, 1, EventType.BATCH_HEALTHY)).done
        assert (await bench.finish(detach_blue, 1, EventType.BATCH_DETACHED)).done
        blue = bench.scale_set.active()[:2]
        waiting = await bench.call_twice(terminate_blue, 1)
        assert (waiting.state, waiting.reason) == (StepState.AGAIN, "waiting for vmReadyToShutdown from 2 blue VMs")
        assert waiting.after == timedelta(seconds=15)

        await say(bench, SignalType.VM_READY_TO_SHUTDOWN, blue[1])
        for _ in range(10):
            await bench.call(terminate_blue, 1)
            await bench.clock.sleep(timedelta(seconds=15))
        assert [vm.vm_id for vm in bench.scale_set.active() if vm in blue] == [blue[0].vm_id]
        one = await bench.call_twice(terminate_blue, 1)
        assert one.reason == "waiting for vmReadyToShutdown from 1 blue VM"
        assert await bench.ports.store.signals.list(bench.scale_set_id) == ()

        batch = await bench.ports.store.batches.get(bench.order().deployment_id, 1)
        began = encode_time(batch.deleting_at)
        end = await bench.finish(terminate_blue, 1, EventType.BATCH_TERMINATED)
        assert (end.done, end.data) == (True, {"deleted": 2, "discarded": 0, "deletingAt": began})
        deleted = [entry.body["instanceIds"] for entry in bench.cloud.audit if entry.path.endswith("/delete")]
        assert deleted == [["1"], ["0"]]

    on_bench(test)


def test_the_wait_counts_from_when_the_vm_was_first_detached(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await prepare(bench, SHUTDOWN)
        assert (await bench.finish(judge_batch, 1, EventType.BATCH_HEALTHY)).done
        detached_at = bench.clock.now()
        await bench.call(detach_blue, 1)
        await bench.clock.sleep(timedelta(minutes=5))
        await bench.call(detach_blue, 1)
        records = await bench.ports.store.vms.list((await bench.row()).id, 1)
        assert [record.detached_at for record in records[:2]] == [detached_at] * 2

    on_bench(test)


def test_a_row_without_the_time_of_detaching_waits_from_when_the_wait_began(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await prepare(bench, SHUTDOWN)
        assert (await bench.finish(judge_batch, 1, EventType.BATCH_HEALTHY)).done
        assert (await bench.finish(detach_blue, 1, EventType.BATCH_DETACHED)).done
        deployment_id = (await bench.row()).id
        records = await bench.ports.store.vms.list(deployment_id, 1)
        await bench.ports.store.vms.put(deployment_id, [replace(record, detached_at=None) for record in records])
        await bench.clock.sleep(timedelta(seconds=595))
        waiting = await bench.call(terminate_blue, 1)
        assert (waiting.state, waiting.after) == (StepState.AGAIN, timedelta(seconds=5))

    on_bench(test)
