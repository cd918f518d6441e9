"""Which image a request means."""

from __future__ import annotations

import re

from rollout.findings import Finding, Severity
from rollout.scale_set import ImageVersion, region_name

LATEST = "latest"

#: A gallery version's name is three numbers (https://learn.microsoft.com/azure/virtual-machines/shared-image-galleries).
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
_VERSION_ID = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute/galleries/[^/]+/images/[^/]+/versions/[^/]+",
    re.IGNORECASE,
)


def version_id_of(requested: str, image_id: str | None) -> str | Finding | None:
    """The resource id of the version that ``requested`` names, ``None`` for ``latest``, or why it names none.

    * ``/subscriptions/…/galleries/…/images/…/versions/1.1.0``: itself;
    * ``1.1.0``: that version of the group's image, ``{image_id}/versions/1.1.0``;
    * ``latest``: the caller lists the image's versions and asks ``choose_latest``.
    """
    if _VERSION_ID.fullmatch(requested):
        return requested
    if requested != LATEST and not _VERSION.fullmatch(requested):
        return Finding(
            Severity.ERROR,
            "imageNotUnderstood",
            f"{requested!r} names no image version",
            "Give a version such as 1.1.0, latest, or the resource id of a gallery image version",
            "image",
        )
    if image_id is None:
        return Finding(
            Severity.ERROR,
            "groupHasNoImage",
            "The group has no imageId, so a version alone names no image",
            "Give the image version's resource id, or PUT the group with the imageId of its gallery image",
            "image",
        )
    return None if requested == LATEST else f"{image_id.rstrip('/')}/versions/{requested}"


def choose_latest(versions: tuple[ImageVersion, ...], region: str) -> ImageVersion | None:
    """The highest version that counts as latest, as a scale set in ``region`` would choose it.

    A version that is excluded from latest or not provisioned does not count; one whose replication is known must have
    reached the region.
    """
    usable = (
        version
        for version in versions
        if version.provisioning_state.lower() == "succeeded"
        and not version.exclude_from_latest
        and (version.regions is None or version.regions.get(region_name(region)) == "Completed")
    )
    return max(usable, key=lambda version: version_key(version.name), default=None)


def version_key(name: str) -> tuple[int, ...]:
    """Sorts versions by their numbers: 1.10.0 is above 1.9.0."""
    return tuple(int(part) for part in re.findall(r"[0-9]+", name))
