"""What is asked of a deployment: any fields of a start, with values that a story of minutes can tell."""

from __future__ import annotations

from random import Random
from typing import Any

from local.soak.worlds import Setting

#: Good ones mostly; 1.2.0 is never healthy, of 1.3.0 every second VM is not, 1.4.0 is slow, `None` is the set's own.
IMAGES = ("1.1.0", "1.1.0", "1.1.0", "1.1.0", "1.0.0", "1.0.0", "1.2.0", "1.2.0", "1.3.0", "1.4.0", "latest", None)

#: Each field beyond the ones that every request has, how often it is asked for, and its values.
FIELDS: dict[str, tuple[float, tuple[Any, ...]]] = {
    "approvals": (0.25, ("none", "afterCanary", "everyBatch", [1], [2])),
    "bakeTime": (0.25, (0, 60, 300, 900)),
    "waitTimeout": (0.8, (60, 300, 900, 1800)),
    "actionOnTimeout": (0.6, ("approve", "approve", "stop", "rollBack")),
    "onFailure": (0.7, ("discardGreen", "keep", "rollBack", "rollBack")),
    "keepFor": (0.8, (0, 600, 3600, 7200)),
    "protectedVms": (0.1, ("refuse", "skip", "replace")),
    "stoppedVms": (0.1, ("refuse", "skip", "replace")),
    "attachedVms": (0.1, ("refuse", "skip", "replace")),
    "adjust": (0.2, (True, False)),
    "force": (0.25, (True, False)),
    "allocationTimeout": (0.2, (120, 600)),
    "stableFor": (0.15, (0, 30, 90)),
    "maxUnhealthyPercentage": (0.1, (20, 50, 100)),
    "tolerateUnhealthy": (0.1, (True, False)),
    "comment": (0.1, ("a word", "")),
}


def choose_request(dice: Random, setting: Setting) -> dict[str, Any]:
    """The body of a start. It may be refused: some requests make no sense in some settings."""
    image = dice.choice(IMAGES)
    asked: dict[str, Any] = {"image": image} if image else {}
    asked |= choose_parameters(dice, setting)
    asked["onConflict"] = dice.choice(["reject", "queue", "queue", "supersede"])
    return asked


def choose_parameters(dice: Random, setting: Setting) -> dict[str, Any]:
    """All of a start but what it moves to."""
    asked: dict[str, Any] = {
        "gracePeriod": dice.choice([120, 300, 300, 600]),
        "drainingTimeout": dice.choice([0, 30, 120]),
        **({"batchSize": dice.choice([1, 1, 2, 3])} if dice.random() < 0.5 else {}),
    }
    if "batchSize" not in asked:
        asked["batchSizePercentage"] = dice.choice([20, 34, 50, 100])
    for name, (share, values) in FIELDS.items():
        if dice.random() < share:
            asked[name] = dice.choice(values)
    if dice.random() < 0.25:
        asked["canary"] = _canary(dice)
    if dice.random() < 0.3:
        field = dice.choice(["minHealth", "batchMinHealthyPercentage"])
        asked[field] = dice.choice([1, 30, 50, 100])
    if dice.random() < 0.3:
        asked["healthCheckTypes"] = dice.sample(setting.health_check_types, dice.randint(1, 2))
    return asked | _sense(dice, setting)


def _canary(dice: Random) -> dict[str, Any]:
    canary: dict[str, Any] = {"size": dice.choice([1, 1, 2])}
    if dice.random() < 0.4:
        canary["approval"] = True
    if dice.random() < 0.5:
        canary["bakeTime"] = dice.choice([60, 300])
    return canary


def _sense(dice: Random, setting: Setting) -> dict[str, Any]:
    """What a request needs in this setting so as not to be refused; one in ten lacks it."""
    if dice.random() < 0.1:
        return {}
    asked: dict[str, Any] = {"adjust": True} if setting.needs_adjusting else {}
    if setting.odd_vms:
        asked |= {name: dice.choice(["skip", "skip", "replace"]) for name in POLICIES}
    return asked


POLICIES = ("protectedVms", "stoppedVms", "attachedVms")
