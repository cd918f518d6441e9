"""A simulated copy of a real scale set: its world, its group, and the images that it can be moved to."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.azure.messages import Json
from local.azure.real_images import RealImages, ToDeploy
from local.azure.real_input import world_of_bodies
from local.azure.world import World
from local.azure.world_images import Behavior


@dataclass(frozen=True)
class Copy:
    """One set in a world of its own. ``group`` is the body with which it is registered."""

    name: str
    body: Json
    world: World
    group_id: str
    group: Mapping[str, Any]
    images: ToDeploy

    @property
    def scale_set_id(self) -> str:
        """The set's resource id."""
        return str(self.body["id"])

    @property
    def size(self) -> str:
        """The size of its VMs."""
        return str((self.body.get("sku") or {}).get("name") or "?")

    @property
    def capacity(self) -> int:
        """How many VMs it has."""
        return int((self.body.get("sku") or {}).get("capacity") or 0)

    def checking(self, health_check_types: Collection[str]) -> Copy:
        """The same, registered with other health checks."""
        return replace(self, group={**self.group, "healthCheckTypes": list(health_check_types)})


def copy_of(body: Json, good: Behavior) -> Copy:
    """The copy of a set, given by its ARM body; VMs of the good image behave so."""
    images = RealImages(good)
    world = world_of_bodies([body], images)
    group = dict(world.groups[0])
    return Copy(
        name=str(body["name"]),
        body=body,
        world=world.model_copy(update={"groups": ()}),
        group_id=group.pop("id"),
        group=group,
        images=images.add(body),
    )


def _without_automatic_upgrades(body: Json) -> None:
    policy = body["properties"]["upgradePolicy"]["automaticOSUpgradePolicy"]
    policy["enableAutomaticOSUpgrade"] = False


#: Findings whose remedy is followed on the copy, so that there is something to play.
_REMEDIES: Mapping[str, tuple[str, Callable[[Json], None]]] = {
    "automaticOsUpgrade": ("automatic OS upgrades turned off", _without_automatic_upgrades),
}


def put_right(body: Json, codes: Collection[str]) -> tuple[Json, list[str]]:
    """The set as if somebody had followed the remedies of these findings, and which were followed."""
    changed, words = copy.deepcopy(body), []
    for code in codes:
        if code in _REMEDIES:
            what, follow = _REMEDIES[code]
            follow(changed)
            words.append(what)
    return changed, words
