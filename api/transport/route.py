"""One route of the API."""

from __future__ import annotations

from dataclasses import dataclass

from api.transport.http import Handler


@dataclass(frozen=True)
class Route:
    """One function of the app, with keys of its own. Who may call it is a row of ``rollout.model.roles.NEEDS``.

    ``path`` is relative to the host's route prefix, ``/api``. ``query`` names the parameters that it knows.
    ``kept``: the answer to a request with an ``Idempotency-Key`` is kept for when it is sent again.
    """

    name: str
    method: str
    path: str
    handler: Handler
    query: tuple[str, ...] = ()
    kept: bool = True
