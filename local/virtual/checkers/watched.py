"""What a story is held to: one scale set, seen since the story began."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.azure.arm.resources import AuditEntry, VmInstance
from local.azure.compute.serving import ServingChecker
from local.virtual import VirtualPlatform
from rollout.model.azure.images import at_version
from rollout.model.azure.scale_set import ImageReference
from rollout.model.codec import decode
from rollout.model.rows.deployment import Deployment, Intent


@dataclass
class WatchedSet:
    """One scale set, seen since a story began.

    ``good_images`` were judged good before, by their version's name; ``settings`` are what ``self_changing`` said then;
    ``places`` the pools of each VM then, configuration by configuration; ``acts`` how often others had interfered.
    ``size``: how many VMs a good end leaves; ``older``: deployments that had ended then, of which nothing is asked any
    more.
    """

    platform: VirtualPlatform
    scale_set_id: str
    group_id: str
    serving: ServingChecker
    good_images: frozenset[str]
    settings: dict[str, Any]
    places: dict[str, Places]
    acts: int
    size: int
    older: frozenset[str] = frozenset()

    @classmethod
    def begin(cls, platform: VirtualPlatform, scale_set_id: str, group_id: str) -> WatchedSet:
        """Watch the set from now on; its model's image, and what its VMs run, are taken to be good."""
        run = {run_version(vm.image) for vm in platform.cloud.scale_set(scale_set_id).active()}
        good = frozenset({image_version(platform, scale_set_id)} | run)
        settings = copy.deepcopy(self_changing(platform, scale_set_id))
        serving, acts, known = (
            platform.serving(scale_set_id),
            platform.cloud.interfere.acts,
            places(platform, scale_set_id),
        )
        return cls(platform, scale_set_id, group_id, serving, good, settings, known, acts, size=len(known))

    @property
    def undisturbed(self) -> bool:
        """Whether nobody interfered since, and nothing broke: neither Azure, nor the host, nor its deliveries."""
        return self.left_alone and not self.platform.broke

    @property
    def left_alone(self) -> bool:
        """Whether nobody has interfered since."""
        engines = any(setting.every for setting in self.platform.world.autoscale_settings)
        return self.platform.cloud.interfere.acts == self.acts and not engines

    @property
    def is_there(self) -> bool:
        """Whether there is the set still."""
        return self.scale_set_id.lower() in self.platform.cloud.scale_set_ids

    async def rows(self) -> list[Deployment]:
        """The set's deployments, newest first."""
        return [await self.platform.row(deployment) for deployment in await self.deployments()]

    async def last_begun(self) -> Deployment | None:
        """The deployment that planned something last: by the lock's epoch, because clocks may be set back."""
        begun = [row for row in await self.rows() if row.started_at is not None]
        return max(begun, key=lambda row: (row.epoch, row.started_at or row.created_at), default=None)

    @property
    def model(self) -> ImageReference:
        """The image in the set's model."""
        storage = self.platform.cloud.scale_set(self.scale_set_id).profile["storageProfile"]
        return decode(ImageReference, storage["imageReference"])

    def vms(self) -> list[VmInstance]:
        """The VMs that there are, and that nobody is deleting."""
        return self.platform.cloud.scale_set(self.scale_set_id).active() if self.is_there else []

    @property
    def writes(self) -> list[AuditEntry]:
        """The clients' writes to the set and its VMs that Azure carried out."""
        begin = self.scale_set_id.lower()
        return [entry for entry in self.platform.cloud.audit if entry.path.lower().startswith(begin) and _done(entry)]

    async def deployments(self) -> list[str]:
        """The ids of the set's deployments, newest first."""
        rows = await self.platform.store.deployments.newest(self.group_id, 100)
        return [row.id for row in rows if row.id not in self.older]

    async def intents(self) -> list[Intent]:
        """Everything that was ever meant to be done to the set."""
        return [
            intent
            for deployment in await self.deployments()
            for intent in await self.platform.store.intents.list(deployment)
        ]


#: By the id of an IP configuration, the ids of the pools that may send it connections.
Places = dict[str, frozenset[str]]

Checker = Callable[[WatchedSet], Awaitable[list[str]]]


def places(platform: VirtualPlatform, scale_set_id: str) -> dict[str, Places]:
    """By ``vmId``, the pools of each VM that is there; none where the set is gone."""
    if scale_set_id.lower() not in platform.cloud.scale_set_ids:
        return {}
    named = platform.cloud.places(scale_set_id)
    return {vm.vm_id: named[vm.name] for vm in platform.cloud.scale_set(scale_set_id).active()}


def run_version(image: Mapping[str, Any]) -> str:
    """What a VM runs: where the model left the version open, the one that it got."""
    reference = decode(ImageReference, image)
    return at_version(reference, image["exactVersion"]).label if "exactVersion" in image else reference.label


def image_version(platform: VirtualPlatform, scale_set_id: str) -> str:
    """The name of the image version in the set's model, of a marketplace image with what it is a version of."""
    storage = platform.cloud.scale_set(scale_set_id).profile["storageProfile"]
    return decode(ImageReference, storage["imageReference"]).label


def self_changing(platform: VirtualPlatform, scale_set_id: str) -> dict[str, Any]:
    """What is set of all that changes a scale set by itself, by the names that conflicts are told with."""
    scale_set = platform.cloud.scale_set(scale_set_id)
    properties = scale_set.properties
    rebalancing = (properties.get("resiliencyPolicy") or {}).get("automaticZoneRebalancingPolicy") or {}
    repairs = (properties.get("automaticRepairsPolicy") or {}).get("enabled", False)
    return {
        "automatic repairs": bool(repairs) and not scale_set.repairs_suspended,
        "automatic zone rebalancing": bool(rebalancing.get("enabled")),
        "the scale-in policy": (properties.get("scaleInPolicy") or {}).get("rules", ["Default"]),
        "the upgrade mode": (properties.get("upgradePolicy") or {}).get("mode", "Manual"),
        "overprovisioning": bool(properties.get("overprovision")),
        **{
            f"autoscale {setting['name']}, profile {profile['name']}": profile["capacity"]
            for setting in platform.cloud.autoscale_settings(scale_set_id)
            for profile in setting["properties"]["profiles"]
        },
    }


def _done(entry: AuditEntry) -> bool:
    return entry.status < 300
