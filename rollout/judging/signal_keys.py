"""The key that a group's VMs send with their signals: who has it speaks for that group's VMs alone."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence


def signal_key(secret: str, group_id: str) -> str:
    """An HMAC-SHA-256 of the group's id: it follows from the secret, so nothing is kept.

    >>> signal_key("a", "web") == signal_key("a", "web") != signal_key("a", "api")
    True
    """
    return hmac.new(secret.encode(), group_id.encode(), hashlib.sha256).hexdigest()


def is_signal_key(secrets: Sequence[str], group_id: str, key: str) -> bool:
    """Whether ``key`` is the group's, by any of the secrets. How long that takes tells nothing."""
    matching = [hmac.compare_digest(signal_key(secret, group_id).encode(), key.encode()) for secret in secrets]
    return any(matching)
