"""Whether ``TEAL_ALLOWED_SCOPES`` lets a resource be used, in words for whoever asked for it."""

from __future__ import annotations

from collections.abc import Sequence

from rollout.preflight.scopes import is_allowed
from settings import NOTHING


def objection(scopes: Sequence[str], resource_id: str | None) -> str:
    """Why the resource may not be used; empty where it may. ``None`` is no resource."""
    if resource_id is None or is_allowed(resource_id, scopes):
        return ""
    named = "TEAL_ALLOWED_SCOPES names what it may"
    if tuple(scopes) == NOTHING:
        named = "TEAL_ALLOWED_SCOPES is set and names nothing: name what may be used there, or remove the setting"
    return f"{resource_id} is outside of what this app may use. {named}"
