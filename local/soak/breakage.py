"""What breaks: Azure's answers and operations, the Durable host's deliveries, and the processes themselves.

Of Azure's next requests a few go wrong, and of the host's next deliveries: which, dice say. What was really struck is
counted when the run is over.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from local.azure.arm.faults import LATER
from local.azure.world import Fault
from local.durable.faults import ActivityFault, ActivityLoss, TurnFault, TurnLoss
from local.durable.host import InstanceEnded, UnknownInstance
from local.soak.scene import SoakScene

Breaks = Callable[[SoakScene, Random], None]

_NO_ROOM: dict[str, Any] = {
    "body": {"error": {"code": "ZonalAllocationFailed", "message": "There is no room in the zone. Please try again."}}
}

#: By kind, the rule of ``local.azure.world.Fault``; a test holds the table to its fields.
AZURE: dict[str, dict[str, Any]] = {
    "requestLost": {"loseRequest": True},
    "answerLost": {"loseResponse": True},
    "requestDelayed": {"delay": 45},
    "throttled": {"status": 429, "headers": {"Retry-After": "60"}},
    "conflict": {"method": "PATCH", "status": 409, "body": {"error": {"code": "Conflict", "message": "Try again."}}},
    "concurrentPatch": {"method": "PATCH", **LATER},
    "concurrentPost": {"method": "POST", "path": "/delete$", **LATER},
    "concurrentPut": {"method": "PUT", **LATER},
    "stale": {"method": "PATCH", "status": 412},
    "unavailable": {"status": 503},
    "internalError": {"status": 500},
    "operationFailed": {"method": "PATCH", "operationStatus": "Failed"},
    "operationCanceled": {"method": "POST", "operationStatus": "Canceled"},
    "operationSlow": {"method": "PATCH", "operationDelay": 200},
    "allocationRefused": {"raisesCapacity": True, "status": 409, **_NO_ROOM},
    "allocationFailed": {"raisesCapacity": True, "allocationFailures": 1},
}


def _azure(kind: str) -> Breaks:
    """Two of the next requests that the rule is for."""

    def add(scene: SoakScene, dice: Random) -> None:
        first = dice.choice([1, 1, 2, 3, 6, 12])
        rule = Fault.model_validate({**AZURE[kind], "calls": [first, first + dice.choice([1, 1, 4])]})
        scene.platform.cloud.faults.add(rule)
        scene.azure_rules.append(kind)

    return add


def _activity(loss: ActivityLoss) -> Breaks:
    def add(scene: SoakScene, dice: Random) -> None:
        after = timedelta(seconds=dice.choice([1, 10, 40, 200, 900]))
        rules = [ActivityFault(loss, delivery=dice.randint(1, 40), after=after) for _ in range(2)]
        faults = scene.platform.faults
        faults.activities = [*faults.activities, *rules]

    return add


def _turn(loss: TurnLoss) -> Breaks:
    def add(scene: SoakScene, dice: Random) -> None:
        faults = scene.platform.faults
        faults.turns = [*faults.turns, TurnFault(loss, delivery=dice.randint(1, 60))]

    return add


def _kill_at_work(scene: SoakScene, dice: Random) -> None:
    scene.kill_at(dice.randint(1, 60))


def _terminated(part: bool) -> Breaks:
    """Somebody ends a deployment's orchestration, or a part of it, through Durable Functions."""

    def end(scene: SoakScene, dice: Random) -> None:
        durable = scene.platform.host.durable
        names = [one.id for one in durable.instances() if not one.status.is_ended and (":" in one.id) is part]
        if not names:
            return
        try:
            durable.terminate(dice.choice(names), "by hand")
        except (UnknownInstance, InstanceEnded):
            return
        scene.injected["partTerminated" if part else "orchestrationTerminated"] += 1

    return end


BREAKAGE: dict[str, Breaks] = {
    **{kind: _azure(kind) for kind in AZURE},
    **{f"activity {loss}": _activity(loss) for loss in ActivityLoss},
    **{f"turn {loss}": _turn(loss) for loss in TurnLoss},
    "hostKilledAtWork": _kill_at_work,
    "orchestrationTerminated": _terminated(part=False),
    "partTerminated": _terminated(part=True),
}


def count_struck(scene: SoakScene) -> None:
    """Count what the rules of Azure and of the host have really struck."""
    for kind, (rule, matches) in zip(scene.azure_rules, scene.platform.cloud.faults.matched(), strict=True):
        scene.injected[kind] += sum(1 for call in rule.calls if call <= matches)
    for loss, times in scene.platform.faults.struck.items():
        scene.injected[f"{'turn' if loss in set(TurnLoss) else 'activity'} {loss}"] += times
