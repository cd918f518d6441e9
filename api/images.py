"""``/groups/{groupId}/images``."""

from __future__ import annotations

from api.errors import Code, Refusal
from api.http import Answer, Request
from api.lookup import find_group
from api.paging import first, position
from api.query import query_integer
from api.rendering import render_version
from groundwork.version import with_replication
from rollout.errors import AzureError
from rollout.findings import Finding, error, info
from rollout.group import Group
from rollout.images import version_key
from rollout.ports import Ports
from rollout.scale_set import ImageReference

#: How many versions are listed: each costs a read of its replication.
VERSIONS_DEFAULT = 20
VERSIONS_MAX = 50


async def image_findings(ports: Ports, group: Group) -> tuple[Finding, ...]:
    """What is wrong with the images that a group names. What cannot be read stops nothing."""
    named = {"imageId": group.image_id, "imageRule.imageId": group.image_rule.image_id if group.image_rule else None}
    found: list[Finding] = []
    for target, image_id in named.items():
        if image_id is not None:
            found += await _image_finding(ports, image_id, target)
    return tuple(found)


async def _image_finding(ports: Ports, image_id: str, target: str) -> tuple[Finding, ...]:
    try:
        versions = await ports.images.list_versions(ImageReference(id=image_id))
    except AzureError as problem:
        message = f"Whether there is an image {image_id} is not known: Azure answered {problem.code}"
        return (info("notChecked", message, "Let the app's identity read the gallery", target),)
    if versions is not None:
        return ()
    remedy = "Check the id, and that the app's identity may read the gallery"
    return (error("imageNotFound", f"There is no image {image_id}", remedy, target),)


async def list_images(ports: Ports, request: Request) -> Answer:
    """The versions of the group's image, newest first, with their replication."""
    group = await find_group(ports, request)
    limit = query_integer(request, "limit", 1, VERSIONS_MAX) or VERSIONS_DEFAULT
    if group.image_id is None:
        message = f"Group {group.id} has no imageId. PUT the group with the id of its gallery image"
        raise Refusal(Code.GROUP_HAS_NO_IMAGE, message, "imageId")
    versions = await ports.images.list_versions(ImageReference(id=group.image_id))
    if versions is None:
        message = (
            f"There is no image {group.image_id}. Check the group's imageId, and that the app's identity may read it"
        )
        raise Refusal(Code.IMAGE_NOT_FOUND, message, "imageId")
    after = position(request, "images")
    left = [version for version in versions if not after or version_key(version.name) < version_key(after)]
    page = first(left, limit, lambda version: version.name)
    read = await with_replication(ports.images, page.items, None)
    return Answer(200, page.answer("images", [render_version(version) for version in read]))
