"""Work that is lost, delivered twice or late, and hosts killed at every point: the end is the same."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from local.clock import VIRTUAL_START, PlatformClock, run_virtual
from local.durable.errors import Complaint, HostErrors
from local.durable.faults import ActivityFault, ActivityLoss, Delivery, DurableFaults, TurnFault, TurnLoss
from local.durable.instances import RuntimeStatus
from local.functions.host import FunctionsHost
from local.state import MemoryState, StateFile

pytestmark = pytest.mark.slow

SECOND = timedelta(seconds=1)


def child(context: Any) -> Any:
    """Two activities, one after the other."""
    name = context.get_input()
    yield context.call_activity("work", f"{name}1")
    yield context.create_timer(context.current_utc_datetime + timedelta(seconds=10))
    yield context.call_activity("work", f"{name}2")
    return name


def story(context: Any) -> Any:
    """A little of everything: two children at once, a timer, a fan-out, two generations."""
    round_ = context.get_input() or 1
    names = yield context.task_all(
        [context.call_sub_orchestrator("child", f"{name}{round_}", f"kid-{name}{round_}") for name in "ab"]
    )
    yield context.task_all([context.call_activity("work", f"c{round_}{number}") for number in range(3)])
    if round_ < 2:
        context.continue_as_new(round_ + 1)
        return None
    return names


EFFECTS = {f"work {name}{round_}{step}" for name in "ab" for round_ in "12" for step in "12"} | {
    f"work c{round_}{number}" for round_ in "12" for number in range(3)
}


def prepare(scene: Any) -> None:
    scene.add(child, story)


async def tell(host: FunctionsHost, clock: PlatformClock) -> timedelta:
    """Run the story; check its end; return how long it took."""
    if host.durable.instance("one") is None:
        host.durable.start_instance("story", "one")
    status = await host.durable.wait("one", timedelta(hours=1))
    assert (status.status, status.output) == (RuntimeStatus.COMPLETED, ["a2", "b2"])
    return clock.now() - VIRTUAL_START


def test_without_faults_everything_happens_once(scene: Any) -> None:
    prepare(scene)
    assert timedelta(seconds=20) <= scene.play(tell) < timedelta(seconds=21)
    assert sorted(scene.ledger.effects) == sorted(EFFECTS)
    assert scene.faults.deliveries > 30


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_activity_lost_before_its_effect_runs_once_after_the_redelivery_delay(scene: Any, number: int) -> None:
    prepare(scene)
    scene.faults = DurableFaults([ActivityFault(ActivityLoss.BEFORE_EFFECT, "work", "kid-*", delivery=number)])
    assert timedelta(seconds=50) <= scene.play(tell) < timedelta(seconds=51)
    assert sorted(scene.ledger.effects) == sorted(EFFECTS)


def test_an_activity_whose_result_is_lost_runs_twice(scene: Any) -> None:
    prepare(scene)
    scene.faults = DurableFaults([ActivityFault(ActivityLoss.AFTER_EFFECT, instance="kid-a1", delivery=1)])
    assert scene.play(tell) >= timedelta(seconds=50)
    assert scene.ledger.effects.count("work a11") == 2
    assert set(scene.ledger.effects) == EFFECTS


def test_every_activity_delivered_twice_runs_twice_and_counts_once(scene: Any) -> None:
    prepare(scene)
    scene.faults = DurableFaults([ActivityFault(ActivityLoss.TWICE)])
    scene.play(tell)
    assert sorted(scene.ledger.effects) == sorted([*EFFECTS, *EFFECTS])


def test_a_late_delivery_runs_again_after_its_time(scene: Any) -> None:
    prepare(scene)
    late = ActivityFault(ActivityLoss.LATE, instance="kid-a1", delivery=1, after=timedelta(seconds=15))
    scene.faults = DurableFaults([late])
    assert scene.play(tell) < timedelta(seconds=21)
    again = [position for position, effect in enumerate(scene.ledger.effects) if effect == "work a11"][1]
    assert scene.ledger.effects.index("work a12") < again < scene.ledger.effects.index("work a22")


def test_a_late_delivery_can_wait_for_a_condition(scene: Any) -> None:
    prepare(scene)
    ledger = scene.ledger
    late = ActivityFault(ActivityLoss.LATE, instance="kid-a1", delivery=1, until=lambda: "work a22" in ledger.effects)
    scene.faults = DurableFaults([late])
    scene.play(tell)
    again = [position for position, effect in enumerate(ledger.effects) if effect == "work a11"][1]
    assert again > ledger.effects.index("work a22")


@pytest.mark.parametrize("loss", list(TurnLoss))
@pytest.mark.parametrize("orchestrator", ["story", "child"])
@pytest.mark.parametrize("number", range(1, 6))
def test_a_lost_turn_is_taken_again(scene: Any, loss: TurnLoss, orchestrator: str, number: int) -> None:
    prepare(scene)
    scene.faults = DurableFaults(turns=[TurnFault(loss, orchestrator, delivery=number)])
    assert scene.play(tell) >= timedelta(seconds=30)
    assert set(scene.ledger.effects) == EFFECTS
    assert len(scene.ledger.effects) == len(EFFECTS) or loss is TurnLoss.AFTER_MESSAGES


def kill_when(scene: Any, is_time: Callable[[Delivery], bool]) -> int:
    """Run the story; kill the host at every delivery that ``is_time``, and go on with a new one; return the kills."""
    prepare(scene)
    kills = 0

    async def main() -> None:
        nonlocal kills
        clock = PlatformClock(VIRTUAL_START)
        while True:
            host = scene.open_host(clock)
            killed = asyncio.Event()

            def kill(delivery: Delivery, host: FunctionsHost = host, killed: asyncio.Event = killed) -> None:
                if is_time(delivery):
                    host.kill()
                    killed.set()

            scene.faults.on_delivery = kill
            await host.start()
            ended = asyncio.ensure_future(tell(host, clock))
            died = asyncio.ensure_future(killed.wait())
            await asyncio.wait({ended, died}, return_when=asyncio.FIRST_COMPLETED)
            died.cancel()
            if not killed.is_set():
                await ended
                await host.stop()
                return
            await asyncio.gather(ended, return_exceptions=True)
            kills += 1

    run_virtual(main())
    return kills


@pytest.mark.parametrize("period", [2, 3, 4, 5, 7, 11])
def test_a_host_killed_at_every_nth_delivery_is_gone_on_with(scene: Any, period: int) -> None:
    assert kill_when(scene, lambda delivery: delivery.number % period == 0) >= 3
    assert set(scene.ledger.effects) == EFFECTS


@pytest.mark.parametrize("number", range(1, 40))
def test_a_host_killed_once_at_any_delivery_is_gone_on_with(scene: Any, number: int) -> None:
    assert kill_when(scene, lambda delivery: delivery.number == number) <= 1
    assert set(scene.ledger.effects) == EFFECTS
    assert len(scene.ledger.effects) - len(EFFECTS) in (0, 1)


def test_a_host_killed_over_and_over_goes_on_from_its_file(scene: Any, tmp_path: Path) -> None:
    state = StateFile(tmp_path / "state.db")
    scene.storage = state
    assert kill_when(scene, lambda delivery: delivery.number % 3 == 0) >= 5
    assert set(scene.ledger.effects) == EFFECTS
    state.close()


@pytest.mark.parametrize("number", range(1, 40, 3))
def test_an_instance_terminated_at_any_delivery_ends_and_its_children_go_on(scene: Any, number: int) -> None:
    prepare(scene)

    async def main(host: FunctionsHost, clock: PlatformClock) -> None:
        def terminate(delivery: Delivery) -> None:
            if delivery.number == number and not host.durable.find("one").status.is_ended:
                host.durable.terminate("one", "enough")

        scene.faults.on_delivery = terminate
        host.durable.start_instance("story", "one")
        await host.durable.wait("one")
        await clock.sleep(timedelta(minutes=5))
        statuses = {one.id: one.status for one in host.durable.instances()}
        assert statuses.pop("one") in (RuntimeStatus.TERMINATED, RuntimeStatus.COMPLETED)
        assert set(statuses.values()) <= {RuntimeStatus.COMPLETED}

    scene.play(main)


class BrokenState(MemoryState):
    """A storage that fails from a certain save on."""

    def __init__(self, saves: int) -> None:
        super().__init__()
        self.left = saves

    def save(self, space: str, changes: Mapping[str, Any]) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError("the disk is full")
        super().save(space, changes)


@pytest.mark.parametrize("saves", [1, 4, 5, 6, 7])
def test_a_host_that_cannot_save_says_so_instead_of_standing_still(scene: Any, saves: int) -> None:
    prepare(scene)
    scene.storage = BrokenState(saves)
    with pytest.raises(HostErrors, match="the disk is full") as caught:
        scene.play(tell)
    assert {error.complaint for error in caught.value.errors} == {Complaint.HOST_FAILED}


def digest(scene: Any, seed: int) -> str:
    """Every event of every instance of the story, as text."""
    prepare(scene)
    scene.storage = MemoryState()
    scene.options = type(scene.options)(
        seed=seed, turn_latency_max=SECOND, delivery_latency_max=SECOND, cross_check=False
    )

    async def main(host: FunctionsHost, clock: PlatformClock) -> str:
        await tell(host, clock)
        return repr([(one.id, host.durable.history(one.id)) for one in host.durable.instances()])

    text: str = scene.play(main)
    return text


def test_the_same_seed_gives_the_same_histories_and_another_seed_others(scene: Any) -> None:
    assert digest(scene, 1) == digest(scene, 1)
    assert digest(scene, 1) != digest(scene, 2)


@pytest.mark.slow
def test_histories_do_not_depend_on_the_process() -> None:
    """Hashes of texts differ between processes; whatever iterated a set of them would differ too."""
    code = (
        "import importlib.util, hashlib, sys;"
        "load = lambda name: (spec := importlib.util.spec_from_file_location(name, f'tests/local/durable/{name}.py'),"
        " module := importlib.util.module_from_spec(spec), sys.modules.update({name: module}),"
        " spec.loader.exec_module(module))[1];"
        "scenes, faults = load('conftest'), load('test_faults');"
        "print(hashlib.sha256(faults.digest(scenes.Scene(), 7).encode()).hexdigest())"
    )

    def run(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    assert len({run("0"), run("1"), run("2")}) == 1
