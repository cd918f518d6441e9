"""Galleries, image definitions and versions: what images exist, where, and what their bodies are.

Shapes: galleries API 2026-03-03 (``azure.mgmt.compute.models.Gallery*``). Galleries do not change after the start,
apart from replication, which completes at the times that the world names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from local.azure.errors import ArmError, image_not_available, resource_not_found
from local.azure.messages import Json
from local.azure.world import World
from local.azure.world_images import GallerySpec, ImageSpec, VersionSpec

T = TypeVar("T")

GALLERY_TYPE = "Microsoft.Compute/galleries"


@dataclass(frozen=True)
class Version:
    """A version of a gallery image, with what it belongs to."""

    id: str
    location: str
    image: ImageSpec
    spec: VersionSpec


class Galleries:
    """The world's galleries; ids are told apart regardless of letter case."""

    def __init__(self, world: World, started_at: datetime) -> None:
        self._world = world
        self._started_at = started_at
        self.galleries = {self.gallery_id(gallery).lower(): gallery for gallery in world.galleries}
        self.images = {f"{key}/images/{image.name}".lower(): (gallery, image) for key, gallery, image in self._images()}
        self.versions = {version.id.lower(): version for version in self._versions()}

    def gallery_id(self, gallery: GallerySpec) -> str:
        """The resource id of a gallery."""
        subscription = gallery.subscription_id or self._world.subscription_id
        group = f"/subscriptions/{subscription}/resourceGroups/{gallery.resource_group}"
        return f"{group}/providers/{GALLERY_TYPE}/{gallery.name}"

    def unique_name(self, gallery: GallerySpec) -> str:
        """The name of a gallery that no other one has."""
        return f"{self.gallery_id(gallery).split('/')[2]}-{gallery.name.upper()}"

    def _images(self) -> Iterator[tuple[str, GallerySpec, ImageSpec]]:
        for gallery in self._world.galleries:
            for image in gallery.images:
                yield self.gallery_id(gallery), gallery, image

    def _versions(self) -> Iterator[Version]:
        for gallery_id, gallery, image in self._images():
            for spec in image.versions:
                name = f"{gallery_id}/images/{image.name}/versions/{spec.name}"
                yield Version(name, gallery.location or self._world.location, image, spec)

    def find(self, reference: Json) -> Version | None:
        """The version that a VM's image reference names; ``None``: it is in none of the galleries."""
        identifier = _without_latest(str(reference.get("id", ""))).lower()
        if "exactVersion" in reference and identifier in self.images:
            identifier = f"{identifier}/versions/{reference['exactVersion']}"
        return self.versions.get(identifier)

    def image(self, reference: Json) -> ImageSpec | None:
        """The image that a reference names, or names a version of."""
        identifier = str(reference.get("id", "")).lower().rpartition("/versions/")
        found = self.images.get(identifier[0] or identifier[2])
        return found[1] if found else None

    def exact_version(self, reference: Json, location: str, now: datetime) -> str | None:
        """The version that a VM gets now whose reference leaves it open; ``None`` where the reference names one.

        :raises ArmError: 404, the image does not exist or is not in the region.
        """
        identifier = str(reference.get("id", ""))
        if version := self.versions.get(identifier.lower()):
            if not self.is_replicated(version, location, now):
                raise image_not_available(identifier, location)
            return None
        return self._latest(_without_latest(identifier), location, now).spec.name

    def _latest(self, image_id: str, location: str, now: datetime) -> Version:
        prefix = f"{image_id.lower()}/versions/"
        usable = [
            version
            for key, version in self.versions.items()
            if key.startswith(prefix)
            and not version.spec.exclude_from_latest
            and self._started_at - version.spec.published_before <= now
            and self.is_replicated(version, location, now)
        ]
        if not usable:
            raise image_not_available(image_id, location)
        return max(usable, key=lambda version: tuple(int(part) for part in version.spec.name.split(".")))

    def regions(self, version: Version) -> list[str]:
        """Where a version is or will be, in the short form of names (``eastus2``)."""
        return [_short(region) for region in version.spec.target_regions] or [version.location]

    def is_replicated(self, version: Version, location: str, now: datetime) -> bool:
        """Whether VMs in ``location`` can be made from the version now."""
        usable = version.spec.provisioning_state in ("Succeeded", "Updating")
        region = _short(location)
        return usable and region in self.regions(version) and self._region_state(version, region, now) == "Completed"

    def _region_state(self, version: Version, region: str, now: datetime) -> str:
        if region in {_short(failed) for failed in version.spec.replication_failed}:
            return "Failed"
        whole = self._replication(version, region)
        return "Replicating" if whole and now < self._started_at + whole else "Completed"

    def _replication(self, version: Version, region: str) -> timedelta | None:
        """How long after the start replication is complete; ``None``: it was before."""
        after = {_short(name): duration for name, duration in version.spec.replicated_after.items()}
        return after.get(region)

    def gallery_body(self, resource_id: str) -> Json:
        """The ARM body of a gallery."""
        gallery = _find(self.galleries, resource_id)
        return {
            "name": gallery.name,
            "id": self.gallery_id(gallery),
            "type": GALLERY_TYPE,
            "location": gallery.location or self._world.location,
            "properties": {
                "identifier": {"uniqueName": self.unique_name(gallery)},
                "provisioningState": "Succeeded",
            },
        }

    def image_body(self, resource_id: str) -> Json:
        """The ARM body of an image definition."""
        gallery, image = _find(self.images, resource_id)
        return {
            "name": image.name,
            "id": f"{self.gallery_id(gallery)}/images/{image.name}",
            "type": f"{GALLERY_TYPE}/images",
            "location": gallery.location or self._world.location,
            "properties": {**self.definition(gallery, image), "provisioningState": "Succeeded"},
        }

    def definition(self, gallery: GallerySpec, image: ImageSpec) -> Json:
        """What an image definition says of its versions, to whomever reads it."""
        properties: Json = {
            "osType": image.os_type,
            "osState": image.os_state,
            "hyperVGeneration": image.hyper_v_generation,
            "architecture": image.architecture,
            "identifier": {"publisher": gallery.name, "offer": image.name, "sku": image.name},
        }
        if image.security_type:
            properties["features"] = [{"name": "SecurityType", "value": image.security_type}]
        if image.purchase_plan:
            properties["purchasePlan"] = image.purchase_plan.model_dump()
        return properties

    def version_body(self, resource_id: str, now: datetime, *, with_replication: bool) -> Json:
        """The ARM body of a version; ``replicationStatus`` is there only when it was asked for."""
        version = _find(self.versions, resource_id)
        properties: Json = {
            "publishingProfile": {
                "targetRegions": [
                    {"name": region, "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"}
                    for region in version.spec.target_regions or (version.location,)
                ],
                "replicaCount": 1,
                "excludeFromLatest": version.spec.exclude_from_latest,
                **self.lifetime(version),
                "storageAccountType": "Standard_LRS",
            },
            "storageProfile": {"osDiskImage": {"sizeInGB": 30, "hostCaching": "ReadWrite", "source": {}}},
            "provisioningState": version.spec.provisioning_state,
        }
        if with_replication:
            properties["replicationStatus"] = self._replication_status(version, now)
        return {
            "name": version.spec.name,
            "id": version.id,
            "type": f"{GALLERY_TYPE}/images/versions",
            "location": version.location,
            "properties": properties,
        }

    def lifetime(self, version: Version) -> Json:
        """When a version was published, and when its end of life is."""
        ends = version.spec.end_of_life_after
        begun = {"publishedDate": (self._started_at - version.spec.published_before).isoformat()}
        return begun if ends is None else {**begun, "endOfLifeDate": (self._started_at + ends).isoformat()}

    def _replication_status(self, version: Version, now: datetime) -> Json:
        summary = [self._region_summary(version, region, now) for region in self.regions(version)]
        states = {region["state"] for region in summary}
        aggregated = "Failed" if "Failed" in states else "InProgress" if "Replicating" in states else "Completed"
        return {"aggregatedState": aggregated, "summary": summary}

    def _region_summary(self, version: Version, region: str, now: datetime) -> Json:
        state = self._region_state(version, region, now)
        whole = self._replication(version, region)
        progress = {"Completed": 100, "Failed": 0}.get(state)
        if progress is None and whole:
            progress = int(100 * ((now - self._started_at) / whole))
        return {"region": region, "state": state, "details": "", "progress": progress}


def _find(resources: dict[str, T], resource_id: str) -> T:
    found = resources.get(resource_id.lower())
    if found is None:
        raise not_found(resource_id)
    return found


def _without_latest(identifier: str) -> str:
    """An image's id; ``…/versions/latest`` is the same as no version."""
    return identifier[: -len("/versions/latest")] if identifier.lower().endswith("/versions/latest") else identifier


def _short(region: str) -> str:
    """``East US 2`` and ``eastus2`` are the same region."""
    return region.replace(" ", "").lower()


def not_found(resource_id: str) -> ArmError:
    """404 for a gallery, image or version id."""
    parts = resource_id.strip("/").split("/")
    types, names = parts[6::2], parts[7::2]
    return resource_not_found(f"Microsoft.Compute/{'/'.join(types)}", "/".join(names), parts[3])
