"""VMs that others made from the image are given rows at the end, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from activities.ends.finish import verify_end
from rollout.model.choices import HealthCheckType
from rollout.model.status import Color, VmStatus


def test_a_vm_that_somebody_made_from_the_image_is_adopted_as_green(on_bench: Callable[..., None]) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        model = {"virtualMachineProfile": {"storageProfile": {"imageReference": {"id": bench.image.id}}}}
        bench.cloud.interfere.patch(bench.scale_set_id, {"properties": model})
        bench.cloud.interfere.scale(bench.scale_set_id, 3)
        booting = await bench.call_twice(verify_end)
        assert (booting.done, booting.data) == (True, {"adopted": 1})
        assert "1 of them made by others" in booting.reason
        (row,) = [one for one in await bench.ports.store.vms.list(bench_id) if one.reason.startswith("Made by")]
        assert (row.color, row.batch, row.status) == (Color.GREEN, 2, VmStatus.RUNNING)
        await bench.clock.sleep(timedelta(minutes=5))
        assert (await bench.call_twice(verify_end)).data == {"adopted": 1}
        (row,) = [one for one in await bench.ports.store.vms.list(bench_id) if one.reason.startswith("Made by")]
        assert row.status is VmStatus.HEALTHY
        assert {reading.source for reading in row.readings} == {
            HealthCheckType.VM_STATE,
            HealthCheckType.APPLICATION_HEALTH,
        }

    bench_id = "web-20260101T000000Z-1a2b3c"
    on_bench(test)


def test_vms_of_another_image_are_nobodys(on_bench: Callable[..., None]) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        bench.cloud.interfere.scale(bench.scale_set_id, 3)
        seen = await bench.call_twice(verify_end)
        assert seen.data == {"adopted": 0}
        assert "still on another image" in seen.reason

    on_bench(test)
