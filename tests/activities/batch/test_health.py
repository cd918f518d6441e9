"""Looks in parts: what came is collected, what did not is read at once or asked for again, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from activities.attempt import attempt_part
from activities.batch.health import read_batch_health
from activities.batch.judge import judge_batch
from activities.batch.launch import launch_green
from activities.image import apply_image
from local.azure.world import Fault
from rollout.model.codec import decode, encode
from rollout.model.events import EventType
from rollout.model.order import IN_PARTS, NEWS, SETBACK, Order, PartOrder, Progress, StepState

OnBench = Callable[..., None]

FLEXIBLE = {"orchestrationMode": "Flexible", "capacity": 4}


async def launched(bench: Any) -> Order:
    """Bring two green VMs of a Flexible set to where they run; each is a part. The order of the look that follows."""
    bench.ports = replace(bench.ports, part_size=1)
    await bench.prepare()
    await bench.finish(apply_image, fact=EventType.IMAGE_APPLIED)
    await bench.finish(launch_green, 1, EventType.BATCH_LAUNCHED)
    while (asked := await bench.call(judge_batch, 1)).code != IN_PARTS:
        assert asked.parts is None
        await bench.clock.sleep(timedelta(seconds=5))
    assert (asked.parts.activity, asked.parts.numbers, asked.after) == ("read_batch_health", (0, 1), timedelta(0))
    order: Order = bench.order(1)
    return replace(order, asked=order.at)


async def read(bench: Any, order: Order, number: int) -> Progress:
    """Carry out a part."""
    part = replace(order, part=PartOrder(number, 1))
    return decode(Progress, await attempt_part(read_batch_health, bench.ports, encode(part)))


def views(bench: Any) -> int:
    """How many views of VMs were asked for."""
    return sum(count.passed for kind, count in bench.cloud.requests.items() if "get virtual machine view" in kind)


def test_look_collects_what_its_parts_have_read_and_asks_for_the_next_ones(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        order = await launched(bench)
        for number in (0, 1):
            assert (await read(bench, order, number)).reason == "the health of 1 VM was read"
        before = views(bench)
        look = await bench.call(judge_batch, order=order)
        assert (look.state, look.code, views(bench)) == (StepState.AGAIN, "", before)
        assert (look.parts.numbers, look.parts.since) == ((0, 1), None)
        rows = await bench.ports.store.vms.list((await bench.row()).id, 1)
        said = [one for row in rows for one in row.readings if one.source == "applicationHealth"]
        assert len(said) == 2

    on_bench(test, scale_set=FLEXIBLE)


def test_what_the_one_lost_part_would_have_read_is_read_at_once(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        order = await launched(bench)
        await read(bench, order, 0)
        before = views(bench)
        assert (await bench.call(judge_batch, order=order)).code == ""
        assert views(bench) == before + 1

    on_bench(test, scale_set=FLEXIBLE)


def test_while_azure_wants_to_be_left_alone_only_what_is_missing_is_asked_for_and_later(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        order = await launched(bench)
        await read(bench, order, 1)
        throttled = {"path": "instanceView$", "status": 429, "headers": {"Retry-After": "70"}}
        bench.cloud.faults.add(Fault.model_validate(throttled))
        busy = await read(bench, order, 0)
        assert (busy.state, busy.code, busy.after) == (StepState.AGAIN, SETBACK, timedelta(seconds=70))
        bench.cloud.faults.clear()
        before = views(bench)
        look = await bench.call(judge_batch, order=replace(order, patience=busy.after))
        assert (look.code, look.after, views(bench)) == (SETBACK, busy.after, before)
        assert (look.parts.numbers, look.parts.since) == ((0,), order.asked)
        await read(bench, order, 0)
        assert (await bench.call(judge_batch, order=order)).code == ""

    on_bench(test, scale_set=FLEXIBLE)


def test_parts_of_an_earlier_look_count_for_nothing_and_undo_no_later_ones(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        early = await launched(bench)
        for number in (0, 1):
            await read(bench, early, number)
        await bench.clock.sleep(timedelta(seconds=15))
        order = replace(bench.order(1), asked=bench.clock.now())
        look = await bench.call(judge_batch, order=order)
        assert (look.code, look.parts.numbers) == (SETBACK, (0, 1))
        for late in (order, early):
            for number in (0, 1):
                await read(bench, late, number)
        kept = await bench.ports.store.health_parts.list((await bench.row()).id, 1)
        assert {part.at for part in kept} == {order.at}
        assert (await bench.call(judge_batch, order=order)).code == ""

    on_bench(test, scale_set=FLEXIBLE)


def test_look_that_only_asks_for_parts_brings_the_news_of_the_list_that_it_read_and_no_other_does(
    on_bench: OnBench,
) -> None:
    async def test(bench: Any) -> None:
        order = await launched(bench)
        blue = next(vm for vm in bench.scale_set.active() if vm.image["id"].endswith("1.0.0"))
        bench.cloud.interfere.delete_vm(bench.scale_set_id, blue.vm_id)
        await bench.clock.sleep(timedelta(minutes=2))
        asking = replace(bench.order(1), since=order.since)
        for _ in range(2):
            asked = await bench.call(judge_batch, order=asking)
            (news,) = asked.data[NEWS]
            assert (asked.code, news["type"], news["vms"]) == (IN_PARTS, "VmsGone", [blue.vm_id])
        await bench.clock.sleep(timedelta(seconds=15))
        collecting = replace(bench.order(1), since=order.since, asked=bench.clock.now())
        for number in (0, 1):
            assert (await read(bench, collecting, number)).data == {}
        assert NEWS not in (await bench.call(judge_batch, order=collecting)).data

    on_bench(test, scale_set=FLEXIBLE)


def test_part_that_azure_refuses_says_so_and_raises_nothing(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        order = await launched(bench)
        denied = {"error": {"code": "AuthorizationFailed", "message": "no role"}}
        bench.cloud.faults.add(Fault(method="GET", path="instanceView$", status=403, body=denied))
        refused = await read(bench, order, 0)
        assert (refused.state, refused.code) == (StepState.FAILED, "AuthorizationFailed")

    on_bench(test, scale_set=FLEXIBLE)
