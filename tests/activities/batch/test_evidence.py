"""What ``save_evidence`` keeps, run twice, late, and with much to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from activities.attempt import attempt_part
from activities.batch.evidence import INSPECTED_TOGETHER, MOST_INSPECTED, inspect_sick, save_evidence
from activities.batch.judge import judge_batch
from activities.batch.launch import launch_green
from activities.batch.retire import discard_green
from activities.image import apply_image
from local.azure.world import Fault
from rollout.model.azure.evidence import Inspection
from rollout.model.codec import encode
from rollout.model.events import EventType
from rollout.model.order import SETBACK, PartOrder, StepState
from rollout.model.rows.deployment import VmRecord
from rollout.model.status import Color, VmStatus
from rollout.ports.errors import Busy

OnBench = Callable[..., None]


async def judge(bench: Any) -> VmRecord:
    """Bring the first batch of a bad image to its verdict; its sick green VM."""
    await bench.prepare()
    await bench.finish(apply_image, fact=EventType.IMAGE_APPLIED)
    await bench.finish(launch_green, 1, EventType.BATCH_LAUNCHED)
    assert (await bench.finish(judge_batch, 1)).code == "batchUnhealthy"
    return await green(bench)


async def green(bench: Any) -> VmRecord:
    """The row of the first batch's green VM."""
    rows = await bench.ports.store.vms.list((await bench.row()).id, 1)
    (found,) = [row for row in rows if row.color is Color.GREEN]
    return found  # type: ignore[no-any-return]


async def kept(bench: Any, record: VmRecord) -> Any:
    """The evidence of a VM."""
    return await bench.ports.store.evidence.get((await bench.row()).id, record.vm_id)


def test_first_evidence_is_kept_however_often_it_is_asked_for(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        record = await judge(bench)
        assert (await bench.call_twice(save_evidence, 1)).reason == "Evidence of 1 sick green VM kept"
        first = await kept(bench, record)
        assert (first.vm_id, first.notes, first.taken_at) == (record.vm_id, (), bench.clock.now())
        assert await green(bench) == replace(record, evidence=True)
        await bench.clock.sleep(timedelta(minutes=1))
        await bench.call_twice(save_evidence, 1)
        assert await kept(bench, record) == first

    on_bench(test, image="1.2.0")


def test_run_that_died_between_its_two_writes_is_made_up_for(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        record = await judge(bench)
        await bench.call(save_evidence, 1)
        first = await kept(bench, record)
        await bench.ports.store.vms.put((await bench.row()).id, [record])
        await bench.clock.sleep(timedelta(minutes=1))
        await bench.call(save_evidence, 1)
        assert (await green(bench)).evidence
        assert await kept(bench, record) == first

    on_bench(test, image="1.2.0")


def test_late_run_keeps_nothing_of_a_vm_that_is_gone_and_changes_no_row(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        record = await judge(bench)
        late = bench.order(1)
        assert (await bench.finish(discard_green, 1)).done
        rows = await bench.ports.store.vms.list((await bench.row()).id)
        assert (await bench.call(save_evidence, order=late)).done
        assert await kept(bench, record) is None
        assert await bench.ports.store.vms.list((await bench.row()).id) == rows

    on_bench(test, image="1.2.0")


def test_vm_that_has_the_name_of_a_sick_one_is_not_taken_for_it(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        record = await judge(bench)
        other = next(vm for vm in bench.scale_set.active() if vm.name != record.name)
        await bench.ports.store.vms.put((await bench.row()).id, [replace(record, name=other.name)])
        assert (await bench.call(save_evidence, 1)).done
        assert await kept(bench, record) is None

    on_bench(test, image="1.2.0")


def test_azure_out_of_order_fails_no_step_and_is_noted(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        record = await judge(bench)
        bench.cloud.faults.add(Fault.model_validate({"path": "/virtualMachines/", "status": 500}))
        assert (await bench.call_twice(save_evidence, 1)).done
        evidence = await kept(bench, record)
        assert (evidence.readings, evidence.instance_view, evidence.serial_log) == (record.readings, None, None)
        assert [note.partition(":")[0] for note in evidence.notes] == [
            "The instance view could not be read",
            "The serial log could not be read",
        ]

    on_bench(test, image="1.2.0")


class ScriptedVms:
    """Scale sets whose VMs are inspected as the test says; counts how many are at once."""

    def __init__(self, answer: Inspection | Exception) -> None:
        self.answer = answer
        self.inspected = 0
        self.together = 0
        self._under_way = 0

    async def inspect_vm(self, scale_set_id: str, vm_name: str, vm_id: str) -> Inspection:
        self.inspected += 1
        self._under_way += 1
        self.together = max(self.together, self._under_way)
        await asyncio.sleep(1)
        self._under_way -= 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def with_sick_vms(bench: Any, number: int, answer: Inspection | Exception) -> ScriptedVms:
    """Give the first batch so many sick green VMs, which are inspected by script."""
    await bench.begin()
    rows = [VmRecord(f"guid-{n:03}", f"web_{n}", Color.GREEN, 1, VmStatus.UNHEALTHY) for n in range(number)]
    await bench.ports.store.vms.put((await bench.row()).id, rows)
    scripted = ScriptedVms(answer)
    bench.ports = replace(bench.ports, scale_sets=scripted)
    return scripted


def test_a_few_sick_vms_are_inspected_together_by_one_activity(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        vms = await with_sick_vms(bench, INSPECTED_TOGETHER, Inspection(serial_log="panic"))
        assert (await bench.call(save_evidence, 1)).reason == "Evidence of 10 sick green VMs kept"
        assert (vms.inspected, vms.together) == (INSPECTED_TOGETHER, INSPECTED_TOGETHER)

    on_bench(test)


@pytest.mark.parametrize("lost", [0, 2, MOST_INSPECTED])
def test_many_sick_vms_are_inspected_in_parts_and_the_rest_is_left_out_in_words(on_bench: OnBench, lost: int) -> None:
    """What is lost of parts, the look that collects them makes up for."""

    async def test(bench: Any) -> None:
        sick = MOST_INSPECTED + 5
        vms = await with_sick_vms(bench, sick, Inspection(serial_log="panic"))
        order = bench.order(1)
        asked = (await bench.call_twice(save_evidence, 1)).parts
        assert (asked.activity, asked.size, len(asked.numbers), vms.inspected) == ("inspect_sick", 1, 20, 0)
        parts = [replace(order, part=PartOrder(number, 1)) for number in asked.numbers[lost:]]
        await asyncio.gather(*(attempt_part(inspect_sick, bench.ports, encode(part)) for part in parts))
        assert vms.together == len(parts) <= asked.together
        progress = await bench.call(save_evidence, order=replace(order, asked=order.at))
        assert progress.reason == "Evidence of 25 sick green VMs kept"
        assert vms.inspected == MOST_INSPECTED
        rows = await bench.ports.store.vms.list((await bench.row()).id, 1)
        assert all(row.evidence for row in rows)
        found = [await kept(bench, row) for row in rows]
        assert [one.serial_log for one in found] == ["panic"] * MOST_INSPECTED + [None] * 5
        assert {one.notes for one in found[MOST_INSPECTED:]} == {("Not inspected: of 25 sick VMs 20 were",)}
        for late in parts:
            await attempt_part(inspect_sick, bench.ports, encode(late))
        await bench.call(save_evidence, 1)
        assert vms.inspected == MOST_INSPECTED

    on_bench(test)


def test_vm_that_cannot_be_inspected_at_all_leaves_its_readings(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await with_sick_vms(bench, 1, Busy("TooManyRequests", "slow down"))
        assert (await bench.call(save_evidence, 1)).done
        evidence = await kept(bench, await green(bench))
        assert evidence.notes == ("The VM could not be inspected: TooManyRequests: slow down",)

    on_bench(test)


class BrokenEvidence:
    """An evidence table that is out of order."""

    async def put(self, deployment_id: str, evidence: Any) -> bool:
        raise Busy("ServerBusy", "try later")

    async def get(self, deployment_id: str, vm_id: str) -> Any:
        raise Busy("ServerBusy", "try later")


def test_storage_out_of_order_is_a_setback(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await with_sick_vms(bench, 2, Inspection())
        bench.ports = replace(bench.ports, store=replace(bench.ports.store, evidence=BrokenEvidence()))
        progress = await bench.call(save_evidence, 1)
        assert (progress.state, progress.code) == (StepState.AGAIN, SETBACK)

    on_bench(test)
