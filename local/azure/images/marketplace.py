"""Images of the marketplace: which there are, and what their bodies are.

Shapes: compute API 2026-04-01 (``azure.mgmt.compute.models.VirtualMachineImage*``). A list is a bare array.
"""

from __future__ import annotations

import re
from datetime import datetime

from local.azure.arm.errors import platform_image_not_found, vm_image_not_found
from local.azure.arm.messages import Json
from local.azure.images.features import features
from local.azure.world import World
from local.azure.world.images import MarketplaceSpec, MarketplaceVersionSpec

Key = tuple[str, str, str]


class SimulatedMarketplace:
    """The marketplace of the world's region."""

    def __init__(self, world: World, started_at: datetime) -> None:
        self._world = world
        self._started_at = started_at
        self._images: dict[Key, MarketplaceSpec] = {
            _key(image.publisher, image.offer, image.sku): image for image in world.marketplace
        }

    def image(self, reference: Json) -> MarketplaceSpec | None:
        """The image that a reference names a version of; ``None``: the world does not have it."""
        return self._images.get(_key(*(str(reference.get(name, "")) for name in ("publisher", "offer", "sku"))))

    def version(self, reference: Json) -> MarketplaceVersionSpec | None:
        """The version that a VM's reference names; ``None``: the world does not have it."""
        image, name = self.image(reference), str(reference.get("exactVersion", reference.get("version")))
        return next((version for version in image.versions if version.name == name), None) if image else None

    def exact_version(self, reference: Json, now: datetime) -> str:
        """The version that a VM gets now that is made from a reference.

        An image that the world does not have has every version, and ``platform.marketplaceVersion`` as its latest.

        :raises ArmError: 404, the image has no such version.
        """
        wanted, image = str(reference.get("version", "latest")).lower(), self.image(reference)
        if image is None:
            latest = str(reference.get("exactVersion", self._world.platform.marketplace_version))
            return latest if wanted == "latest" else wanted
        usable = [version.name for version in self._published(image, now) if not self._is_deprecated(version, now)]
        chosen = max(usable, key=_numbers, default=None) if wanted == "latest" else wanted
        if chosen not in usable:
            raise platform_image_not_found(":".join((image.publisher, image.offer, image.sku, wanted)))
        return chosen

    def version_body(self, names: dict[str, str], now: datetime) -> Json:
        """The body of a version."""
        image = self._find(names)
        for version in self._published(image, now):
            if version.name == names["version"]:
                return {**self._item(names, image, version), "properties": self._properties(image, version, now)}
        raise vm_image_not_found()

    def list_bodies(self, names: dict[str, str], now: datetime) -> list[Json]:
        """The versions of an image, which a list tells the names of."""
        image = self._find(names)
        return [self._item(names, image, version) for version in self._published(image, now)]

    def _published(self, image: MarketplaceSpec, now: datetime) -> list[MarketplaceVersionSpec]:
        return [version for version in image.versions if self._started_at - version.published_before <= now]

    def _find(self, names: dict[str, str]) -> MarketplaceSpec:
        image = self._images.get(_key(names["publisher"], names["offer"], names["sku"]))
        if image is None or names["location"].lower() != self._world.location.replace(" ", "").lower():
            raise vm_image_not_found()
        return image

    def _item(self, names: dict[str, str], image: MarketplaceSpec, version: MarketplaceVersionSpec) -> Json:
        path = f"/Subscriptions/{names['subscription']}/Providers/Microsoft.Compute/Locations/{names['location']}"
        artifact = f"Publishers/{image.publisher}/ArtifactTypes/VMImage/Offers/{image.offer}/Skus/{image.sku}"
        identifier = f"{path}/{artifact}/Versions/{version.name}"
        return {"location": names["location"], "name": version.name, "id": identifier}

    def _properties(self, image: MarketplaceSpec, version: MarketplaceVersionSpec, now: datetime) -> Json:
        properties: Json = {
            "hyperVGeneration": image.hyper_v_generation,
            "architecture": image.architecture,
            "disallowed": {"vmDiskType": "Unmanaged"},
            "automaticOSUpgradeProperties": {"automaticOSUpgradeSupported": True},
            "imageDeprecationStatus": self._deprecation(version, now),
            "features": features(image),
            "osDiskImage": {"operatingSystem": image.os_type},
            "dataDiskImages": [],
        }
        return {**properties, "plan": image.plan.model_dump()} if image.plan else properties

    def _deprecation(self, version: MarketplaceVersionSpec, now: datetime) -> Json:
        if version.deprecated_after is None:
            return {"imageState": "Active"}
        state = "Deprecated" if self._is_deprecated(version, now) else "ScheduledForDeprecation"
        at = self._started_at + version.deprecated_after
        return {"imageState": state, "scheduledDeprecationTime": at.isoformat()}

    def _is_deprecated(self, version: MarketplaceVersionSpec, now: datetime) -> bool:
        return version.deprecated_after is not None and self._started_at + version.deprecated_after <= now


def _key(publisher: str, offer: str, sku: str) -> Key:
    return publisher.lower(), offer.lower(), sku.lower()


def _numbers(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", name))
