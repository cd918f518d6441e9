"""What a look at the set's VMs says is noted, whatever becomes of the step that looked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rollout.model.order import NEWS, SETBACK, Order, Progress, StepState, done
from rollout.ports.errors import AzureError, Busy, Refused, Stale
from rollout.ports.ports import Ports
from rollout.steps.known import shown

OnBench = Callable[..., None]


def refused_after_a_list(error: Exception) -> Any:
    """An activity that lists the VMs, and what it wants of Azure then is refused."""

    async def activity(ports: Ports, order: Order) -> Progress:
        await ports.scale_sets.list_vms(order.scale_set_id)
        raise error

    return activity


@pytest.mark.parametrize(
    ("error", "code", "state"),
    [
        (Busy("TooManyRequests", "later"), SETBACK, StepState.AGAIN),
        (Stale("PreconditionFailed", "another"), SETBACK, StepState.AGAIN),
        (Refused("NoRoom", "no"), "NoRoom", StepState.FAILED),
    ],
)
def test_what_a_list_said_is_noted_where_azure_refuses_what_follows(
    on_bench: OnBench, error: AzureError, code: str, state: StepState
) -> None:
    async def story(bench: Any) -> None:
        await bench.prepare()
        (vm, _) = bench.scale_set.active()
        bench.cloud.interfere.stop(bench.scale_set_id, vm.vm_id)
        progress = await bench.call(refused_after_a_list(error), batch=1)
        assert (progress.code, progress.state) == (code, state)
        assert [news["vms"] for news in progress.data[NEWS]] == [[vm.vm_id]]
        rows = {row.vm_id: shown(row)[1] for row in await bench.ports.store.vms.list(bench.order().deployment_id)}
        assert rows[vm.vm_id] == "vmState: power state stopped"

    on_bench(story)


def test_what_a_look_sees_that_is_delivered_after_the_end_is_not_noted(on_bench: OnBench) -> None:
    async def look(ports: Ports, order: Order) -> Progress:
        return done(f"{len((await ports.scale_sets.list_vms(order.scale_set_id)).vms)} VMs")

    async def story(bench: Any) -> None:
        await bench.prepare()
        store, id_ = bench.ports.store, bench.order().deployment_id
        before = await store.vms.list(id_)
        lock = await store.locks.get(bench.order().scale_set_id)
        await store.locks.swap(lock, replace(lock, owner="web-20260102T000000Z-000002", epoch=lock.epoch + 1))
        for vm in bench.scale_set.active():
            bench.cloud.interfere.stop(bench.scale_set_id, vm.vm_id)
        assert NEWS not in (await bench.call(look)).data
        assert await store.vms.list(id_) == before

    on_bench(story)
