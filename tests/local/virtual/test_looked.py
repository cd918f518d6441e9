"""What is shown of VMs is held to Azure while a deployment runs, not only at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from local.azure.world import World, demo_world, parse_world
from local.clock import run_virtual
from local.virtual import VirtualPlatform
from local.virtual.checkers.shown import vms_shown_as_in_azure, vms_shown_at_the_end
from local.virtual.checkers.watched import WatchedSet
from rollout.model.rows.deployment import VmRecord
from rollout.ports.store import Vms


class NotNoting:
    """VMs' rows in which no look notes what it found of a VM; ``spares`` says which rows are written all the same."""

    def __init__(self, vms: Vms, spares: Callable[[VmRecord], bool]) -> None:
        self._vms = vms
        self._spares = spares

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vms, name)

    async def put(self, deployment_id: str, records: Sequence[VmRecord]) -> None:
        await self._vms.put(deployment_id, [one for one in records if self._spares(one)])

    async def change(self, deployment_id: str, record: VmRecord, change: Callable[[VmRecord], VmRecord]) -> VmRecord:
        now = change(record)
        return await self._vms.change(deployment_id, record, change) if self._spares(now) else now


def flexible_world() -> World:
    """Three VMs that others can attach more to."""
    document = demo_world().model_dump(mode="json", by_alias=True)
    document["scaleSets"][0] |= {"capacity": 3, "orchestrationMode": "Flexible"}
    document["scaleSets"], document["groups"] = document["scaleSets"][:1], document["groups"][:1]
    return parse_world({**document, "eventSubscriptions": []})


def found(spares: Callable[[VmRecord], bool], act: Callable[[VirtualPlatform, str], str]) -> tuple[str, list[str]]:
    """Whom somebody did something to after the first launch, and what is found once the deployment is over."""

    async def main() -> tuple[str, list[str]]:
        async with VirtualPlatform(flexible_world()) as platform:
            platform.store = replace(platform.store, vms=cast(Vms, NotNoting(platform.store.vms, spares)))
            scale_set_id = str(platform.world.groups[0]["scaleSetId"])
            watched = WatchedSet.begin(platform, scale_set_id, "web")
            asked: dict[str, Any] = {"image": "1.1.0", "batchSize": 1, "gracePeriod": 300, "drainingTimeout": 30}
            deployment = await platform.start(**asked)
            while not any(event.type == "BatchLaunched" for event in await platform.events(deployment)):
                await platform.clock.sleep(timedelta(seconds=5))
            whom = act(platform, scale_set_id)
            await platform.ended(deployment)
            return whom, [*await vms_shown_as_in_azure(watched), *await vms_shown_at_the_end(watched)]

    return run_virtual(main())


def stop(platform: VirtualPlatform, scale_set_id: str) -> str:
    """Stop a VM that is replaced later: at the end its row says rightly that it is gone."""
    vm = max(platform.cloud.scale_set(scale_set_id).active(), key=lambda one: one.name)
    platform.cloud.interfere.stop(scale_set_id, vm.vm_id)
    return vm.name


def attach(platform: VirtualPlatform, scale_set_id: str) -> str:
    """Attach a VM."""
    return platform.cloud.interfere.attach(scale_set_id, "db01")


@pytest.mark.parametrize("act", [stop, attach])
def test_where_looks_note_what_they_find_all_is_shown(act: Callable[[VirtualPlatform, str], str]) -> None:
    assert found(lambda row: True, act)[1] == []


def test_a_vm_that_is_shown_as_running_for_more_than_two_looks_is_found() -> None:
    name, problems = found(lambda row: not row.trouble, stop)
    assert len(problems) == 1
    assert f"shows {name} as running (), and it is stopped, 2 looks later" in problems[0]


def test_a_vm_of_others_that_is_not_listed_is_found() -> None:
    vm_id, problems = found(lambda row: row.color is not None, attach)
    assert len(problems) == 1
    assert problems[0].endswith(f"does not show {vm_id}")
