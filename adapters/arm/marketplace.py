"""Images of the marketplace."""

from __future__ import annotations

from typing import Any

from adapters.arm.client import ComputeClients
from adapters.arm.image_bodies import read_marketplace_version
from rollout.model.azure.scale_set import ImageReference, Place, PublishedVersion
from rollout.ports.errors import Refused


class Marketplace:
    """The API of virtual machine images, asked by region under the scale set's own subscription."""

    def __init__(self, clients: ComputeClients) -> None:
        self._clients = clients

    async def read(self, reference: ImageReference, place: Place) -> PublishedVersion:
        """``GET …/publishers/{publisher}/artifacttypes/vmimage/offers/{offer}/skus/{sku}/versions/{version}``."""
        publisher, offer, sku, version = _names(reference)
        images = self._clients.of(place.resource_id).virtual_machine_images
        found: Any = await images.get(place.region, publisher, offer, sku, version)
        return read_marketplace_version(found, reference, place.region)

    async def list_versions(self, image: ImageReference, place: Place) -> list[PublishedVersion]:
        """``GET …/skus/{sku}/versions``: the names alone."""
        publisher, offer, sku, _ = _names(image)
        images = self._clients.of(place.resource_id).virtual_machine_images
        listed: Any = await images.list(place.region, publisher, offer, sku)
        return [read_marketplace_version(each, image, place.region) for each in listed]


def _names(reference: ImageReference) -> tuple[str, str, str, str]:
    names = (reference.publisher, reference.offer, reference.sku, reference.version)
    given = [name for name in names if name]
    if len(given) != len(names):
        raise Refused("invalidImageId", f"{reference.full_name!r} is not the name of a marketplace image")
    return given[0], given[1], given[2], given[3]
