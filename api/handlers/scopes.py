"""Refusing what the setting ``TEAL_ALLOWED_SCOPES`` does not allow."""

from __future__ import annotations

from collections.abc import Sequence

from api.transport.errors import Code, Refusal
from services.scopes import objection


def refuse_outside(scopes: Sequence[str], resource_id: str | None, target: str) -> None:
    """Raise ``scopeNotAllowed`` where the resource may not be used; ``None`` is no resource."""
    message = objection(scopes, resource_id)
    if message:
        raise Refusal(Code.SCOPE_NOT_ALLOWED, message, target)
