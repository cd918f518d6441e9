"""Managed images: one disk image in one region, without versions."""

from __future__ import annotations

from typing import Any

from adapters.arm.client import ComputeClients
from adapters.arm.image_bodies import read_managed_image
from adapters.arm.resource_ids import ManagedImageId
from rollout.model.azure.scale_set import ImageReference, Place, PublishedVersion


class ManagedImages:
    """The images API."""

    def __init__(self, clients: ComputeClients) -> None:
        self._clients = clients

    async def read(self, reference: ImageReference, place: Place) -> PublishedVersion:
        """``GET …/images/{image}``."""
        parsed = ManagedImageId.parse(reference.path)
        image: Any = await self._clients.of(reference.path).images.get(parsed.resource_group, parsed.name)
        return read_managed_image(image)

    async def list_versions(self, image: ImageReference, place: Place) -> list[PublishedVersion]:
        """The image itself."""
        return [await self.read(image, place)]
