"""Holding what would interfere, and bringing it back: twice each, with others in between, on both kinds of sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from activities.ends.finish import release_group
from activities.hold import hold_processes, restore_processes
from local.azure.world import Fault
from rollout.model.events import EventType
from rollout.model.order import SETBACK, Progress, StepState
from rollout.model.rows.holds import Hold
from rollout.ports.durable import InstanceState

pytestmark = pytest.mark.slow

OnBench = Callable[..., None]

AUTOSCALE = {
    "name": "web-as",
    "resourceGroup": "monitoring",
    "scaleSet": "web",
    "profiles": [
        {"name": "day", "minimum": 1, "maximum": 2},
        {"name": "night", "minimum": 2, "maximum": 9, "default": 3},
    ],
}
POLICIES = {
    "automaticRepairsPolicy": {"enabled": True, "gracePeriod": "PT30M"},
    "resiliencyPolicy": {"automaticZoneRebalancingPolicy": {"enabled": True, "rebalanceStrategy": "Recreate"}},
}
EVERYTHING: dict[str, Any] = {"scale_set": {"overrides": {"properties": POLICIES}}, "autoscaleSettings": [AUTOSCALE]}
HELD_KINDS = ["autoscale", "repairs", "zoneRebalance", "scaleInPolicy"]


class EndsSoon:
    """Orchestrations that run while they are asked for so many times, and have ended then."""

    def __init__(self, times: int) -> None:
        self._left = times

    async def state(self, instance_id: str) -> InstanceState:
        self._left -= 1
        return InstanceState.RUNNING if self._left >= 0 else InstanceState.ENDED


def bounds(bench: Any) -> dict[str, tuple[str, str, str]]:
    """Each profile's minimum, maximum and default."""
    [setting] = bench.cloud.snapshot()["state"]["autoscale"].values()
    return {
        profile["name"]: tuple(profile["capacity"][name] for name in ("minimum", "maximum", "default"))
        for profile in setting["properties"]["profiles"]
    }


async def journal(bench: Any) -> Hold | None:
    found: Hold | None = await bench.ports.store.holds.get(bench.scale_set_id)
    return found


async def restored(bench: Any) -> Progress:
    """Bring all back and free the group."""
    progress: Progress = await bench.finish(restore_processes)
    assert (await bench.finish(release_group)).done
    return progress


@pytest.mark.parametrize("mode", ["Uniform", "Flexible"])
def test_everything_is_journalled_held_and_brought_back_each_twice(on_bench: OnBench, mode: str) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        before = await bench.ports.processes.read(await bench.ports.scale_sets.read(bench.scale_set_id))
        held = await bench.finish(hold_processes, fact=EventType.PROCESSES_HELD)
        assert held.data == {"held": HELD_KINDS, "conflicts": [], "unreadable": []}
        assert bounds(bench) == {"day": ("2", "3", "2"), "night": ("2", "9", "3")}
        properties = bench.scale_set.properties
        assert properties["scaleInPolicy"] == {"rules": ["OldestVM"]}
        assert not properties["resiliencyPolicy"]["automaticZoneRebalancingPolicy"]["enabled"]
        off = bench.scale_set.repairs_suspended or not properties["automaticRepairsPolicy"]["enabled"]
        assert off
        assert bench.scale_set.repairs_suspended is (mode == "Uniform")

        progress = await restored(bench)
        assert progress.data == {"restored": HELD_KINDS, "conflicts": [], "kept": []}
        assert await bench.ports.processes.read(await bench.ports.scale_sets.read(bench.scale_set_id)) == before
        assert await journal(bench) is None
        # Policies go in one PATCH; the service of a Uniform set is told by itself.
        patches = [entry.method for entry in bench.cloud.audit if "autoscale" not in entry.path.lower()]
        assert patches == (["PATCH", "POST"] if mode == "Uniform" else ["PATCH"]) * 2

    scale_set = {"orchestrationMode": mode, **EVERYTHING["scale_set"]}
    on_bench(test, **{**EVERYTHING, "scale_set": scale_set})


def test_the_journal_is_written_before_anything_is_held(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        bench.cloud.faults.add(Fault(method="PUT", path="autoscaleSettings", status=500))
        progress = await bench.call(hold_processes)
        assert (progress.state, progress.code) == (StepState.AGAIN, SETBACK)
        row = await journal(bench)
        assert row is not None
        assert row.items[0].old == {
            "day": {"minimum": 1, "maximum": 2, "default": 1},
            "night": {"minimum": 2, "maximum": 9, "default": 3},
        }
        assert bounds(bench)["day"] == ("1", "2", "1")

    on_bench(test, **EVERYTHING)


def test_without_the_right_to_nothing_is_written_or_journalled(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        bench.instances.is_now = InstanceState.ENDED
        assert (await bench.call(hold_processes)).state is StepState.LOCK_LOST
        assert (bench.cloud.audit, await journal(bench)) == ([], None)
        bench.instances.is_now = InstanceState.RUNNING
        await bench.finish(hold_processes)
        written = len(bench.cloud.audit)
        bench.epoch = 2
        assert (await bench.call(restore_processes)).state is StepState.LOCK_LOST
        assert len(bench.cloud.audit) == written
        row = await journal(bench)
        assert row is not None
        assert (row.keep_until, row.over) == (None, False)

    on_bench(test, **EVERYTHING)


def test_what_somebody_changes_meanwhile_is_left_and_told(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        await bench.finish(hold_processes)
        bench.cloud.interfere.change_autoscale(bench.scale_set_id, profile="day", maximum=7)
        bench.cloud.interfere.patch(bench.scale_set_id, {"properties": {"scaleInPolicy": {"rules": ["NewestVM"]}}})
        progress = await restored(bench)
        assert progress.data["restored"] == ["repairs", "zoneRebalance"]
        assert progress.data["conflicts"] == [
            "autoscale web-as, profile day was changed to minimum 2, maximum 7, default 2 meanwhile and is left so; "
            "it was minimum 1, maximum 2, default 1",
            "the scale-in policy was changed to NewestVM meanwhile and is left so; it was Default",
        ]
        assert bounds(bench) == {"day": ("2", "7", "2"), "night": ("2", "9", "3")}
        assert bench.scale_set.properties["scaleInPolicy"] == {"rules": ["NewestVM"]}
        assert await journal(bench) is None

    on_bench(test, **EVERYTHING)


def test_after_a_stop_autoscale_stays_at_the_present_count_for_a_while(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        await bench.finish(hold_processes)
        bench.cloud.interfere.scale(bench.scale_set_id, 3)
        order = replace(bench.order(), keep=True)
        progress = await bench.call(restore_processes, order=order)
        while progress.state is StepState.AGAIN:
            await bench.clock.sleep(progress.after)
            order = replace(order, at=bench.clock.now())
            progress = await bench.call(restore_processes, order=order)
        assert progress.data["kept"] == ["autoscale"]
        assert "autoscale" not in progress.data["restored"]
        assert (await bench.call(restore_processes, order=order)).data == progress.data
        assert bounds(bench) == {"day": ("1", "3", "1"), "night": ("2", "3", "3")}
        assert bench.scale_set.properties["scaleInPolicy"] == {"rules": ["Default"]}
        row = await journal(bench)
        assert row is not None
        assert row.keep_until is not None
        assert not row.over
        assert timedelta(hours=23) < row.keep_until - bench.clock.now() <= timedelta(hours=24)
        bench.cloud.interfere.autoscale(bench.scale_set_id, 5)
        assert bench.scale_set.capacity == 3

        # The time is over: what was there before the deployment comes back, and the row goes.
        progress = await restored(bench)
        assert progress.data == {"restored": HELD_KINDS, "conflicts": [], "kept": []}
        assert bounds(bench) == {"day": ("1", "2", "1"), "night": ("2", "9", "3")}
        assert await journal(bench) is None

    on_bench(test, **EVERYTHING)


def test_a_later_deployment_inherits_what_an_earlier_one_left_held(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        await bench.finish(hold_processes)
        left = await journal(bench)
        assert left is not None
        earlier = "web-20251231T000000Z-000000"
        await bench.ports.store.holds.put(replace(left, deployment_id=earlier, keep_until=bench.clock.now()))
        held = await bench.finish(hold_processes)
        assert held.data["held"] == HELD_KINDS
        taken = await journal(bench)
        assert taken is not None
        assert (taken.deployment_id, taken.keep_until) == ((await bench.row()).id, None)
        assert [item.old for item in taken.items] == [item.old for item in left.items]
        await restored(bench)
        assert bounds(bench) == {"day": ("1", "2", "1"), "night": ("2", "9", "3")}
        assert not bench.scale_set.repairs_suspended

    on_bench(test, **EVERYTHING)


def test_a_deployment_that_planned_nothing_brings_back_what_a_lost_one_held(on_bench: OnBench) -> None:
    """Found by the soak: nobody else would, as the journal names no time at which it is brought back."""

    async def test(bench: Any) -> None:
        await bench.prepare()
        await bench.finish(hold_processes)
        left = await journal(bench)
        assert left is not None
        await bench.ports.store.deployments.change((await bench.row()).id, lambda row: replace(row, started_at=None))
        await bench.ports.store.holds.put(replace(left, deployment_id="web-20251231T000000Z-000000", keep_until=None))
        await restored(bench)
        assert bounds(bench) == {"day": ("1", "2", "1"), "night": ("2", "9", "3")}
        assert not bench.scale_set.repairs_suspended

    on_bench(test, **EVERYTHING)


def test_a_deployment_that_planned_nothing_leaves_what_another_keeps_for_a_while(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await bench.begin()
        now = bench.clock.now()
        other = Hold(bench.scale_set_id, "web-20251231T000000Z-000000", (), now, keep_until=now, discard_batch=2)
        await bench.ports.store.holds.put(other)
        progress = await bench.call_twice(restore_processes)
        assert (progress.done, progress.silent) == (True, True)
        assert await journal(bench) == other

    on_bench(test)


def test_settings_that_would_refuse_the_deployment_are_adjusted_where_it_asks_for_that(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await bench.begin()
        row = await bench.row()
        parameters = replace(row.parameters, adjust=True)
        await bench.ports.store.deployments.change(row.id, lambda found: replace(found, parameters=parameters))
        held = await bench.finish(hold_processes)
        assert held.data["held"] == ["scaleInPolicy", "upgradeMode", "overprovision"]
        properties = bench.scale_set.properties
        assert (properties["upgradePolicy"]["mode"], properties["overprovision"]) == ("Manual", False)
        assert (await restored(bench)).data["conflicts"] == []
        properties = bench.scale_set.properties
        assert (properties["upgradePolicy"]["mode"], properties["overprovision"]) == ("Automatic", True)

    on_bench(test, scale_set={"upgradeMode": "Automatic", "overprovision": True})


def test_autoscale_that_may_not_be_read_is_told_and_does_not_fail_the_deployment(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        denied = {"error": {"code": "AuthorizationFailed", "message": "no role"}}
        bench.cloud.faults.add(Fault(method="GET", path="autoscaleSettings", status=403, body=denied))
        held = await bench.finish(hold_processes)
        assert held.done
        assert held.data["unreadable"] == ["autoscale: AuthorizationFailed: no role"]
        assert "autoscale" not in held.data["held"]
        assert "cannot be read" in held.reason

    on_bench(test, **EVERYTHING)


def test_what_azure_refuses_to_restore_is_told_with_the_old_value_and_the_rest_comes_back(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        await bench.finish(hold_processes)
        denied = {"error": {"code": "AuthorizationFailed", "message": "no role"}}
        bench.cloud.faults.add(Fault(method="PUT", path="autoscaleSettings", status=403, body=denied))
        progress = await bench.call(restore_processes)
        assert progress.state is StepState.AGAIN
        progress = await restored(bench)
        assert progress.data["restored"] == ["repairs", "zoneRebalance", "scaleInPolicy"]
        [conflict] = progress.data["conflicts"]
        assert "profile day could not be put back to minimum 1, maximum 2, default 1: AuthorizationFailed" in conflict

    on_bench(test, **EVERYTHING)


def test_a_set_that_stays_busy_leaves_the_journal_for_the_watchdog(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        await bench.finish(hold_processes)
        bench.cloud.interfere.hold(bench.scale_set_id, timedelta(hours=2))
        progress = await bench.finish(restore_processes)
        assert (progress.state, progress.code) == (StepState.FAILED, "scaleSetBusy")
        # Autoscale needs no write of the set.
        assert bounds(bench)["day"] == ("1", "2", "1")
        row = await journal(bench)
        assert row is not None
        assert row.keep_until is not None
        assert row.keep_until <= bench.clock.now()
        assert not row.over

    on_bench(test, **EVERYTHING)


@pytest.mark.parametrize("keep", [False, True])
def test_where_azure_does_not_answer_the_journal_says_when_to_try_again(on_bench: OnBench, keep: bool) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        await bench.finish(hold_processes)
        bench.cloud.faults.add(Fault(method="GET", status=500))
        progress = await bench.call(restore_processes, order=replace(bench.order(), keep=keep))
        assert (progress.state, progress.code) == (StepState.AGAIN, SETBACK)
        row = await journal(bench)
        assert row is not None
        assert row.keep_until is not None
        assert row.keep_until - bench.clock.now() == timedelta(hours=24 if keep else 0)
        assert not row.over

    on_bench(test, **EVERYTHING)


def test_the_right_is_asked_before_each_of_several_writes(on_bench: OnBench) -> None:
    """The first two questions are those before the journal and the first of two settings."""

    async def test(bench: Any) -> None:
        await bench.prepare()
        bench.ports = replace(bench.ports, instances=EndsSoon(2))
        assert (await bench.call(hold_processes)).state is StepState.LOCK_LOST
        assert [entry.method for entry in bench.cloud.audit] == ["PUT"]

    second = {**AUTOSCALE, "name": "web-as-2"}
    on_bench(test, **{**EVERYTHING, "autoscaleSettings": [AUTOSCALE, second]})


def test_a_set_that_is_gone_has_nothing_to_bring_back(on_bench: OnBench) -> None:
    async def test(bench: Any) -> None:
        await bench.prepare()
        await bench.finish(hold_processes)
        bench.cloud.interfere.delete_scale_set(bench.scale_set_id)
        await bench.clock.sleep(timedelta(minutes=5))
        progress = await bench.finish(restore_processes)
        assert (progress.done, progress.data["restored"]) == (True, [])
        assert (await bench.call(hold_processes)).code == "scaleSetGone"

    on_bench(test, **EVERYTHING)
