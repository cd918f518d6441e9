"""Before anything else is looked at: who asks, and whether they may."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from api.transport.callers import by_key, by_principal
from api.transport.errors import Code, Refusal
from api.transport.http import Answer, Handler, Request
from rollout.model.roles import NEEDS, Caller, decide, is_keyed
from rollout.ports.ports import Ports
from services.authentication import OFF
from settings import Settings

_log = logging.getLogger("teal")

#: Says that the app runs, whatever else does not work.
_HEALTH = "get_health"


@dataclass(frozen=True)
class Admission:
    """How callers of one route's ``function`` are admitted."""

    function: str
    settings: Settings

    def caller(self, request: Request) -> Caller | None:
        """Who asks; ``None``: nobody that is known."""
        if is_keyed(self.function, self.settings.mode):
            return by_key(request, self.settings.known_keys)
        return by_principal(request)


async def admitted(ports: Ports, request: Request, *, handler: Handler, admission: Admission) -> Answer:
    """The handler's answer to a caller who may ask; raise ``Refusal`` to all others."""
    function, settings = admission.function, admission.settings
    if not settings.is_authenticated and function != _HEALTH:
        raise Refusal(Code.AUTHENTICATION_OFF, f"{OFF}. An operator must turn it on")
    if NEEDS[function] is None:
        return await handler(ports, request)
    caller = admission.caller(request)
    if caller is None:
        raise _unknown(is_keyed(function, settings.mode))
    decision = decide(caller, function)
    if not decision.allowed:
        _log.warning("Refused: %s", decision.reason)
        message = f"{decision.reason}. Ask an administrator of Teal for it"
        raise Refusal(Code.ROLE_MISSING, message, str(decision.needs))
    return await handler(ports, replace(request, caller=caller))


def _unknown(is_keyed: bool) -> Refusal:
    if is_keyed:
        message = "Send one function key, in the header x-functions-key or else as code, that has no comma in it"
        return Refusal(Code.UNAUTHENTICATED, message, "x-functions-key")
    message = "Sign in, or send a token of Microsoft Entra for this app as Authorization: Bearer"
    return Refusal(Code.UNAUTHENTICATED, message, "Authorization")
