"""Azure resource ids, taken apart: what the SDK's methods ask for one by one."""

from __future__ import annotations

from dataclasses import dataclass

from azure.mgmt.core.tools import parse_resource_id

from rollout.ports.errors import Refused


def subscription_of(resource_id: str) -> str:
    """The subscription that a resource id begins with, in lower case.

    Raises ``Refused("invalidResourceId")``.
    """
    subscription = _parts(resource_id).get("subscription")
    if not subscription:
        raise Refused("invalidResourceId", f"{resource_id!r} is not the resource id of anything in a subscription")
    return subscription.lower()


@dataclass(frozen=True)
class ScaleSetId:
    """``/subscriptions/…/resourceGroups/{resource_group}/providers/Microsoft.Compute/virtualMachineScaleSets/{name}``."""

    resource_group: str
    name: str

    @classmethod
    def parse(cls, resource_id: str) -> ScaleSetId:
        """Read an id in any case. Raises ``Refused("invalidScaleSetId")``."""
        parts = _parts(resource_id)
        if _kind(parts) != ("microsoft.compute", "virtualmachinescalesets") or "resource_group" not in parts:
            raise Refused("invalidScaleSetId", f"{resource_id!r} is not the resource id of a scale set")
        return cls(parts["resource_group"], parts["name"])


@dataclass(frozen=True)
class GalleryImageId:
    """``/subscriptions/…/providers/Microsoft.Compute/galleries/{gallery}/images/{image}``."""

    resource_group: str
    gallery: str
    image: str

    @classmethod
    def parse(cls, resource_id: str) -> GalleryImageId:
        """Read an id in any case. Raises ``Refused("invalidImageId")``."""
        parts = _parts(resource_id)
        if _kind(parts) != ("microsoft.compute", "galleries", "images") or "resource_group" not in parts:
            raise Refused("invalidImageId", f"{resource_id!r} is not the resource id of a gallery image")
        return cls(parts["resource_group"], parts["name"], parts["child_name_1"])


@dataclass(frozen=True)
class GalleryImageVersionId:
    """A gallery image's id and ``/versions/{version}``."""

    image: GalleryImageId
    version: str

    @classmethod
    def parse(cls, resource_id: str) -> GalleryImageVersionId:
        """Read an id in any case. Raises ``Refused("invalidImageId")``."""
        parts = _parts(resource_id)
        if _kind(parts) != ("microsoft.compute", "galleries", "images", "versions") or "resource_group" not in parts:
            raise Refused("invalidImageId", f"{resource_id!r} is not the resource id of a gallery image version")
        image = GalleryImageId(parts["resource_group"], parts["name"], parts["child_name_1"])
        return cls(image, parts["child_name_2"])


@dataclass(frozen=True)
class ManagedImageId:
    """``/subscriptions/…/resourceGroups/{resource_group}/providers/Microsoft.Compute/images/{name}``."""

    resource_group: str
    name: str

    @classmethod
    def parse(cls, resource_id: str) -> ManagedImageId:
        """Read an id in any case. Raises ``Refused("invalidImageId")``."""
        parts = _parts(resource_id)
        if _kind(parts) != ("microsoft.compute", "images") or "resource_group" not in parts:
            raise Refused("invalidImageId", f"{resource_id!r} is not the resource id of an image")
        return cls(parts["resource_group"], parts["name"])


def _parts(resource_id: str) -> dict[str, str]:
    """The named parts; an id that does not read as one has no subscription."""
    parts = parse_resource_id(resource_id.rstrip("/"))
    return {key: str(value) for key, value in parts.items() if value is not None}


def _kind(parts: dict[str, str]) -> tuple[str, ...]:
    """The provider and the types on the way down, in lower case."""
    children = (parts[f"child_type_{n}"] for n in range(1, int(parts.get("last_child_num", "0")) + 1))
    return tuple(part.lower() for part in (parts.get("namespace", ""), parts.get("type", ""), *children))
