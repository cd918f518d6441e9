"""Which image a request means."""

from __future__ import annotations

import re
from dataclasses import replace

from rollout.model.azure.scale_set import ImageReference, PublishedVersion, region_name
from rollout.model.findings import Finding, error

LATEST = "latest"

#: A gallery version's name is three numbers (https://learn.microsoft.com/azure/virtual-machines/shared-image-galleries).
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_OPTIONAL_VERSION = rf"(?:/versions/(?:latest|{_VERSION.pattern}))?"
_COMPUTE = r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute"
_GALLERY_IMAGE = re.compile(rf"{_COMPUTE}/galleries/[^/]+/images/[^/]+{_OPTIONAL_VERSION}", re.IGNORECASE)
_MANAGED_IMAGE = re.compile(rf"{_COMPUTE}/images/[^/]+", re.IGNORECASE)
_SHARED_IMAGE = re.compile(rf"/SharedGalleries/{_NAME}/Images/{_NAME}{_OPTIONAL_VERSION}", re.IGNORECASE)
_COMMUNITY_IMAGE = re.compile(rf"/CommunityGalleries/{_NAME}/Images/{_NAME}{_OPTIONAL_VERSION}", re.IGNORECASE)
#: As the Azure CLI writes a marketplace image (https://learn.microsoft.com/azure/virtual-machines/linux/cli-ps-findimage).
_MARKETPLACE = re.compile(rf"({_NAME}):({_NAME}):({_NAME}):(latest|[0-9]+(?:\.[0-9]+)*)", re.IGNORECASE)


def parse_image(requested: str, image_id: str | None) -> ImageReference | Finding:
    """What ``requested`` names, to the version or without one, which is its latest; or why it names nothing.

    * ``1.1.0``, ``latest``: a version of the group's image ``image_id``;
    * ``/subscriptions/…/galleries/…/images/…``, with ``/versions/1.1.0`` or without: a gallery's;
    * ``/subscriptions/…/providers/Microsoft.Compute/images/…``: a managed image;
    * ``/SharedGalleries/…/Images/…``, ``/CommunityGalleries/…/Images/…``, with ``/Versions/1.1.0`` or without;
    * ``publisher:offer:sku:version``: the marketplace's, whose version may be ``latest``.
    """
    if requested == LATEST or _VERSION.fullmatch(requested):
        if image_id is None:
            return _group_has_no_image()
        image = image_id.rstrip("/")
        return ImageReference(id=image if requested == LATEST else f"{image}/versions/{requested}")
    if _GALLERY_IMAGE.fullmatch(requested) or _MANAGED_IMAGE.fullmatch(requested):
        return ImageReference(id=_without_latest(requested))
    if _SHARED_IMAGE.fullmatch(requested):
        return ImageReference(shared_gallery_image_id=_without_latest(requested))
    if _COMMUNITY_IMAGE.fullmatch(requested):
        return ImageReference(community_gallery_image_id=_without_latest(requested))
    if found := _MARKETPLACE.fullmatch(requested):
        publisher, offer, sku, version = found.groups()
        return ImageReference(publisher=publisher, offer=offer, sku=sku, version=version.lower())
    return _not_understood(requested)


def names_version(requested: str) -> bool:
    """Whether a request names one version itself, and not whatever is the latest.

    >>> [names_version(words) for words in ("1.1.0", "latest", "Canonical:ubuntu:server:latest")]
    [True, False, False]
    """
    named = parse_image(requested, "/galleries/any/images/any")
    return isinstance(named, ImageReference) and named.exact


def image_of(reference: ImageReference) -> ImageReference:
    """The image that a reference names a version of."""
    if reference.publisher:
        return replace(reference, version=LATEST)
    return _with_path(reference, _image_path(reference.path))


def at_version(image: ImageReference, version: str) -> ImageReference:
    """That version of the image which a reference names, with a version or without."""
    if image.publisher:
        return replace(image, version=version)
    return _with_path(image, f"{_image_path(image.path)}/versions/{version}") if image.path else image


def needs_place(reference: ImageReference) -> bool:
    """Whether it takes a region and a subscription to read the image: its reference names none."""
    return reference.id is None


def counts_as_latest(version: PublishedVersion, region: str) -> bool:
    """Whether a scale set in ``region`` would choose the version if there were no higher one.

    A version that is excluded from latest or not provisioned does not count; one whose replication is known must have
    reached the region.
    """
    return (
        version.provisioning_state.lower() == "succeeded"
        and not version.excluded_in(region)
        and (version.regions is None or version.regions.get(region_name(region)) == "Completed")
    )


def version_key(name: str) -> tuple[int, ...]:
    """Sorts versions by their numbers: 1.10.0 is above 1.9.0."""
    return tuple(int(part) for part in re.findall(r"[0-9]+", name))


def _without_latest(path: str) -> str:
    return _image_path(path) if path.lower().endswith(f"/versions/{LATEST}") else path


def _image_path(path: str) -> str:
    return re.sub(r"/versions/[^/]+/?$", "", path, flags=re.IGNORECASE)


def _with_path(reference: ImageReference, path: str) -> ImageReference:
    """The same kind of reference with another id."""
    if reference.id is not None:
        return replace(reference, id=path)
    if reference.shared_gallery_image_id is not None:
        return replace(reference, shared_gallery_image_id=path)
    return replace(reference, community_gallery_image_id=path)


def _group_has_no_image() -> Finding:
    return error(
        "groupHasNoImage",
        "The group has no imageId, so a version alone names no image",
        "Give the image's resource id or publisher:offer:sku:version, or PUT the group with an imageId",
        "image",
    )


def _not_understood(requested: str) -> Finding:
    return error(
        "imageNotUnderstood",
        f"{requested!r} names no image",
        "Give a version such as 1.1.0, latest, the resource id of a gallery's image or version, or "
        "publisher:offer:sku:version; or leave image out for the set's own",
        "image",
    )
