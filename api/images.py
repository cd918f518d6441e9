"""``/groups/{groupId}/images``, and which version a request means."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from api.errors import Code, Refusal
from api.http import Answer, Request
from api.lookup import find_group
from api.query import query_integer
from api.rendering import render_list, render_version
from rollout.findings import Finding, Severity
from rollout.group import Group
from rollout.images import choose_latest, version_id_of, version_key
from rollout.ports import Images, Ports
from rollout.scale_set import ImageVersion

#: How many versions are listed: each costs a read of its replication.
VERSIONS_DEFAULT = 20
VERSIONS_MAX = 50

#: How many of the highest versions ``latest`` is chosen from: each costs a read of its replication.
CANDIDATES_MAX = 5


@dataclass(frozen=True)
class Resolution:
    """The version that a request means, ``None`` where it is not there; ``problem`` says why the request names none."""

    version_id: str
    version: ImageVersion | None
    problem: Finding | None = None


async def list_images(ports: Ports, request: Request) -> Answer:
    """The versions of the group's image, newest first, with their replication."""
    group = await find_group(ports, request)
    limit = query_integer(request, "limit", 1, VERSIONS_MAX) or VERSIONS_DEFAULT
    if group.image_id is None:
        message = f"Group {group.id} has no imageId. PUT the group with the id of its gallery image"
        raise Refusal(Code.GROUP_HAS_NO_IMAGE, message, "imageId")
    versions = await ports.images.list_versions(group.image_id)
    if versions is None:
        message = (
            f"There is no image {group.image_id}. Check the group's imageId, and that the app's identity may read it"
        )
        raise Refusal(Code.IMAGE_NOT_FOUND, message, "imageId")
    read = await _with_replication(ports.images, versions[:limit])
    return Answer(200, render_list([render_version(version) for version in read]))


async def resolve(images: Images, requested: str, group: Group, region: str) -> Resolution:
    """The version that ``requested`` means for a scale set in ``region``."""
    version_id = version_id_of(requested, group.image_id)
    if isinstance(version_id, Finding):
        return Resolution("", None, version_id)
    if version_id is not None:
        return Resolution(version_id, await images.read(version_id))
    latest = await _latest(images, group.image_id or "", region)
    return Resolution(latest.id, latest) if latest else Resolution("", None, _no_version(group.image_id or "", region))


async def _latest(images: Images, image_id: str, region: str) -> ImageVersion | None:
    versions = await images.list_versions(image_id) or ()
    highest = sorted(versions, key=lambda version: version_key(version.name), reverse=True)[:CANDIDATES_MAX]
    return choose_latest(await _with_replication(images, highest), region)


async def _with_replication(images: Images, versions: Sequence[ImageVersion]) -> tuple[ImageVersion, ...]:
    read = await asyncio.gather(*(images.read(version.id) for version in versions))
    return tuple(version for version in read if version is not None)


def _no_version(image_id: str, region: str) -> Finding:
    return Finding(
        Severity.ERROR,
        "noLatestImage",
        f"{image_id} has no recent version that counts as latest in {region or 'the region of the scale set'}",
        "List the versions: GET /api/groups/{groupId}/images; publish one, or name one",
        "image",
    )
