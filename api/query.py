"""Query parameters."""

from __future__ import annotations

from api.errors import Code, Detail, refuse_faults
from api.http import Request


def query_integer(request: Request, name: str, least: int, most: int | None = None) -> int | None:
    """The query parameter ``name`` as a whole number; ``None`` where it is not given."""
    text = request.query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise refuse_faults([Detail(Code.INVALID_TYPE, f"{name} must be a whole number", name)])
    if int(text) < least or (most is not None and int(text) > most):
        bounds = f"at least {least}" if most is None else f"from {least} to {most}"
        raise refuse_faults([Detail(Code.OUT_OF_RANGE, f"{name} must be {bounds}, not {int(text)}", name)])
    return int(text)


def query_flag(request: Request, name: str) -> bool:
    """The query parameter ``name`` as ``true`` or ``false``; false where it is not given."""
    text = request.query.get(name, "false")
    if text not in ("true", "false"):
        raise refuse_faults([Detail(Code.INVALID_VALUE, f"{name} must be true or false, not {text[:40]!r}", name)])
    return text == "true"
