"""Which exact image a request means."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rollout.automation.image_rule import match_rule
from rollout.model.azure.images import counts_as_latest, needs_place, parse_image, version_key
from rollout.model.azure.scale_set import ImageReference, Place, PublishedVersion, ScaleSet
from rollout.model.findings import Finding, error
from rollout.model.group import Group
from rollout.model.image_rule import ImageRule
from rollout.ports.azure import Images
from rollout.ports.errors import Refused

#: How many of the highest versions that the list does not rule out are looked at: each costs a read of its replication.
CANDIDATES_MAX = 5


@dataclass(frozen=True)
class Resolution:
    """The exact image that a request means, ``None`` where it is not there, and ``reference``, which names it.

    ``version_id`` is the same as a text, empty where there is nothing to look for. ``problem`` says why the request
    names none.
    """

    version_id: str
    version: PublishedVersion | None
    problem: Finding | None = None
    reference: ImageReference | None = None


async def resolve(images: Images, requested: str | None, group: Group, scale_set: ScaleSet | None) -> Resolution:
    """The exact image that ``requested`` means for the scale set; ``None`` means the one in the set's own model."""
    asked = _asked(requested, group, scale_set)
    if isinstance(asked, Finding):
        return Resolution("", None, asked)
    if asked is None:
        return Resolution("", None)
    if asked.exact:
        return await look_up(images, asked, scale_set)
    # Without the set it is not known in which region to look, and that there is no set is told anyway.
    return await _newest(images, asked, scale_set.place) if scale_set is not None else Resolution("", None)


async def look_up(images: Images, exact: ImageReference, scale_set: ScaleSet | None) -> Resolution:
    """The image that a reference names to the version."""
    if scale_set is None and needs_place(exact):
        return Resolution("", None, reference=exact)
    place = scale_set.place if scale_set is not None else None
    return Resolution(exact.full_name, await images.read(exact, place), reference=exact)


async def with_replication(
    images: Images, versions: Sequence[PublishedVersion], place: Place | None
) -> tuple[PublishedVersion, ...]:
    """The versions of a list, which does not tell everything, each as it is told by itself."""
    read = await asyncio.gather(*(images.read(version.reference, place) for version in versions))
    return tuple(version for version in read if version is not None)


async def newest_wanted(images: Images, rule: ImageRule, place: Place) -> PublishedVersion | None:
    """The highest version that the rule wants and that VMs in the region can be made from; ``None``: there is none.

    ``Refused`` where there is no such image.
    """
    versions = await images.list_versions(ImageReference(id=rule.image_id), place)
    if versions is None:
        raise Refused("imageNotFound", f"The image of the group's rule, {rule.image_id}, is not there")
    wanted = [version for version in versions if match_rule(rule, rule.image_id, version.name).wanted]
    return await _highest(images, wanted, place)


async def _highest(images: Images, versions: Sequence[PublishedVersion], place: Place) -> PublishedVersion | None:
    """The highest of a list that counts as latest in the region. Whoever chooses a version by itself chooses here.

    What the list tells rules versions out before it is cut short; it does not tell the replication. So each of the
    highest is read until one serves: mostly one.
    """
    usable = [version for version in versions if counts_as_latest(replace(version, regions=None), place.region)]
    highest = sorted(usable, key=lambda version: version_key(version.name), reverse=True)[:CANDIDATES_MAX]
    for version in highest:
        for read in await with_replication(images, [version], place):
            if counts_as_latest(read, place.region):
                return read
    return None


def _asked(requested: str | None, group: Group, scale_set: ScaleSet | None) -> ImageReference | Finding | None:
    if requested is not None:
        return parse_image(requested, group.image_id)
    return scale_set.image if scale_set is not None else None


async def _newest(images: Images, image: ImageReference, place: Place) -> Resolution:
    versions = await images.list_versions(image, place) or ()
    latest = await _highest(images, versions, place)
    if latest is None:
        return Resolution("", None, _no_version(image, place))
    return Resolution(latest.id, latest, reference=latest.reference)


def _no_version(image: ImageReference, place: Place) -> Finding:
    return error(
        "noLatestImage",
        f"{image.full_name} has no recent version that counts as latest in {place.region}",
        "Publish a version, or name one: GET /api/groups/{groupId}/images lists those of the group's image",
        "image",
    )
