"""``rollout.ports.azure.Images``, of every kind: galleries, managed images, what others share, the marketplace."""

from __future__ import annotations

from typing import Protocol

from azure.core.exceptions import ResourceNotFoundError

from adapters.arm.client import ComputeClients
from adapters.arm.errors import translated
from adapters.arm.galleries import Galleries
from adapters.arm.managed_images import ManagedImages
from adapters.arm.marketplace import Marketplace
from adapters.arm.shared_galleries import SharedGalleries
from rollout.model.azure.images import image_of, needs_place, version_key
from rollout.model.azure.scale_set import ImageReference, Place, PublishedVersion
from rollout.ports.errors import Refused


class Source(Protocol):
    """Where images of one kind come from. Both methods raise the SDK's ``ResourceNotFoundError``."""

    async def read(self, reference: ImageReference, place: Place) -> PublishedVersion: ...
    async def list_versions(self, image: ImageReference, place: Place) -> list[PublishedVersion]: ...


class ArmImages:
    """Images that the app's identity may read; of galleries in other subscriptions too."""

    def __init__(self, clients: ComputeClients) -> None:
        self._galleries = Galleries(clients)
        self._managed = ManagedImages(clients)
        self._shared = SharedGalleries(clients)
        self._marketplace = Marketplace(clients)

    async def read(self, reference: ImageReference, place: Place | None = None) -> PublishedVersion | None:
        """One exact image.

        ``Refused("invalidImageId")``: the reference is none that could be read.
        """
        with translated():
            try:
                return await self._source(reference).read(reference, _place(reference, place))
            except ResourceNotFoundError:
                return None

    async def list_versions(
        self, reference: ImageReference, place: Place | None = None
    ) -> tuple[PublishedVersion, ...] | None:
        """Every version of the image that a reference names, the highest first."""
        image = image_of(reference)
        with translated():
            try:
                found = await self._source(image).list_versions(image, _place(image, place))
            except ResourceNotFoundError:
                return None
        return tuple(sorted(found, key=lambda version: version_key(version.name), reverse=True))

    def _source(self, reference: ImageReference) -> Source:
        if reference.id is not None:
            return self._managed if "/galleries/" not in reference.id.lower() else self._galleries
        return self._shared if reference.path else self._marketplace


def _place(reference: ImageReference, place: Place | None) -> Place:
    """Where to ask. An id of the own galleries says it all by itself."""
    if place is not None:
        return place
    if needs_place(reference):
        raise Refused("placeUnknown", f"{reference.full_name} is read from a region, and none is known")
    return Place(reference.path, "")
