"""Refusing what the setting ``TEAL_ALLOWED_SCOPES`` does not allow."""

from __future__ import annotations

from collections.abc import Sequence

from api.transport.errors import Code, Refusal
from rollout.preflight.scopes import is_allowed
from settings import NOTHING


def refuse_outside(scopes: Sequence[str], resource_id: str | None, target: str) -> None:
    """Raise ``scopeNotAllowed`` where the resource may not be used; ``None`` is no resource."""
    if resource_id is not None and not is_allowed(resource_id, scopes):
        named = "TEAL_ALLOWED_SCOPES names what it may"
        if tuple(scopes) == NOTHING:
            named = "TEAL_ALLOWED_SCOPES is set and names nothing: name what may be used there, or remove the setting"
        message = f"{resource_id} is outside of what this app may use. {named}"
        raise Refusal(Code.SCOPE_NOT_ALLOWED, message, target)
