"""``/groups/{groupId}/images``."""

from __future__ import annotations

from api.errors import Code, Refusal
from api.http import Answer, Request
from api.lookup import find_group
from api.paging import first, position
from api.query import query_integer
from api.rendering import render_version
from groundwork.version import with_replication
from rollout.images import version_key
from rollout.ports import Ports
from rollout.scale_set import ImageReference

#: How many versions are listed: each costs a read of its replication.
VERSIONS_DEFAULT = 20
VERSIONS_MAX = 50


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
