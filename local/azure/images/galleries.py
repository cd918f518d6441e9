"""Galleries, image definitions and versions: what images exist, where, and what their bodies are.

Shapes: galleries API 2026-03-03 (``azure.mgmt.compute.models.Gallery*``). Galleries and definitions do not change after
the start; versions come, change and go (``publishing.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TypeVar

from local.azure.arm.errors import ArmError, image_not_available, resource_not_found
from local.azure.arm.messages import Json
from local.azure.arm.resources import CloudState, Replica, VersionResource
from local.azure.images.features import features
from local.azure.images.image_versions import (
    OS_DISK_IMAGE,
    is_left_out,
    is_replicated,
    publishing_profile,
    target_region,
    version_body,
)
from local.azure.images.regions import short_name
from local.azure.world import World
from local.azure.world.images import GallerySpec, ImageSpec, VersionSpec

T = TypeVar("T")

GALLERY_TYPE = "Microsoft.Compute/galleries"


class SimulatedGalleries:
    """The galleries of a world; ids are told apart regardless of letter case."""

    def __init__(self, world: World, state: CloudState) -> None:
        self._world = world
        self._state = state
        self.galleries = {self.gallery_id(gallery).lower(): gallery for gallery in world.galleries}
        self.images = {f"{key}/images/{image.name}".lower(): (gallery, image) for key, gallery, image in self._images()}

    def populate(self) -> None:
        """Put the versions of the world into the state."""
        for gallery_id, gallery, image in self._images():
            for spec in image.versions:
                identifier = f"{gallery_id}/images/{image.name}/versions/{spec.name}"
                version = self._version(identifier, self.location(gallery), spec)
                self._state.image_versions[version.key] = version

    def _version(self, identifier: str, location: str, spec: VersionSpec) -> VersionResource:
        started_at = self._state.started_at
        published_at = started_at - spec.published_before
        said: Json = {"excludeFromLatest": spec.exclude_from_latest}
        if spec.end_of_life_after is not None:
            said["endOfLifeDate"] = (started_at + spec.end_of_life_after).isoformat()
        regions = spec.target_regions or (location,)
        after = {short_name(name): started_at + duration for name, duration in spec.replicated_after.items()}
        failed = {short_name(name) for name in spec.replication_failed}
        for name in failed:
            after.pop(name, None)
        replicas = [
            Replica(name, started_at, after.get(name, published_at), name in failed)
            for name in map(short_name, regions)
        ]
        properties = {
            "publishingProfile": publishing_profile(said, [target_region(name) for name in regions], published_at),
            "storageProfile": {"osDiskImage": OS_DISK_IMAGE},
        }
        state = spec.provisioning_state
        return VersionResource(identifier, location, properties, spec.behavior, published_at, replicas, None, state)

    def location(self, gallery: GallerySpec) -> str:
        """Where a gallery is."""
        return gallery.location or self._world.location

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

    def versions(self, image_id: str) -> Iterator[VersionResource]:
        """The versions of an image that are there now, by any letter case of its id."""
        prefix = f"{image_id}/versions/".lower()
        for key, version in self._state.image_versions.items():
            if key.startswith(prefix) and not version.is_deleted:
                yield version

    def version(self, resource_id: str) -> VersionResource | None:
        """A version that is there now."""
        found = self._state.image_versions.get(resource_id.lower())
        return found if found and not found.is_deleted else None

    def find(self, reference: Json) -> VersionResource | None:
        """The version that a VM was made from, even if it is gone by now; ``None``: it was in none of the galleries."""
        identifier = _without_latest(str(reference.get("id", ""))).lower()
        if "exactVersion" in reference and identifier in self.images:
            identifier = f"{identifier}/versions/{reference['exactVersion']}"
        return self._state.image_versions.get(identifier)

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
        if version := self.version(identifier):
            if not is_replicated(version, location, now):
                raise image_not_available(identifier, location)
            return None
        return self._latest(_without_latest(identifier), location, now).name

    def _latest(self, image_id: str, location: str, now: datetime) -> VersionResource:
        usable = [
            version
            for version in self.versions(image_id)
            if not is_left_out(version, location)
            and version.published_at <= now
            and is_replicated(version, location, now)
        ]
        if not usable:
            raise image_not_available(image_id, location)
        return max(usable, key=lambda version: tuple(int(part) for part in version.name.split(".")))

    def gallery_body(self, resource_id: str) -> Json:
        """The ARM body of a gallery."""
        gallery = _find(self.galleries, resource_id)
        return {
            "name": gallery.name,
            "id": self.gallery_id(gallery),
            "type": GALLERY_TYPE,
            "location": self.location(gallery),
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
            "location": self.location(gallery),
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
        if found := features(image):
            properties["features"] = found
        if image.purchase_plan:
            properties["purchasePlan"] = image.purchase_plan.model_dump()
        return properties

    def version_body(self, resource_id: str, now: datetime, *, with_replication: bool) -> Json:
        """The ARM body of a version; ``replicationStatus`` is there only when it was asked for."""
        version = self.version(resource_id)
        if version is None:
            raise not_found(resource_id)
        return version_body(version, now, with_replication=with_replication)

    def version_bodies(self, image_id: str, now: datetime) -> list[Json]:
        """The ARM bodies of an image's versions."""
        _find(self.images, image_id)
        return [version_body(version, now, with_replication=False) for version in self.versions(image_id)]


def _find(resources: dict[str, T], resource_id: str) -> T:
    found = resources.get(resource_id.lower())
    if found is None:
        raise not_found(resource_id)
    return found


def _without_latest(identifier: str) -> str:
    """An image's id; ``…/versions/latest`` is the same as no version."""
    return identifier[: -len("/versions/latest")] if identifier.lower().endswith("/versions/latest") else identifier


def not_found(resource_id: str) -> ArmError:
    """404 for a gallery, image or version id."""
    parts = resource_id.strip("/").split("/")
    types, names = parts[6::2], parts[7::2]
    return resource_not_found(f"Microsoft.Compute/{'/'.join(types)}", "/".join(names), parts[3])
