"""The row of a request that carries an ``Idempotency-Key``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from rollout.model.codec import Json
from rollout.model.names import deployment_id


@dataclass(frozen=True)
class KeyedRequest:
    """One row of the requests table. ``scope`` is the method and path, ``fingerprint`` that of the body.

    ``token`` and ``at`` name what the request makes, so that a second try makes the same. ``status`` 0: it was not
    answered yet, or what it asked was refused; ``token`` is empty where it was, and the next try makes something else.
    ``since``: when the present try began, ``None`` where none is under way. ``tries``: how many had this token.
    """

    scope: str
    key: str
    fingerprint: str
    token: str
    at: datetime
    status: int = 0
    body: Json | None = None
    headers: dict[str, str] | None = None
    since: datetime | None = None
    tries: int = 1
    schema_version: int = 1

    @property
    def starts(self) -> str:
        """The id of the deployment that the request starts; empty where it starts none."""
        start = _START.fullmatch(self.scope)
        return deployment_id(start[1], self.at, self.token) if start and self.token else ""

    @property
    def lasting(self) -> bool:
        """Whether the row is kept as long as that of the deployment that it has started."""
        return self.status != 0 and self.starts != ""


def start_scope(group_id: str) -> str:
    """The scope of a start in the group."""
    return f"POST groups/{group_id}/deployments"


_START = re.compile(start_scope("([a-z0-9-]+)"))
