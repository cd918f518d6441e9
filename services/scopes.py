"""Objections of ``TEAL_ALLOWED_SCOPES`` to the use of a resource, in words for the asker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rollout.model.rows.deployment import Deployment
from rollout.preflight.scopes import is_allowed
from settings import NOTHING


def first_objection(scopes: Sequence[str], resource_ids: Iterable[str | None]) -> str:
    """Why one of the resources may not be used; empty where all may."""
    return next(filter(None, (objection(scopes, resource_id) for resource_id in resource_ids)), "")


def objection_to(scopes: Sequence[str], deployment: Deployment) -> str:
    """Why a deployment that has changed nothing yet may not begin; empty where it may."""
    image = deployment.image.pinned.path if deployment.image.requested is not None else None
    return first_objection(scopes, (deployment.scale_set_id, image if image and image.startswith("/") else None))


def objection(scopes: Sequence[str], resource_id: str | None) -> str:
    """Why the resource may not be used; empty where it may. ``None`` is no resource."""
    if resource_id is None or is_allowed(resource_id, scopes):
        return ""
    named = "TEAL_ALLOWED_SCOPES names what it may"
    if tuple(scopes) == NOTHING:
        named = "TEAL_ALLOWED_SCOPES is set and names nothing: name what may be used there, or remove the setting"
    return f"{resource_id} is outside of what this app may use. {named}"
