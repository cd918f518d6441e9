"""Images of galleries that the app's identity may read (Azure Compute Gallery)."""

from __future__ import annotations

from adapters.arm.answers import bare, json_of
from adapters.arm.client import ComputeClients
from adapters.arm.image_bodies import Definition, read_definition, read_gallery_version
from adapters.arm.resource_ids import GalleryImageId, GalleryImageVersionId
from rollout.model.azure.scale_set import ImageReference, Place, PublishedVersion


class Galleries:
    """The galleries API; the subscription is the image's own.

    What is read of an image's definition cannot be changed once it is made, but for its end of life, so it is
    remembered: a version is read again and again, and its definition once in the life of the process.
    """

    def __init__(self, clients: ComputeClients) -> None:
        self._clients = clients
        self._definitions: dict[str, Definition] = {}

    async def read(self, reference: ImageReference, place: Place) -> PublishedVersion:
        """``GET …/images/{image}`` and ``GET …/versions/{version}?$expand=ReplicationStatus``."""
        parsed = GalleryImageVersionId.parse(reference.path)
        known = self._definitions.get(_image_key(reference.path))
        definition = known or await self._definition(reference.path, parsed.image)
        answer = await bare(
            self._clients.of(reference.path).gallery_image_versions.get,
            parsed.image.resource_group,
            parsed.image.gallery,
            parsed.image.image,
            parsed.version,
            expand="ReplicationStatus",
        )
        return read_gallery_version(json_of(answer), definition)

    async def list_versions(self, image: ImageReference, place: Place) -> list[PublishedVersion]:
        """``GET …/images/{image}`` and ``GET …/images/{image}/versions``, every page; without replication."""
        parsed = GalleryImageId.parse(image.path)
        definition = await self._definition(image.path, parsed)
        listed = self._clients.of(image.path).gallery_image_versions.list_by_gallery_image(
            parsed.resource_group, parsed.gallery, parsed.image
        )
        return [read_gallery_version(version, definition) async for version in listed]

    async def _definition(self, resource_id: str, parsed: GalleryImageId) -> Definition:
        images = self._clients.of(resource_id).gallery_images
        answer = await bare(images.get, parsed.resource_group, parsed.gallery, parsed.image)
        definition = self._definitions[_image_key(resource_id)] = read_definition(json_of(answer))
        return definition


def _image_key(resource_id: str) -> str:
    """The id of the image; ARM's ids have no case."""
    return resource_id.lower().partition("/versions/")[0]
