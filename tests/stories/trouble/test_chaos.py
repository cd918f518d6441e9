"""Safety, then liveness: anything may go wrong for a while; then nothing does, and the next deployment succeeds.

One seed chooses everything. A failure names its seed: ``pytest tests/stories/trouble/test_chaos.py -k "[17]"`` plays it
again.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from local.azure.arm.faults import LATER
from local.azure.world import Fault, World
from local.durable.errors import HostKilled
from local.durable.faults import ActivityFault, ActivityLoss, Delivery, DurableFaults, TurnFault, TurnLoss
from local.durable.host import InstanceEnded, UnknownInstance
from rollout.model.status import Status

pytestmark = pytest.mark.slow

Play = Callable[..., Any]
SmallWorld = Callable[..., World]

#: Faults of Azure, of which a seed takes a few; each strikes some requests.
AZURE_FAULTS: tuple[dict[str, Any], ...] = (
    {"loseRequest": True},
    {"loseResponse": True},
    {"status": 429, "headers": {"Retry-After": "60"}},
    {"status": 412},
    {"status": 503},
    {"method": "PATCH", "operationStatus": "Failed"},
    {"method": "PATCH", "operationDelay": 200},
    {"method": "PATCH", "allocationFailures": 1},
    {"method": "POST", "operationStatus": "Canceled"},
    {"method": "PATCH", **LATER},
    {"method": "POST", "path": "/delete$", **LATER},
)


def durable_faults(dice: random.Random) -> DurableFaults:
    """Lost, doubled and late work."""
    activities = [
        ActivityFault(dice.choice(list(ActivityLoss)), delivery=dice.randint(1, 60), after=_some_time(dice))
        for _ in range(dice.randint(0, 12))
    ]
    turns = [TurnFault(dice.choice(list(TurnLoss)), delivery=dice.randint(1, 120)) for _ in range(dice.randint(0, 6))]
    return DurableFaults(activities=activities, turns=turns)


def azure_faults(dice: random.Random) -> list[Fault]:
    """What goes wrong with which requests, once the deployment is accepted."""
    chosen = dice.sample(AZURE_FAULTS, dice.randint(0, 4))
    return [Fault.model_validate({**one, "calls": [dice.randint(1, 40) for _ in range(5)]}) for one in chosen]


def _some_time(dice: random.Random) -> timedelta:
    return timedelta(seconds=dice.choice([1, 10, 40, 200, 900]))


def ended_from_outside(dice: random.Random, stage: Any, deployment: str) -> Callable[[Delivery], None]:
    """Kill the host now and then, and perhaps terminate the deployment or a part of it."""
    kills = {dice.randint(5, 200) for _ in range(dice.randint(0, 4))}
    end_at = dice.randint(5, 200) if dice.random() < 0.4 else 0
    part = dice.choice(["", "", ":batch-1", ":batch-2:launch_green", ":batch-1:terminate_blue"])

    def strike(delivery: Delivery) -> None:
        if delivery.number in kills:
            stage.platform.host.durable.kill()
        elif delivery.number == end_at:
            try:
                stage.platform.host.durable.terminate(deployment + part, "by hand")
            except (UnknownInstance, InstanceEnded):
                return

    return strike


async def see_it_end(stage: Any, deployment: str) -> None:
    """Wait for the end of the orchestration, whatever becomes of its host."""
    for _ in range(100):
        try:
            await stage.platform.host.durable.wait(deployment, timedelta(days=2))
            return
        except HostKilled:
            await stage.platform.restart_host()
    raise AssertionError("the host was killed without end")


@pytest.mark.sweep
@pytest.mark.parametrize("seed", range(25))
def test_whatever_goes_wrong_the_next_deployment_puts_the_set_right(
    play: Play, small_world: SmallWorld, seed: int
) -> None:
    dice = random.Random(seed)
    faults = durable_faults(dice)
    vms = dice.choice([2, 3, 4])

    async def story(stage: Any) -> None:
        platform = stage.platform
        deployment = await platform.start(
            image=dice.choice(["1.1.0", "1.1.0", "1.2.0", "1.3.0"]),
            batchSizePercentage=dice.choice([34, 50, 100]),
            gracePeriod=180,
            drainingTimeout=dice.choice([0, 60]),
        )
        for fault in azure_faults(dice):
            platform.cloud.faults.add(fault)
        faults.on_delivery = ended_from_outside(dice, stage, deployment)
        await see_it_end(stage, deployment)
        faults.activities, faults.turns, faults.on_delivery = (), (), None
        platform.cloud.faults.clear()
        await stage.quiet()
        await stage.sleep(hours=1)
        following = await platform.start(image="1.1.0", batchSizePercentage=50, gracePeriod=300)
        row = await platform.ended(following)
        assert (row.status, row.target_size) == (Status.FINISHED, vms)
        assert (stage.versions(), stage.model(), stage.capacity()) == (["1.1.0"] * vms, "1.1.0", vms)

    play(story, small_world(vms), faults=faults)
