"""Which resources an operator lets Teal use."""

from __future__ import annotations

from collections.abc import Sequence

from rollout.model.group import Group


def is_allowed(resource_id: str, scopes: Sequence[str]) -> bool:
    """Whether the resource is one of ``scopes``, or below one; where there are none, every resource is.

    Resource ids know no case, and a scope ends where a segment does.

    >>> is_allowed("/subscriptions/a/resourceGroups/Web/x", ["/subscriptions/A/resourcegroups/web"])
    True
    >>> is_allowed("/subscriptions/a/resourceGroups/web2", ["/subscriptions/a/resourceGroups/web"])
    False
    >>> is_allowed("/subscriptions/a", [""])
    False
    """
    within = _segments(resource_id)
    return not scopes or any(within[: len(_segments(scope))] == _segments(scope) for scope in scopes)


def _segments(resource_id: str) -> list[str]:
    return resource_id.lower().strip("/").split("/")


def image_scope(image: str | None, group: Group) -> str | None:
    """The resource id by which an image is allowed or not.

    A version alone is one of the group's image. A marketplace image, ``publisher:offer:sku:version``, belongs to
    nobody, and the set's present image is in use already.
    """
    if image is None or image.startswith("/"):
        return image
    return None if ":" in image else group.image_id
