"""Galleries as those see them with whom they are shared: by region, under the reader's own subscription.

Shapes: ``azure.mgmt.compute.models.SharedGalleryImage*`` and ``CommunityGalleryImage*`` of API 2026-03-03. What an
answer is for something that is not there is assumed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from local.azure.arm.errors import shared_image_not_found
from local.azure.arm.messages import Json
from local.azure.arm.resources import VersionResource
from local.azure.images.galleries import SimulatedGalleries
from local.azure.images.image_versions import is_replicated, lifetime
from local.azure.world import World
from local.azure.world.images import GallerySpec, ImageSpec

_ID = re.compile(
    r"/(?P<kind>Shared|Community)Galleries/(?P<gallery>[^/]+)/Images/(?P<image>[^/]+)(?:/Versions/(?P<version>[^/]+))?",
    re.IGNORECASE,
)


class SimulatedSharedGalleries:
    """The galleries that the world shares, under their other names."""

    def __init__(self, world: World, galleries: SimulatedGalleries) -> None:
        self._galleries = galleries
        self._ids: dict[tuple[str, str], str] = {}
        for gallery in world.galleries:
            identifier = galleries.gallery_id(gallery)
            if gallery.shared:
                self._ids["shared", galleries.unique_name(gallery).lower()] = identifier
            if gallery.community_name:
                self._ids["community", gallery.community_name.lower()] = identifier

    def in_gallery(self, reference: Json) -> Json:
        """A reference to a shared image as one to its gallery; any other as it is."""
        path = reference.get("sharedGalleryImageId") or reference.get("communityGalleryImageId")
        match = _ID.fullmatch(str(path)) if path else None
        gallery = self._ids.get((match["kind"].lower(), match["gallery"].lower())) if match else None
        if match is None or gallery is None:
            return reference
        version = f"/versions/{match['version']}" if match["version"] else ""
        exact = {"exactVersion": reference["exactVersion"]} if "exactVersion" in reference else {}
        return {"id": f"{gallery}/images/{match['image']}{version}", **exact}

    def image_body(self, names: dict[str, str], kind: str) -> Json:
        """The body of an image. ``kind`` is ``shared`` or ``community``."""
        gallery, image = self._image(names, kind)
        return {
            **_head(image.name, self._path(names, kind, image.name), names, kind),
            "properties": self._galleries.definition(gallery, image),
        }

    def version_body(self, names: dict[str, str], kind: str, now: datetime) -> Json:
        """The body of a version that is in the region."""
        _, image = self._image(names, kind)
        for version in self._versions(names, kind, now):
            if version.name.lower() == names["version"].lower():
                return self._version_body(version, names, kind, image)
        raise shared_image_not_found("/".join((names["gallery"], image.name, names["version"])), names["location"])

    def version_bodies(self, names: dict[str, str], kind: str, now: datetime) -> list[Json]:
        """The bodies of all versions of an image that are in the region."""
        _, image = self._image(names, kind)
        return [self._version_body(version, names, kind, image) for version in self._versions(names, kind, now)]

    def _image(self, names: dict[str, str], kind: str) -> tuple[GallerySpec, ImageSpec]:
        gallery = self._ids.get((kind, names["gallery"].lower()))
        found = self._galleries.images.get(f"{gallery}/images/{names['image']}".lower()) if gallery else None
        if found is None:
            raise shared_image_not_found(f"{names['gallery']}/{names['image']}", names["location"])
        return found

    def _versions(self, names: dict[str, str], kind: str, now: datetime) -> Iterator[VersionResource]:
        gallery = self._ids[kind, names["gallery"].lower()]
        for version in self._galleries.versions(f"{gallery}/images/{names['image']}"):
            if is_replicated(version, names["location"], now):
                yield version

    def _version_body(self, version: VersionResource, names: dict[str, str], kind: str, image: ImageSpec) -> Json:
        path = f"{self._path(names, kind, image.name)}/Versions/{version.name}"
        properties = {
            **lifetime(version),
            "excludeFromLatest": version.publishing["excludeFromLatest"],
            "storageProfile": {"osDiskImage": {"diskSizeGB": 30, "hostCaching": "ReadWrite"}},
            "artifactTags": {},
        }
        return {**_head(version.name, path, names, kind), "properties": properties}

    def _path(self, names: dict[str, str], kind: str, image: str) -> str:
        return f"/{kind.capitalize()}Galleries/{names['gallery']}/Images/{image}"


def _head(name: str, unique_id: str, names: dict[str, str], kind: str) -> Json:
    head: Json = {"name": name, "location": names["location"], "identifier": {"uniqueId": unique_id}}
    return head if kind == "shared" else {**head, "type": "Microsoft.Compute/locations/communityGalleries"}
