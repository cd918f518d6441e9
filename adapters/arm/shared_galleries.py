"""Images of galleries that others share: with the subscription or tenant (shared), or with everybody (community).

Both are asked by region, under the scale set's own subscription
(https://learn.microsoft.com/azure/virtual-machines/share-gallery-direct, …/share-gallery-community).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from adapters.arm.client import ComputeClients
from adapters.arm.image_bodies import Definition, read_definition, read_shared_version
from rollout.model.azure.scale_set import ImageReference, Place, PublishedVersion
from rollout.ports.errors import Refused

_ID = re.compile(
    r"/(?:Shared|Community)Galleries/(?P<gallery>[^/]+)/Images/(?P<image>[^/]+)(?:/Versions/(?P<version>[^/]+))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class SharedImageId:
    """``/SharedGalleries/{gallery}/Images/{image}``, or ``/CommunityGalleries/…``, with ``/Versions/{version}``."""

    gallery: str
    image: str
    version: str | None

    @classmethod
    def parse(cls, path: str) -> SharedImageId:
        """Read an id in any case. Raises ``Refused("invalidImageId")``."""
        match = _ID.fullmatch(path)
        if match is None:
            raise Refused("invalidImageId", f"{path!r} is not the id of a shared gallery's image")
        return cls(match["gallery"], match["image"], match["version"])


class SharedGalleries:
    """The APIs of shared and of community galleries, which are alike."""

    def __init__(self, clients: ComputeClients) -> None:
        self._clients = clients

    async def read(self, reference: ImageReference, place: Place) -> PublishedVersion:
        """``GET …/versions/{version}`` and ``GET …/images/{image}``."""
        parsed = SharedImageId.parse(reference.path)
        if parsed.version is None:
            raise Refused("invalidImageId", f"{reference.path!r} is not the id of an image version")
        _, versions = self._operations(reference, place)
        version: Any = await versions.get(place.region, parsed.gallery, parsed.image, parsed.version)
        definition = await self._definition(reference, parsed, place)
        return read_shared_version(version, reference, place.region, definition)

    async def list_versions(self, image: ImageReference, place: Place) -> list[PublishedVersion]:
        """``GET …/images/{image}`` and ``GET …/images/{image}/versions``, every page."""
        parsed = SharedImageId.parse(image.path)
        definition = await self._definition(image, parsed, place)
        _, versions = self._operations(image, place)
        listed = versions.list(place.region, parsed.gallery, parsed.image)
        return [read_shared_version(version, image, place.region, definition) async for version in listed]

    async def _definition(self, reference: ImageReference, parsed: SharedImageId, place: Place) -> Definition:
        images, _ = self._operations(reference, place)
        return read_definition(await images.get(place.region, parsed.gallery, parsed.image))

    def _operations(self, reference: ImageReference, place: Place) -> tuple[Any, Any]:
        """The SDK's operations on images and on their versions."""
        client = self._clients.of(place.resource_id)
        if reference.community_gallery_image_id is not None:
            return client.community_gallery_images, client.community_gallery_image_versions
        return client.shared_gallery_images, client.shared_gallery_image_versions
