"""An image's ``features``, as a gallery's definition and a marketplace image state them."""

from __future__ import annotations

from local.azure.arm.messages import Json
from local.azure.world.images import ImageSpec, MarketplaceSpec


def features(image: ImageSpec | MarketplaceSpec) -> list[Json]:
    """Those that the world gives it."""
    stated = {"SecurityType": image.security_type, "DiskControllerTypes": image.disk_controller_types}
    return [{"name": name, "value": value} for name, value in stated.items() if value is not None]
