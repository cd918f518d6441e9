"""``GET /me``: who the caller is to Teal, and what they may do."""

from __future__ import annotations

from api.transport.http import Answer, Request
from rollout.model.codec import Json
from rollout.model.roles import COMMANDS, Caller, decide
from rollout.ports.ports import Ports


async def get_me(ports: Ports, request: Request) -> Answer:
    """Who the caller is to Teal, and which commands they may give."""
    caller = request.caller
    return Answer(
        200,
        {
            "mode": str(caller.mode),
            "name": caller.name,
            "recordedAs": caller.recorded_as,
            "roles": [str(role) for role in caller.roles],
            "may": {command: _permission(caller, function) for command, function in COMMANDS.items()},
        },
    )


def _permission(caller: Caller, function: str) -> Json:
    decision = decide(caller, function)
    return {"allowed": decision.allowed, "needs": str(decision.needs)}
