"""``/groups/{groupId}/images``."""

from __future__ import annotations

from api.contract.page_sizes import VERSIONS_DEFAULT, VERSIONS_MAX
from api.handlers.lookup import find_group
from api.handlers.rendering import render_version
from api.transport.errors import Code, Refusal
from api.transport.http import Answer, Request
from api.transport.paging import first, position
from api.transport.query import query_integer
from rollout.model.azure.images import version_key
from rollout.model.azure.scale_set import ImageReference
from rollout.model.findings import Finding, error, info
from rollout.model.group import Group
from rollout.ports.errors import AzureError
from rollout.ports.ports import Ports
from services.images.version import with_replication


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
