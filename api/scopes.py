"""Refusing what the setting ``TEAL_ALLOWED_SCOPES`` does not allow."""

from __future__ import annotations

from collections.abc import Sequence

from api.errors import Code, Refusal
from rollout.group import Group
from rollout.scopes import is_allowed
from settings import NOTHING


def refuse_outside(scopes: Sequence[str], resource_id: str | None, target: str) -> None:
    """Raise ``scopeNotAllowed`` where the resource may not be used; ``None`` is no resource."""
    if resource_id is not None and not is_allowed(resource_id, scopes):
        named = "TEAL_ALLOWED_SCOPES names what it may"
        if tuple(scopes) == NOTHING:
            named = "TEAL_ALLOWED_SCOPES is set and names nothing: name what may be used there, or remove the setting"
        message = f"{resource_id} is outside of what this app may use. {named}"
        raise Refusal(Code.SCOPE_NOT_ALLOWED, message, target)


def image_scope(image: str | None, group: Group) -> str | None:
    """The resource id by which an image is allowed or not.

    A version alone is one of the group's image. A marketplace image, ``publisher:offer:sku:version``, belongs to
    nobody, and the set's present image is in use already.
    """
    if image is None or image.startswith("/"):
        return image
    return None if ":" in image else group.image_id
