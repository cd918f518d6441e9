"""Gallery images and their versions (``rollout.ports.Images``)."""

from __future__ import annotations

from typing import Any

from azure.core.exceptions import ResourceNotFoundError

from adapters.arm.client import ComputeClients
from adapters.arm.errors import translated
from adapters.arm.reading import read_image_version
from adapters.arm.resource_ids import GalleryImageId, GalleryImageVersionId
from rollout.images import version_key
from rollout.scale_set import ImageVersion


class GalleryImages:
    """The galleries API, for galleries that the app's identity may read; in another subscription too."""

    def __init__(self, clients: ComputeClients) -> None:
        self._clients = clients

    async def read(self, version_id: str) -> ImageVersion | None:
        """``GET …/versions/{version}?$expand=ReplicationStatus`` and, for its OS, ``GET …/images/{image}``.

        ``Refused("invalidImageId")``: the id is not that of a gallery image version.
        """
        parsed = GalleryImageVersionId.parse(version_id)
        versions = self._clients.of(version_id).gallery_image_versions
        with translated():
            try:
                version: Any = await versions.get(
                    parsed.image.resource_group,
                    parsed.image.gallery,
                    parsed.image.image,
                    parsed.version,
                    expand="ReplicationStatus",
                )
                os_type = await self._os_type(version_id, parsed.image)
            except ResourceNotFoundError:
                return None
        return read_image_version(version, os_type)

    async def list_versions(self, image_id: str) -> tuple[ImageVersion, ...] | None:
        """``GET …/images/{image}`` and ``GET …/images/{image}/versions``, every page; the highest version first.

        ``Refused("invalidImageId")``: the id is not that of a gallery image.
        """
        parsed = GalleryImageId.parse(image_id)
        versions = self._clients.of(image_id).gallery_image_versions
        with translated():
            try:
                os_type = await self._os_type(image_id, parsed)
                listed = versions.list_by_gallery_image(parsed.resource_group, parsed.gallery, parsed.image)
                found = [read_image_version(version, os_type) async for version in listed]
            except ResourceNotFoundError:
                return None
        return tuple(sorted(found, key=lambda version: version_key(version.name), reverse=True))

    async def _os_type(self, resource_id: str, parsed: GalleryImageId) -> str | None:
        """``Linux`` or ``Windows``, a property of the image and not of its versions."""
        images = self._clients.of(resource_id).gallery_images
        image: Any = await images.get(parsed.resource_group, parsed.gallery, parsed.image)
        os_type = (image.get("properties") or {}).get("osType")
        return str(os_type) if os_type else None
